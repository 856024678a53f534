"""Who is signed in: sessions of browsers, kept in this process alone and told apart by a random cookie."""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock

from kandji_mcp_server.callers import Caller

IDLE_SECONDS = 30 * 60
"""A session ends so long after its last request; every request renews it."""

LONGEST_SECONDS = 12 * 60 * 60
"""A session ends so long after its beginning, whatever happens in it: a working day."""

LINK_SECONDS = 10 * 60
"""The link that is told at the start is good for so long, and once."""

MOST = 256
"""Sessions kept; the one that was used longest ago ends for a further one."""


@dataclass
class Session:
    """One browser that signed in as ``caller``; ``ends`` and ``used`` are seconds of a clock that only goes forward.

    ``form_key`` is what its forms carry: another page cannot know it. ``name`` tells it from others, and is no secret.
    """

    caller: Caller
    ends: float
    used: float
    form_key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    name: str = field(default_factory=lambda: secrets.token_hex(8))

    def lives(self, now: float) -> bool:
        """Tell whether it has not ended."""
        return now < self.ends and now < self.used + IDLE_SECONDS


class Sessions:
    """All sessions of one server. Thread-safe. Only a digest of each cookie is kept."""

    def __init__(self, link_code: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        """``link_code`` begins one session as whoever has the server's own token, within :data:`LINK_SECONDS`."""
        self._clock = clock
        self._lock = Lock()
        self._open: dict[bytes, Session] = {}
        self._link = _digest(link_code) if link_code else b""
        self._link_ends = clock() + LINK_SECONDS

    def begin(self, caller: Caller) -> str:
        """Begin a session, no longer than the caller's token is good; return the value of its cookie."""
        value, now = secrets.token_urlsafe(32), self._clock()
        left = LONGEST_SECONDS if caller.expires is None else caller.expires - time.time()
        with self._lock:
            self._open = {key: session for key, session in self._open.items() if session.lives(now)}
            if len(self._open) >= MOST:
                del self._open[min(self._open, key=lambda key: self._open[key].used)]
            self._open[_digest(value)] = Session(caller, now + min(left, LONGEST_SECONDS), now)
        return value

    def redeem(self, code: str) -> str | None:
        """Begin the session of the link that was told where the server was started; None where it is used or old."""
        with self._lock:
            good = bool(self._link) and hmac.compare_digest(self._link, _digest(code))
            if good:
                self._link = b""
        return self.begin(Caller()) if good and self._clock() < self._link_ends else None

    def find(self, value: str) -> Session | None:
        """Return the session of a cookie, renewed; None where there is none, or where it has ended."""
        now = self._clock()
        with self._lock:
            session = self._open.get(_digest(value))
            if session is None or not session.lives(now):
                return None
            session.used = now
            return session

    def end(self, value: str) -> None:
        """End the session of a cookie."""
        with self._lock:
            self._open.pop(_digest(value), None)


def same_key(session: Session, sent: str) -> bool:
    """Tell, in constant time, whether a form carries the key of its session."""
    return hmac.compare_digest(session.form_key.encode(), sent.encode("utf-8", "surrogatepass"))


def _digest(value: str) -> bytes:
    return sha256(value.encode("utf-8", "surrogatepass")).digest()
