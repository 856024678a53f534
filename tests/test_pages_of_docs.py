"""Pages for people: every link and anchor leads somewhere, the navigation has all, and README keeps its word."""

import re
import shlex
import subprocess
from pathlib import Path
from urllib.parse import unquote

import click
import pytest
from cookbook import commands

from kandji_cli.app import app

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("docs/*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))])
README = (ROOT / "README.md").read_text(encoding="utf-8")
SITE = ROOT / ".tools/site/bin/python"

FENCED = re.compile(r"^(`{3,}).*?^\1\s*$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.M)


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Those of its headings, as GitHub and the site make them."""
    words = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in words}


def test_every_link_inside_leads_somewhere() -> None:
    known = {page: anchors(page) for page in PAGES}
    astray = []
    for page in PAGES:
        for target in LINK.findall(re.sub(r"`[^`]*`", "", prose(page))):
            path, _, anchor = unquote(target).partition("#")
            if "://" in path or path.startswith("mailto:"):
                continue
            to = (page.parent / path).resolve() if path else page
            if not to.exists() or (anchor and anchor not in known.get(to, set())):
                astray.append(f"{page.name}: {target}")
    assert astray == []


def test_the_navigation_has_every_page_once() -> None:
    named = re.findall(r"[\w-]+\.md$", (ROOT / "mkdocs.yml").read_text(), re.M)
    beside = {"index.md", "changelog.md", "contributing.md", "security.md"}
    assert sorted(named) == sorted({page.name for page in ROOT.glob("docs/*.md")} | beside)


def test_a_page_begins_with_its_title_and_what_it_is_for() -> None:
    for page in ROOT.glob("docs/*.md"):
        title, _, rest = page.read_text(encoding="utf-8").partition("\n")
        assert title.startswith("# "), page.name
        first = re.sub(r"<!--.*?-->", "", rest, flags=re.S).strip()
        assert first[:1].isalpha() or first.startswith(("`kandji", "**")), f"{page.name}: {first[:60]}"


def test_readme_is_short_and_its_picture_is_light() -> None:
    assert README.count("\n") <= 150
    for image in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README):
        assert (ROOT / image).stat().st_size < 200_000


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_command_of_a_page_is_one(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANDJI_MIRROR_TENANT", "")  # where --tenant leaves the name
    for line in commands(page):
        words = shlex.split(re.split(r" (?:[|<>]|&&|>>) ", line)[0], comments=True)
        command: click.Command = app
        context = click.Context(app, info_name="kandji-mirror")
        while isinstance(command, click.Group) and words and words[0] in command.list_commands(context):
            found = command.get_command(context, words.pop(0))
            assert found is not None
            command = found
        command.make_context("kandji-mirror", words)  # raises for an option or argument that there is not


@pytest.mark.heavy
def test_the_site_is_built_with_every_link_checked() -> None:
    if not SITE.exists():
        pytest.skip("`make site` has not been made here")
    ended = subprocess.run([SITE, ROOT / "docs/site.py"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    index = (ROOT / "build/site/index.html").read_text(encoding="utf-8")
    loaded = re.findall(r"<(?:script|link|img)\b[^>]*?\b(?:src|href)=\"?(https?://[^\s\">]+)", index)
    assert loaded == []
    assert (ROOT / "build/site/search.json").stat().st_size > 100_000
