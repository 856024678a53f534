"""``search``: whatever has a name, by words."""

import sys

from kandji_cli.output import tell, tell_number
from kandji_cli.reads import date, open_reader
from kandji_queries.catalog.search import USUAL, search
from kandji_queries.results.formats import write
from kandji_schema.errors import UsageError

CHANGES = ("changes", "changes_by_thing", "changes_between")
"""What there is of history to ask by SQL; the command is the shorter way."""


def print_hits(words: tuple[str, ...], kind: str | None, limit: int | None, form: str) -> None:
    """Print what fits, the best first, with what else is to be known on stderr."""
    if not words:
        raise UsageError("There is nothing to search for. Example: kandji-mirror search disk space")
    with open_reader() as reader:
        found = search(reader, " ".join(words), kind, limit or USUAL).result()
        if found.rows or form != "table":  # heads over nothing tell nothing
            write(found, form, sys.stdout)
        tell_number(found.row_count, form)
        date(reader, found.as_of, found.notes, form)
    if form == "table" and any(name.partition(".")[0] in CHANGES for _, name, _ in found.rows):
        tell("`kandji-mirror changes` shows what changed, by device and thing.")
