"""Completion by the Tab key: click's own, with what bash needs for ``name=value``."""

import os
from typing import ClassVar

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class

PROGRAM = "kandji-mirror"
VARIABLE = "_KANDJI_MIRROR_COMPLETE"
"""Where the shell says what it wants, as click derives it from the name of the program."""

SHELLS = ("bash", "zsh", "fish")


class Bash(BashComplete):
    """bash takes ``name=value`` for three words: ``name``, ``=`` and ``value``, and completes the last of them."""

    name: ClassVar[str] = "bash"
    source_template: ClassVar[str] = BashComplete.source_template.replace(
        "    return 0\n", "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n    return 0\n"
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one to complete, and that one, with what bash took apart put together."""
        before, incomplete = super().get_completion_args()
        *whole, last = _joined([*before, incomplete])
        return whole, last

    def format_completion(self, item: CompletionItem) -> str:
        """Write an item as bash takes it: what stands before an ``=`` in the word is there already."""
        _, incomplete = self.get_completion_args()
        known = len(incomplete.rpartition("=")[0]) + 1 if "=" in incomplete and not incomplete.startswith("-") else 0
        return f"{item.type},{str(item.value)[known:]}"


def _joined(words: list[str]) -> list[str]:
    """Put ``name``, ``=``, ``value`` together; of ``--option``, ``=``, ``value`` the ``=`` goes, as click wants it."""
    whole: list[str] = []
    for word, former in zip(words, ["", *words], strict=False):
        if word == "=" and whole:
            whole += [""] if whole[-1].startswith("-") else []
            whole[-1] += "" if not whole[-1] else "="
        elif former == "=" and whole:
            whole[-1] += word
        else:
            whole.append(word)
    return whole


def take_part() -> None:
    """Have click answer a shell that asks, where one does."""
    if VARIABLE in os.environ:
        add_completion_class(Bash)


def script(command: click.Command, shell: str) -> str:
    """Return the script that a shell reads at its start."""
    add_completion_class(Bash)
    found = get_completion_class(shell)
    if found is None:  # click has those of SHELLS
        raise click.UsageError(f"There is no completion for {shell}.")
    return found(command, {}, PROGRAM, VARIABLE).source()
