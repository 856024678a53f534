"""Who is let in, request by request: under which name, from which web page, with whose token.

``Host`` and ``Origin`` are compared whole: a name that merely begins like an allowed one is another. Without that a web
page could reach the server under a name of its own that leads to loopback (DNS rebinding). It stands before all paths,
``/health`` included; the SDK's own check compares beginnings and is switched off. So is the SDK's authorisation: it
knows one kind of token, and no paths that need none.
"""

import hmac
import logging
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kandji_mcp_server.callers import BASE, CALLER, Caller
from kandji_mcp_server.http.oauth import OAuthRules
from kandji_mcp_server.http.provider_keys import ProviderUnavailable
from kandji_mcp_server.http.tokens import ScopeMissing, TokenRefused, TokenVerifier

_NAME = re.compile(r"(?P<base>(?:https?://)?(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?))(?::[0-9]{1,5})?")


class AllowedNames:
    """Names that are let in: ``host``, ``host:8765``, ``http://host``; ``:*`` at the end is any port or none."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)

    def __contains__(self, sent: str) -> bool:
        """Tell whether a header names one of them; letters of either case are the same, nothing else is."""
        found = _NAME.fullmatch(sent.lower())
        return found is not None and (found[0] in self._allowed or f"{found['base']}:*" in self._allowed)


class HostCheck:
    """Lets requests through that were sent under a known name, from a known page or from none: else 421 or 403."""

    def __init__(self, app: ASGIApp, hosts: AllowedNames, origins: AllowedNames) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        refused = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _refusal(self, headers: Headers) -> ASGIApp | None:
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return PlainTextResponse("Invalid Host header", status_code=421)
        if any(origin not in self._origins for origin in origins):
            return PlainTextResponse("Invalid Origin header", status_code=403)
        return None


LONGEST_PATH = 80
"""Most characters of a path in the log."""

log = logging.getLogger(__name__)


class KnownTokens:
    """Tells whose token it is: the server's own, or one that the identity provider gave to a person."""

    def __init__(self, token: str | None, people: TokenVerifier | None = None) -> None:
        """``token`` is compared in constant time."""
        self._token = token.encode() if token else None
        self.people = people

    async def caller(self, token: str) -> Caller | None:
        """Return who sends a token; None for nobody who is known."""
        return (await self.known(token))[0]

    async def known(self, token: str) -> tuple[Caller | None, "Refusal | None"]:
        """Return who sends a token, or why it is refused."""
        if self._token is not None and hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token):
            return Caller(), None
        if self.people is None:
            return None, WRONG
        try:
            return await self.people.verify(token), None
        except TokenRefused as error:
            return None, Refusal(401, "invalid_token", f"The token was refused: {error}.")
        except ScopeMissing as error:
            return None, Refusal(403, "insufficient_scope", f"The token was refused: {error}.")
        except ProviderUnavailable as error:
            return None, Refusal(503, "temporarily_unavailable", f"{error} Try again in a moment.")


class BearerAuth:
    """Lets requests through whose sender is known, and answers 401 to the others, 403 to who may not read.

    A token counts in the header alone, and only where there is one such header.
    """

    def __init__(self, app: ASGIApp, tokens: KnownTokens, public: Container[str] = ()) -> None:
        """``public`` are paths that need no token."""
        self._app = app
        self._tokens = tokens
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[CALLER], refusal = await self._known(Headers(scope=scope))
        if caller := scope[CALLER]:
            _bind_sessions(scope, caller)
        if refusal is None or scope["path"] in self._public:
            await self._app(scope, receive, send)
            return
        people = self._tokens.people
        # who signs in begins without a token: that is no attempt
        log_refusal(scope, refusal, logging.INFO if people and refusal is UNKNOWN else logging.WARNING)
        await refusal.response(people.rules if people else None)(scope, receive, send)

    async def _known(self, headers: Headers) -> tuple[Caller | None, "Refusal | None"]:
        token = bearer_of(headers)
        return (None, UNKNOWN) if token is None else await self._tokens.known(token)


def bearer_of(headers: Headers) -> str | None:
    """Return the token of the one header that may carry it; None where there is none, or there are several."""
    sent = headers.getlist("authorization")
    kind, _, token = (sent[0] if len(sent) == 1 else "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered. ``error`` is a word of RFC 6750, empty where no token came."""

    status: int
    error: str
    words: str

    def response(self, rules: OAuthRules | None) -> Response:
        """Return what is answered; where people can sign in, with where (RFC 9728) and for which scopes."""
        headers = {"WWW-Authenticate": self._challenge(rules)} if self.status in {401, 403} else {}
        if self.status == 503:
            headers["Retry-After"] = str(RETRY_SECONDS)
        body = {"error": self.error or "invalid_token", "error_description": self.words}
        return JSONResponse(body, status_code=self.status, headers=headers)

    def _challenge(self, rules: OAuthRules | None) -> str:
        facts = {"realm": "kandji-mirror", "error": self.error}
        if rules:
            facts |= {"resource_metadata": rules.metadata_url, "scope": " ".join(rules.needed) if rules.offered else ""}
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in facts.items() if value)


UNKNOWN = Refusal(401, "", "Send the server's token: Authorization: Bearer ...")
WRONG = Refusal(401, "invalid_token", UNKNOWN.words)

RETRY_SECONDS = 5
"""After so long the identity provider may be asked again."""


def _bind_sessions(scope: Scope, caller: Caller) -> None:
    """Tell the SDK who it is: a session that one person opened is none for another, who may do the same."""
    if person := caller.person:
        claims = {"iss": person.issuer}
        known = AccessToken(token="", client_id=person.client, scopes=[], subject=person.subject, claims=claims)
        scope["user"] = AuthenticatedUser(known)


def log_refusal(scope: Scope, refusal: Refusal, level: int = logging.WARNING) -> None:
    """Log who tried what; what was sent as a token is nobody's business, it may be another server's."""
    peer = scope["client"][0] if scope.get("client") else "somebody"
    path = ascii(scope.get(BASE, "") + scope["path"])[:LONGEST_PATH]
    why = "sent no token or a wrong one" if refusal in (UNKNOWN, WRONG) else f"was told: {refusal.words}"
    log.log(level, "%d for %s, which %s: %s %s", refusal.status, peer, why, scope["method"][:10], path)


class OriginCors(CORSMiddleware):
    """Tells browsers which web pages may ask: those whose requests are let in."""

    def __init__(self, app: ASGIApp, pages: AllowedNames) -> None:
        super().__init__(
            app,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            allow_private_network=True,
            expose_headers=["Mcp-Session-Id", "WWW-Authenticate"],
        )
        self._pages = pages

    def is_allowed_origin(self, origin: str) -> bool:
        """Tell whether a page may ask."""
        return origin in self._pages
