"""``kandji-mirror serve``."""

import logging
import os
import sys
import time

from kandji_mirror.cli.output import tell
from kandji_mirror.cli.syncing import stopped_by_sigterm
from kandji_mirror.scheduler.scheduler import Scheduler, scheduler_of
from kandji_schema.settings import load

_LOOK_SECONDS = 0.5  # a signal that another thread gets, or any on Windows, does not end a longer wait


def serve() -> None:
    """Sync in the background until Ctrl-C or SIGTERM, which is a clean end.

    Raises :class:`ConfigurationError` where a setting or the token is missing; later trouble is told and tried again.
    """
    settings = load()
    scheduler = scheduler_of(settings)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("kandji_mirror").setLevel(logging.INFO)
    tell(f"Keeping {settings.home} in sync until Ctrl-C. `kandji-mirror status` tells how old every table is.")
    with stopped_by_sigterm():
        _run(scheduler)


def _run(scheduler: Scheduler) -> None:
    scheduler.start()
    try:
        while True:
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        tell("Stopping.")
    if not scheduler.stop():
        tell("A table is still being written; it keeps its previous rows.")
    sys.stderr.flush()
    os._exit(0)  # threads that still wait would hold up the end; the store is whole whenever a process ends
