"""Checks beside ``serve``: a thread that begins once there are any, so that a home without checks pays nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from kandji_schema.events import told_of
from kandji_schema.folders import CHECKS_FILE
from kandji_schema.settings import Settings

LOOK_SECONDS = 15.0
"""Between two looks whether there are checks."""

STOP_SECONDS = 2.0
"""What a stop may take; after that the process may end: nothing is ever half-written."""


@contextmanager
def checks_told(settings: Settings, look: float = LOOK_SECONDS) -> Iterator[None]:
    """Tell what checks find for the time of the block, in the one process of the home that may."""
    stopping = Event()

    def watch() -> None:
        while not (settings.home / CHECKS_FILE).exists():
            if stopping.wait(look):
                return
        from kandji_watch.service import Watcher  # only where there are checks

        Watcher(settings, look=look).run(stopping)

    thread = Thread(target=told_of(settings.mirror_tenant, watch), name="watcher", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(STOP_SECONDS)
