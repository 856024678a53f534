"""What CONTRIBUTING shows works as it stands there: each change is one file, and its test passes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("schema", "mirror", "queries", "mcp_server", "cli", "simulator")
BLOCK = re.compile(r"^```(?:python|sql)\n(?:#|--) ([\w/.]+)(: [^\n]*)?\n(.*?)^```$", re.M | re.S)
PLACE_OF_A_FIELD = "    provenance: Provenance ="


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the files of CONTRIBUTING in it."""
    copy = tmp_path_factory.mktemp("tree")
    for folder in (*PACKAGES, "docs", "release", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "server.json"):
        shutil.copy(ROOT / name, copy / name)
    for path, into, text in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text()):
        file = copy / path
        assert file.exists() == bool(into), path
        file.write_text(file.read_text().replace(PLACE_OF_A_FIELD, text + PLACE_OF_A_FIELD) if into else text)
    return copy


def ended_well(tree: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(tree / folder) for folder in PACKAGES)}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_kind_of_change_is_shown_with_its_test() -> None:
    shown = [path for path, _, _ in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())]
    assert len(shown) == 8
    assert [path.startswith("tests/") for path in shown] == [False, True] * 4


@pytest.mark.heavy
def test_the_tests_shown_pass(tree: Path) -> None:
    tests = [path for path, _, _ in BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text()) if path.startswith("tests/")]
    assert "4 passed" in ended_well(tree, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-v", *tests)


@pytest.mark.heavy
def test_the_reference_pages_follow(tree: Path) -> None:
    ended_well(tree, "docs/generate.py")
    for page, line in (
        ("data-dictionary.md", "| cycles | BIGINT |  | Charge cycles. |"),
        ("queries.md", "## worn_batteries"),
        ("actions.md", "`eSIMServerURL`"),
        ("settings.md", "KANDJI_MIRROR_CONTACT"),
    ):
        assert line in (tree / "docs" / page).read_text(), page


@pytest.mark.heavy
def test_a_new_action_is_a_command_and_a_tool(tree: Path) -> None:
    program = (
        "from kandji_mcp_server.actions.tools import action_tools\n"
        "from kandji_schema.settings import Settings\n"
        "print([tool.function.__name__ for tool in action_tools(Settings(mirror_actions='on'))])\n"
    )
    assert "'refresh_cellular_plans'" in ended_well(tree, "-c", program)
    command = "from kandji_cli import run; run()"
    helped = ended_well(tree, "-c", command, "action", "refreshcellularplans", "--help")
    assert "server_url" in helped
    assert "new plans" in helped
