"""What a line of the log is about, for programs that read it: an event with fields, beside the words for people.

Every call of a logger of ours gives one: ``log.info("words", extra=about("run.ended", requests=3))``. The fields are a
closed list, none of them of a person or a device. How lines are written is decided by the process that writes them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Field = str | int | float | bool | None | Sequence[str]

FIELDS = frozenset(
    {
        "changed",
        "check",
        "count",
        "devices",
        "failed",
        "feed",
        "generation",
        "left",
        "method",
        "now",
        "ok",
        "priority",
        "requests",
        "restart",
        "rows",
        "run",
        "seconds",
        "state",
        "status",
        "table",
        "tables",
        "target",
        "url",
        "version",
    }
)
"""Names of fields. ``run`` is when it began, as the record of runs in ``state.sqlite`` has it; ``left`` are requests
that the tenant has left in this hour; ``now`` and ``restart`` name settings."""

_NUMBER = re.compile(r"\d+")

SUBJECT = ("table", "feed", "check", "target", "priority")
"""Fields that tell what a trouble is of: two tables have a trouble each."""


def about(event: str, **fields: Field) -> dict[str, Any]:
    """Return the ``extra`` of a logging call: an event, named ``noun.what-happened``, and its fields.

    :class:`ValueError` for a field that is not in :data:`FIELDS`.
    """
    if unknown := fields.keys() - FIELDS:
        raise ValueError(f"A line of the log has no field {', '.join(sorted(unknown))}: see FIELDS.")
    return {"event": event, "fields": {name: value for name, value in fields.items() if value is not None}}


def trouble(event: str, **fields: Field) -> dict[str, Any]:
    """Return the same for a trouble that may last: it is told once, and again when its words change."""
    return {**about(event, **fields), "trouble": (event, *_subject(fields))}


def remark(event: str, words: str, **fields: Field) -> dict[str, Any]:
    """Return the same for what is said anew by each run while it holds: it is told once a day."""
    return {**about(event, **fields), "trouble": (event, _NUMBER.sub("#", words))}


def recovery(event: str, of: str, **fields: Field) -> dict[str, Any]:
    """Return the same for the end of a trouble, the event ``of``: the next one is told again."""
    return {**about(event, **fields), "recovered": (of, *_subject(fields))}


def _subject(fields: Mapping[str, Field]) -> tuple[str, ...]:
    return tuple(str(fields[name]) for name in SUBJECT if name in fields)
