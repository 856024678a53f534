"""What the service manager is told, by systemd's protocol of datagrams (``sd_notify``); without one nothing is sent."""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping

_SEND_SECONDS = 1.0  # a manager that takes nothing holds up no answer
_FEEDS = 3  # in the time after which the manager loses patience


class Notifier:
    """Tells systemd that a service is ready, alive, reading its settings, or stopping.

    The socket and the watchdog's time are those of the environment, which systemd sets for ``Type=notify`` and
    ``WatchdogSec=``. Nothing is raised: a manager that is gone is no trouble of the service.
    """

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        pid: int | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """``pid`` is that of this process, ``clock`` monotonic, in seconds."""
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._every = _watchdog_seconds(environ, os.getpid() if pid is None else pid) / _FEEDS
        self._clock = clock or time.monotonic
        self._fed_at: float | None = None
        self._status = ""

    @property
    def is_watched(self) -> bool:
        """Whether a watchdog waits to be fed, and ends this process where it is not."""
        return bool(self._every and self._address)

    def ready(self) -> None:
        """Tell that answers are given, or that settings were read again."""
        self._send("READY=1")

    def status(self, words: str) -> None:
        """Tell in one line what the service does, where that is not what was told last; no name of anybody."""
        if words != self._status:
            self._status = words
            self._send(f"STATUS={words}")

    def reloading(self) -> None:
        """Tell that settings are read again; :meth:`ready` ends that."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1_000}")

    def stopping(self) -> None:
        """Tell that the service ends."""
        self._send("STOPPING=1")

    def feed(self) -> None:
        """Feed the watchdog, as often as it needs. To be called again and again, and only while all is alive."""
        now = self._clock()
        if self.is_watched and (self._fed_at is None or now - self._fed_at >= self._every):
            self._fed_at = now
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address or sys.platform == "win32":
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(_SEND_SECONDS)
                sender.sendto(message.encode(), self._address)
        except OSError:
            return


def _address(named: str) -> str:
    """Return the address of a socket as Python takes it: ``@name`` is an abstract one. Empty for what is neither."""
    if named.startswith("@"):
        return f"\0{named[1:]}"
    return named if named.startswith("/") else ""


def _watchdog_seconds(environ: Mapping[str, str], pid: int) -> float:
    """Return after how many seconds without food this process is ended; 0 where it is not watched."""
    microseconds, watched = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(pid))
    return int(microseconds) / 1e6 if microseconds.isdecimal() and watched == str(pid) else 0.0
