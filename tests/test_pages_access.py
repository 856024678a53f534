"""Who may look at the pages of ``serve``, and what a browser is told with each."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from http_serving import KNOWN, TOKEN, Answer, Serving, asked, connected, serving
from reads_home import device, publish

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("pages")
    publish(home, {"devices": [device(1, device_name='<b>"Mac" & co</b>')]})
    with serving(home, "--no-sync") as started:
        yield started


def origin(server: Serving) -> str:
    return f"http://{urlsplit(server.url).netloc}"


def sign_in(server: Serving, token: str, to: str = "/status", **headers: str) -> Answer:
    body = urlencode({"token": token, "to": to}).encode()
    return asked(server.url, "POST", "/sign-in", body, content_type=FORM, **{"origin": origin(server), **headers})


def cookie(answer: Answer) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


@pytest.mark.parametrize("path", ["/", "/status", "/nothing", "/tables/devices?x=1", "/sql"])
def test_without_a_token_every_page_leads_to_signing_in_and_back(server: Serving, path: str) -> None:
    answer = asked(server.url, "GET", path)
    assert answer.status == 303
    assert answer.headers["location"].startswith("/sign-in?to=%2F")
    assert answer.text == ""
    assert asked(server.url, "GET", answer.headers["location"]).status == 200


def test_the_token_is_taken_once_and_gives_a_cookie_that_no_script_and_no_other_site_has(server: Serving) -> None:
    answer = sign_in(server, TOKEN, "/status?a=1")
    assert (answer.status, answer.headers["location"]) == (303, "/status?a=1")
    given = answer.headers["set-cookie"]
    assert {part.strip().lower() for part in given.split(";")[1:]} >= {"httponly", "samesite=strict", "path=/"}
    assert TOKEN not in given
    page = asked(server.url, "GET", "/status", cookie=cookie(answer))
    assert page.status == 200
    assert "devices" in page.text


def test_a_page_asked_with_the_token_itself_needs_no_session(server: Serving) -> None:
    assert asked(server.url, "GET", "/status", **KNOWN).status == 200
    assert asked(server.url, "GET", "/status", authorization="Bearer wrong").status == 303


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN.upper(), "x" * 100_000, "\udcff\u202e"])
def test_a_wrong_token_gives_nothing(server: Serving, token: str) -> None:
    body = urlencode({"token": token}, errors="surrogatepass").encode()
    answer = asked(server.url, "POST", "/sign-in", body, content_type=FORM, origin=origin(server))
    assert answer.status in {400, 401}
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("wrong", [{}, {"origin": "http://localhost:3000"}, {"origin": "null"}])
def test_a_form_of_another_page_is_refused(server: Serving, wrong: dict[str, str]) -> None:
    body = urlencode({"token": TOKEN}).encode()
    answer = asked(server.url, "POST", "/sign-in", body, content_type=FORM, **wrong)
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_the_name_of_the_host_must_be_known(server: Serving) -> None:
    assert asked(server.url, "GET", "/", host="evil.example").status == 421


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example",
        "//[",
        "/a b\x00",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/\r\nX: y",
    ],
)
def test_signing_in_leads_nowhere_else(server: Serving, to: str) -> None:
    assert sign_in(server, TOKEN, to).headers["location"] == "/"


def test_signing_out_ends_the_session_and_needs_the_key_of_its_form(server: Serving) -> None:
    known = cookie(sign_in(server, TOKEN))
    page = asked(server.url, "GET", "/status", cookie=known)
    found = re.search(r'name="key" value="([^"]+)"', page.text)
    assert found is not None
    sent = {"content_type": FORM, "origin": origin(server), "cookie": known}
    assert asked(server.url, "POST", "/sign-out", b"key=wrong", **sent).status == 403
    assert asked(server.url, "GET", "/status", cookie=known).status == 200
    assert asked(server.url, "POST", "/sign-out", urlencode({"key": found[1]}).encode(), **sent).status == 303
    assert asked(server.url, "GET", "/status", cookie=known).status == 303


@pytest.mark.parametrize("path", ["/status", "/nothing", "/sign-in", "/assets/site.css", "/assets/../site.py"])
def test_every_answer_tells_the_browser_to_load_nothing_from_elsewhere(server: Serving, path: str) -> None:
    headers = asked(server.url, "GET", path, **KNOWN).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


def test_mcp_and_health_answer_as_before(server: Serving) -> None:
    assert asked(server.url, "GET", "/health").status in {200, 503}
    assert asked(server.url, "POST", "/mcp", b"{}").status == 401


def test_an_empty_mirror_says_what_to_do(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-sync") as started:
        pages = [asked(started.url, "GET", path, **KNOWN) for path in ("/", "/status", "/queries/stale_devices")]
        file = asked(started.url, "GET", "/tables/devices.csv", **KNOWN)
    # a browser writes an error into its console for any page that is no 200
    assert [answer.status for answer in pages] == [200] * 3
    assert all("kandji-mirror sync" in answer.text for answer in (*pages, file))
    assert file.status == 503


def test_a_body_is_bounded_whatever_its_head_says(server: Serving) -> None:
    asks = asked(server.url, "GET", "/status", b"x" * 100, **KNOWN)
    assert asks.status in {200, 413}  # a page that reads nothing of it need not look
    assert asked(server.url, "GET", "/tables/devices", b"x" * 100_000, **KNOWN).status == 413
    assert asked(server.url, "POST", "/sql", b"sql=" + b"x" * 800_000, content_type=FORM, **KNOWN).status == 413
    two = {"content_length": "10", "transfer_encoding": "chunked"}
    with connected(server.url) as connection:
        connection.putrequest("POST", "/sql")
        for name, value in {**KNOWN, **two, "content-type": FORM}.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        connection.send(b"5\r\nsql=1\r\n0\r\n\r\n")
        assert connection.getresponse().status == 400


def test_one_address_does_not_ask_for_everything_at_once(server: Serving) -> None:
    facets = "&".join(f"_facet={name}" for name in ("platform", "model", "os_version", "blueprint_name", "user_name"))
    assert asked(server.url, "GET", f"/tables/devices?{facets}", **KNOWN).status == 400
    values = "&".join(f"device_name__contains=x{i}" for i in range(201))
    assert asked(server.url, "GET", f"/tables/devices?{values}", **KNOWN).status == 400
