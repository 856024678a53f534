"""Which host, which tenant, which token."""

from pathlib import Path

import pytest

from kandji_mirror.api.credentials import token
from kandji_mirror.api.endpoint import base_url
from kandji_schema.errors import ConfigurationError
from kandji_schema.provider import is_loopback, tenant_name
from kandji_schema.settings import Settings

SECRET = "5e0a3c1b-aaaa-4a2b-9c3d-0000deadbeef"


def nothing() -> None:
    """A keychain without our token."""


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings(subdomain="acme"), "https://acme.api.kandji.io"),
        (Settings(subdomain="acme", region="eu"), "https://acme.api.eu.kandji.io"),
        (Settings(subdomain=" ACME "), "https://acme.api.kandji.io"),
        (Settings(api_url="https://acme.api.iru.com"), "https://acme.api.iru.com"),
        (Settings(api_url="https://acme.clients.us-1.kandji.io/"), "https://acme.clients.us-1.kandji.io"),
        (Settings(api_url="https://Acme.api.kandji.io/api/v1"), "https://acme.api.kandji.io"),
        (Settings(api_url="https://acme.api.kandji.io/api/v1/"), "https://acme.api.kandji.io"),
        (Settings(api_url="https://gateway.example:8443"), "https://gateway.example:8443"),
        (Settings(api_url="http://127.0.0.1:8080"), "http://127.0.0.1:8080"),
        (Settings(api_url="http://127.8.9.1:8080/"), "http://127.8.9.1:8080"),
        (Settings(api_url="http://[::1]:8080"), "http://[::1]:8080"),
        (Settings(api_url="http://localhost:1/api/v1"), "http://localhost:1"),
        (Settings(api_url="http://localhost", subdomain="ignored"), "http://localhost"),
    ],
)
def test_the_base_url_is_scheme_and_host(settings: Settings, url: str) -> None:
    assert base_url(settings) == url


@pytest.mark.parametrize(
    ("api_url", "rule"),
    [
        ("http://acme.api.kandji.io", "plain http"),
        ("http://127.0.0.1.evil.example", "plain http"),
        ("http://localhost.evil.example", "plain http"),
        ("http://0.0.0.0:80", "plain http"),
        ("ftp://acme.api.kandji.io", "begin with https"),
        ("acme.api.kandji.io", "begin with https"),
        ("https://", "no valid host"),
        ("https://acme.api.kandji.io\\@evil.example", "no valid host"),
        ("https://a b.example", "no valid host"),
        ("https://user:hunter2@acme.api.kandji.io", "user name or password"),
        ("https://acme.api.kandji.io?x=1", "neither"),
        ("https://acme.api.kandji.io/#x", "neither"),
        ("https://acme.api.kandji.io/api/v2", "without a path"),
        ("https://acme.api.kandji.io:port", "not a URL"),
        ("https://[::1", "not a URL"),
    ],
)
def test_a_url_the_token_must_not_go_to_is_refused(api_url: str, rule: str) -> None:
    with pytest.raises(ConfigurationError, match=rule) as refused:
        base_url(Settings(api_url=api_url))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("web_app", "api"),
    [
        ("https://acme.kandji.io", "https://acme.api.kandji.io"),
        ("https://acme.iru.com/", "https://acme.api.iru.com"),
        ("https://acme.eu.kandji.io", "https://acme.api.eu.kandji.io"),
    ],
)
def test_the_address_of_the_web_app_leads_to_the_api_of_the_same_tenant(web_app: str, api: str) -> None:
    assert base_url(Settings(api_url=web_app)) == api


def test_a_web_app_without_a_region_in_its_name_is_where_the_settings_say() -> None:
    assert base_url(Settings(api_url="https://acme.iru.com", region="eu")) == "https://acme.api.eu.iru.com"


@pytest.mark.parametrize(
    "host", ["kandji.io", "iru.com", "api.iru.com", "api.eu.kandji.io", "eu.kandji.io", "www.kandji.io", "x.y.iru.com"]
)
def test_a_host_of_the_provider_that_is_no_tenants_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="names no tenant"):
        base_url(Settings(api_url=f"https://{host}"))


@pytest.mark.parametrize("subdomain", ["api", "eu", "www"])
def test_a_label_of_the_providers_own_hosts_is_no_subdomain(subdomain: str) -> None:
    with pytest.raises(ConfigurationError, match="one DNS label"):
        base_url(Settings(subdomain=subdomain))


def test_no_tenant_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="KANDJI_SUBDOMAIN"):
        base_url(Settings())


@pytest.mark.parametrize("subdomain", ["acme.api.kandji.io", "https://acme.kandji.io", "acme/x", "acme@evil"])
def test_a_subdomain_is_one_label_and_the_right_one_is_offered(subdomain: str) -> None:
    with pytest.raises(ConfigurationError, match="did you mean acme"):
        base_url(Settings(subdomain=subdomain))


@pytest.mark.parametrize("subdomain", ["https://me:pw@acme.kandji.io", "11111111-2222-4333-8444-555555555555"])
def test_what_may_be_a_credential_is_no_subdomain_and_not_shown(subdomain: str) -> None:
    with pytest.raises(ConfigurationError, match="one DNS label") as refused:
        base_url(Settings(subdomain=subdomain))
    assert subdomain not in str(refused.value)


def test_a_subdomain_without_any_letter_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="one DNS label"):
        base_url(Settings(subdomain="-?-"))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://acme.api.kandji.io", "acme"),
        ("https://acme.api.eu.iru.com", "acme"),
        ("http://127.0.0.1:8123", "loopback"),
        ("http://[::1]:9", "loopback"),
        ("http://localhost:80", "loopback"),
        ("https://10.1.2.3:8443", "10.1.2.3"),
        ("https://acme.evil.example", "acme.evil.example"),
    ],
)
def test_a_tenant_has_one_name_whatever_its_host(url: str, name: str) -> None:
    assert tenant_name(url) == name
    assert is_loopback(url) is (name == "loopback")


def write_token(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_token_of_the_settings_comes_first(tmp_path: Path) -> None:
    write_token(tmp_path, "other")
    assert token(Settings(api_token=SECRET), folder=tmp_path, keychain=lambda: "third") == SECRET


def test_the_token_file_comes_second(tmp_path: Path) -> None:
    write_token(tmp_path, f"{SECRET}\n")
    assert token(Settings(), folder=tmp_path, keychain=lambda: "third") == SECRET


def test_the_keychain_comes_third(tmp_path: Path) -> None:
    assert token(Settings(), folder=tmp_path, keychain=lambda: SECRET) == SECRET


def test_without_a_token_the_three_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as missing:
        token(Settings(), folder=tmp_path, keychain=nothing)
    assert all(place in str(missing.value) for place in ("KANDJI_API_TOKEN", str(tmp_path / "token"), "keychain"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_token_file_others_can_reach_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = write_token(tmp_path, SECRET, mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 '{path}'") as refused:
        token(Settings(), folder=tmp_path, keychain=nothing)
    assert SECRET not in str(refused.value)


def test_a_token_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="it is not text"):
        token(Settings(), folder=tmp_path, keychain=nothing)


def test_a_folder_in_place_of_the_token_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="directory"):
        token(Settings(), folder=tmp_path, keychain=nothing)


@pytest.mark.parametrize("pasted", [f"Bearer {SECRET}", f"bearer  {SECRET}", f"  {SECRET}\n"])
def test_what_people_paste_around_a_token_is_removed(pasted: str, tmp_path: Path) -> None:
    assert token(Settings(api_token=pasted), folder=tmp_path) == SECRET


@pytest.mark.parametrize("pasted", ["5e0a bad", "5e0a\x00bad", "5e0a\r\nX-Evil: bad", "5e0aübad", "5e0a\u200bbad"])
def test_a_damaged_token_is_refused_without_being_shown(pasted: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Copy it again") as refused:
        token(Settings(api_token=pasted), folder=tmp_path)
    assert "5e0a" not in str(refused.value)
