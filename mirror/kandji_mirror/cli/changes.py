"""``changes``: what became of devices, apps and the rest, in order of time."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kandji_mirror.cli.output import tell
from kandji_mirror.cli.reads import date, open_reader
from kandji_queries.asked_time import moment
from kandji_queries.formats import write
from kandji_schema.errors import UnknownName

COLUMNS = "changed_at, device_name, serial_number, table_name, change, column_name, old_value, new_value, row_key"

ORDER = ("changed_at", "table_name", "row_key::VARCHAR", "column_name")


@dataclass(frozen=True)
class Condition:
    """One option: the SQL it adds, and the value it binds, from the text of the option and the time now."""

    sql: str
    value: Callable[[str, datetime], Any]


def _as_it_is(text: str, _: datetime) -> str:
    return text


CONDITIONS: Mapping[str, Condition] = {
    "since": Condition("changed_at >= $since", moment),
    "until": Condition("changed_at < $until", moment),
    "device": Condition("lower($device) IN (lower(device_id), lower(serial_number), lower(device_name))", _as_it_is),
    "table": Condition("table_name = $table", _as_it_is),
}


def show(asked: Mapping[str, str | None], *, form: str, limit: int | None, now: datetime) -> None:
    """Print the changes, oldest first, with their age on stderr.

    ``asked`` are texts by the names of :data:`CONDITIONS`; without one it does not narrow. Complete, if there is no
    ``limit``: then the newest so many. :class:`UnknownName` for a table there is not.
    """
    given = {name: text for name, text in asked.items() if text is not None}
    values = {name: CONDITIONS[name].value(text, now) for name, text in given.items()}
    with open_reader() as reader:
        if (table := given.get("table")) is not None:
            known = [info.name for info in reader.tables() if info.kind == "table"]
            if table not in known:
                raise UnknownName("table", table, known)
        with reader.stream(statement(given, limit), values) as answer:
            write(answer, form, sys.stdout)
            date(reader, answer.as_of, answer.notes, form)
    if not answer.row_count and form != "json":
        tell("Nothing of that kind changed in the time for which history is kept.")
        if device := given.get("device"):
            tell(f"{device!r} has to be a whole identifier, serial number or name; the query find_device takes a part.")


def statement(given: Mapping[str, str], limit: int | None) -> str:
    """The query; values are bound to its parameters, one for each name in ``given``."""
    narrowed = " AND ".join(CONDITIONS[name].sql for name in given) or "true"
    chosen = f"SELECT {COLUMNS} FROM changes WHERE {narrowed}"
    if limit is not None:
        newest_first = ", ".join(f"{name} DESC" for name in ORDER)
        chosen = f"FROM ({chosen} ORDER BY {newest_first} LIMIT {int(limit)})"
    return f"{chosen} ORDER BY {', '.join(ORDER)}"
