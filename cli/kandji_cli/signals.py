"""Signals that end a command as Ctrl-C does, for every command that a person may want to end; one may mean reload."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = ("SIGTERM", "SIGHUP")
"""Signals that end a command as Ctrl-C does: someone wants it to end, or closed its terminal. Windows has no second."""


@contextmanager
def stopped_by_signals(reload: Callable[[], None] | None = None) -> Iterator[None]:
    """Let the :data:`STOPPING` signals end the block as Ctrl-C does; one that is ignored, as by nohup, stays so.

    With ``reload`` SIGHUP calls that instead, in a process without a terminal: nobody can have closed one. It is called
    in the handler, and may only take note.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def hang_up(number: int, frame: FrameType | None) -> None:
        if reload is None or of_terminal:
            interrupt(number, frame)
        else:
            reload()

    of_terminal = has_terminal()
    known = {name: getattr(signal, name) for name in STOPPING if hasattr(signal, name)}
    before = {name: signal.getsignal(number) for name, number in known.items()}
    heeded = {name: handler for name, handler in before.items() if handler != signal.SIG_IGN}
    for name in heeded:
        signal.signal(known[name], hang_up if name == "SIGHUP" else interrupt)
    try:
        yield
    finally:
        for name, handler in heeded.items():
            signal.signal(known[name], handler)


def has_terminal() -> bool:
    """Tell whether this process belongs to a terminal, which may be closed, wherever its streams lead."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True


@contextmanager
def held_signals() -> Iterator[None]:
    """Have signals that end a command wait for the end of the block, so that what it writes is whole or not begun."""
    mask = getattr(signal, "pthread_sigmask", None)  # Windows has none
    if mask is None:
        yield
        return
    known = {signal.SIGINT, *(getattr(signal, name) for name in STOPPING)}
    before = mask(signal.SIG_BLOCK, known)
    try:
        yield
    finally:
        mask(signal.SIG_SETMASK, before)
