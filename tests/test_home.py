"""A home belongs to one tenant: for who writes it, for who reads it, and until it is reset."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from commands import configure, run
from reads_home import small_fleet
from support import make_tenant

import kandji_queries
from kandji_schema.home import name_here, refuse_foreign
from kandji_schema.settings import Settings
from kandji_simulator import TOKEN, Server, serve


@pytest.fixture
def seven() -> Iterator[Server]:
    with serve(make_tenant(3, seed=7, apps=1)) as server:
        yield server


@pytest.fixture
def eight() -> Iterator[Server]:
    with serve(make_tenant(2, seed=8, apps=1)) as server:
        yield server


def synced(home: Path, server: Server, *tables: str) -> tuple[int, str]:
    done = run(home, "sync", *tables, KANDJI_API_URL=server.url, KANDJI_API_TOKEN=TOKEN)
    return done.returncode, done.stderr


def test_two_simulated_tenants_are_two_tenants_and_one_is_the_same_on_another_port(
    tmp_path: Path, seven: Server, eight: Server
) -> None:
    assert synced(tmp_path, seven, "tags", "devices")[0] == 0
    code, said = synced(tmp_path, eight, "devices")
    assert (code, "mirrors the tenant of simulated 7-3" in said) == (3, True)
    with serve(make_tenant(3, seed=7, apps=1)) as again:
        assert synced(tmp_path, again, "devices")[0] == 0
    answer = run(tmp_path, "sql", "SELECT count(*) FROM devices", "-f", "csv", KANDJI_API_URL=eight.url)
    assert answer.stdout.split() == ["count_star()", "3"]  # on which port a simulated tenant is says nothing


def test_a_home_that_an_earlier_version_made_opens_and_learns_whose_it_is(
    tmp_path: Path, seven: Server, eight: Server
) -> None:
    assert synced(tmp_path, seven, "tags")[0] == 0
    (tmp_path / "store" / "tenant").unlink()
    assert synced(tmp_path, seven, "tags")[0] == 0
    assert synced(tmp_path, eight, "tags")[0] == 3


def test_who_reads_is_told_that_the_home_is_another_tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_fleet(tmp_path)
    configure(tmp_path, subdomain="beta")
    for command in (
        ["sql", "SELECT 1"],
        ["query", "stale_devices"],
        ["export", "devices", "--to", str(tmp_path / "out")],
        ["changes"],
        ["tables"],
    ):
        done = run(tmp_path, *command)
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
        assert "beta" in done.stderr
        assert "kandji-mirror reset" in done.stderr
    assert not (tmp_path / "out").exists()
    status = run(tmp_path, "status")
    assert (status.returncode, "warning: " in status.stderr) == (0, True)
    assert run(tmp_path, "doctor", "--offline").returncode == 3

    for name, value in {"KANDJI_MIRROR_HOME": str(tmp_path), "KANDJI_SUBDOMAIN": "beta"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Exception, match="One home holds one tenant"):
        kandji_queries.connect()
    with closing(kandji_queries.connect(tmp_path)) as connection:  # this very home was asked for
        assert connection.sql("SELECT count(*) > 0 FROM devices").fetchall() == [(True,)]


def test_a_name_of_an_earlier_version_counts_only_for_a_host_the_user_names(tmp_path: Path, seven: Server) -> None:
    small_fleet(tmp_path)
    manifest = next((tmp_path / "store" / "manifests").glob("*.json"))
    tenant = json.loads(manifest.read_bytes())["manifest"]["tenant"]
    gateway = Settings(api_url=f"https://{tenant}.gateway.example", mirror_home=str(tmp_path))
    assert name_here(gateway, gateway.api_url) == tenant
    refuse_foreign(gateway)
    (tmp_path / ".env").write_text(f"KANDJI_API_URL=https://{tenant}.evil.example\nKANDJI_API_TOKEN=theirs\n")
    assert run(tmp_path, "sync").returncode == 3
    assert run(tmp_path, "sql", "SELECT 1").returncode == 3


def test_a_reset_moves_the_mirror_aside_and_keeps_the_record_of_actions(
    tmp_path: Path, seven: Server, eight: Server
) -> None:
    assert synced(tmp_path, seven, "devices")[0] == 0
    kept = ("audit.sqlite", "audit.head", "compliance.toml")
    for name in kept:
        (tmp_path / name).write_text("mine")
    assert run(tmp_path, "reset").returncode == 6
    assert run(tmp_path, "reset", "--tenant", "acme").returncode == 2
    done = run(tmp_path, "reset", "--tenant", "loopback")
    assert done.returncode == 0, done.stderr
    assert run(tmp_path, "sql", "SELECT 1").returncode == 7
    assert [(tmp_path / name).read_text() for name in kept] == ["mine"] * 3
    (aside,) = (tmp_path / "aside").iterdir()
    count = ["sql", "SELECT count(*) AS n FROM devices", "-f", "csv"]
    assert run(tmp_path, *count, KANDJI_MIRROR_HOME=str(aside)).stdout.split() == ["n", "3"]
    assert synced(tmp_path, eight, "devices")[0] == 0
    assert run(tmp_path, *count).stdout.split() == ["n", "2"]
    assert run(tmp_path, "reset", "--tenant", "loopback", "--delete").returncode == 0
    assert len(list((tmp_path / "aside").iterdir())) == 1
    assert run(tmp_path, "reset", "--tenant", "loopback").returncode == 7


def test_a_demo_is_a_simulated_tenant_with_a_home_of_its_own_whatever_is_configured(tmp_path: Path) -> None:
    configure(tmp_path, subdomain="acme", api_token="t")
    done = run(tmp_path, "demo", "--devices", "3", "--apps", "1")
    assert done.returncode == 0, done.stderr
    assert "simulated tenant of 3 devices, not the one that is configured" in done.stderr
    assert not (tmp_path / "store").exists()
    (following,) = [line for line in done.stdout.splitlines() if "LIMIT 5" in line]
    settings = dict(word.split("=", 1) for word in following.split() if word.startswith("KANDJI_"))
    assert run(tmp_path, "sql", "FROM fleet LIMIT 1", **settings).returncode == 0
