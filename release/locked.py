"""Install kandji-mirror from its wheel with every dependency in the version and with the hash of ``requirements.lock``.

PYTHON release/locked.py WHEEL [EXTRA,EXTRA]

That list also has what development needs; pip is asked what the wheel needs on this system, and that alone goes into
the environment of PYTHON. The standard library suffices, so that it runs in an empty environment.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
_BLOCK = re.compile(r"^(?=[A-Za-z0-9_.-]+==)", re.MULTILINE)


def blocks(lock: str) -> Mapping[str, str]:
    """Return what the list says of each package, by its name as the package index folds it: version and hashes."""
    return {_folded(block.partition("==")[0]): block for block in _BLOCK.split(lock)[1:]}


def chosen(lock: str, needed: Iterable[tuple[str, str]]) -> str:
    """Return the part of the list that says what is needed: names with versions. ValueError where it has another."""
    known = blocks(lock)
    found = []
    for name, version in needed:
        block = known.get(_folded(name), "")
        if block.partition("==")[2].split()[:1] != [version]:
            raise ValueError(f"requirements.lock has not {name} {version}. Make it again, as its first lines say.")
        found.append(block)
    return "".join(found)


def _folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needs(wheel: Path, extras: str) -> list[tuple[str, str]]:
    """Ask pip which packages in which versions the wheel needs here; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        asked = f"{wheel.resolve()}[{extras}]" if extras else str(wheel.resolve())
        options = ("--dry-run", "--ignore-installed", "--report", str(report))
        subprocess.run([*PIP, "install", *options, "--constraint", str(ROOT / "constraints.txt"), asked], check=True)
        items = [entry["metadata"] for entry in json.loads(report.read_text(encoding="utf-8"))["install"]]
    return [(item["name"], item["version"]) for item in items if _folded(item["name"]) != "kandji-mirror"]


def install(wheel: Path, extras: str) -> int:
    """Install what the wheel needs by hash, then the wheel; return how many packages that were."""
    needed = needs(wheel, extras)
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "requirements.txt"
        part.write_text(chosen((ROOT / "requirements.lock").read_text(encoding="utf-8"), needed), encoding="utf-8")
        subprocess.run([*PIP, "install", "--no-deps", "--require-hashes", "--requirement", str(part)], check=True)
    subprocess.run([*PIP, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    return len(needed) + 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        number = install(Path(sys.argv[1]), "".join(sys.argv[2:]))
        print(f"{number} packages, each in the version and with the hash known.")
    except (subprocess.CalledProcessError, ValueError) as error:
        sys.exit(f"locked: {error}")
