"""Ways to somebody or something off this machine, as the owner's settings name them: webhook, command, syslog.

What goes there is a short text and the same as facts. A channel never takes longer than a few seconds.
"""

import errno
import json
import logging
import os
import shlex
import socket
import subprocess
from collections.abc import Callable, Mapping
from logging.handlers import SysLogHandler
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from kandji_schema.errors import ConfigurationError, MirrorError, NotDelivered

SECONDS = 5.0
"""How long a message may take."""

Channel = Callable[[str, Mapping[str, object]], None]
"""Brings a text and its facts there; :class:`NotDelivered` names the setting and the reason, never the message."""

_PASSED = ("HOME", "LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "USER")
"""What a command gets of our environment."""

_SYSLOG_SOCKETS = ("/dev/log", "/var/run/syslog")


def webhook(setting: str, url: str, *, ca_file: str = "") -> Channel:
    """Post JSON: the facts, and the text as ``text``. :class:`ConfigurationError` for a URL not to be trusted."""
    _refuse_open(setting, url)

    def post(text: str, facts: Mapping[str, object]) -> None:
        from kandji_mirror.api.transport import post_json  # only where something goes there

        status = post_json(url, json.dumps({**facts, "text": text}).encode(), ca_file=ca_file, seconds=SECONDS)
        if not 200 <= status < 300:
            raise NotDelivered(f"the webhook answered {status}")

    return bounded(setting, post)


def command(setting: str, line: str) -> Channel:
    """Start a program of the owner's, without a shell; it gets the text on standard input and no setting of ours.

    It is named by its whole path: whoever starts us sets where programs are looked for.
    """
    argv = _words(setting, line)

    def run(text: str, _: Mapping[str, object]) -> None:
        plain = {"PATH": os.defpath, **{name: os.environ[name] for name in _PASSED if name in os.environ}}
        quiet = subprocess.DEVNULL
        ended = subprocess.run(  # noqa: S603  # the owner's own command
            argv, input=text.encode(), stdout=quiet, stderr=quiet, env=plain, timeout=SECONDS, check=False
        )
        if ended.returncode:
            raise NotDelivered(f"{argv[0]} ended with {ended.returncode}")

    return bounded(setting, run)


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

    return bounded(setting, write)


def program_of(setting: str, line: str) -> str:
    """The program that a command starts. :class:`ConfigurationError` where it is none."""
    return _words(setting, line)[0]


def syslog_opened(setting: str, address: str) -> None:
    """Open what :func:`syslog` would write to, and write nothing. :class:`OSError` where that does not go."""
    to = _syslog_address(setting, address)
    if isinstance(to, str):
        _refuse_closed(to)
    else:
        socket.getaddrinfo(*to, type=socket.SOCK_DGRAM)  # UDP tells no more


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


def _refuse_closed(path: str) -> None:
    """:class:`OSError` where nobody listens at a socket of this machine, be it of messages or of a stream."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_UNIX, kind) as tried:
            ended = tried.connect_ex(path)
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
    """A webhook is https, or on this machine; its address may hold a key, so it is not repeated."""
    from kandji_schema.provider import is_loopback

    try:
        parts = urlsplit(url)
        fit = bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)))
    except ValueError:
        fit = False
    if not fit:
        raise ConfigurationError(f"{setting} must be a URL with https (http is for loopback only). Correct it.")


def bounded(setting: str, channel: Channel) -> Channel:
    """The channel, in a thread that is not waited for beyond :data:`SECONDS`.

    Names are looked up, bytes come at any pace, and a keychain asks its user.
    """

    def deliver(text: str, facts: Mapping[str, object]) -> None:
        ended: list[str] = []

        def work() -> None:
            try:
                channel(text, facts)
                ended.append("")
            except (MirrorError, OSError, ValueError, subprocess.SubprocessError) as error:
                ended.append(_reason(error))

        thread = Thread(target=work, daemon=True)
        thread.start()
        thread.join(SECONDS + 1)
        trouble = ended[0] if ended else f"it took longer than {SECONDS:g} s"
        if trouble:
            raise NotDelivered(f"{setting}: {trouble}.")

    return deliver


def _reason(error: Exception) -> str:
    if isinstance(error, MirrorError):
        return str(error).rstrip(".")
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it took longer than {SECONDS:g} s"
    return getattr(error, "strerror", None) or type(error).__name__
