"""How an error of ours is answered: the status of HTTP."""

from kandji_schema.errors import (
    Busy,
    Interrupted,
    MirrorError,
    NothingMirrored,
    StatementError,
    TookTooLong,
    UnknownName,
    UsageError,
)

STATUS: tuple[tuple[type[MirrorError], int], ...] = (
    (UnknownName, 404),
    (UsageError, 400),
    (Busy, 503),
    (TookTooLong, 504),
    (StatementError, 400),
    (NothingMirrored, 503),
    (Interrupted, 499),
)
"""The first kind that fits an error is how it is answered; 500 for all others."""


def status_of(error: Exception) -> int:
    """Return the status of an error."""
    return next((code for kind, code in STATUS if isinstance(error, kind)), 500)
