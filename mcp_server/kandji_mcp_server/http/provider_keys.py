"""The public keys of the identity provider: found by its metadata, kept for a while, read again when one is missing.

Nothing that a request says decides where they are read: only the issuer that the owner set.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import anyio
from anyio import CapacityLimiter, to_thread
from jwt import PyJWK, PyJWTError

from kandji_mcp_server.http.oauth import checked_url
from kandji_mirror.api.transport import read_document
from kandji_schema.errors import ConfigurationError, MirrorError, ServerFault, Unreachable
from kandji_schema.events import recovery, trouble

log = logging.getLogger(__name__)

ALGORITHMS = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
"""Signatures that count, and the kind of key each needs. None of them can be made with what is public."""

FRESH_SECONDS = 3_600.0
"""Keys older than this are read again: one that the provider withdrew counts no longer."""

KEPT_SECONDS = 4 * 3_600.0
"""Where they cannot be read again, those that are known count for so long and no longer."""

PAUSE_SECONDS = 60.0
"""Between two readings at least, whatever tokens name: whoever invents names of keys makes no traffic of it."""

STEP_SECONDS = 5.0
"""For one document."""

DEADLINE_SECONDS = 12.0
"""For all of a reading."""

MOST_WAITING = 32
"""Requests that wait for a reading under way; further ones are told to come back."""

MOST_BYTES = 256 * 1024
MOST_KEYS = 100
SHORTEST_RSA, LONGEST_RSA = 2_048, 8_192

Read = Callable[[str], bytes]
"""Reads a public document, within its bounds. Raises :class:`MirrorError`."""

Keys = Mapping[str, PyJWK]


def bounded_reader(ca_file: str = "") -> Read:
    """Return what reads documents of the provider; ``ca_file`` is that of the settings."""
    return partial(read_document, ca_file=ca_file, seconds=STEP_SECONDS, most=MOST_BYTES)


class ProviderUnavailable(MirrorError):
    """The identity provider's keys could not be read, so nobody's token can be checked now."""


class ProviderKeys:
    """The keys of one issuer. To be used from one event loop."""

    def __init__(self, issuer: str, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` tells seconds. Nothing is read before the first question."""
        self._issuer = issuer
        self._read = read
        self._clock = clock
        self._keys: Keys = {}
        self._read_at = self._asked_at = -float("inf")
        self._lock = anyio.Lock()
        self._waiting = 0

    async def find(self, name: str) -> PyJWK | None:
        """Return the key of that name; None where the provider has none, as far as that may be asked now.

        :class:`ProviderUnavailable` where nothing is known of its keys.
        """
        if name not in self._keys or self._age > FRESH_SECONDS:
            await self._update(wait=name not in self._keys)
        if self._age > KEPT_SECONDS:
            raise ProviderUnavailable(f"The keys of {self._issuer} cannot be read now.")
        return self._keys.get(name)

    async def warm_up(self) -> None:
        """Read them ahead of the first question; what goes wrong is in the log."""
        await self._update(wait=True)

    @property
    def _age(self) -> float:
        return self._clock() - self._read_at

    async def _update(self, *, wait: bool) -> None:
        """Read them again unless that was tried a moment ago; one reading at a time."""
        if self._lock.locked():
            if not wait:
                return
            if self._waiting >= MOST_WAITING:
                raise ProviderUnavailable(f"The keys of {self._issuer} are being read.")
        elif self._clock() - self._asked_at < PAUSE_SECONDS:
            return
        self._waiting += 1
        try:
            async with self._lock:
                if self._clock() - self._asked_at >= PAUSE_SECONDS:
                    await self._read_again()
        finally:
            self._waiting -= 1

    async def _read_again(self) -> None:
        self._asked_at = self._clock()
        try:
            with anyio.fail_after(DEADLINE_SECONDS):
                # a thread that hangs is left to its own bounds; the next reading has another
                self._keys = await to_thread.run_sync(
                    read_keys, self._issuer, self._read, abandon_on_cancel=True, limiter=CapacityLimiter(1)
                )
            self._read_at = self._clock()
            log.debug("The keys of the identity provider were read.", extra=recovery("keys.read", "keys.failed"))
        except (MirrorError, TimeoutError) as error:
            words = str(error) or f"no answer within {DEADLINE_SECONDS:g} s"
            log.warning("The keys of the identity provider could not be read: %s", words, extra=trouble("keys.failed"))


def read_keys(issuer: str, read: Read) -> Keys:
    """Read the provider's metadata and then its keys; :class:`MirrorError` where there are none that count."""
    place = _key_address(issuer, read)
    document = _document(place, read(place))
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ServerFault(f"{place} is no list of at most {MOST_KEYS} keys.", status=200)
    found = {str(key.key_id): key for part in listed if (key := _usable(part))}
    if not found:
        raise ServerFault(f"{place} has no key for {', '.join(ALGORITHMS)} with a name.", status=200)
    return found


def metadata_addresses(issuer: str) -> Iterator[str]:
    """Yield where the metadata of an issuer may be: by RFC 8414, then by OpenID Connect Discovery."""
    parts = checked_url("The issuer", issuer)
    root, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    places = (
        f"{root}/.well-known/oauth-authorization-server{path}",
        f"{root}/.well-known/openid-configuration{path}",
        f"{root}{path}/.well-known/openid-configuration",
    )
    yield from dict.fromkeys(places)


def _key_address(issuer: str, read: Read) -> str:
    """Return the ``jwks_uri`` of metadata that names exactly this issuer; others are no metadata of it."""
    failures: list[str] = []
    for place in metadata_addresses(issuer):
        try:
            return _key_address_at(place, issuer, _document(place, read(place)))
        except MirrorError as error:
            failures.append(str(error))
    raise Unreachable(" ".join(failures), sent=True)


def _key_address_at(place: str, issuer: str, document: Mapping[str, Any]) -> str:
    if document.get("issuer") != issuer:
        named = repr(str(document.get("issuer"))[:200])
        words = f"{place} names the issuer {named}; KANDJI_MIRROR_OAUTH_ISSUER must be written as the provider does."
        raise ServerFault(words, status=200)
    address = document.get("jwks_uri")
    if not isinstance(address, str):
        raise ServerFault(f"{place} names no jwks_uri.", status=200)
    _refuse_open(place, address)
    return address


def _refuse_open(place: str, address: str) -> None:
    try:
        parts = checked_url("its jwks_uri", address)
    except ConfigurationError as error:
        raise ServerFault(f"{place}: {error}", status=200) from None
    if parts.scheme == "http" and not place.startswith("http://"):
        raise ServerFault(f"{place}: its jwks_uri is on this machine.", status=200)


def _document(place: str, body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ServerFault(f"{place} is no JSON object.", status=200)
    return document


def _usable(part: object) -> PyJWK | None:
    """Return a key that may check a signature; None for one of another kind, use or strength."""
    if not isinstance(part, dict) or not isinstance(part.get("kid"), str) or not part["kid"] or "d" in part:
        return None
    uses = part.get("key_ops", ["verify"])
    if part.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        return None
    try:
        key = PyJWK.from_dict(part)
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return None
    if part["kty"] != ALGORITHMS.get(key.algorithm_name):
        return None
    return key if part["kty"] != "RSA" or SHORTEST_RSA <= key.key.key_size <= LONGEST_RSA else None
