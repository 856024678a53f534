"""The watcher: rounds in a thread of `serve`, in one of all the processes of a home that may."""

import logging
from collections.abc import Callable
from threading import Event, Thread

from kandji_schema.errors import MirrorError
from kandji_schema.settings import Settings
from kandji_watch.definition import checks_path
from kandji_watch.lock import AlreadyTelling, teller_lock
from kandji_watch.round import Round

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""Between two looks at what is due: a schedule is exact to a minute."""

STOP_SECONDS = 2.0
"""What a stop may take; after that the process may end: nothing is ever half-written."""


class Watcher:
    """Tells what checks find while this process holds the lock of the home, and tries to get it otherwise.

    A home without ``checks.toml`` costs a look at its name now and then; one that is written later is used.
    """

    def __init__(
        self, settings: Settings, *, make_round: Callable[[Settings], Round] = Round, look: float = LOOK_SECONDS
    ) -> None:
        """``look`` are the seconds between two rounds."""
        self._settings = settings
        self._round = make_round(settings)
        self._look = look
        self._stopping = Event()
        self._thread = Thread(target=self._watch, name="watcher", daemon=True)
        self._said = ""

    def start(self) -> None:
        """Begin, in a thread of its own. Nothing is raised: what goes wrong is in the log and in the status."""
        self._thread.start()

    def stop(self, timeout: float = STOP_SECONDS) -> bool:
        """End it; a text that is being sent is sent. False where that takes longer."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                self._hold()
            except AlreadyTelling:
                self._say("")
            except MirrorError as error:
                self._say(str(error))
            except Exception:
                log.exception("The checks met with a fault of this program and are tried again.")
            self._stopping.wait(self._look)

    def _hold(self) -> None:
        """Run rounds while there are checks, until stopped."""
        if not checks_path(self._settings.home).exists():
            return
        with teller_lock(self._settings.home):
            while not self._stopping.is_set() and checks_path(self._settings.home).exists():
                report = self._round.run()
                self._say("; ".join(report.broken.values()))
                self._stopping.wait(self._look)

    def _say(self, words: str) -> None:
        """Log what is wrong, once."""
        if words and words != self._said:
            log.warning("%s", words)
        self._said = words
