"""The watcher: rounds in a thread of `serve`, in one of all the processes of a home that may."""

import logging
from collections.abc import Callable
from threading import Event

from kandji_schema.errors import MirrorError
from kandji_schema.events import about, trouble
from kandji_schema.settings import Settings
from kandji_watch.definition import checks_path
from kandji_watch.lock import AlreadyTelling, teller_lock
from kandji_watch.round import Round

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""Between two looks at what is due: a schedule is exact to a minute."""


class Watcher:
    """Tells what checks find while this process holds the lock of the home, and tries to get it otherwise."""

    def __init__(
        self, settings: Settings, *, make_round: Callable[[Settings], Round] = Round, look: float = LOOK_SECONDS
    ) -> None:
        """``look`` are the seconds between two rounds."""
        self._settings = settings
        self._round = make_round(settings)
        self._look = look
        self._said = ""

    def run(self, stopping: Event) -> None:
        """Go on until stopped. Nothing is raised: what goes wrong is in the log and in the status."""
        while not stopping.is_set():
            try:
                self._hold(stopping)
            except AlreadyTelling:
                self._say("")
            except MirrorError as error:
                self._say(str(error))
            except Exception:
                words = "The checks met with a fault of this program and are tried again."
                log.exception(words, extra=trouble("checks.bug"))
            stopping.wait(self._look)

    def _hold(self, stopping: Event) -> None:
        """Run rounds while there are checks, until stopped."""
        if not checks_path(self._settings.home).exists():
            return
        with teller_lock(self._settings.home):
            log.info("This process tells what checks of %s find.", self._settings.home, extra=about("checks.begun"))
            while not stopping.is_set() and checks_path(self._settings.home).exists():
                report = self._round.run()
                self._say("; ".join(report.broken.values()))
                stopping.wait(self._look)

    def _say(self, words: str) -> None:
        """Log what is wrong, once."""
        if words and words != self._said:
            log.warning("%s", words, extra=about("checks.failed"))
        self._said = words
