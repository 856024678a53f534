"""Tokens of people: JWTs that the identity provider signed for this server, and for nobody else (RFC 9068)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from kandji_mcp_server.callers import Caller, Person
from kandji_mcp_server.http.oauth import OAuthRules
from kandji_mcp_server.http.provider_keys import ALGORITHMS, ProviderKeys
from kandji_schema.errors import MirrorError
from kandji_schema.text import one_line

LONGEST = 16 * 1024
"""Characters of a token."""

LONGEST_NAME = 200
"""Characters of what names a person or program."""

LEEWAY_SECONDS = 30
"""How far the provider's clock may be from ours."""

REQUIRED = ("exp", "iss", "aud", "sub")

KINDS = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""What a token may say it is, if it does: what was made for another purpose is none."""

OF_ID_TOKENS = ("nonce", "at_hash", "c_hash")
"""Claims that no token for access has."""

_NONE = "it is no JWT"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

_REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "it has expired"),
    (jwt.ImmatureSignatureError, "it is not valid yet"),
    (jwt.InvalidAudienceError, "it is for another server"),
    (jwt.InvalidIssuerError, "it is of another issuer"),
    (jwt.MissingRequiredClaimError, f"it lacks one of {', '.join(REQUIRED)}"),
    (jwt.InvalidSignatureError, "its signature is wrong"),
)


class TokenRefused(MirrorError):
    """A token that proves nothing here; the text says why, in words of ours alone."""


class ScopeMissing(MirrorError):
    """A good token of somebody who may not read here."""


@dataclass(frozen=True)
class TokenVerifier:
    """Checks tokens by the rules and the keys of the identity provider."""

    rules: OAuthRules
    keys: ProviderKeys

    async def verify(self, token: str) -> Caller:
        """Return who sent it. :class:`TokenRefused`, :class:`ScopeMissing`, or :class:`ProviderUnavailable`."""
        algorithm, name = _header(token)
        key = await self.keys.find(name)
        if key is None:
            raise TokenRefused("it is signed with a key that the identity provider does not name")
        if key.algorithm_name != algorithm:
            raise TokenRefused("its algorithm is not that of its key")
        claims = self._claims(token, key)
        rights = self.rules.rights(claims)
        if rights is None:
            raise ScopeMissing(f"it lacks {' or '.join(self.rules.needed)} in its claim {self.rules.scope_claim}")
        return Caller(rights, self._person(claims), float(claims["exp"]))

    def _claims(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self.rules.audience,
                issuer=self.rules.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED)},
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise TokenRefused(next((words for kind, words in _REASONS if isinstance(error, kind)), _NONE)) from None
        if not claims.keys().isdisjoint(OF_ID_TOKENS):
            raise TokenRefused("it is an ID token, which tells a client who signed in")
        if "cnf" in claims:
            raise TokenRefused("it is bound to a key of its client, which is not checked here")
        return claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        name, subject = _text(claims.get(self.rules.person)), _text(claims["sub"])
        if not (name and subject):
            raise TokenRefused(f"it does not name the person: its claim {self.rules.person} is no text")
        client = _text(claims.get("azp")) or _text(claims.get("client_id"))
        return Person(name, subject, self.rules.issuer, client)


def _header(token: str) -> tuple[str, str]:
    """Return algorithm and name of the key, of a token that may be one; nothing of it is believed yet."""
    if len(token) > LONGEST or not _COMPACT.fullmatch(token):
        raise TokenRefused(_NONE)
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenRefused(_NONE) from None
    algorithm, name, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if algorithm not in ALGORITHMS:
        raise TokenRefused(f"its algorithm is none of {', '.join(ALGORITHMS)}")
    if not isinstance(kind, str) or kind.lower() not in KINDS or "crit" in header:
        raise TokenRefused("it is not a token for access")
    if not isinstance(name, str) or not name:
        raise TokenRefused("it does not name its key")
    return str(algorithm), name


def _text(value: Any) -> str:
    return one_line(value)[:LONGEST_NAME] if isinstance(value, str) else ""
