"""``init`` and ``logout``: from a token to a mirror, unattended and at a terminal, and back."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run
from support import client_of, make_tenant, manifest_of, synced
from terminal import typed

from kandji_cli.account import Asked, candidate_tenants
from kandji_cli.service.launchd import PREFIX
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.api.permissions import permissions
from kandji_mirror.sync.first_sync import estimate
from kandji_schema.errors import ConfigurationError
from kandji_schema.registry import tenant_tables
from kandji_schema.settings import load
from kandji_simulator import TOKEN, Fault, FaultKind, Server, Tenant, serve

WRONG = "an-invented-token-nobody-knows"


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(5, apps=2)


@pytest.fixture
def server(tenant: Tenant) -> Iterator[Server]:
    with serve(tenant) as server:
        yield server


def stored(home: Path) -> set[str]:
    folder = home / "config" / "kandji-mirror"
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stderr.split())


@pytest.mark.slow
def test_every_step_is_a_flag_and_a_second_run_shows_what_is_there(
    tmp_path: Path, tenant: Tenant, server: Server
) -> None:
    tenant.faults.append(Fault("tags", FaultKind.FORBIDDEN, times=99))
    (tmp_path / ".cursor").mkdir()
    flags = ("--api-url", server.url, "--token-stdin", "--no-sync", "--client", "cursor", "--no-service")
    done = run(tmp_path, "init", *flags, said=f"\ufeff\n Bearer {TOKEN}\n")  # as an editor of Windows stores it
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    kinds = len({table.permission for table in tenant_tables().values()})
    assert f"The token may read {kinds - 1} of {kinds} kinds of data" in said(done)
    assert "Tags: list (tags)" in done.stderr
    assert "A first sync takes about" in said(done)
    assert "less than a minute" in said(done)
    assert len(tenant.requests) <= 1 + kinds + 16  # the host, each permission, the count of each category
    assert stored(tmp_path) == {"config.toml", "token", "token_host"}
    assert "kandji-mirror" in (tmp_path / ".cursor" / "mcp.json").read_text()
    assert TOKEN not in done.stderr + (tmp_path / ".cursor" / "mcp.json").read_text()

    units = ("config/systemd/user/kandji-mirror.service", f"Library/LaunchAgents/{PREFIX}kandji-mirror.plist")
    for unit in map(tmp_path.joinpath, units):
        unit.parent.mkdir(parents=True)
        unit.touch()
    again = run(tmp_path, "init")
    assert again.returncode == 0, again.stderr
    assert f"{server.url} is set up" in said(again)
    assert "To sync it: " in again.stderr
    assert "A service is installed already: " in again.stderr
    assert not {"For an AI client", "To keep it in sync"} & {*again.stderr.replace(": ", "\n").split("\n")}
    assert "`kandji-mirror service remove` ends it" in run(tmp_path, "logout").stderr


def test_without_a_terminal_what_is_missing_is_named_and_nothing_is_stored(tmp_path: Path, server: Server) -> None:
    done = run(tmp_path, "init")
    assert (done.returncode, "--subdomain" in done.stderr, "--token-stdin" in done.stderr) == (2, True, True)
    done = run(tmp_path, "init", "--subdomain", "acme")
    assert (done.returncode, "--token-stdin" in done.stderr) == (2, True)
    done = run(tmp_path, "init", "--api-url", server.url, "--client", "cursr")
    assert (done.returncode, "cursor" in done.stderr) == (2, True)
    done = run(tmp_path, "init", "--api-url", server.url, "--token-stdin", "--yes", said="\n")
    assert (done.returncode, "The API token is empty" in done.stderr) == (3, True)
    done = run(tmp_path, "init", "--api-url", server.url, "--token-stdin", "--yes", said=f"{WRONG}\n")
    assert (done.returncode, WRONG in done.stderr) == (3, False)
    assert stored(tmp_path) == set()


@pytest.mark.heavy
def test_a_person_may_type_a_token_again_and_stop_with_nothing_half(tmp_path: Path, server: Server) -> None:
    answers = {"Your tenant": server.url, "API token (not": "two words", "API token, again": TOKEN, "Sync it": "n"}
    code, shown = typed(tmp_path, ["init"], {**answers, "AI client to": "none", "as a service": "n"})
    assert (code, TOKEN in shown) == (0, False), shown
    assert stored(tmp_path) == {"config.toml", "token", "token_host"}

    other = tmp_path / "other"
    other.mkdir()
    code, shown = typed(other, ["init"], {"Your tenant": server.url, "API token (not": "\x04"})
    assert (code, "Stopped." in shown, stored(other)) == (130, True, set())


@pytest.mark.heavy
def test_a_logout_removes_the_token_and_names_what_stays(tmp_path: Path, server: Server) -> None:
    synced(tmp_path, 20)
    assert run(tmp_path, "login", "--token-stdin", "--api-url", server.url, said=TOKEN).returncode == 0
    done = run(tmp_path, "logout")
    assert done.returncode == 0, done.stderr
    assert stored(tmp_path) == {"config.toml"}
    assert f"removed from {tmp_path}/config/kandji-mirror/token" in said(done)
    assert "kandji-mirror reset --tenant loopback --delete" in said(done)
    again = run(tmp_path, "logout", KANDJI_API_TOKEN=TOKEN)
    assert (again.returncode, "No token was stored." in again.stderr) == (0, True)
    assert "KANDJI_API_TOKEN in the environment" in said(again)


K, I = "https://acme.api{}.kandji.io", "https://acme.api{}.iru.com"  # noqa: E741  # the two domains


@pytest.mark.parametrize(
    ("text", "region", "hosts"),
    [
        ("acme", None, [K.format(""), K.format(".eu"), I.format(""), I.format(".eu")]),
        ("ACME", "eu", [K.format(".eu"), I.format(".eu")]),
        ("acme.iru.com", None, [I.format(""), I.format(".eu"), K.format(""), K.format(".eu")]),
        ("https://acme.kandji.io/devices?x", None, [K.format(""), I.format("")]),
        ("acme.eu.kandji.io", None, [K.format(".eu"), I.format(".eu")]),
        ("https://acme.api.eu.iru.com/api/v1/devices", None, [I.format(".eu"), K.format(".eu")]),
        ("acme.clients.us-1.kandji.io", None, [K.format(""), I.format("")]),
        ("http://127.0.0.1:8080/", None, ["http://127.0.0.1:8080"]),
    ],
)
def test_only_hosts_of_the_named_tenant_are_tried(
    tmp_path: Path, text: str, region: str | None, hosts: list[str]
) -> None:
    settings = load({}, folder=tmp_path, config=tmp_path / "config.toml")
    given = {"subdomain": text} | ({"region": region} if region else {})
    assert [base_url(found) for found in candidate_tenants(settings, Asked(given, token_stdin=True))] == hosts


@pytest.mark.parametrize(
    "text",
    ["acme.example.com", "kandji.io", "https://evil.io/acme.kandji.io", "a b", "https://me:pw@acme.kandji.io", TOKEN],
)
def test_what_names_no_tenant_of_the_provider_is_refused(tmp_path: Path, text: str) -> None:
    settings = load({}, folder=tmp_path, config=tmp_path / "config.toml")
    with pytest.raises(ConfigurationError, match="any URL of its console") as refused:
        candidate_tenants(settings, Asked({"subdomain": text}, token_stdin=True))
    assert not {"me:pw", TOKEN} & {*re.split(r"[@/' ]", str(refused.value))}


@pytest.mark.heavy
def test_a_first_sync_costs_about_what_was_said(tmp_path: Path) -> None:
    tenant = synced(tmp_path, 50)
    client = client_of(tenant.handle)
    said = estimate(client, list(permissions(client)), sweep=0, seconds_a_request=0.1)
    listed = {name for name, table in tenant_tables().items() if not table.swept}
    states = {name: state for name, state in manifest_of(tmp_path).tables.items() if name in listed}
    spent = sum(state.requests or 0 for state in states.values())
    assert said.rows == pytest.approx(sum(state.rows for state in states.values()), rel=0.5)
    assert said.requests == pytest.approx(spent, rel=0.3)
    assert said.devices == 50
    assert said.seconds < 20
