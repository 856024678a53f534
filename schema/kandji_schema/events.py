"""What a line of the log is about, for programs that read it: an event with fields, beside the words for people.

Every call of a logger of ours gives one: ``log.info("words", extra=about("run.ended", requests=3))``. The fields are a
closed list, none of them of a person or a device. How lines are written is decided by the process that writes them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
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
        "tenant",
        "url",
        "version",
    }
)
"""Names of fields. ``run`` is when it began, as the record of runs in ``state.sqlite`` has it; ``left`` are requests
that the tenant has left in this hour; ``now`` and ``restart`` name settings."""

_NUMBER = re.compile(r"\d+")

SUBJECT = ("tenant", "table", "feed", "check", "target", "priority")
"""Fields that tell what a trouble is of: two tables have a trouble each."""

_TENANT: ContextVar[str] = ContextVar("tenant of the lines", default="")


@contextmanager
def lines_of(tenant: str) -> Iterator[None]:
    """Have lines of this thread, until the end of the block, name a tenant's profile; none with ""."""
    before = _TENANT.set(tenant)
    try:
        yield
    finally:
        _TENANT.reset(before)


def told_of(tenant: str, call: Callable[[], None]) -> Callable[[], None]:
    """Return ``call`` with lines that name a tenant's profile, in whichever thread it is called."""

    def called() -> None:
        with lines_of(tenant):
            call()

    return called


def about(event: str, **fields: Field) -> dict[str, Any]:
    """Return the ``extra`` of a logging call: an event, named ``noun.what-happened``, and its fields.

    The tenant is one of them where :func:`lines_of` says whose lines these are.

    :class:`ValueError` for a field that is not in :data:`FIELDS`.
    """
    if unknown := fields.keys() - FIELDS:
        raise ValueError(f"A line of the log has no field {', '.join(sorted(unknown))}: see FIELDS.")
    known = {"tenant": _TENANT.get() or None, **fields}
    return {"event": event, "fields": {name: value for name, value in known.items() if value is not None}}


def trouble(event: str, **fields: Field) -> dict[str, Any]:
    """Return the same for a trouble that may last: it is told once, and again when its words change."""
    told = about(event, **fields)
    return {**told, "trouble": (event, *_subject(told["fields"]))}


def remark(event: str, words: str, **fields: Field) -> dict[str, Any]:
    """Return the same for what is said anew by each run while it holds: it is told once a day."""
    return {**about(event, **fields), "trouble": (event, _TENANT.get(), _NUMBER.sub("#", words))}


def recovery(event: str, of: str, **fields: Field) -> dict[str, Any]:
    """Return the same for the end of a trouble, the event ``of``: the next one is told again."""
    told = about(event, **fields)
    return {**told, "recovered": (of, *_subject(told["fields"]))}


def _subject(fields: Mapping[str, Field]) -> tuple[str, ...]:
    return tuple(str(fields[name]) for name in SUBJECT if name in fields)
