"""One-time codes that reach a person by a way of their own: who is only on this machine cannot know them.

A code is good for one preview, once, for some minutes and three tries. It stands in no file, record or command line;
this process keeps what tells it from others, under a key of its own.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from threading import Lock

from kandji_mirror.actions.confirmations import GOOD_FOR, Expired, is_over
from kandji_mirror.actions.preview import Preview
from kandji_mirror.channels import Channel, command, webhook
from kandji_schema.errors import ConfigurationError, NotConfirmed, NotDelivered
from kandji_schema.settings import Settings

DIGITS = 8
TRIES = 3


class WrongCode(NotConfirmed):
    """Not the code that was sent. ``left`` is how often another may be tried."""

    def __init__(self, left: int) -> None:
        """With ``left`` 0 the code is used up."""
        self.left = left
        more = f"{left} more {'try' if left == 1 else 'tries'}." if left else "It is used up; ask for a new preview."
        super().__init__(f"That is not the code that was sent. {more} Nothing was sent to the tenant.")


@dataclass
class _Sent:
    binding: tuple[str, ...]
    mark: bytes
    until: datetime
    left: int = TRIES


class Codes:
    """The codes that this process sent. Threads may use them at once."""

    def __init__(self, channel: Channel, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """``channel`` brings a code to its person; ``clock`` tells the time, aware UTC."""
        self._channel = channel
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._sent: dict[str, _Sent] = {}
        self._lock = Lock()

    def send(self, preview: Preview, asker: str, *, named: bool) -> bool:
        """Send a new code for the preview with all that it confirms; False where one was sent before.

        ``asker`` is who asks, in words. :class:`NotConfirmed` where it does not get there.
        """
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        with self._lock:
            if preview.id in self._sent:
                return False
            self._forget()
            self._sent[preview.id] = _Sent(preview.binding, self._mark(preview, code), self._clock() + GOOD_FOR)
        try:
            self._channel(
                _text(preview, code, asker, named=named), {**_facts(preview), "code": code, "asked_by": asker}
            )
        except NotDelivered as error:
            with self._lock:
                self._sent.pop(preview.id, None)
            raise NotConfirmed(
                f"The one-time code was not delivered: {error} Nothing was sent to the tenant."
            ) from None
        return True

    def check(self, preview: Preview, typed: str) -> None:
        """Use the preview's code up; :class:`NotConfirmed` for any other text, or where it is not good (any more)."""
        with self._lock:
            sent = self._sent.get(preview.id)
            if sent is None or sent.binding != preview.binding:
                raise NotConfirmed("No code was sent for exactly this. Ask for a new preview. Nothing was sent.")
            if is_over(sent.until, self._clock()):
                raise Expired(f"The code is older than {_minutes()} minutes. Ask for a new preview. Nothing was sent.")
            if not sent.left:
                raise NotConfirmed("The code is used up. Ask for a new preview. Nothing was sent.")
            sent.left -= 1
            if not hmac.compare_digest(self._mark(preview, "".join(typed.split())), sent.mark):
                raise WrongCode(sent.left)
            sent.left = 0

    def _mark(self, preview: Preview, code: str) -> bytes:
        return hmac.digest(self._key, f"{preview.id} {code}".encode("utf-8", errors="replace"), sha256)

    def _forget(self) -> None:
        over = self._clock() - GOOD_FOR  # a late code is told from one that was never sent
        self._sent = {name: sent for name, sent in self._sent.items() if sent.until > over}


def code_channel(settings: Settings) -> Channel | None:
    """Return the channel for codes that the owner's settings name; None where they name none."""
    url, line = settings.mirror_confirm_code_url, settings.mirror_confirm_code_command
    if url and line:
        raise ConfigurationError(
            "KANDJI_MIRROR_CONFIRM_CODE_URL and KANDJI_MIRROR_CONFIRM_CODE_COMMAND are both set. Keep one of them."
        )
    if url:
        return webhook("KANDJI_MIRROR_CONFIRM_CODE_URL", url, ca_file=settings.mirror_ca_file)
    return command("KANDJI_MIRROR_CONFIRM_CODE_COMMAND", line) if line else None


def codes_of(settings: Settings) -> Codes | None:
    """Return codes that go by the channel of the settings; None where they name none, so that no code is needed."""
    channel = code_channel(settings)
    return Codes(channel) if channel else None


def _text(preview: Preview, code: str, asker: str, *, named: bool) -> str:
    lines = [f"{code} is the code that confirms this, once, for {_minutes()} minutes:", *preview.lines(named=named)]
    return "\n".join([*lines, f"Asked for by {asker}. Without the code nothing is sent to the tenant.", ""])


def _facts(preview: Preview) -> dict[str, object]:
    return {"action_id": preview.id, "action": preview.action.name, "serial_number": preview.target.serial}


def _minutes() -> int:
    return int(GOOD_FOR.total_seconds()) // 60
