"""Arguments and options that several commands share, each written once."""

from enum import StrEnum
from typing import Annotated

import typer

from kandji_schema.errors import UsageError


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MARKDOWN = "markdown"


FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to print the rows.")]
ParamOption = Annotated[list[str] | None, typer.Option("--param", "-p", help="A parameter, name=value. Repeatable.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
DevicesOption = Annotated[int, typer.Option(min=0, max=50_000, help="Devices of the simulated fleet.")]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same fleet.")]
AppsOption = Annotated[int, typer.Option(min=0, max=500, help="Apps on a device, about.")]


def parameters(pairs: list[str] | None) -> dict[str, str]:
    """``["days=7"]`` as ``{"days": "7"}``; :class:`UsageError` for anything else."""
    found: dict[str, str] = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--param {pair!r} is not name=value. Example: --param days=7")
        found[name] = value
    return found
