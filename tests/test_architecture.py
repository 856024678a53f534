"""``docs/architecture.md`` names what is there: every step's function, every path; and each word once."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text()
STEPS = re.findall(r"^\| \d+ \| .* \| `([\w.]+):([\w.]+)` \|$", PAGE, re.M)
PACKAGES = {package.parent.name: package.parent for package in ROOT.glob("*/kandji_*/__init__.py")}


def test_every_step_leads_to_a_function_or_class() -> None:
    for module, name in STEPS:
        found = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)


def test_a_row_is_followed_in_25_steps_and_an_action_in_eight() -> None:
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \| ", PAGE, re.M)]
    assert numbers == [*range(1, 26), *range(1, 9)]
    assert len(STEPS) == len(numbers)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:\w+/)+[\w.*]*)`", PAGE))))
def test_every_path_is_there(path: str) -> None:
    assert list(ROOT.glob(path.rstrip("/"))) or list((ROOT / "queries/kandji_queries").glob(path.rstrip("/")))


def test_the_picture_has_every_package() -> None:
    assert set(PACKAGES) == set(re.findall(r"\bkandji_(?:\w+)", PAGE.partition("```")[2].partition("```")[0]))


def test_telling_is_not_syncing() -> None:
    taken = {"kandji_mirror.api.responses", "kandji_mirror.api.transport", "kandji_mirror.threads"}
    others = [name for name in PACKAGES if name not in {"kandji_watch", "kandji_queries", "kandji_schema"}]
    found = {name for name in _imported("kandji_watch") if name.partition(".")[0] in others}
    assert found <= taken
    below = [name for name in PACKAGES if name not in {"kandji_watch", "kandji_cli", "kandji_web"}]
    assert [name for package in below for name in _imported(package) if name.startswith("kandji_watch")] == []


def _imported(package: str) -> set[str]:
    """The modules that a package imports, in functions too."""
    found: set[str] = set()
    for path in PACKAGES[package].rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
            elif isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
    return found


def test_each_word_stands_once() -> None:
    glossary = PAGE.partition("## Words")[2].partition("## Where")[0]
    words = [word.strip() for cell in re.findall(r"^\| ([^|]+) \| ", glossary, re.M) for word in cell.split(",")]
    assert len(words) == len(set(words)) > 40
