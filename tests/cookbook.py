"""The recipes of ``docs/cookbook.md`` and the commands of README: what is typed, and what a page shows of the answer.

``python tests/cookbook.py`` makes the demo's fleet and writes its answers into the page.
"""

import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from commands import run

PAGE = Path(__file__).parent.parent / "docs/cookbook.md"
README = PAGE.parent.parent / "README.md"
LEFT_OUT = "..."
SHOWN, WIDTH = 9, 116

RECIPE = re.compile(r"^### (?P<question>.+)\n(?P<text>(?:(?!^##).*\n)*)", re.M)
TYPED = re.compile(r"^```console\n\$ kandji-mirror (?P<line>.+)\n(?P<shown>(?:(?!```).*\n)*)```", re.M)
BLOCK = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.M | re.S)
TOML = re.compile(r"^```toml\n(?P<text>(?:(?!```).*\n)*)```", re.M)

MOVING = (
    (re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:?\d\d(?::?\d\d)?Z?)?"), "DATE"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:k?B|MB|min|s|h|d)\b"), "AMOUNT"),
    (re.compile(r"\S*/"), ""),
    (re.compile(r"[─ ]{2,}"), " "),
)
"""What is another tomorrow, or elsewhere: moments, ages, sizes, folders, and the width of columns that hold them."""


@dataclass(frozen=True)
class Recipe:
    """A question, the arguments of the command that answers it, the lines shown, and files it needs."""

    question: str
    line: str
    shown: tuple[str, ...]
    toml: str

    def run(self, home: Path) -> CompletedProcess[str]:
        """Run it on the home of the demo, in an empty folder of its own."""
        return run(home, *shlex.split(self.line), COLUMNS="100")


def recipes() -> Iterator[Recipe]:
    """Yield them as the page has them."""
    for found in RECIPE.finditer(PAGE.read_text(encoding="utf-8")):
        for typed in TYPED.finditer(found["text"]):
            toml = TOML.search(found["text"])
            yield Recipe(
                found["question"], typed["line"], tuple(typed["shown"].splitlines()), toml["text"] if toml else ""
            )


def commands(page: Path = README) -> list[str]:
    """Every line in blocks of a page that begins with our command, wherever that lies."""
    text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))
    lines = "\n".join(BLOCK.findall(text)).splitlines()
    ours = (re.match(r"(?:\$ )?(?:\S*/)?kandji-mirror (.+)", line) for line in lines)
    return [found[1] for found in ours if found]


def plain(line: str) -> str:
    """The line without what is another tomorrow."""
    for moving, word in MOVING:
        line = moving.sub(word, line)
    return line.rstrip()


def lacking(shown: tuple[str, ...], answer: str) -> list[str]:
    """Lines that the page shows and the answer has not, or not in that order."""
    lines, missing = iter([plain(line) for line in answer.splitlines()]), []
    for line in shown:
        if line == LEFT_OUT:
            continue
        wanted = plain(line.removesuffix("…"))
        if not any(found == wanted or (line.endswith("…") and found.startswith(wanted)) for found in lines):
            missing.append(line)
            break
    return missing


def prepare(home: Path) -> None:
    """Make the fleet of the demo, and the two files that recipes tell to write."""
    made = run(home, "demo")
    assert made.returncode == 0, made.stderr
    for recipe in recipes():
        if "[tenants." in recipe.toml:
            config = home / "config" / "kandji-mirror" / "config.toml"
            config.parent.mkdir(parents=True, exist_ok=True)
            names = re.findall(r"\[tenants\.(\w+)\]", recipe.toml)
            of_demo = f'api_url = "http://127.0.0.1:9"\nmirror_home = "{home}"\n'
            config.write_text("".join(f"[tenants.{name}]\n{of_demo}" for name in names))
        elif recipe.toml:
            (home / "checks.toml").write_text(recipe.toml)


def short(recipe: Recipe, ended: CompletedProcess[str], folder: Path) -> str:
    """What the page shows of an answer: its beginning; where there are no rows, why; of many files the sum."""
    lines, notes = (text.replace(f"{folder}/", "").splitlines() for text in (ended.stdout, ended.stderr))
    if "--all" in recipe.line:
        lines = [LEFT_OUT, notes[-1]]
    elif "0 rows." in notes:
        lines += [note for note in notes if not note.startswith("As of ")][:2]
    kept = [line.rstrip() if len(line) <= WIDTH else f"{line[:WIDTH]}…" for line in lines[:SHOWN]]
    return "\n".join([*kept, *([LEFT_OUT] if len(lines) > SHOWN else [])])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        page = PAGE.read_text(encoding="utf-8")
        for recipe in recipes():
            ended = recipe.run(Path(folder))
            sys.stderr.write(f"{ended.returncode} {recipe.question}\n{ended.stderr if ended.returncode else ''}")
            head = f"```console\n$ kandji-mirror {recipe.line}\n"
            shown = "".join(f"{line}\n" for line in recipe.shown)
            answer = short(recipe, ended, Path(folder))
            assert f"{head}{shown}```" in page
            page = page.replace(f"{head}{shown}```", f"{head}{answer}\n```")
        PAGE.write_text(page, encoding="utf-8")
