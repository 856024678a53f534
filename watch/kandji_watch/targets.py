"""Targets: where checks tell. Each is a table ``[target.NAME]`` of ``checks.toml``, read here into a record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kandji_schema.errors import ConfigurationError
from kandji_schema.provider import is_loopback, is_sealed
from kandji_watch.place import Place, Table
from kandji_watch.secret_values import Secret, read_secret_key

HTTPS = "an address with https (http is for loopback only)"
SHAPES = ("slack", "teams", "discord", "webhook")
SECURITY = ("starttls", "tls", "none")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True)
class WebhookTarget:
    """An address that gets JSON by POST, in the shape that its service takes."""

    name: str
    kind: str
    url: Secret
    seconds: float


@dataclass(frozen=True)
class CommandTarget:
    """A program of the owner's, started without a shell; it gets the text as JSON on standard input."""

    name: str
    kind: str
    argv: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class MailTarget:
    """A server that takes mail by SMTP."""

    name: str
    kind: str
    host: str
    port: int
    security: str
    sender: str
    to: tuple[str, ...]
    user: str
    password: Secret | None
    seconds: float


@dataclass(frozen=True)
class FileTarget:
    """A file that gets a line of JSON for each text."""

    name: str
    kind: str
    path: Path


Target = WebhookTarget | CommandTarget | MailTarget | FileTarget


def read_target(place: Place, name: str, table: Table, *, private: bool) -> Target:
    """Read one target; :class:`ConfigurationError` names file, target, key, value and rule.

    ``private``: nobody else may read the file, so that secrets may stand in it.
    """
    kind = place.choice(table, "kind", tuple(_READERS))
    return _READERS[kind](place, name, table, private)


def refuse_open(what: str, url: str) -> None:
    """Refuse a webhook that is neither https nor on this machine; its address may hold a key, so it is not told."""
    if not is_sealed(url):
        raise ConfigurationError(f"{what} is not {HTTPS}.")


def _webhook(place: Place, name: str, table: Table, private: bool) -> Target:
    place.refuse_unknown(table, ("kind", "url", "seconds"))
    url = read_secret_key(place, table, "url", private=private)
    if url.is_literal:
        try:
            refuse_open("url", url.value())
        except ConfigurationError:
            raise place.secret("url", HTTPS) from None
    return WebhookTarget(name, str(table["kind"]), url, _seconds(place, table, 10))


def _command(place: Place, name: str, table: Table, _private: bool) -> Target:
    place.refuse_unknown(table, ("kind", "command", "seconds"))
    value = table.get("command")
    argv = place.texts(table, "command") if isinstance(value, list) else ()
    if not argv or not Path(argv[0]).is_absolute():
        raise place.wrong(
            "command", value, "a list: the whole path of a program, then its arguments (no shell reads it)"
        )
    return CommandTarget(name, "command", argv, _seconds(place, table, 30))


def _mail(place: Place, name: str, table: Table, private: bool) -> Target:
    place.refuse_unknown(table, ("kind", "host", "port", "security", "from", "to", "user", "password", "seconds"))
    host, security = place.text(table, "host"), place.choice(table, "security", SECURITY, "starttls")
    if security == "none" and not is_loopback(f"smtp://{host}"):
        raise place.wrong("security", security, "starttls or tls (none is for a server on this machine)")
    password = read_secret_key(place, table, "password", private=private) if "password" in table else None
    user = place.text(table, "user", "")
    if bool(user) != bool(password):
        raise place.missing("password" if user else "user", "there where the other one is")
    to = place.texts(table, "to")
    for key, address in (("from", place.text(table, "from")), *(("to", each) for each in to)):
        if not _is_address(address):
            raise place.wrong(key, address, "an address such as it@example.com")
    if not to:
        raise place.missing("to", "an address, or a list of them")
    port = place.whole(table, "port", _PORTS[security], 1, 65_535)
    sender = place.text(table, "from")
    return MailTarget(name, "email", host, port, security, sender, to, user, password, _seconds(place, table, 20))


def _file(place: Place, name: str, table: Table, _private: bool) -> Target:
    place.refuse_unknown(table, ("kind", "path"))
    text = place.text(table, "path")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        path = Path()
    if not path.is_absolute():
        raise place.wrong("path", text, "a whole path, such as /var/log/kandji-checks.jsonl or ~/checks.jsonl")
    return FileTarget(name, "file", path)


def _seconds(place: Place, table: Table, default: float) -> float:
    found = place.number(table, "seconds", default)
    if not 0 < found <= 300:
        raise place.wrong("seconds", found, "more than 0 and at most 300")
    return float(found)


def _is_address(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(name and at and host) and text.isprintable() and not set(text) & set(' <>,;:"\\')


_READERS: Mapping[str, Callable[[Place, str, Table, bool], Target]] = {
    **dict.fromkeys(SHAPES, _webhook),
    "email": _mail,
    "command": _command,
    "file": _file,
}
"""How each kind is read."""
