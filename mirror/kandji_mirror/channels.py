"""Ways to somebody or something off this machine, as the owner's settings name them: webhook, command, syslog.

One-time codes of live actions and heads of the audit log go there: a short text, and the same as facts. A channel never
takes longer than a few seconds.
"""

import errno
import json
import logging
import os
import shlex
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from logging.handlers import SysLogHandler
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from kandji_schema.errors import ConfigurationError, MirrorError, NotDelivered

SECONDS = 5.0
"""How long a message may take."""

Deliver = Callable[[str, Mapping[str, object]], None]

_PASSED = ("HOME", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "USER")
"""What a command gets of our environment."""

_SYSLOG_SOCKETS = ("/dev/log", "/var/run/syslog")


@dataclass(frozen=True)
class Channel:
    """One way, named by its setting. ``deliver`` brings something there, ``look`` says where that is if it leads there.

    ``far`` names it where already looking takes more than this machine.
    """

    setting: str
    deliver: Deliver
    look: Callable[[], str]
    far: str = ""

    def __call__(self, text: str, facts: Mapping[str, object]) -> None:
        """Bring it there; :class:`NotDelivered` names the setting and the reason, never the message."""
        bounded(self.setting, lambda: self.deliver(text, facts))

    def reach(self, *, offline: bool) -> str:
        """Look where it leads, and send nothing; :class:`NotDelivered` if nowhere. ``offline`` looks here alone."""
        return f"{self.far}, which was not asked" if offline and self.far else self.look()


def webhook(setting: str, url: str, *, ca_file: str = "") -> Channel:
    """Post JSON: the facts, and the text as ``text``. :class:`ConfigurationError` for a URL not to be trusted."""
    _refuse_open(setting, url)

    def post(text: str, facts: Mapping[str, object]) -> None:
        from kandji_mirror.api.transport import post_json  # only where something goes there

        status = post_json(url, json.dumps({**facts, "text": text}).encode(), ca_file=ca_file, seconds=SECONDS)
        if not 200 <= status < 300:
            raise NotDelivered(f"the webhook answered {status}")

    def connect() -> str:
        from kandji_mirror.api.transport import connected_to  # only where there is one

        bounded(setting, lambda: connected_to(url, ca_file=ca_file, seconds=SECONDS))
        return f"{setting}: {urlsplit(url).hostname} takes connections"

    return Channel(setting, post, connect, far=f"{setting}: a webhook")


def command(setting: str, line: str) -> Channel:
    """Start a program of the owner's, without a shell; it gets the text on standard input and no setting of ours.

    It is named by its whole path: whoever starts us sets where programs are looked for.
    """
    argv = _words(setting, line)
    program = Path(argv[0])

    def run(text: str, _: Mapping[str, object]) -> None:
        plain = {"PATH": os.defpath, **{name: os.environ[name] for name in _PASSED if name in os.environ}}
        quiet = subprocess.DEVNULL
        ended = subprocess.run(  # noqa: S603  # the owner's own command
            argv, input=text.encode(), stdout=quiet, stderr=quiet, env=plain, timeout=SECONDS, check=False
        )
        if ended.returncode:
            raise NotDelivered(f"{program} ended with {ended.returncode}")

    def look() -> str:
        if not program.is_file():
            raise NotDelivered(f"{setting}: there is no program {program}. Correct it.")
        if not os.access(program, os.X_OK):
            raise NotDelivered(f"{setting}: {program} may not be started by this user. Correct its rights.")
        return f"{program} is there"

    return Channel(setting, run, look)


def syslog(setting: str, address: str) -> Channel:
    """Write to syslog: ``local`` is this machine's, which the journal reads too; else a socket or ``host:port``."""
    to = _syslog_address(setting, address)

    def write(text: str, _: Mapping[str, object]) -> None:
        handler = _Syslog(to, SysLogHandler.LOG_AUTH)
        handler.ident = "kandji-mirror: "
        try:
            handler.emit(logging.LogRecord("kandji-mirror", logging.WARNING, "", 0, text, None, None))
        finally:
            handler.close()

    def look() -> str:
        bounded(setting, lambda: _refuse_closed(to))
        return f"syslog at {address}"

    return Channel(setting, write, look, far="" if isinstance(to, str) else f"syslog at {address}")


def _words(setting: str, line: str) -> list[str]:
    try:
        argv = shlex.split(line)
    except ValueError:
        argv = []
    if not argv or not Path(argv[0]).is_absolute():
        raise ConfigurationError(
            f"{setting} must be a command with the whole path of its program and quotes that match. Correct it."
        )
    return argv


def _refuse_closed(to: str | tuple[str, int]) -> None:
    """Raise :class:`OSError` where nobody listens at a socket of this machine, or a host has no address."""
    if not isinstance(to, str):
        socket.getaddrinfo(*to, type=socket.SOCK_DGRAM)  # UDP tells no more
        return
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):  # of messages or of a stream
        with socket.socket(socket.AF_UNIX, kind) as tried:
            ended = tried.connect_ex(to)
        if ended != errno.EPROTOTYPE:
            break
    if ended:
        raise OSError(ended, os.strerror(ended))


class _Syslog(SysLogHandler):
    """One that says when a message did not leave."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802, RUF100  # named by logging
        raise  # noqa: PLE0704, RUF100  # called while the error is handled


def _syslog_address(setting: str, address: str) -> str | tuple[str, int]:
    if address == "local":
        return next((path for path in _SYSLOG_SOCKETS if Path(path).exists()), _SYSLOG_SOCKETS[0])
    if address.startswith("/"):
        return address
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigurationError(
            f"{setting} is {address!r}; it must be local, a socket's path or host:port. Correct it."
        )
    return host.strip("[]"), int(port)


def _refuse_open(setting: str, url: str) -> None:
    """Refuse a webhook that is neither https nor on this machine; its address may hold a key, so it is not told."""
    from kandji_schema.provider import is_sealed

    if not is_sealed(url):
        raise ConfigurationError(f"{setting} must be a URL with https (http is for loopback only). Correct it.")


def bounded(setting: str, work: Callable[[], object]) -> None:
    """Do it in a thread that is not waited for beyond :data:`SECONDS`; :class:`NotDelivered` where that fails.

    Names are looked up, bytes come at any pace, and a keychain asks its user.
    """
    ended: list[str] = []

    def tried() -> None:
        try:
            work()
            ended.append("")
        except (MirrorError, OSError, ValueError, subprocess.SubprocessError) as error:
            ended.append(_reason(error))

    thread = Thread(target=tried, daemon=True)
    thread.start()
    thread.join(SECONDS + 1)
    trouble = ended[0] if ended else f"it took longer than {SECONDS:g} s"
    if trouble:
        raise NotDelivered(f"{setting}: {trouble}.")


def _reason(error: Exception) -> str:
    if isinstance(error, MirrorError):
        return str(error).rstrip(".")
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it took longer than {SECONDS:g} s"
    return getattr(error, "strerror", None) or type(error).__name__
