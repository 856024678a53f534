"""One question to several mirrors: rows of all with their tenant, each dated, noted and refused by itself."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commands import run
from reads_home import device, publish
from support import slow_but


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``acme`` was just read, ``beta`` two days ago, ``gamma`` never; ``delta`` is damaged."""
    home = tmp_path_factory.mktemp("tenants")
    folder = home / "config" / "kandji-mirror"
    folder.mkdir(parents=True)
    tables = "".join(f'[tenants.{name}]\nsubdomain = "example"\n' for name in ("acme", "beta", "gamma"))
    (folder / "config.toml").write_text(f'mirror_query_rows = 4\n{tables}[tenants.delta]\nregion = "mars"\n')
    now = datetime.now(UTC).replace(microsecond=0)
    for name, age, numbers in (("acme", 0, (1, 2, 3)), ("beta", 2, (7, 8))):
        rows = [device(number, device_name=f"{name} {number}") for number in numbers]
        publish(home / "tenants" / name, {"devices": rows}, synced_at=now - timedelta(days=age))
    (home / "tenants" / "beta" / "queries").mkdir()
    (home / "tenants" / "beta" / "queries" / "ours.sql").write_text(
        "-- title: Ours\n-- description: Of beta alone.\nSELECT device_name FROM devices ORDER BY 1;\n"
    )
    return home


ROWS = "SELECT device_name FROM devices ORDER BY 1 LIMIT 2"


def test_each_row_has_its_tenant_and_each_answer_its_age(home: Path) -> None:
    ended = run(home, "sql", "--tenants", "beta,acme", ROWS, "--format", "json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [
        {"tenant": tenant, "device_name": f"{tenant} {number}"}
        for tenant, number in (("beta", 7), ("beta", 8), ("acme", 1), ("acme", 2))
    ]
    assert "beta: devices: 2 d old" in ended.stderr
    assert "acme: As of " in ended.stderr
    assert "acme: devices" not in ended.stderr


@pytest.mark.parametrize("form", slow_but("csv", of=["csv", "table", "arrays"], tier=pytest.mark.many))
def test_every_form_has_the_column_first(home: Path, form: str) -> None:
    ended = run(
        home, "query", "--tenants", "acme,beta", "--format", form, "devices_by", "--param", "attribute=platform"
    )
    assert ended.returncode == 0, ended.stderr
    if form == "csv":
        assert next(csv.reader(io.StringIO(ended.stdout)))[0] == "tenant"
    elif form == "table":
        assert ended.stdout.startswith("tenant")
    else:
        answer = json.loads(ended.stdout)
        assert answer["columns"][0] == {"name": "tenant", "type": "VARCHAR"}
        assert {*answer["as_of"]} >= {"acme.devices", "beta.devices"}
        assert [note for note in answer["notes"] if not note.startswith(("acme: ", "beta: "))] == []


def test_a_tenant_without_an_answer_is_named_beside_the_rows_of_others(home: Path) -> None:
    ended = run(home, "sql", "--tenants", "all", ROWS, "--format", "csv")
    assert ended.stdout.splitlines() == [
        "tenant,device_name",
        "acme,acme 1",
        "acme,acme 2",
        "beta,beta 7",
        "beta,beta 8",
    ]
    assert "kandji-mirror: gamma: Nothing is mirrored" in ended.stderr
    assert "kandji-mirror: delta: KANDJI_REGION is 'mars'" in ended.stderr
    assert ended.returncode == 7


@pytest.mark.slow
def test_what_is_required_is_required_of_each(home: Path) -> None:
    ended = run(home, "sql", "--tenants", "acme,beta", "--max-age", "1d", ROWS, "--format", "csv")
    assert ended.stdout.splitlines()[1:] == ["acme,acme 1", "acme,acme 2"]
    assert (ended.returncode, "kandji-mirror: beta: What was asked for is not there" in ended.stderr) == (9, True)


@pytest.mark.slow
def test_rows_are_bounded_together(home: Path) -> None:
    few = run(
        home, "sql", "--tenants", "acme,beta", "--limit", "4", "FROM devices SELECT device_name", "--format", "csv"
    )
    assert (few.returncode, len(few.stdout.splitlines())) == (0, 5)
    assert "beta: As of" in few.stderr
    cut = run(home, "sql", "--tenants", "acme,beta", "FROM devices SELECT device_name", "--format", "csv")
    assert (cut.returncode, len(cut.stdout.splitlines())) == (5, 5)
    assert "more than 4 rows" in cut.stderr


@pytest.mark.slow
def test_a_statement_that_is_wrong_everywhere_is_told_once(home: Path) -> None:
    for tenants in ("acme,beta", "acme"):
        ended = run(home, "sql", "--tenants", tenants, "DROP TABLE devices")
        assert (ended.returncode, ended.stdout) == (5, "")
        assert ended.stderr.count("kandji-mirror: ") == 1


@pytest.mark.slow
def test_what_only_one_tenant_has_is_answered_by_it(home: Path) -> None:
    ended = run(home, "query", "--tenants", "acme,beta", "ours", "--columns", "tenant,device_name", "--format", "csv")
    assert ended.stdout.splitlines() == ["tenant,device_name", "beta,beta 7", "beta,beta 8"]
    assert ended.returncode == 2
    assert "acme: There is no query" in ended.stderr


@pytest.mark.parametrize(
    ("tenants", "words"),
    [("omega", "no tenant 'omega'"), ("", "No tenant is named"), ("a" * 100_000, "There is no tenant")],
)
def test_lists_that_cannot_be_meant_are_told(home: Path, tenants: str, words: str) -> None:
    ended = run(home, "sql", "--tenants", tenants, "SELECT 1")
    assert (ended.returncode, words in ended.stderr) == (2, True)
    assert len(ended.stderr) < 500


def test_one_tenant_beside_several_is_refused(home: Path) -> None:
    ended = run(home, "--tenant", "acme", "sql", "--tenants", "all", "SELECT 1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--tenant acme names one tenant and --tenants several" in ended.stderr


def test_tenants_lists_each_with_what_is_known_from_the_files(home: Path) -> None:
    token = home / "config" / "kandji-mirror" / "tokens" / "acme"
    token.parent.mkdir(mode=0o700)
    token.write_text("token-of-acme")
    token.chmod(0o600)
    ended = run(home, "tenants", "--json")
    lines = {line["name"]: line for line in json.loads(ended.stdout)["tenants"]}
    assert [*lines] == ["acme", "beta", "gamma", "delta"]
    assert lines["acme"] | {"age_seconds": 0, "devices_synced_at": ""} == {
        "name": "acme",
        "address": "https://example.api.kandji.io",
        "home": f"{home}/tenants/acme",
        "token": str(token),
        "devices_synced_at": "",
        "age_seconds": 0,
        "rows": 3,
        "state": "ok",
    }
    assert 2 * 86_400 <= lines["beta"]["age_seconds"] < 3 * 86_400
    assert (lines["beta"]["token"], lines["beta"]["state"]) == (None, "ok; no token, so nothing is synced")
    assert lines["gamma"]["state"] == "nothing mirrored yet"
    assert lines["delta"]["state"].startswith("KANDJI_REGION is 'mars'")
    table = run(home, "tenants").stdout
    assert [line.split()[0] for line in table.splitlines() if line[:1].isalpha()] == ["tenant", *lines]
    assert "token-of-acme" not in ended.stdout + table
