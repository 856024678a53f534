"""Signing in: a page takes the server's token, or one of the identity provider, once and gives a cookie.

Everyone signs in, on this machine too, where other users reach loopback as well; whoever starts the server at a
terminal is told a link that does it once. A program may send the token in the
header ``Authorization`` with every request instead. A form is taken only from a page of our own: its ``Origin`` is the
server's and it carries the key of its session.
"""

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kandji_mcp_server.callers import BASE, CALLER, Caller
from kandji_web.sessions import LONGEST_SECONDS, Session, Sessions, same_key
from kandji_web.templates import render

SESSION = "kandji_web.session"
"""Key of an HTTP scope: the :class:`Session` of the request, None where it came with a token."""

SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
OPEN = ("/assets/", SIGN_IN)
"""Paths that everybody may read."""

LONGEST_TOKEN = 16_384
"""Characters."""

UNKNOWN = "This is not a token that the server knows. Sign in with the one it names where it was started."
USED = "This link was used already, or is too old. Sign in with the token."

log = logging.getLogger(__name__)

Known = Callable[[str], Awaitable[Caller | None]]
"""Whose token it is; None where it is nobody's."""


class SignedIn:
    """Lets requests of the signed in through, and sends the others to sign in."""

    def __init__(self, app: ASGIApp, sessions: Sessions, known: Known) -> None:
        self._app = app
        self._sessions = sessions
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        scope[CALLER], scope[SESSION] = await self._who(request)
        answer: ASGIApp = self._app
        if scope[CALLER] is None and not scope["path"].startswith(OPEN):
            answer = _asked_to_sign_in(request)
        elif scope["method"] not in {"GET", "HEAD"} and not _of_our_page(request):
            answer = HTMLResponse(render("refused.html", {"path": "/"}), status_code=403)
        await answer(scope, receive, send)

    async def _who(self, request: Request) -> tuple[Caller | None, Session | None]:
        if token := _bearer(request.headers):
            return await self._known(token), None
        session = self._sessions.find(request.cookies.get(cookie_name(request), ""))
        return (session.caller, session) if session else (None, None)


def sign_in_routes(sessions: Sessions, known: Known) -> list[Route]:
    """Make the pages that begin and end a session."""

    async def form(request: Request) -> Response:
        to = _inside(request.query_params.get("to", "/"))
        if code := request.query_params.get("once"):
            value = sessions.redeem(code)
            return _with_cookie(request, _led_on(to), value) if value else _form(to, USED, status=401)
        return _form(to)

    async def begin(request: Request) -> Response:
        sent = await request.form(max_files=0, max_fields=4, max_part_size=LONGEST_TOKEN)
        to, token = _inside(str(sent.get("to", "/"))), str(sent.get("token", "")).strip()
        caller = await known(token) if token and len(token) <= LONGEST_TOKEN else None
        if caller is None:
            log.warning("401 for %s, who tried to sign in with a wrong token", request.client and request.client.host)
            return _form(to, UNKNOWN, status=401)
        return _with_cookie(request, RedirectResponse(to, status_code=303), sessions.begin(caller))

    async def end(request: Request) -> Response:
        sent = await request.form(max_files=0, max_fields=4, max_part_size=LONGEST_TOKEN)
        session: Session | None = request.scope[SESSION]
        if session is None or not same_key(session, str(sent.get("key", ""))):
            return HTMLResponse(render("refused.html", {"path": "/"}), status_code=403)
        sessions.end(request.cookies.get(cookie_name(request), ""))
        answer = RedirectResponse(SIGN_IN, status_code=303)
        answer.delete_cookie(cookie_name(request), path=_root(request), httponly=True, samesite="strict")
        return answer

    return [
        Route(SIGN_IN, form, methods=["GET"]),
        Route(SIGN_IN, begin, methods=["POST"]),
        Route(SIGN_OUT, end, methods=["POST"]),
    ]


def _with_cookie(request: Request, answer: Response, value: str) -> Response:
    # a proxy before us ends TLS; who says so wrongly only keeps the cookie from plain HTTP
    told = (request.headers.get("origin", ""), request.headers.get("x-forwarded-proto", ""))
    secure = any(words.startswith("https") for words in told)
    name = cookie_name(request)
    answer.set_cookie(
        name, value, max_age=LONGEST_SECONDS, path=_root(request), httponly=True, samesite="strict", secure=secure
    )
    return answer


def _led_on(to: str) -> Response:
    """Return a page of ours that leads on: a browser that came by a link and is redirected sends no strict cookie."""
    return HTMLResponse(render("signed_in.html", {"to": to}))


def cookie_name(request: Request) -> str:
    """Return the cookie of this server: browsers send those of all ports of a machine to each of them.

    Of several tenants each has its own, which is sent below its path alone.
    """
    base = request.scope.get(BASE, "").replace("/", "_")
    return f"kandji_mirror_{request.url.port or request.url.scheme}{base}"


def _root(request: Request) -> str:
    return f"{request.scope.get(BASE, '')}/"


def _form(to: str, wrong: str = "", status: int = 200) -> Response:
    return HTMLResponse(render("sign_in.html", {"to": to, "wrong": wrong}), status_code=status)


def _asked_to_sign_in(request: Request) -> Response:
    if request.method not in {"GET", "HEAD"}:
        return HTMLResponse(render("refused.html", {"path": "/"}), status_code=401)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{SIGN_IN}?to={quote(path, safe='')}", status_code=303)


def _inside(path: str) -> str:
    """Return a path of this site, and the first page for everything else: no link of ours leads elsewhere."""
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if own else "/"


def _bearer(headers: Headers) -> str:
    sent = headers.getlist("authorization")
    kind, _, token = (sent[0] if len(sent) == 1 else "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _of_our_page(request: Request) -> bool:
    """Tell whether a form or script of this very server sent it; programs with a token send no origin."""
    origin = request.headers.get("origin")
    if origin is None:
        return bool(_bearer(request.headers))
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
