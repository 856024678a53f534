"""``changes``: what became of devices, apps and the rest, in order of time."""

from collections.abc import Mapping
from datetime import datetime

from kandji_cli.output import tell
from kandji_cli.reads import How, open_reader, show_answer
from kandji_queries import finding, period

COLUMNS = "changed_at, device_name, serial_number, table_name, change, column_name, old_value, new_value, row_key"

ORDER = ("changed_at", "table_name", "row_key::VARCHAR", "column_name")


CONDITIONS: Mapping[str, str] = {
    "since": "changed_at >= $since",
    "until": "changed_at < $until",
    "device": "device_id = $device",
    "table": "table_name = $table",
}
"""The SQL that each option adds."""


def show(asked: Mapping[str, str | None], *, how: How, now: datetime) -> None:
    """Print the changes, oldest first, with their age on stderr.

    ``asked`` are texts by the names of :data:`CONDITIONS`; without one it does not narrow. Complete, if there is no
    limit: then the newest so many. :class:`UnknownName` for a table there is not, :class:`UsageError` for one or a time
    of which nothing is known, and where a device is not one alone.
    """
    given = {name: text for name, text in asked.items() if text is not None}
    wanted = period.asked(given.get("since"), given.get("until"), now)
    moments = {"since": wanted.since, "until": wanted.until}
    values = {name: moments.get(name, text) for name, text in given.items()}
    with open_reader(how.requirements) as reader:
        begins = period.known_since(reader, given.get("table"), wanted)
        past = finding.in_history(reader, given["device"]) if "device" in given else None
        if past:
            values["device"] = past.device["device_id"]
        with reader.stream(statement(given, how.limit), values) as answer:
            answer.notes.extend(period.remarks(begins, wanted))
            answer.notes.extend(past.remarks() if past else ())
            show_answer(reader, answer, how)
    if not answer.row_count and how.form != "json":
        tell(_nothing(past, narrowed="table" in given))


def _nothing(past: finding.Past | None, *, narrowed: bool) -> str:
    if past is None:
        return "Nothing of that kind changed in the time for which history is kept."
    what = "Nothing of that kind" if narrowed else "Nothing"
    device = finding.listed([past.device]).rstrip(".")
    return f"{what} changed in the time asked for on this device{', which is gone' if past.gone else ''}: {device}."


def statement(given: Mapping[str, str], limit: int | None) -> str:
    """The query; values are bound to its parameters, one for each name in ``given``."""
    narrowed = " AND ".join(CONDITIONS[name] for name in given) or "true"
    chosen = f"SELECT {COLUMNS} FROM changes WHERE {narrowed}"
    if limit is not None:
        newest_first = ", ".join(f"{name} DESC" for name in ORDER)
        chosen = f"FROM ({chosen} ORDER BY {newest_first} LIMIT {int(limit)})"
    return f"{chosen} ORDER BY {', '.join(ORDER)}"
