"""The key of a home's pseudonyms: ``HOME/privacy.key``, random bytes that only its owner may read.

Who has it can find out whose pseudonym one is, by trying names. It is in no other file, no log and no answer.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from kandji_schema.errors import ConfigurationError, StoreFull
from kandji_schema.files import write_atomically
from kandji_schema.ownership import refuse_replaceable

FILE = "privacy.key"
LENGTH = 32
"""Bytes: as many as SHA-256 has, so that guessing the key is harder than anything else."""

_NAMING = b"\0which key and people in all texts as the search finds them"
_NAMINGS_BEFORE = (b"\0which key and people in all texts", b"\0which key")
"""No value begins with NUL, so that it is nobody's pseudonym. Another name says that files were masked otherwise."""


@dataclass(frozen=True)
class Key:
    """What pseudonyms are made with."""

    secret: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Tells one key from another, and nothing else of it."""
        return self._named(_NAMING)

    @property
    def former_names(self) -> frozenset[str]:
        """What files are marked with that have the same pseudonyms, but people in texts that are not personal."""
        return frozenset(self._named(way) for way in _NAMINGS_BEFORE)

    def _named(self, way: bytes) -> str:
        return hmac.new(self.secret, way, sha256).hexdigest()[:16]


def key_of(home: Path) -> Key:
    """Return the home's key, made where there is none yet; whoever calls it holds the writer's lock.

    :class:`ConfigurationError` where the file is no key or may be one that another user put there,
    :class:`StoreFull` where it cannot be written.
    """
    path = home / FILE
    refuse_replaceable(path)
    try:
        secret = path.read_bytes() if path.exists() else _made(path)
    except OSError as error:
        raise StoreFull(f"{path} could not be read or written: {error.strerror}. Correct its rights.") from error
    if len(secret) != LENGTH:
        raise ConfigurationError(
            f"{path} has {len(secret)} bytes; a key has {LENGTH}. Put the right file there, or remove it: then there "
            "is a new key, other pseudonyms, and every table is read anew."
        )
    return Key(secret)


def _made(path: Path) -> bytes:
    secret = secrets.token_bytes(LENGTH)
    write_atomically(path, secret)
    return secret
