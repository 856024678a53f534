"""The hashed list of dependencies says what the list of versions says."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def named(text: str) -> dict[str, str]:
    """Versions by the names of packages, folded as the package index does it."""
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_the_hashed_list_has_every_version_of_the_constraints_with_hashes() -> None:
    constraints = named((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    hashed = named(lock)
    assert {name: hashed.get(name) for name in constraints} == constraints
    blocks = re.split(r"^(?=[A-Za-z0-9_.-]+==)", lock, flags=re.MULTILINE)[1:]
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []
