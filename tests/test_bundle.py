"""The editor of the page ``/sql`` is what its source builds, with the licences of all that is in it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "web" / "bundle"
ASSETS = SOURCE.parent / "kandji_web" / "assets"
FILES = ("console.js", "console.licences.txt")
MISSING = (
    "There is no npm here, which builds the editor of the page /sql. Type `sudo apt-get install nodejs npm` (macOS: "
    "`brew install node`), Node 20 or newer."
)


def test_the_shipped_editor_loads_nothing_and_asks_nobody() -> None:
    text = (ASSETS / "console.js").read_text()
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    assert not re.search(r"\beval\(|new Function\(", text)
    assert len(text) < 460_000


def test_packages_come_from_whatever_registry_is_set() -> None:
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert not [name for name, facts in packages.items() if "resolved" in facts or "integrity" not in facts]
    licences = (ASSETS / "console.licences.txt").read_text()
    shipped = [name.removeprefix("node_modules/") for name in packages if "esbuild" not in name]
    assert [name for name in shipped if f"{name} {packages[f'node_modules/{name}']['version']} (" not in licences] == []


@pytest.mark.heavy
def test_the_shipped_editor_is_what_its_source_builds(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    assert npm, MISSING
    source, built = tmp_path / "bundle", tmp_path / "built"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("node_modules"))
    built.mkdir()
    for command in (["ci", "--no-audit", "--no-fund"], ["run", "build", "--", str(built)]):
        done = subprocess.run([npm, *command], cwd=source, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    for name in FILES:
        assert (built / name).read_bytes() == (ASSETS / name).read_bytes(), f"{name}: type `make bundle` and commit it"
