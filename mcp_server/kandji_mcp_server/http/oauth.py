"""The owner's rules for people who sign in at an identity provider: which one, for what, and what scopes allow.

`serve` is a resource server of OAuth 2.1: it checks tokens that the company's identity provider gave to people's
clients, makes none itself and never sees a password.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from kandji_mcp_server.callers import Rights
from kandji_schema.errors import ConfigurationError
from kandji_schema.privacy import Privacy
from kandji_schema.provider import is_loopback
from kandji_schema.settings import Settings

METADATA = "/.well-known/oauth-protected-resource"

STANDARD_CLAIMS = frozenset({"scope", "scp"})
"""Claims whose values are scopes in the sense of OAuth: a client can ask for them, so it is told their names."""

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_PLAIN_URL = re.compile(r"[!#-;=?-Z_a-z~%\[\]]+")
_LONGEST = 2_000


@dataclass(frozen=True)
class OAuthRules:
    """``issuer``, ``resource``, ``audience`` are compared as they are; ``read``, ``personal``, ``act`` are scopes."""

    issuer: str
    resource: str
    audience: str
    person: str
    scope_claim: str
    read: str
    personal: str
    act: str
    privacy: Privacy

    @property
    def metadata_url(self) -> str:
        """Where clients learn which identity provider to go to (RFC 9728): never from a name that a request gave."""
        parts = urlsplit(self.resource)
        return f"{parts.scheme}://{parts.netloc}{METADATA}{parts.path.removesuffix('/')}"

    @property
    def needed(self) -> tuple[str, ...]:
        """Scopes without which nothing is answered. Where nothing is masked all who read see personal data."""
        return (self.read, self.personal) if self.privacy is Privacy.OFF else (self.read,)

    @property
    def offered(self) -> tuple[str, ...]:
        """Scopes that a client may ask for; none where the claim holds roles or groups, which nobody asks for."""
        if self.scope_claim not in STANDARD_CLAIMS:
            return ()
        return tuple(dict.fromkeys(filter(None, (self.read, self.personal, self.act))))

    def rights(self, claims: Mapping[str, Any]) -> Rights | None:
        """Return what a token's claims allow; None where nothing may be answered."""
        held = self._held(claims)
        if not held.issuperset(self.needed):
            return None
        return Rights(personal=self.personal in held, acts=self.act in held)

    def _held(self, claims: Mapping[str, Any]) -> frozenset[str]:
        names = ("scope", "scp") if self.scope_claim in STANDARD_CLAIMS else (self.scope_claim,)
        return frozenset(scope for name in names for scope in _words(_claim(claims, name)) if scope)


def _claim(claims: Any, path: str) -> Any:
    """Return the claim of that name, or the one inside others as in ``realm_access.roles``; None where none is there.

    Names may have dots themselves, as URLs and clients of Keycloak do: a longer name goes before a shorter one.
    """
    if not isinstance(claims, Mapping):
        return None
    if path in claims:
        return claims[path]
    outer = sorted((name for name in claims if path.startswith(f"{name}.")), key=len, reverse=True)
    inner = (_claim(claims[name], path[len(name) + 1 :]) for name in outer)
    return next((found for found in inner if found is not None), None)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.split(" ")
    elif isinstance(value, list):
        yield from (part for part in value if isinstance(part, str))


def read_rules(settings: Settings) -> OAuthRules | None:
    """Return the rules, or None where no issuer is set. :class:`ConfigurationError` where they would not protect."""
    issuer, resource = settings.mirror_oauth_issuer, settings.mirror_oauth_resource
    if not issuer:
        _refuse_alone(settings)
        return None
    checked_url("KANDJI_MIRROR_OAUTH_ISSUER", issuer)
    if not resource:
        raise ConfigurationError(
            "KANDJI_MIRROR_OAUTH_ISSUER is set, and KANDJI_MIRROR_OAUTH_RESOURCE is not: tokens are for one server, so "
            "set the URL by which clients reach this one, such as https://mirror.example.com/mcp."
        )
    checked_url("KANDJI_MIRROR_OAUTH_RESOURCE", resource)
    rules = OAuthRules(
        issuer=issuer,
        resource=resource,
        audience=settings.mirror_oauth_audience or resource,
        person=settings.mirror_oauth_person or "sub",
        scope_claim=settings.mirror_oauth_scope_claim or "scope",
        read=settings.mirror_oauth_read,
        personal=settings.mirror_oauth_personal,
        act=settings.mirror_oauth_act,
        privacy=settings.privacy,
    )
    _refuse_wrong_scopes(rules)
    return rules


def checked_url(what: str, url: str) -> SplitResult:
    """Return the parts of a URL over TLS, or of this machine; :class:`ConfigurationError` for any other."""
    parts = _parts(url)
    if parts is None or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigurationError(f"{what} is {url[:200]!r}; it must be a URL such as https://login.example.com.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise ConfigurationError(
            f"{what} is {url[:200]!r}; it must begin with https://: whoever stands between could send keys of its own."
        )
    return parts


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        known = parts.port is None or parts.port > 0
    except ValueError:
        return None
    return parts if known and len(url) <= _LONGEST and _PLAIN_URL.fullmatch(url) else None


def _refuse_alone(settings: Settings) -> None:
    for key in ("mirror_oauth_resource", "mirror_oauth_audience"):
        if getattr(settings, key):
            raise ConfigurationError(
                f"KANDJI_{key.upper()} is set, and KANDJI_MIRROR_OAUTH_ISSUER is not, so nobody could sign in. Set it "
                "to your identity provider, or remove the other."
            )


def _refuse_wrong_scopes(rules: OAuthRules) -> None:
    if not rules.read:
        raise ConfigurationError(
            "KANDJI_MIRROR_OAUTH_READ is empty, so everybody at the identity provider could read. Name a scope or role."
        )
    if rules.privacy is Privacy.OFF and not rules.personal:
        raise ConfigurationError(
            "KANDJI_MIRROR_OAUTH_PERSONAL is empty, so nobody may see personal data, and KANDJI_MIRROR_PRIVACY is off, "
            "so nothing is masked. Set KANDJI_MIRROR_PRIVACY=agents."
        )
    for scope in rules.offered:
        if not _SCOPE.fullmatch(scope):
            raise ConfigurationError(
                f"{scope[:80]!r} is no scope: it must be one word of ASCII without quotes, such as mirror:read."
            )
