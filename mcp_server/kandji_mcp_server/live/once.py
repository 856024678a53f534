"""A human's answer counts once: from revision 2026-07-28 on it comes in a request, which anybody could repeat."""

import os
from hashlib import sha256
from pathlib import Path
from threading import Lock

from mcp.server.request_state import AESGCMRequestStateCodec, InvalidRequestState, RequestStateSecurity

from kandji_mirror.actions.confirmations import GOOD_FOR
from kandji_mirror.actions.journal import Journal
from kandji_mirror.audit.log import AuditLog, actor
from kandji_schema.errors import AuditUnavailable, NotConfirmed


class Once:
    """Seals what a question's answer has to bring along, and opens each seal once. A second time is recorded."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._codec = AESGCMRequestStateCodec([os.urandom(32)])  # as the SDK's own: good in this process alone
        self._opened: set[bytes] = set()
        self._lock = Lock()

    def seal(self, payload: bytes) -> str:
        """The token for the client."""
        return self._codec.seal(payload)

    def unseal(self, token: str) -> bytes:
        """What was sealed; ``InvalidRequestState`` for what is altered, or was opened before."""
        payload = self._codec.unseal(token)
        mark = sha256(payload).digest()  # with the time it was sealed at; a token has several spellings
        with self._lock:
            known = mark in self._opened
            self._opened.add(mark)
        if known:
            self._refuse()
        return payload

    def _refuse(self) -> None:
        try:
            with Journal(AuditLog(self._home, actor("an MCP client"))).refusals("confirm"):
                raise NotConfirmed("The answer to a question came a second time. Nothing was sent.")
        except (NotConfirmed, AuditUnavailable) as error:
            raise InvalidRequestState(str(error)) from error


def answered_once(home: Path) -> RequestStateSecurity:
    """For the server: an answer is good once, and as long as any other confirmation."""
    return RequestStateSecurity(codec=Once(home), ttl=GOOD_FOR.total_seconds())
