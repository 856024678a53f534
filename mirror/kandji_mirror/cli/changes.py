"""``changes``: what became of devices, apps and the rest, in order of time."""

from collections.abc import Mapping
from datetime import datetime

from kandji_mirror.cli.output import tell
from kandji_mirror.cli.reads import How, open_reader, show_answer
from kandji_queries import period
from kandji_queries.reader import Reader

COLUMNS = "changed_at, device_name, serial_number, table_name, change, column_name, old_value, new_value, row_key"

NEAR = """
    SELECT
        device_name,
        'serial number ' || serial_number,
        'id ' || device_id,
        coalesce(device_match($device, d) = 1, false) AS is_it
    FROM devices AS d
    WHERE
        device_match($device, d) IS NOT NULL
        OR jaro_winkler_similarity(folded($device), folded(device_name)) >= 0.85
        OR jaro_winkler_similarity(folded_id($device), folded_id(serial_number)) >= 0.85
    ORDER BY
        is_it DESC,
        device_match($device, d),
        greatest(
            jaro_winkler_similarity(folded($device), folded(device_name)),
            jaro_winkler_similarity(folded_id($device), folded_id(serial_number))
        ) DESC,
        last_check_in DESC NULLS LAST,
        device_id
    LIMIT 3
"""

ORDER = ("changed_at", "table_name", "row_key::VARCHAR", "column_name")


CONDITIONS: Mapping[str, str] = {
    "since": "changed_at >= $since",
    "until": "changed_at < $until",
    "device": (
        "(folded_id($device) IN (folded_id(device_id), folded_id(serial_number))"
        " OR folded($device) = folded(device_name))"
    ),
    "table": "table_name = $table",
}
"""The SQL that each option adds."""


def show(asked: Mapping[str, str | None], *, how: How, now: datetime) -> None:
    """Print the changes, oldest first, with their age on stderr.

    ``asked`` are texts by the names of :data:`CONDITIONS`; without one it does not narrow. Complete, if there is no
    limit: then the newest so many. :class:`UnknownName` for a table there is not, :class:`UsageError` for one or a time
    of which nothing is known.
    """
    given = {name: text for name, text in asked.items() if text is not None}
    wanted = period.asked(given.get("since"), given.get("until"), now)
    moments = {"since": wanted.since, "until": wanted.until}
    values = {name: moments.get(name, text) for name, text in given.items()}
    with open_reader(how.requirements) as reader:
        begins = period.known_since(reader, given.get("table"), wanted)
        with reader.stream(statement(given, how.limit), values) as answer:
            answer.notes.extend(period.remarks(begins, wanted))
            show_answer(reader, answer, how)
        device = given.get("device")
        near = _near(reader, device) if device and not answer.row_count else []
    if not answer.row_count and how.form != "json":
        tell("Nothing of that kind changed in the time for which history is kept.")
        if device:
            tell(f"{device!r} has to be a whole identifier, serial number or name; the query find_device takes a part.")
        if near:
            tell(f"Nearly so are called: {'; '.join(near)}.")


def _near(reader: Reader, device: str) -> list[str]:
    """Devices that are called nearly so; none where one is called so, and merely nothing of it changed."""
    found = reader.run(NEAR, {"device": device}).rows
    if any(is_it for *_, is_it in found):
        return []
    return [", ".join(filter(None, names)) for *names, _ in found]


def statement(given: Mapping[str, str], limit: int | None) -> str:
    """The query; values are bound to its parameters, one for each name in ``given``."""
    narrowed = " AND ".join(CONDITIONS[name] for name in given) or "true"
    chosen = f"SELECT {COLUMNS} FROM changes WHERE {narrowed}"
    if limit is not None:
        newest_first = ", ".join(f"{name} DESC" for name in ORDER)
        chosen = f"FROM ({chosen} ORDER BY {newest_first} LIMIT {int(limit)})"
    return f"{chosen} ORDER BY {', '.join(ORDER)}"
