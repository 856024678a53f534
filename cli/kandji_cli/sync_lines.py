"""What ``sync --format jsonl`` prints: an object a table, for cron and what reads its mail."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kandji_mirror.report import Report
from kandji_schema.errors import MirrorError
from kandji_schema.manifest import TableState, newest_whole


def table_lines(home: Path, report: Report, *, others: bool = True) -> Iterator[dict[str, Any]]:
    """Yield an object for each table of a run: first those that were asked for, then the ``others``, not ``read``.

    ``state`` is how its last attempt ended, ``as_of`` when the rows that answer now were read; both are those of the
    mirror for tables that were not asked for: they are not due, may not be read, or are not offered.
    """
    known = _states(home)
    for outcome in report.outcomes:
        yield {
            "table": outcome.table,
            "state": outcome.state.value,
            "read": True,
            "rows": outcome.rows,
            "requests": outcome.requests,
            "seconds": outcome.seconds,
            "changed": outcome.changed,
            "as_of": _as_of(known, outcome.table),
            "method": outcome.method,
            "error": outcome.error,
            "error_kind": outcome.error_kind,
            "note": outcome.note,
        }
    if not others:
        return
    read = {outcome.table for outcome in report.outcomes}
    for name in dict.fromkeys((*report.fresh, *report.partial, *report.not_permitted, *report.not_offered)):
        if name not in read and (state := known.get(name)):
            yield {
                "table": name,
                "state": state.state_word,
                "read": False,
                "rows": state.rows,
                "requests": 0,
                "seconds": 0.0,
                "changed": False,
                "as_of": state.synced_at,
                "method": state.method,
                "error": state.error,
                "error_kind": None,
                "note": state.note,
            }


def _states(home: Path) -> Mapping[str, TableState]:
    """Return the tables as they are published now; none where that cannot be read."""
    with suppress(MirrorError):
        return newest_whole(home)[0].tables
    return {}


def _as_of(known: Mapping[str, TableState], name: str) -> Any:
    return known[name].synced_at if name in known else None
