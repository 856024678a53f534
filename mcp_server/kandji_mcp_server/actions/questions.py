"""Questions to a human, and the answers to them: each answer is to one preview, and counts once.

From revision 2026-07-28 of the protocol on the answer comes in a request, for which the preview is made again, and
which anybody could repeat.
"""

import os
import time
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from threading import Lock

from mcp.server.request_state import AESGCMRequestStateCodec, InvalidRequestState, RequestStateSecurity

from kandji_mirror.actions.confirmations import GOOD_FOR
from kandji_mirror.actions.factory import refuse_repeated_answer
from kandji_mirror.actions.preview import Preview
from kandji_schema.errors import AuditUnavailable, NotConfirmed


@dataclass
class OpenQuestions:
    """The newest open question to each preview, of one server, so that what is shown and what is done carry one name.

    Another question's answer finds none, and is asked anew.
    """

    _open: dict[bytes, tuple[str, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def asked(self, preview: Preview) -> None:
        """Note that its question is about to be shown, or was."""
        over = time.monotonic() - GOOD_FOR.total_seconds()
        with self._lock:
            self._open = {key: known for key, known in self._open.items() if known[1] > over}
            known = self._open.get(_key(preview))
            if known is None or known[0] != preview.id:
                self._open[_key(preview)] = (preview.id, time.monotonic())

    def joined(self, preview: Preview) -> Preview:
        """Return the preview under the name that its open question shows."""
        with self._lock:
            known = self._open.get(_key(preview))
        return replace(preview, id=known[0]) if known else preview

    def answered(self, preview: Preview) -> None:
        """Note that its question is not open any more."""
        with self._lock:
            if self._open.get(_key(preview), ("", 0.0))[0] == preview.id:
                del self._open[_key(preview)]


def _key(preview: Preview) -> bytes:
    """Return what is equal for equal previews; arguments may hold a PIN."""
    return sha256("\0".join((*preview.binding, preview.reason)).encode("utf-8", errors="replace")).digest()


class SingleUseCodec:
    """Seals what a question's answer has to bring along, and opens each seal once. A second time is recorded."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._codec = AESGCMRequestStateCodec([os.urandom(32)])  # as the SDK's own: good in this process alone
        self._opened: set[bytes] = set()
        self._lock = Lock()

    def seal(self, payload: bytes) -> str:
        """Return the token for the client."""
        return self._codec.seal(payload)

    def unseal(self, token: str) -> bytes:
        """Return what was sealed; ``InvalidRequestState`` for what is altered, or was opened before."""
        payload = self._codec.unseal(token)
        mark = sha256(payload).digest()  # with the time it was sealed at; a token has several spellings
        with self._lock:
            known = mark in self._opened
            self._opened.add(mark)
        if known:
            try:
                refuse_repeated_answer(self._home, "an MCP client")
            except (NotConfirmed, AuditUnavailable) as error:
                raise InvalidRequestState(str(error)) from error
        return payload


def answered_once(home: Path) -> RequestStateSecurity:
    """Return the server's rule that an answer is good once, and as long as any other confirmation."""
    return RequestStateSecurity(codec=SingleUseCodec(home), ttl=GOOD_FOR.total_seconds())
