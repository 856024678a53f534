"""Help pages: what a command does, its options, and at the very end its examples, as lines that can be copied.

A command writes each example as a paragraph ``Example: kandji-mirror ...`` of its docstring. Where and how they are
shown is decided here, for all commands.
"""

import re
from typing import Any

import click

_EXAMPLE = re.compile(r"^[ \t]*Example: (.+)$", re.MULTILINE)
_WORD = r"""(?:[^\s"']|"[^"]*"|'[^']*')+"""
_OPTION_OR_WORD = re.compile(rf"--?\w\S* (?!-){_WORD}|{_WORD}")
_INDENT, _MORE = "  ", "      "


def examples(command: click.Command) -> list[str]:
    """Return the examples of a command, each a line for a shell."""
    return _EXAMPLE.findall(command.help or "")


class HelpFormatter(click.HelpFormatter):
    """Writes a page of help; the examples among its texts come last."""

    def __init__(self, *args: Any, **facts: Any) -> None:
        super().__init__(*args, **facts)
        self._examples: list[str] = []

    def write_text(self, text: str) -> None:
        """Write a text in paragraphs, and keep the examples that are in it for the end."""
        self._examples += _EXAMPLE.findall(text)
        if rest := _EXAMPLE.sub("", text).strip("\n"):
            super().write_text(re.sub(r"\n{3,}", "\n\n", rest))

    def getvalue(self) -> str:
        """Return the page."""
        page = super().getvalue()
        if not self._examples:
            return page
        lines = "\n".join(_INDENT + _broken(example, self.width - len(_INDENT)) for example in self._examples)
        return f"{page.rstrip()}\n\nExamples:\n{lines}\n"


class HelpContext(click.Context):
    """The context of our commands, which says how help is written."""

    formatter_class = HelpFormatter


def explain(command: click.Command) -> None:
    """Have a command, and those below it, show help as all others do."""
    command.context_class = HelpContext
    if isinstance(command, click.Group):
        for below in command.commands.values():
            explain(below)


def _broken(line: str, width: int) -> str:
    """Break a line for a shell between its words, an option beside its value, so that it can still be copied."""
    lines, room = [""], width
    for piece in _OPTION_OR_WORD.findall(line):
        if lines[-1] and len(lines[-1]) + len(piece) + len(r" \\") >= room:
            lines.append("")
            room = width - len(_MORE) + len(_INDENT)
        lines[-1] = f"{lines[-1]} {piece}".strip()
    return f" \\\n{_MORE}".join(lines)
