"""Heads of the audit log signed by a key that lies in the keychain of the operating system, and never in the home.

The keychain's entry of a home holds the key and the newest head. ``audit.signed`` in the home has a line for each
head: ``seq:hash`` and its HMAC-SHA256 by that key. So who may write the home's files, and not use the keychain, can
neither make the log anew nor cut its end unseen.
"""

import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from kandji_mirror.audit.chain import Head
from kandji_mirror.audit.database import reading
from kandji_mirror.channels import SECONDS, Channel
from kandji_schema.errors import AuditUnavailable, ConfigurationError, MirrorError, NotDelivered
from kandji_schema.files import make_file
from kandji_schema.installation import how_to_add

SETTING = "KANDJI_MIRROR_AUDIT_KEYCHAIN"
SERVICE = "kandji-mirror"
FILE = "audit.signed"
_KEY_BYTES = 32

T = TypeVar("T")


@dataclass(frozen=True)
class Signed:
    """The heads that the key stands for, the newest included; ``trouble`` tells of lines that it does not stand for."""

    heads: tuple[Head, ...]
    trouble: str | None = None


@dataclass(frozen=True)
class _Entry:
    key: bytes
    newest: Head | None = None

    def to_text(self) -> str:
        newest = [self.newest.seq, self.newest.hash] if self.newest else None
        return json.dumps({"key": self.key.hex(), "newest": newest})

    @classmethod
    def from_text(cls, text: str) -> "_Entry":
        found = json.loads(text)
        return cls(bytes.fromhex(found["key"]), Head(*found["newest"]) if found["newest"] else None)


def account(home: Path) -> str:
    """Return the name of the home's entry in the keychain, as its user name."""
    return f"audit {home.expanduser().resolve()}"


def signing(home: Path) -> Channel:
    """Sign each head. The key is made at the first one. :class:`ConfigurationError` without the extra ``keyring``."""
    _refuse_without_extra()

    def sign(_: str, facts: Mapping[str, object]) -> None:
        head = Head(int(str(facts["seq"])), str(facts["hash"]))
        with FileLock(home / f"{FILE}.lock", timeout=SECONDS, mode=0o600):
            entry = _entry(home) or _first(home)
            _refuse_another_log(home, entry)
            newest = max(filter(None, (entry.newest, head)), key=lambda known: known.seq)
            _keep(home, _Entry(entry.key, newest))
            _append(home / FILE, f"{head.seq}:{head.hash} {_mark(entry.key, head)}\n")

    return Channel(SETTING, sign, lambda: _which(home))


def signed(home: Path) -> Signed | None:
    """Return what the keychain says of the log; None where nothing was ever signed.

    :class:`ConfigurationError` where the keychain cannot be asked.
    """
    lines = _lines(home / FILE)
    try:
        entry = _entry(home)
    except NotDelivered as error:
        raise ConfigurationError(f"{str(error).rstrip('.')}, so what was signed cannot be checked.") from None
    if entry is None:
        lost = (
            f"{home / FILE} has {len(lines)} signed heads, and the keychain has no key of {home}: it was removed, or "
            "the data directory was moved."
        )
        return Signed((), lost) if lines else None
    good = [head for head, mark in lines if hmac.compare_digest(mark, _mark(entry.key, head))]
    forged = f"{len(lines) - len(good)} of {len(lines)} lines of {home / FILE} were not signed by the keychain's key."
    return Signed(tuple(filter(None, (entry.newest, *good))), None if len(good) == len(lines) else forged)


def _which(home: Path) -> str:
    """Say which keychain there is and whether it knows this home; :class:`ConfigurationError` if it cannot be used."""
    _refuse_without_extra()
    try:
        known = _entry(home) is not None
        backend = _asked(lambda keyring: keyring.get_keyring())
    except NotDelivered as error:
        raise ConfigurationError(f"{SETTING}: {error}") from None
    if backend.priority <= 0:  # the library's words for none at all, and for one that keeps nothing
        raise ConfigurationError(f"{SETTING} is on, and this system has no keychain ({backend.name}). Switch it off.")
    return f"{backend.name}, {'with' if known else 'still without'} a key of this data directory"


def _refuse_without_extra() -> None:
    try:
        import_module("keyring")
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"{SETTING} is on and needs the extra `keyring`, which is not installed here: {how_to_add('keyring')}. Or "
            "switch it off."
        ) from None


def _first(home: Path) -> _Entry:
    """Make a new key, where nothing was signed by another."""
    if _lines(home / FILE):
        raise NotDelivered(
            f"the keychain has no key of {home}, and {FILE} has heads signed by one. `kandji-mirror audit verify "
            f"--against {home / FILE}` compares them; then move that file away"
        )
    return _Entry(secrets.token_bytes(_KEY_BYTES))


def _refuse_another_log(home: Path, entry: _Entry) -> None:
    """Never let a log that was cut or begun anew replace what the keychain stands for."""
    if entry.newest is None:
        return
    with reading(home) as connection:
        row = connection and connection.execute("SELECT hash FROM audit WHERE seq = ?", [entry.newest.seq]).fetchone()
    if row != (entry.newest.hash,):
        raise NotDelivered(
            f"the keychain knows record {entry.newest.seq} of this log as another one, so the log was made anew, cut "
            f"or moved away. Where that was you, remove the keychain's entry (keyring del {SERVICE} "
            f"'{account(home)}') and {FILE}"
        )


def _mark(key: bytes, head: Head) -> str:
    return hmac.digest(key, f"kandji-mirror audit head {head.seq}:{head.hash}".encode(), sha256).hex()


def _lines(path: Path) -> list[tuple[Head, str]]:
    """Read heads with their marks; what is no such line has a mark that fits none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AuditUnavailable(f"{path} cannot be read: {error.strerror or error}.") from error
    return [_parsed(line) for line in text.splitlines() if line.strip()]


def _parsed(line: str) -> tuple[Head, str]:
    name, _, mark = line.strip().partition(" ")
    seq, _, digest = name.partition(":")
    return Head(int(seq) if seq.isdecimal() else 0, digest), mark if mark.isascii() else ""


def _append(path: Path, line: str) -> None:
    make_file(path)
    with path.open("a", encoding="utf-8") as file:
        file.write(line)


def _entry(home: Path) -> _Entry | None:
    text = _asked(lambda keyring: keyring.get_password(SERVICE, account(home)))
    try:
        return _Entry.from_text(text) if text is not None else None
    except (ValueError, KeyError, TypeError):
        raise NotDelivered(f"the keychain's entry '{account(home)}' of {SERVICE} is none of ours") from None


def _keep(home: Path, entry: _Entry) -> None:
    text = entry.to_text()
    _asked(lambda keyring: keyring.set_password(SERVICE, account(home), text))
    if _asked(lambda keyring: keyring.get_password(SERVICE, account(home))) != text:
        raise NotDelivered("the keychain did not keep the head")


def _asked(question: Callable[[Any], T]) -> T:
    try:
        return question(import_module("keyring"))
    except ModuleNotFoundError:
        raise NotDelivered(f"the extra `keyring` is missing: {how_to_add('keyring')}") from None
    except MirrorError:
        raise
    except Exception as error:  # no backend, locked, denied: each backend has errors of its own
        raise NotDelivered(f"the keychain cannot be used ({type(error).__name__})") from None
