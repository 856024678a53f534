"""The official client finds the way by itself: from a 401 to the identity provider, and back with a token."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
import pytest
from commands import run
from http_serving import serving
from identity_provider import OIDC, IdentityProvider, identity_provider
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata
from mcp_calls import said
from pydantic import AnyUrl
from reads_home import small_fleet

BACK = "http://127.0.0.1:1/back"


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as found:
        yield found


class Kept:
    """Where the client keeps what it got."""

    tokens: Any = None
    client: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client

    async def set_client_info(self, client_info: Any) -> None:
        self.client = client_info


def signs_people_in(provider: IdentityProvider, audience: str) -> None:
    provider.says(
        OIDC,
        {
            "issuer": provider.issuer,
            "jwks_uri": f"{provider.issuer}/keys",
            "authorization_endpoint": f"{provider.issuer}/authorize",
            "token_endpoint": f"{provider.issuer}/token",
            "registration_endpoint": f"{provider.issuer}/register",
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        },
    )
    provider.says("/register", {"client_id": "a-client", "redirect_uris": [BACK]}, 201)
    token = provider.token(aud=audience, scope="mirror:read mirror:personal")
    provider.says("/token", {"access_token": token, "token_type": "Bearer", "expires_in": 600})


@pytest.mark.heavy
def test_a_client_that_knows_the_url_alone_signs_its_person_in(tmp_path: Path, provider: IdentityProvider) -> None:
    small_fleet(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/mcp"
    signs_people_in(provider, url)
    shown: list[dict[str, list[str]]] = []

    async def show(address: str) -> None:
        shown.append(parse_qs(urlsplit(address).query))

    async def came_back() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code="a-code", state=shown[-1]["state"][0])

    async def ask() -> Any:
        about = OAuthClientMetadata(redirect_uris=[AnyUrl(BACK)], client_name="test")
        signs_in = OAuthClientProvider(url, about, Kept(), show, came_back)
        async with (
            httpx2.AsyncClient(auth=signs_in, timeout=60) as sender,
            Client(streamable_http_client(url, http_client=sender)) as client,
        ):
            return await client.call_tool("run_sql", {"sql": "SELECT count(*) FROM devices"})

    settings = {"KANDJI_MIRROR_OAUTH_ISSUER": provider.issuer, "KANDJI_MIRROR_OAUTH_RESOURCE": url}
    with serving(tmp_path, "--no-sync", "--port", str(port), **settings):
        assert json.loads(said(anyio.run(ask)))["rows"] == [[4]]
    (asked,) = shown
    assert asked["resource"] == [url]
    assert asked["code_challenge_method"] == ["S256"]
    assert set(asked["scope"][0].split()) == {"mirror:read", "mirror:personal"}  # what nothing is masked without
    assert parse_qs(provider.posted[-1])["resource"] == [url]


@pytest.mark.slow
def test_doctor_looks_at_the_keys(tmp_path: Path, provider: IdentityProvider) -> None:
    settings = {
        "KANDJI_MIRROR_OAUTH_ISSUER": provider.issuer,
        "KANDJI_MIRROR_OAUTH_RESOURCE": "https://mirror.example.com/mcp",
    }

    def found(*options: str) -> dict[str, str]:
        checks = json.loads(run(tmp_path, "doctor", "--json", *options, **settings).stdout)["checks"]
        return {c["check"]: f"{c['health']}: {c['detail']}" for c in checks}

    assert "people need mirror:read and mirror:personal in the claim scope" in found()["identity provider"]
    provider.documents.clear()
    assert found()["identity provider"].startswith("failed: ")
    assert "was not asked" in found("--offline")["identity provider"]
