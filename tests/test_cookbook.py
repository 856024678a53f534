"""Every recipe of the cookbook, run on the fleet that its page names, gives what the page shows."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from commands import run
from cookbook import PAGE, Recipe, commands, lacking, prepare, recipes

from kandji_cli.app import app

RECIPES = list(recipes())

ALIKE = 3
"""Every so many stand for the others, which `make check-all` runs: one is as another, and each takes a second."""

CASES = [
    pytest.param(recipe, id=recipe.question, marks=pytest.mark.many if recipe in spared else pytest.mark.heavy)
    for spared in [[recipe for number, recipe in enumerate(RECIPES) if number % ALIKE]]
    for recipe in RECIPES
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cookbook")
    prepare(home)
    return home


def test_there_are_as_many_as_the_page_says_and_each_is_a_command_of_ours() -> None:
    assert len(RECIPES) == 27
    assert "Twenty-seven questions" in PAGE.read_text()
    for recipe in RECIPES:
        assert recipe.shown, recipe.question
        typed = shlex.split(recipe.line)
        command = app.get_command(click.Context(app), typed[0])
        assert command is not None, recipe.line
        assert max(map(len, recipe.shown)) <= 120


def test_what_cron_is_told_to_run_is_a_recipe() -> None:
    for line in re.findall(r"^```crontab\n(.+)\n```", PAGE.read_text(), re.M):
        assert line.split(maxsplit=5)[5].removeprefix("kandji-mirror ") in {recipe.line for recipe in RECIPES}


ELSEWHERE = {"demo": "prepare() above", "init": "test_init.py", "sync": "test_sync.py", "shell": "test_shell.py",
             "serve": "test_mcp_http.py", "service": "test_service_command.py"}  # fmt: skip
"""Commands of README that ask a tenant, wait, or change the machine, and what tries them."""


RUN_HERE = [
    pytest.param(line, marks=pytest.mark.many if number % 3 else pytest.mark.heavy)
    for number, line in enumerate(commands())
    if line.split()[0] not in ELSEWHERE
]


@pytest.mark.parametrize("line", RUN_HERE)
def test_a_command_of_readme_runs_on_the_demo(line: str, home: Path) -> None:
    recently = str(datetime.now(UTC).date() - timedelta(days=9))
    words = shlex.split(re.sub(r"\d{4}-\d\d-\d\d", recently, line), comments=True)
    other = home / "other"
    apart = {"KANDJI_MIRROR_HOME": str(other)} if words[:2] == ["check", "init"] else {}
    ended = run(home, *words, XDG_CONFIG_HOME=str(other), **apart)
    assert ended.returncode == (3 if words[0] == "doctor" else 0), ended.stderr  # there is no token


@pytest.mark.parametrize("recipe", CASES)
def test_a_recipe_answers_as_shown(recipe: Recipe, home: Path) -> None:
    ended = recipe.run(home)
    assert ended.returncode == 0, ended.stderr
    assert lacking(recipe.shown, f"{ended.stdout}\n{ended.stderr}") == []
