"""``kandji-mirror serve`` for people who sign in elsewhere: what each may see and do, and what everybody is told."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx2
import pytest
from http_serving import INITIALIZE, KNOWN, MCP, Answer, Era, Serving, asked, serving
from identity_provider import RESOURCE, IdentityProvider, identity_provider
from live_tenant import Live, live
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_calls import said
from support import run_sync

from kandji_mcp_server.http.access import read_access
from kandji_schema.privacy import Privacy
from kandji_schema.settings import Settings

ALL = "mirror:read mirror:personal mirror:act"
NAMES = "SELECT DISTINCT user_email FROM devices WHERE user_email IS NOT NULL ORDER BY 1"
METADATA = "/.well-known/oauth-protected-resource"

pytestmark = pytest.mark.slow
"""They share one server, which takes two seconds of a processor to begin."""


@dataclass(frozen=True)
class Company:
    """A server, where its people sign in, and the tenant behind it."""

    server: Serving
    provider: IdentityProvider
    tenant: Live

    def get(self, path: str, **headers: str) -> Answer:
        return asked(self.server.url, "GET", path, **headers)

    def post(self, path: str = "/mcp", body: bytes = INITIALIZE, /, **headers: str) -> Answer:
        return asked(self.server.url, "POST", path, body, **MCP, **headers)

    def with_token(self, token: str, **headers: str) -> Answer:
        return self.post(**{"authorization": f"Bearer {token}", **headers})


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    home = tmp_path_factory.mktemp("home")
    with live(home, devices=6) as tenant, identity_provider() as provider:
        run_sync(home, tenant.tenant, "devices", "users", privacy=Privacy.AGENTS)
        settings = tenant.environment(
            KANDJI_MIRROR_PRIVACY="agents",
            KANDJI_MIRROR_OAUTH_ISSUER=provider.issuer,
            KANDJI_MIRROR_OAUTH_RESOURCE=RESOURCE,
            KANDJI_MIRROR_OAUTH_PERSON="email",
        )
        with serving(home, "--no-sync", **settings) as server:
            yield Company(server, provider, tenant)


def called(company: Company, token: str, tool: str, era: Era = "auto", /, **arguments: Any) -> Any:
    async def talk() -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as sender,
            Client(streamable_http_client(company.server.url, http_client=sender), mode=era) as client,
        ):
            if tool == "tools/list":
                return [found.name for found in (await client.list_tools()).tools]
            return await client.call_tool(tool, arguments)

    return anyio.run(talk)


@pytest.mark.heavy
@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_each_person_sees_names_only_with_the_scope_for_them(company: Company, era: Era) -> None:
    def names(token: str) -> list[str]:
        return [row[0] for row in json.loads(said(called(company, token, "run_sql", era, sql=NAMES)))["rows"]]

    masked = names(company.provider.token())
    assert masked
    assert all(name.startswith("person_") for name in masked)
    assert masked == names(KNOWN["authorization"].split()[1])  # the server's own token, as before
    clear = names(company.provider.token(sub="u-2", scope="mirror:read mirror:personal"))
    assert len(clear) == len(masked)
    assert all("@" in name for name in clear)


def test_pages_and_their_files_show_names_only_with_the_scope_for_them(company: Company) -> None:
    own = KNOWN["authorization"]
    clear = f"Bearer {company.provider.token(sub='u-3', scope='mirror:read mirror:personal')}"
    form = {"content_type": "application/x-www-form-urlencoded"}

    def seen(authorization: str) -> list[str]:
        pages = (
            *("/queries/stale_devices?days=0", "/queries/stale_devices.csv?days=0", "/values/user?typed="),
            *("/tables/users", "/tables/devices.csv", "/tables/users.json?_columns=name,email"),
        )
        texts = [company.get(page, authorization=authorization).text for page in pages]
        for do in (b"run", b"csv", b"json"):
            body = urlencode({"sql": NAMES}).encode() + b"&do=" + do
            answer = asked(company.server.url, "POST", "/sql", body, authorization=authorization, **form)
            texts.append(answer.text)
        return texts

    assert all("person_" in text and "@" not in text for text in seen(own))
    assert all("@" in text and "person_" not in text for text in seen(clear))


def test_there_are_live_actions_for_who_may_act_and_secrets_for_who_may_see_names_too(company: Company) -> None:
    def tools(scope: str) -> set[str]:
        return set(called(company, company.provider.token(scope=scope), "tools/list"))

    assert "lock_device" not in tools("mirror:read mirror:personal")
    assert "lock_device" in tools("mirror:read mirror:act")
    assert "get_filevault_key" not in tools("mirror:read mirror:act")
    assert {"lock_device", "get_filevault_key"} <= tools(ALL)
    refused = called(company, company.provider.token(), "lock_device", device="x", confirm=True)
    assert refused.is_error
    assert "There is no tool 'lock_device'" in said(refused)


@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_the_audit_log_names_the_person_who_asked(company: Company, era: Era) -> None:
    serial = company.tenant.device().serial
    token = company.provider.token(sub=f"u-{era}", email="joe@example.org", scope=ALL)
    answer = called(company, token, "lock_device", era, device=serial, confirm=True)
    assert "kandji-mirror action confirm" in said(answer)
    offer = company.tenant.records()[-1]
    assert (offer["event"], offer["os_user"]) == ("offered", f"joe@example.org (u-{era}) of {company.provider.issuer}")
    assert company.tenant.writes() == []


def test_a_session_is_of_one_person_alone(company: Company) -> None:
    joe, jane = (company.provider.token(sub=name) for name in ("joe", "jane"))
    session = {"mcp_session_id": company.with_token(joe).headers["mcp-session-id"]}
    ping = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()

    def pinged(token: str) -> int:
        return asked(company.server.url, "POST", "/mcp", ping, **MCP, **session, authorization=f"Bearer {token}").status

    assert pinged(jane) == 404
    assert pinged(company.provider.token(sub="joe", scope=ALL)) == 404  # may see more now: begins anew
    assert pinged(KNOWN["authorization"].split()[1]) == 404
    assert pinged(joe) == 200


def test_who_is_not_known_is_told_where_to_sign_in(company: Company) -> None:
    where = f'resource_metadata="https://mirror.example.com{METADATA}/mcp", scope="mirror:read"'
    for sent, error in ({}, ""), ({"authorization": "Bearer a.b.c"}, "invalid_token"):
        refused = company.post(**sent, host="localhost")
        assert refused.status == 401
        said_error = f'error="{error}", ' if error else ""
        assert refused.headers["www-authenticate"] == f'Bearer realm="kandji-mirror", {said_error}{where}'
    for path in (f"{METADATA}/mcp", METADATA):
        assert company.get(path).json() == {
            "resource": RESOURCE,
            "authorization_servers": [company.provider.issuer],
            "scopes_supported": ["mirror:read", "mirror:personal", "mirror:act"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Kandji mirror",
        }


def test_who_may_not_read_is_told_which_scope_is_missing(company: Company) -> None:
    refused = company.with_token(company.provider.token(scope="mirror:act"))
    assert refused.status == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert 'scope="mirror:read"' in refused.headers["www-authenticate"]


def test_a_token_counts_in_its_one_header_alone(company: Company) -> None:
    token = company.provider.token()
    assert company.with_token(token).status == 200
    assert company.post(f"/mcp?access_token={token}").status == 401
    assert company.post(cookie=f"access_token={token}").status == 401
    assert company.post("/mcp", f"access_token={token}".encode()).status == 401
    assert company.post(authorization=token).status == 401
    assert company.post(authorization=f"Bearer {token}, Bearer {token}").status == 401


def test_a_good_token_opens_no_other_name(company: Company) -> None:
    token = company.provider.token()
    assert company.with_token(token, host="mirror.example.com").status == 200
    assert company.with_token(token, host="rebound.example.org").status == 421
    assert company.with_token(token, origin="https://mirror.example.com").status == 403
    for path in (METADATA, "/mcp/server-card", "/health"):
        assert company.get(path, host="rebound.example.org").status == 421


def test_health_tells_numbers_to_who_may_read(company: Company) -> None:
    assert company.get("/health").json().keys() == {"status"}
    known = company.get("/health", authorization=f"Bearer {company.provider.token()}")
    assert "devices_age_seconds" in known.json()


def test_the_card_tells_what_the_server_is_and_nothing_of_the_tenant(company: Company) -> None:
    card = company.get("/mcp/server-card")
    assert card.headers["content-type"] == "application/mcp-server-card+json"
    assert company.get("/.well-known/mcp/server-card.json").json() == card.json()
    (entry,) = company.get("/.well-known/ai-catalog.json").json()["entries"]
    assert entry == {
        "identifier": "urn:air:mirror.example.com:mcp:kandji-mirror",
        "type": "application/mcp-server-card+json",
        "data": card.json(),
    }
    (remote,) = card.json()["remotes"]
    assert (remote["type"], remote["url"]) == ("streamable-http", RESOURCE)
    listed = json.loads((Path(__file__).parent.parent / "server.json").read_text())
    assert {name: listed[name] for name in ("name", "title", "description", "version")}.items() <= card.json().items()
    for secret in (company.tenant.url, str(company.tenant.home), "Acme"):
        assert secret not in card.text


def test_no_token_is_in_the_log(company: Company) -> None:
    token = company.provider.token(aud="https://other.example.com/mcp")
    assert company.with_token(token).status == 401
    log = "".join(company.server.log)
    assert token not in log
    assert token.split(".")[2] not in log


def test_with_an_identity_provider_no_token_of_its_own_is_made(tmp_path: Path) -> None:
    settings = Settings(
        mirror_http_host="0.0.0.0",  # noqa: S104  # never listened on here
        mirror_oauth_issuer="https://login.example.com",
        mirror_oauth_resource=RESOURCE,
        mirror_privacy="agents",
    )
    found = read_access(settings, folder=tmp_path / "config", make_token=True)
    assert found.token is None
    assert not (tmp_path / "config").exists()
    assert "mirror.example.com:*" in found.hosts
