"""``serve`` of several tenants: each below its own path, with its own token, data and troubles."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from commands import COMMAND, environment
from http_serving import INITIALIZE, MCP, Answer, asked
from loopback import Server, served
from reads_home import device, publish
from support import make_tenant

from kandji_simulator import TOKEN, serve

pytestmark = pytest.mark.heavy  # one server for all of them

FORM = "application/x-www-form-urlencoded"
NAMES = ("acme", "beta", "gamma")
PAGES = ("/tables", "/tables/devices", "/queries", "/queries/stale_devices", "/sql", "/status", "/nowhere")
NO_TENANTS = ("/", "/mcp", "/status", "/delta/mcp", "/BETA/", "//beta/mcp", "/../beta/x")
UNKNOWN = (
    b"HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
)


@dataclass
class Serving:
    url: str
    home: Path
    log: list[str]
    simulated: str
    other: Server

    def token(self, name: str) -> str:
        return (self.home / "config" / "kandji-mirror" / "http_tokens" / name).read_text().strip()

    def get(self, path: str, **headers: str) -> Answer:
        return asked(self.url, "GET", path, **headers)

    def page(self, name: str, path: str) -> Answer:
        return self.get(f"/{name}{path}", authorization=f"Bearer {self.token(name)}")


def stored(folder: Path, name: str, secret: str) -> None:
    path = folder / "tokens" / name
    path.parent.mkdir(exist_ok=True, mode=0o700)
    path.write_text(secret)
    path.chmod(0o600)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """``acme`` is synced, ``beta`` has a token that its host does not know, ``gamma`` a disk that is no folder."""
    home = tmp_path_factory.mktemp("several")
    folder = home / "config" / "kandji-mirror"
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        simulated = stack.enter_context(serve(make_tenant(3, apps=1)))
        other = stack.enter_context(served(UNKNOWN))
        (folder / "config.toml").write_text(
            f'mirror_log_form = "text"\n[tenants.acme]\napi_url = "{simulated.url}"\nmirror_privacy = "agents"\n'
            f'[tenants.beta]\napi_url = "{other.url}"\n'
            f'[tenants.gamma]\napi_url = "{simulated.url}"\nmirror_home = "/dev/null/no"\n'
            f'[tenants.delta]\nmirror_ttl = "wrong"\n'
        )
        for name, secret in (("acme", TOKEN), ("beta", "token-of-beta"), ("gamma", "token-of-gamma")):
            stored(folder, name, secret)
        publish(home / "tenants" / "beta", {"devices": [device(1, device_name="Mac of beta")]}, tenant="loopback")
        command = [COMMAND, "serve", "--port", "0"]
        process = stack.enter_context(
            subprocess.Popen(command, env=environment(home), cwd=home, stderr=subprocess.PIPE, text=True)
        )
        log: list[str] = []
        assert process.stderr is not None
        for line in process.stderr:
            log.append(line)
            if line.startswith("AI clients connect to "):
                break
        assert log[-1].startswith("AI clients connect to "), "".join(log)
        url = f"http://{urlsplit(log[-1].split()[4]).netloc}/"  # before anything is added
        rest = Thread(target=log.extend, args=(process.stderr,), daemon=True)
        rest.start()
        stack.callback(rest.join, 10)
        stack.callback(process.terminate)
        yield Serving(url, home, log, simulated.url, other)


def until(true: Callable[[], Any], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_one_is_kept_in_sync_while_the_token_of_another_is_wrong_and_a_third_has_no_disk(server: Serving) -> None:
    until(lambda: server.page("acme", "/health").json().get("status") == "ok")
    until(lambda: server.page("beta", "/health").json()["status"] == "syncing rests")
    assert server.page("acme", "/health").json()["failed"] == []
    assert "delta is not served, the others are: " in "".join(server.log)
    assert server.page("gamma", "/health").status == 503
    sent = {found for got in server.other.received for found in re.findall(rb"(?i)authorization: (.+)\r", got)}
    assert sent == {b"Bearer token-of-beta"}
    assert server.get("/health").status == 503  # not every one of them is well


def test_a_token_of_one_is_none_at_another(server: Serving) -> None:
    for name in NAMES:
        for whose in NAMES:
            known = {"authorization": f"Bearer {server.token(whose)}"}
            answer = asked(server.url, "POST", f"/{name}/mcp", INITIALIZE, **MCP, **known)
            assert answer.status == (200 if name == whose else 401), (name, whose)
            page = server.get(f"/{name}/status", **known).status  # gamma's tells of its disk
            assert (page in {200, 500}, page == 303) == (name == whose, name != whose)
    assert len({server.token(name) for name in NAMES}) == 3


def test_each_answers_from_its_own_mirror_in_its_own_privacy(server: Serving) -> None:
    beta, acme = (server.page(name, "/tables/devices").text for name in ("beta", "acme"))
    assert ("Mac of beta" in beta, "shown as pseudonyms" in beta) == (True, False)
    assert ("Mac of beta" in acme, "shown as pseudonyms" in acme) == (False, True)
    assert re.search(r"device_[0-9a-z]{6}", acme)


def test_every_link_of_a_page_stays_below_the_path(server: Serving) -> None:
    for path in PAGES:  # not the overview, whose pictures take seconds: all pages go through one place
        page = server.page("beta", path)
        links = re.findall(r'\s(?:href|src|action)="(/[^"]*)"', page.text)
        assert links, path
        assert [link for link in links if not link.startswith("/beta/")] == []
    assets = server.get("/beta/assets/site.css")
    assert (assets.status, assets.headers["content-type"]) == (200, "text/css; charset=utf-8")


def test_signing_in_leads_back_below_the_path_and_its_cookie_is_sent_there_alone(server: Serving) -> None:
    asked_in = server.get("/beta/tables/devices?limit=1")
    assert (asked_in.status, asked_in.headers["location"]) == (303, "/beta/sign-in?to=%2Ftables%2Fdevices%3Flimit%3D1")
    form = server.get(asked_in.headers["location"]).text
    assert 'action="/beta/sign-in"' in form
    body = urlencode({"token": server.token("beta"), "to": "/tables/devices?limit=1"}).encode()
    origin = server.url.rstrip("/")
    signed = asked(server.url, "POST", "/beta/sign-in", body, content_type=FORM, origin=origin)
    assert signed.headers["location"] == "/beta/tables/devices?limit=1"
    cookie, *rules = signed.headers["set-cookie"].split("; ")
    assert "Path=/beta/" in rules
    assert server.get("/beta/status", cookie=cookie).status == 200
    assert server.get("/acme/status", cookie=cookie).status == 303
    assert asked(server.url, "POST", "/acme/sign-in", body, content_type=FORM, origin=origin).status == 401


@pytest.mark.parametrize("path", NO_TENANTS)
def test_at_the_root_there_is_nothing_and_no_name(server: Serving, path: str) -> None:
    answer = server.get(path, authorization=f"Bearer {server.token('beta')}")
    assert answer.status == 404
    assert not [name for name in NAMES if name in answer.text]


def test_the_path_alone_leads_to_its_pages(server: Serving) -> None:
    answer = server.get("/acme")
    assert (answer.status, answer.headers["location"]) == (307, "/acme/")
    assert server.get("/acme/mcp/server-card").status == 200
    assert asked(server.url, "GET", "/acme/mcp", host="evil.example").status == 421


def test_metrics_and_probes_of_all_are_at_the_root(server: Serving) -> None:
    assert (server.get("/healthz").status, server.get("/beta/readyz").status) == (200, 503)
    until(lambda: server.get("/readyz").status == 200)  # acme's answers
    top = (server.home / "config" / "kandji-mirror" / "http_token").read_text().strip()
    assert [
        server.get("/metrics", authorization=f"Bearer {token}").status for token in (top, server.token("acme"))
    ] == [
        200,
        401,
    ]
    told = server.get("/metrics", authorization=f"Bearer {top}").text
    assert {name for name in NAMES if f'tenant="{name}"' in told} == {*NAMES}
    own = server.page("acme", "/metrics").text
    assert {name for name in NAMES if f'tenant="{name}"' in own} == {"acme"}
