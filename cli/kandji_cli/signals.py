"""Signals that end a command as Ctrl-C does, for every command that a person may want to end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = ("SIGTERM", "SIGHUP")
"""Signals that end a command as Ctrl-C does: someone wants it to end, or closed its terminal. Windows has no second."""


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let the :data:`STOPPING` signals end the block as Ctrl-C does; one that is ignored, as by nohup, stays so."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    known = [getattr(signal, name) for name in STOPPING if hasattr(signal, name)]
    heeded = {number: signal.getsignal(number) for number in known if signal.getsignal(number) != signal.SIG_IGN}
    for number in heeded:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, before in heeded.items():
            signal.signal(number, before)
