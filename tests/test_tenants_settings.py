"""Several tenants of one user: each has its own address and tokens, whatever environment or folder a command is in."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import environment, run
from loopback import Server, served

from kandji_mcp_server.http import read_access
from kandji_mirror.api.credentials import record, token, token_places
from kandji_mirror.api.rate_limit import RateLimiter, shared_limiter
from kandji_schema.errors import ConfigurationError, RateLimited, UsageError
from kandji_schema.profiles import BOUND, chosen
from kandji_schema.provider import same_tenant
from kandji_schema.settings import SETTINGS, Settings, load

TWO = """\
subdomain = "top"
api_token = "token-of-the-top"
mirror_http_token = "http-token-of-the-top-1234"
mirror_mcp_rows = 7
mirror_query_rows = 9

[tenants.acme]
subdomain = "acme"
mirror_query_rows = 11

[tenants.Beta]
api_url = "https://beta.api.eu.kandji.io"
api_token = "token-of-beta"
mirror_home = "/srv/beta"
mirror_http_token = "http-token-of-beta-123456"
"""
PAGE = (
    b"HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
)


def loaded(folder: Path, config: str = TWO, tenant: str | None = None, **environ: str) -> Settings:
    (folder / "config.toml").write_text(config)
    return load(environ, folder=folder, config=folder / "config.toml", tenant=tenant, doubtful=True)


def test_a_profile_has_its_own_address_and_tokens_and_the_rest_of_all(tmp_path: Path) -> None:
    acme, beta, top = (loaded(tmp_path, KANDJI_MIRROR_TENANT=name) for name in ("ACME", "beta", ""))
    assert (acme.subdomain, acme.api_token, acme.mirror_http_token) == ("acme", "", "")
    assert (beta.subdomain, beta.api_url, beta.api_token) == ("", "https://beta.api.eu.kandji.io", "token-of-beta")
    assert (top.subdomain, top.api_token, top.mirror_tenant) == ("top", "token-of-the-top", "")
    assert [(s.mirror_mcp_rows, s.mirror_query_rows) for s in (acme, beta, top)] == [(7, 11), (7, 9), (7, 9)]
    assert (beta.home, acme.home.parts[-2:]) == (Path("/srv/beta"), ("tenants", "acme"))
    assert acme.provenance.remarks == beta.provenance.remarks == ()


def test_a_folder_that_all_share_has_one_for_each_that_names_none_itself(tmp_path: Path) -> None:
    for name, home in (("acme", "/data/tenants/acme"), ("beta", "/srv/beta")):
        found = loaded(tmp_path, tenant=name, KANDJI_MIRROR_HOME="/data", KANDJI_MIRROR_EXPORT_DIR="/out")
        assert (found.home, found.export_folder) == (Path(home), Path("/out/tenants", name))


@pytest.mark.parametrize("place", ["environment", ".env"])
def test_what_others_say_of_a_tenant_is_not_the_profiles(tmp_path: Path, place: str) -> None:
    """Whoever sent a folder, or starts a program, gets neither a token elsewhere nor another token to the tenant."""
    values = {name: "https://evil.example" if name.endswith("URL") else "evil-evil-evil-evil-evil" for name in BOUND}
    values |= {"KANDJI_REGION": "eu"}
    if place == ".env":
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    alone = loaded(tmp_path / "..", tenant="acme")
    found = loaded(tmp_path, tenant="acme", **(values if place == "environment" else {}))
    assert {s.key: getattr(found, s.key) for s in SETTINGS} == {s.key: getattr(alone, s.key) for s in SETTINGS}
    assert any("does not count for the tenant acme" in r.text and r.grave for r in found.provenance.remarks)


def test_a_folder_does_not_choose_the_profile(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KANDJI_MIRROR_TENANT=beta\n")
    found = loaded(tmp_path, tenant=None)
    assert (found.mirror_tenant, found.subdomain) == ("", "top")
    assert "KANDJI_MIRROR_TENANT, which is ignored" in found.provenance.remarks[0].text


def test_config_may_name_the_usual_one_and_the_environment_another(tmp_path: Path) -> None:
    config = f'mirror_tenant = "acme"\n{TWO}'
    assert loaded(tmp_path, config).mirror_tenant == "acme"
    assert loaded(tmp_path, config, KANDJI_MIRROR_TENANT="beta").mirror_tenant == "beta"


def test_with_profiles_alone_one_has_to_be_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[tenants.acme]\nsubdomain = "acme"\n[tenants.beta]\nsubdomain = "beta"\n')
    known = {"folder": tmp_path, "config": tmp_path / "config.toml"}
    with pytest.raises(
        ConfigurationError, match=r"Which tenant\? config.toml has acme, beta\. Name one: .*--tenant acme"
    ):
        load({}, **known)  # type: ignore[arg-type]
    assert load({"KANDJI_SUBDOMAIN": "other"}, **known).subdomain == "other"  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="Which tenant"):
        load({"KANDJI_MIRROR_HOME": str(tmp_path)}, **known)  # type: ignore[arg-type]
    (tmp_path / "store").mkdir()  # a mirror that is named as a folder is read, be it a demo's
    assert load({"KANDJI_MIRROR_HOME": str(tmp_path)}, **known).home == tmp_path  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "", " ", "a.b", "-a", "a-", "ä", "a" * 41, "all", "mcp", "CON", "a\0b", "%2e", "\u212a"]
)
def test_a_name_is_a_plain_word(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a tenant"):
        loaded(
            tmp_path,
            f"[tenants.{name!a}]\n".replace("\\x00", "\\u0000").replace("\\xe4", "ä").replace("\\u212a", "\u212a"),
        )
    if name.strip() and "\0" not in name:
        with pytest.raises(
            ConfigurationError, match=r"cannot be the name of a tenant .KANDJI_MIRROR_TENANT or --tenant"
        ):
            loaded(tmp_path, KANDJI_MIRROR_TENANT=name)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("[tenants.a]\n[tenants.A]\n", "two tenants 'a'"),
        ("tenants = 3\n", "`tenants` must be tables"),
        ("[tenants]\na = 3\n", "`tenants.a` must be a table"),
        ("[tenants.a]\nsubdomian = 'x'\n", "[tenants.a] has no setting subdomian. Did you mean subdomain?"),
        ("[tenants.a]\nmirror_tenant = 'b'\n", "has no setting mirror_tenant"),
    ],
)
def test_tables_that_cannot_be_meant_are_told(tmp_path: Path, config: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        loaded(tmp_path, config)


def test_a_profile_there_is_not_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no tenant 'gamma'.*There are: acme, beta.*--tenant gamma login"):
        loaded(tmp_path, KANDJI_MIRROR_TENANT="gamma")


def test_lists_of_profiles() -> None:
    known = ("acme", "beta", "gamma")
    assert (chosen("all", known), chosen(" Beta, acme,beta", known)) == (known, ("beta", "acme"))
    for text, words in (("acme,delta", "no tenant 'delta'"), (",", "No tenant is named"), ("a\0", "no tenant")):
        with pytest.raises(UsageError, match=words):
            chosen(text, known)
    with pytest.raises(UsageError, match=r"config\.toml has none"):
        chosen("all", ())


def test_the_accounts_own_file_counts_by_profile(tmp_path: Path) -> None:
    """Another HOME asks for no less than the account's own file does of that tenant."""
    own, other = tmp_path / "own.toml", tmp_path / "other.toml"
    own.write_text('mirror_confirm = "human"\n[tenants.acme]\nmirror_confirm = "agent"\n')
    other.write_text('[tenants.acme]\nmirror_confirm = "agent"\n[tenants.beta]\nmirror_confirm = "agent"\n')
    found = {n: load({}, folder=tmp_path, config=other, own=own, tenant=n, doubtful=True) for n in ("acme", "beta")}
    assert [found[name].mirror_confirm for name in found] == ["agent", "human"]
    assert found["acme"].provenance.remarks == ()
    assert "this account's own file" in found["beta"].provenance.remarks[0].text


# -- tokens --------------------------------------------------------------------------------------------------------


def store(folder: Path, settings: Settings, secret: str, host: str = "") -> None:
    places = token_places(settings, folder)
    for path, text in ((places.file, secret), (places.host_file, record(secret, host) if host else "")):
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.write_text(text)
        path.chmod(0o600)


def test_each_profile_has_a_token_file_of_its_own(tmp_path: Path) -> None:
    acme, beta, top = (loaded(tmp_path, TWO.replace("api_token", "#"), n) for n in ("acme", "beta", ""))
    for settings, secret in ((acme, "acmes"), (top, "tops")):
        store(tmp_path, settings, secret)
    assert [token(s, folder=tmp_path, keychain=lambda: None) for s in (acme, top)] == ["acmes", "tops"]
    with pytest.raises(
        ConfigurationError, match=r"No API token of the tenant beta\. `kandji-mirror --tenant beta login`"
    ):
        token(beta, folder=tmp_path, keychain=lambda: None)


def test_a_stored_token_stays_with_its_host_where_the_table_names_another(tmp_path: Path) -> None:
    acme = loaded(tmp_path, tenant="acme")
    store(tmp_path, acme, "acmes", "https://acme.api.iru.com")  # the same tenant by the provider's other domain
    assert token(acme, folder=tmp_path, keychain=lambda: None) == "acmes"
    moved = loaded(tmp_path, TWO.replace('"acme"', '"other"'), "acme")
    with pytest.raises(ConfigurationError, match=r"names https://other\.api\.kandji\.io, and no token belongs to it"):
        token(moved, folder=tmp_path, keychain=lambda: None)


def test_clients_of_serve_have_a_token_for_each(tmp_path: Path) -> None:
    acme, beta = (loaded(tmp_path, tenant=name) for name in ("acme", "beta"))
    made = read_access(acme, folder=tmp_path, make_token=True)
    assert made.token_file == tmp_path / "http_tokens" / "acme"
    assert made.token == made.token_file.read_text().strip()
    assert read_access(beta, folder=tmp_path).token == "http-token-of-beta-123456"


# -- the budget ----------------------------------------------------------------------------------------------------


def test_two_tenants_do_not_wait_for_each_other_and_two_homes_of_one_do(tmp_path: Path) -> None:
    limits = {"per_second": 50, "per_hour": 3, "background_per_hour": 3}
    acme, same, beta = "https://acme.api.kandji.io", "https://acme.api.iru.com", "https://beta.api.kandji.io"
    assert same_tenant(acme, same)
    with shared_limiter(tmp_path, acme, **limits) as one, shared_limiter(tmp_path, same, **limits) as two:
        assert isinstance(one, RateLimiter)
        assert isinstance(two, RateLimiter)
        for limiter in (one, two, one):
            limiter.acquire(0)
        with pytest.raises(RateLimited):
            two.acquire(0)
        with shared_limiter(tmp_path, beta, **limits) as other:
            assert isinstance(other, RateLimiter)
            other.acquire(0)


# -- on the wire -----------------------------------------------------------------------------------------------------


@pytest.fixture
def hosts() -> Iterator[tuple[Server, Server]]:
    with served(PAGE) as acme, served(PAGE) as beta:
        yield acme, beta


@pytest.mark.heavy
def test_no_token_reaches_another_host_whatever_is_set_around_it(tmp_path: Path, hosts: tuple[Server, Server]) -> None:
    """What two hosts are sent, each tenant asked in an environment and a folder that want the other's token."""
    acme, beta = hosts
    folder = tmp_path / "config" / "kandji-mirror"
    folder.mkdir(parents=True)
    tables = (f'[tenants.{name}]\napi_url = "{host.url}"\n' for name, host in (("acme", acme), ("beta", beta)))
    (folder / "config.toml").write_text("".join(tables))
    for name in ("acme", "beta"):
        path = folder / "tokens" / name
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.write_text(f"token-of-{name}")
        path.chmod(0o600)
    hostile = {"KANDJI_API_URL": beta.url, "KANDJI_API_TOKEN": "token-of-nobody", "KANDJI_REGION": "eu"}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in hostile.items()))
    surroundings: tuple[tuple[str, dict[str, str]], ...] = (("acme", hostile), ("beta", {}))
    for name, around in surroundings:
        ended = run(tmp_path, "--tenant", name, "sync", "devices", **around)
        assert ended.returncode == 3, ended.stderr
        assert f"does not count for the tenant {name}" in ended.stderr
    for host, name in ((acme, "acme"), (beta, "beta")):
        sent = {found.decode() for got in host.received for found in re.findall(rb"(?i)authorization: (.+)\r", got)}
        assert sent == {f"Bearer token-of-{name}"}


def test_login_keeps_what_is_in_the_file_and_stores_for_one_profile(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "kandji-mirror"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('# ours\nmirror_mcp_rows = 7\n\n[tenants.Acme] # the old one\nregion = "eu"\n')
    asked = ("--token-stdin", "--offline", "--region", "us")
    for tenant in (("--tenant", "beta", "login"), ("login", "--tenant", "acme"), ("login",)):
        name = next((word for word in tenant if word in {"acme", "beta"}), "top")
        ended = run(tmp_path, *tenant, "--subdomain", name, *asked, said=f"token-of-{name}\n")
        assert ended.returncode == 0, ended.stderr
    assert (folder / "config.toml").read_text() == (
        '# ours\nmirror_mcp_rows = 7\nsubdomain = "top"\nregion = "us"\n\n'
        '[tenants.Acme] # the old one\nregion = "us"\nsubdomain = "acme"\n\n'
        '[tenants.beta]\nsubdomain = "beta"\nregion = "us"\n'
    )
    kept = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.name != "config.toml"}
    assert [kept[name].read_text().strip() for name in ("tokens/acme", "tokens/beta", "token")] == [
        "token-of-acme", "token-of-beta", "token-of-top",
    ]  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in kept.values() if path.is_file()} == {0o600}
    twice = run(tmp_path, "--tenant", "acme", "status", "--tenant", "beta")
    assert (twice.returncode, twice.stderr) == (
        2, "kandji-mirror: --tenant is given twice: acme and beta. Leave one of them out.\n",
    )  # fmt: skip


def test_the_profile_is_named_by_doctor(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "kandji-mirror"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[tenants.acme]\nsubdomain = "acme"\n')
    assert environment(tmp_path)["KANDJI_MIRROR_HOME"] == str(tmp_path)
    told = run(tmp_path, "doctor", "--offline", KANDJI_MIRROR_TENANT="acme")
    assert "https://acme.api.kandji.io, the profile acme of acme" in told.stdout
    assert f"{tmp_path}/tenants/acme" in told.stdout


def test_a_client_starts_the_server_of_one_profile(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "kandji-mirror"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[tenants.acme]\nsubdomain = "acme"\napi_token = "token-of-acme"\n')
    told = run(tmp_path, "--tenant", "acme", "mcp-config", "claude-desktop", KANDJI_API_TOKEN="token-of-nobody")
    ((name, entry),) = json.loads(told.stdout)["mcpServers"].items()
    assert (name, entry["args"], Path(entry["command"]).name) == (
        "kandji-mirror-acme", ["--tenant", "acme", "mcp"], "kandji-mirror",
    )  # fmt: skip
    assert entry["env"] == {"KANDJI_MIRROR_HOME": str(tmp_path)}
    assert "token-of" not in told.stdout
    remote = run(tmp_path, "mcp-config", "cursor", "--http", "--tenant", "acme")
    ((_, there),) = json.loads(remote.stdout)["mcpServers"].items()
    assert there["url"] == "http://127.0.0.1:8765/acme/mcp"
    assert there["headers"] == {"Authorization": "Bearer ${env:TENANT_ACME_KANDJI_MIRROR_TOKEN}"}


def test_health_asks_whoever_serves_all_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "kandji-mirror"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[tenants.acme]\nsubdomain = "acme"\n[tenants.beta]\nsubdomain = "beta"\n')
    ended = run(tmp_path, "health", "--port", "1")
    assert (ended.returncode, "Nothing answers on 127.0.0.1 port 1" in ended.stderr) == (1, True)
