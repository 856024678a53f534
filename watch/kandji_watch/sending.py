"""Sending: one attempt to bring a text to one target, and what became of it. Nothing of a secret is in the words."""

import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as TooLate
from contextlib import suppress

from kandji_mirror.api.responses import retry_after
from kandji_mirror.api.transport import posted
from kandji_mirror.threads import in_thread
from kandji_schema.errors import MirrorError, Unreachable
from kandji_schema.events import trouble
from kandji_schema.files import make_folder
from kandji_watch.attempts import DONE, Attempt
from kandji_watch.shapes import plain_json, shaped
from kandji_watch.targets import CommandTarget, FileTarget, MailTarget, Target, WebhookTarget, refuse_open
from kandji_watch.texts import Document

log = logging.getLogger(__name__)

LATER = (408, 425, 429)
"""Refusals (4xx) that say nothing of the text itself."""

_PASSED = ("HOME", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "USER")
"""What a command gets of our environment."""

_STEPS = 4
"""Steps of an attempt that each may take the seconds of the target: name, connection, sending, answer."""


def attempt(target: Target, document: Document, *, repeated: bool, ca_file: str = "") -> Attempt:
    """Try once; returns within a bounded time whatever the target does, and raises nothing."""
    send = _SENDERS[type(target)]
    tried = in_thread(lambda: send(target, document, repeated, ca_file))
    seconds = _STEPS * target.seconds + 5 if not isinstance(target, FileTarget) else 60.0
    try:
        return tried.result(seconds)
    except TooLate:
        return Attempt(done=False, words=f"it took longer than {seconds:g} s", unsure=True)
    except MirrorError as error:
        return Attempt(done=False, words=str(error).rstrip("."))
    except OSError as error:
        return Attempt(done=False, words=error.strerror or type(error).__name__, unsure=True)
    except Exception as error:
        log.exception("A text could not be sent by a fault of this program.", extra=trouble("delivery.bug"))
        return Attempt(done=False, words=f"a fault of this program ({type(error).__name__})", unsure=True)


def _webhook(target: WebhookTarget, document: Document, repeated: bool, ca_file: str) -> Attempt:
    url = target.url.value()
    refuse_open(target.url.what, url)
    body = _json(shaped(target.kind, document, repeated=repeated))
    try:
        answer = posted(url, body, ca_file=ca_file, seconds=target.seconds)
    except Unreachable as error:
        return Attempt(done=False, words=str(error), unsure=error.sent)
    if 200 <= answer.status < 300:
        return DONE
    words = f"the webhook answered {answer.status}"
    if 300 <= answer.status < 400:
        return Attempt(done=False, words=f"{words}: redirects are not followed, name where it leads to", final=True)
    wait = retry_after(answer, now=time.time())
    if answer.status in LATER or answer.status >= 500:
        return Attempt(done=False, words=words, unsure=answer.status >= 500, wait=wait)
    return Attempt(done=False, words=f"{words}, so it does not take this text", final=True)


def _command(target: CommandTarget, document: Document, repeated: bool, _: str) -> Attempt:
    """Start it without a shell, in a session of its own, so that its children end with it where it takes too long."""
    plain = {"PATH": os.defpath, **{name: os.environ[name] for name in _PASSED if name in os.environ}}
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603  # the owner's own command
            target.argv, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, env=plain, start_new_session=True
        )
    except OSError as error:
        return Attempt(done=False, words=f"{target.argv[0]} cannot be started: {error.strerror}")
    try:
        process.communicate(_json(plain_json(document, repeated=repeated)) + b"\n", timeout=target.seconds)
    except subprocess.TimeoutExpired:
        _kill(process)
        return Attempt(done=False, words=f"{target.argv[0]} took longer than {target.seconds:g} s", unsure=True)
    if process.returncode:
        return Attempt(done=False, words=f"{target.argv[0]} ended with {process.returncode}", unsure=True)
    return DONE


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End it with all that it started; it was not waited for yet, so that its number is no other group's."""
    if os.name == "posix":
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _file(target: FileTarget, document: Document, repeated: bool, _: str) -> Attempt:
    """Append a line and bring it to the disk; one that a kill left half-written is closed first."""
    line = _json(plain_json(document, repeated=repeated)) + b"\n"
    try:
        make_folder(target.path.parent)
        descriptor = os.open(target.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            if size and file.read(1) != b"\n":
                line = b"\n" + line
            if file.write(line) != len(line):
                return Attempt(done=False, words=f"{target.path}: no space for a whole line", unsure=True)
            os.fsync(descriptor)
    except OSError as error:
        return Attempt(done=False, words=f"{target.path}: {error.strerror or type(error).__name__}", unsure=True)
    return DONE


def _json(document: Mapping[str, object]) -> bytes:
    return json.dumps(document).encode()  # sums have more digits than others take


def _mail(target: MailTarget, document: Document, repeated: bool, ca_file: str) -> Attempt:
    from kandji_watch.mail import deliver  # smtplib and email take longer to import than all else here

    return deliver(target, document, repeated=repeated, ca_file=ca_file)


_SENDERS: Mapping[type[Target], Callable[..., Attempt]] = {
    WebhookTarget: _webhook,
    CommandTarget: _command,
    FileTarget: _file,
    MailTarget: _mail,
}
"""How it goes to each kind of target."""
