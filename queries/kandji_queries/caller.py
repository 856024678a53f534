"""Whoever asks: when they no longer wait, every statement that answers them ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event

_GONE: ContextVar[Event | None] = ContextVar("gone", default=None)


@contextmanager
def heeding(gone: Event) -> Iterator[None]:
    """Statements that begin in this block, in this thread, are stopped when ``gone`` is set; any thread may set it."""
    token = _GONE.set(gone)
    try:
        yield
    finally:
        _GONE.reset(token)


def gone() -> Event | None:
    """What tells that the caller is gone; None where nobody could."""
    return _GONE.get()
