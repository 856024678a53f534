"""``server.json``, which the MCP registry lists, against the rules of its schema of 2025-12-11."""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = json.loads((ROOT / "server.json").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_it_names_this_version() -> None:
    (package,) = DOCUMENT["packages"]
    assert {DOCUMENT["version"], package["version"]} == {PROJECT["version"]}
    assert package["identifier"] == PROJECT["name"]


def test_it_keeps_to_the_schema() -> None:
    assert DOCUMENT["$schema"].endswith("/2025-12-11/server.schema.json")
    assert set(DOCUMENT) == {"$schema", "name", "title", "description", "version", "packages"}
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", DOCUMENT["name"])
    assert 1 <= len(DOCUMENT["description"]) <= 100
    assert 1 <= len(DOCUMENT["title"]) <= 100


def test_a_client_starts_the_command_by_the_name_of_the_package() -> None:
    (package,) = DOCUMENT["packages"]
    assert package["registryType"] == "pypi"
    assert package["transport"] == {"type": "stdio"}
    assert package["packageArguments"] == [{"type": "positional", "value": "mcp"}]
    assert PROJECT["scripts"][package["identifier"]] == "kandji_cli:run"


def test_secrets_are_marked() -> None:
    (package,) = DOCUMENT["packages"]
    assert [v["name"] for v in package["environmentVariables"] if v.get("isSecret")] == ["KANDJI_API_TOKEN"]
