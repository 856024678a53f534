"""What an answer means."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kandji_mirror.api.responses import (
    LONGEST_WAIT,
    Asked,
    error_text,
    failure,
    is_beyond_last_page,
    remaining_hour,
    retry_after,
    sent_at,
)
from kandji_schema.errors import (
    AuthenticationError,
    ConfigurationError,
    MirrorError,
    NotFound,
    PermissionMissing,
    RateLimited,
    Rejected,
    ServerFault,
)
from kandji_schema.http import Response

TOKEN = "5e0a3c1b-aaaa-4a2b-9c3d-0000deadbeef"
NOW = 1_790_000_000.0  # 2026-09-21 14:13:20 UTC
HTML = '\n<!doctype html><html lang="en"><head><title>Not Found</title></head><body><h1>Not Found</h1></body></html>'
NO_ROUTE = '{"message":"no Route matched with those values","request_id":"..."}'
ASKED = Asked(request="GET /api/v1/devices", token=TOKEN, now=NOW)
PROVEN = Asked(request="GET /api/v1/devices", token=TOKEN, proven=True, now=NOW)


def answer(status: int, body: str = "", **headers: str) -> Response:
    return Response(status, {k.replace("_", "-"): v for k, v in headers.items()}, body.encode())


def judged(response: Response, asked: Asked = ASKED) -> MirrorError:
    error = failure(response, asked)
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (400, '"Command already running"', "Command already running"),
        (400, '"JSON parse error - Expecting"', "JSON parse error - Expecting"),
        (400, '["Device is not in lost mode."]', "Device is not in lost mode"),
        (400, '["one", "two"]', "one; two"),
        (400, "Library Item already exists on Blueprint", "Library Item already exists on Blueprint"),
        (400, '{"dep_account":["Enter a valid UUID.","no"],"name":["x"]}', "dep_account: Enter a valid UUID.; name: x"),
        (400, '{"detail":"Invalid category: x","error":"other"}', "Invalid category: x"),
        (400, '{"detail":{"name":["too long"]}}', "name: too long"),
        (400, '{"detail":[{"msg":"bad","loc":1},"worse"]}', "msg: bad; loc: 1; worse"),
        (400, '{"detail":null,"error":"Bad Request"}', "Bad Request"),
        (400, '{"error":"Bad Request"}', "Bad Request"),
        (401, '{"message":"Invalid authentication"}', "Invalid authentication"),
        (403, '{"detail":"You do not have permission to perform this action."}', None),
        (404, HTML, "Not Found"),
        (404, '{"detail":"Not found."}', "Not found"),
        (415, '{"detail":"Unsupported media type \\"text/plain\\" in request."}', None),
        (429, '{"message":"API rate limit exceeded"}', "API rate limit exceeded"),
        (500, "<h1>Server   Error</h1>\n<script>x()</script><p>a &amp; b</p>", "Server Error a & b"),
        (503, "", "Service Unavailable"),
        (599, "", "no text"),
        (400, "{}", "Bad Request"),
        (400, "[" * 5000, "[" * 199 + "…"),
        (400, '"line\\u0000\\r\\none\\u001b[31m\\u202e"', "line one [31m"),
        (400, '"\\ud800"', ""),
    ],
)
def test_the_first_text_of_any_error_body_is_found(status: int, body: str, text: str | None) -> None:
    found = error_text(answer(status, body))
    assert found == text if text is not None else found.removesuffix(".") in body.replace("\\", "")


def test_html_is_known_by_its_header_too() -> None:
    page = answer(502, "<title>502 Bad\nGateway</title>", Content_Type="text/html; charset=utf-8")
    assert error_text(page) == "502 Bad Gateway"


def test_long_texts_are_cut() -> None:
    assert error_text(answer(400, f'"{"x" * 999}"')) == "x" * 199 + "…"
    assert error_text(answer(400, f'{{"detail":"{"x" * 2_000_000}"}}')) == '{"detail":"' + "x" * 188 + "…"


@pytest.mark.parametrize(
    "piece", ["<", "<title>", "<script>", "</script ", "<!--", "bearer ", "[", "&", "<title", "\x00"]
)
@pytest.mark.timeout(10)
def test_a_body_made_to_keep_a_parser_busy_is_read_at_once(piece: str) -> None:
    assert len(error_text(answer(500, piece * (2_000_000 // len(piece))))) <= 200


def test_a_redirect_names_its_status_alone() -> None:
    moved = answer(302, "<a href='https://evil.example/?email=ann'>here</a>", location="https://evil.example/")
    shown = str(judged(moved))
    assert shown == (
        "GET /api/v1/devices answered 302: a redirect, which is not followed with the token. Check KANDJI_API_URL."
    )


@pytest.mark.parametrize(
    "body",
    [
        f'{{"detail":"Invalid token {TOKEN}"}}',
        f"<title>Bearer {TOKEN.upper()}</title>",
        '"Authorization: Bearer abc.def"',
        f'"{"x" * 180}{TOKEN}"',
    ],
)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 429, 500])
def test_an_echoed_token_is_never_shown(status: int, body: str) -> None:
    shown = str(judged(answer(status, body)))
    assert "deadbeef" not in shown.lower()
    assert TOKEN[:8] not in shown
    assert "abc.def" not in shown


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_success_is_no_failure(status: int) -> None:
    assert failure(answer(status), ASKED) is None


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer(400, '"Command already running"'), Rejected),
        (answer(401, '{"error":"Unauthorized"}'), AuthenticationError),
        (answer(403), PermissionMissing),
        (answer(404, HTML), NotFound),
        (answer(404, '{"error":"Not Found"}'), NotFound),
        (answer(404, NO_ROUTE), ConfigurationError),
        (answer(415), Rejected),
        (answer(429), RateLimited),
        (answer(301, location="https://elsewhere.example"), Rejected),
        (answer(500), ServerFault),
        (answer(502), ServerFault),
        (answer(503), ServerFault),
        (answer(504), ServerFault),
        (answer(101), ServerFault),
    ],
)
def test_each_status_has_its_error(response: Response, kind: type[MirrorError]) -> None:
    error = judged(response)
    assert type(error) is kind
    assert str(error).startswith(f"GET /api/v1/devices answered {response.status}: ")
    assert getattr(error, "status", response.status) == response.status


def test_a_401_where_others_answered_is_a_missing_permission() -> None:
    assert type(judged(answer(401), PROVEN)) is PermissionMissing


def test_a_401_of_an_endpoint_that_answered_before_is_a_token_that_ended() -> None:
    assert type(judged(answer(401), replace(PROVEN, answered=True))) is AuthenticationError


def test_an_unknown_path_of_a_known_host_never_proves_that_something_is_gone() -> None:
    assert type(judged(answer(404, NO_ROUTE), PROVEN)) is Rejected


def test_an_unknown_host_names_the_settings_to_check() -> None:
    assert "KANDJI_SUBDOMAIN" in str(judged(answer(404, NO_ROUTE)))


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "42"}, 42.0),
        (429, {"Retry-After": "1.5"}, 1.5),
        (503, {"retry-after": "Mon, 21 Sep 2026 14:14:20 GMT"}, 60.0),
        (429, {"retry-after": "Mon, 21 Sep 2026 14:14:20 -0000"}, 60.0),
        (429, {"retry-after": "Mon, 21 Sep 2020 14:14:20 GMT"}, None),
        (429, {"retry-after": "Mon, 21 Sep 2020 14:14:20 GMT", "Date": "Mon, 21 Sep 2020 14:14:18 GMT"}, 2.0),
        (429, {"retry-after": "Wed, 23 Sep 2026 14:14:20 GMT", "date": "Wed, 23 Sep 2026 14:14:18 GMT"}, 2.0),
        (429, {"retry-after": "Mon, 21 Sep 2026 14:14:20 GMT", "date": "yesterday"}, 60.0),
        (429, {"retry-after": "Wed, 23 Sep 2026 14:14:20 GMT"}, LONGEST_WAIT),
        (429, {"retry-after": "0"}, None),
        (429, {"retry-after": " 42 "}, 42.0),
        (429, {"retry-after": "999999999"}, LONGEST_WAIT),
        (429, {"retry-after": "9" * 400}, None),
        (429, {"retry-after": ""}, None),
        (429, {"retry-after": "soon"}, None),
        (429, {"retry-after": "-5"}, None),
        (429, {"retry-after": "nan"}, None),
        (429, {"retry-after": "1e9"}, None),
        (429, {"retry-after": "1_0"}, None),
        (429, {"retry-after": "٣"}, None),
        (429, {"retry-after": "Mon, 99 Sep 2026 14:14:20 GMT"}, None),
        (429, {"retry-after": "Mon, 21 Sep 99999 14:14:20 GMT"}, None),
        (429, {"retry-after": "soon", "ratelimit-reset": "1", "x-ratelimit-remaining-hour": "9"}, 1.0),
        (429, {}, None),
        (429, {"ratelimit-reset": "1", "x-ratelimit-remaining-hour": "9"}, 1.0),
        (429, {"RateLimit-Reset": "1", "X-RateLimit-Remaining-Hour": "9"}, 1.0),
        (429, {"ratelimit-reset": "1", "x-ratelimit-remaining-hour": "0"}, None),
        (429, {"ratelimit-reset": "1"}, None),
        (429, {"ratelimit-reset": "1", "x-ratelimit-remaining-hour": "9", "retry-after": "7"}, 7.0),
        (503, {"ratelimit-reset": "1", "x-ratelimit-remaining-hour": "9"}, None),
    ],
)
def test_the_wait_a_server_asks_for(status: int, headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(Response(status, headers), now=NOW) == seconds


@pytest.mark.parametrize(
    ("raw", "left"), [("9965", 9965), ("0", 0), ("", None), ("many", None), ("-1", None), ("inf", None)]
)
def test_the_requests_left_in_this_hour(raw: str, left: int | None) -> None:
    assert remaining_hour(Response(200, {"X-RateLimit-Remaining-Hour": raw})) == left


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("Mon, 21 Sep 2026 14:13:20 GMT", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        ("Mon, 21 Sep 2026 14:13:20 +0200", datetime(2026, 9, 21, 12, 13, 20, tzinfo=UTC)),
        ("Mon, 21 Sep 2026 14:13:20", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)),
        ("now", None),
        ("", None),
    ],
)
def test_the_time_of_the_server(raw: str, moment: datetime | None) -> None:
    assert sent_at(Response(200, {"Date": raw})) == moment


def test_where_names_are_kept_from_errors_no_words_of_the_provider_are_repeated() -> None:
    quiet = replace(PROVEN, quiet=True)
    told = {status: str(failure(answer(status, '{"detail":"Ana has no device"}'), quiet)) for status in (400, 403, 500)}
    assert all("Ana" not in text for text in told.values())
    assert "answered 400: Bad Request" in told[400]
    beyond = failure(answer(404, '{"detail":"Invalid page. Ana"}'), quiet)
    assert isinstance(beyond, NotFound)
    assert is_beyond_last_page(beyond)
