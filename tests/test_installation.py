"""What is installed: the version from one place, and the command that adds an extra to this very installation."""

import json
import tomllib
from pathlib import Path

import pytest
from commands import run

from kandji_schema.installation import EXTRAS, how_to_add
from kandji_schema.store_version import STORE_VERSION

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_extra_that_people_choose_is_known_with_what_it_installs() -> None:
    declared = {name: asked for name, asked in PROJECT["optional-dependencies"].items() if name != "dev"}
    assert {name: [line.split(">")[0] for line in asked] for name, asked in declared.items()} == {
        name: [distribution] for name, distribution in EXTRAS.items()
    }


def test_the_version_is_told_with_those_of_duckdb_python_and_the_store(tmp_path: Path) -> None:
    line = run(tmp_path, "-V").stdout.strip()
    told = json.loads(run(tmp_path, "version", "--json").stdout)
    assert told["kandji-mirror"] == PROJECT["version"]
    assert line == (
        f"kandji-mirror, version {PROJECT['version']} (DuckDB {told['duckdb']}, Python {told['python']}, "
        f"store version {STORE_VERSION})"
    )
    assert run(tmp_path, "version").stdout.splitlines()[0] == line
    assert set(told["extras"]) == set(EXTRAS)


RECEIPT = '[tool]\nrequirements = [{ name = "kandji-mirror", extras = ["socks"]%s }, { name = "rich" }]\n'


@pytest.mark.parametrize(
    ("file", "text", "command"),
    [
        ("pyvenv.cfg", "", "pip install 'kandji-mirror[xlsx]'"),
        ("pipx_metadata.json", "{}", "pipx inject kandji-mirror 'xlsxwriter<4,>=3.2'"),
        ("uv-receipt.toml", RECEIPT % "", "uv tool install 'kandji-mirror[socks,xlsx]' --with rich"),
        (
            "uv-receipt.toml",
            RECEIPT % ', path = "/tmp/my wheels/k.whl"',
            "uv tool install 'kandji-mirror[socks,xlsx] @ /tmp/my wheels/k.whl' --with rich",
        ),
        ("uv-receipt.toml", "odd [", "uv tool install 'kandji-mirror[xlsx]'"),
        ("uv-receipt.toml", '[tool]\nrequirements = ["kandji-mirror"]\n', "uv tool install 'kandji-mirror[xlsx]'"),
    ],
)
def test_an_extra_is_added_with_the_tool_that_installed_the_rest(
    tmp_path: Path, file: str, text: str, command: str
) -> None:
    (tmp_path / file).write_text(text)
    assert how_to_add("xlsx", tmp_path) == command
