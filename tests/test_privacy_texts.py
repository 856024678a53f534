"""People in texts that are not personal as such: the name of a profile, of an app, a tag, a bundle identifier."""

import json
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support import client_of, make_tenant, manifest_of, run_sync, slow_but

from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.privacy.key import Key
from kandji_mirror.privacy.scrubbing import scrub_texts
from kandji_mirror.sync.run import sync
from kandji_queries.reader import Reader
from kandji_schema.columns import Column, Kind
from kandji_schema.http import Request, Response
from kandji_schema.manifest import data_dir, history_dir
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resource, resources, tenant_tables
from kandji_schema.resource import Resource
from kandji_simulator import Tenant

KEY = Key(bytes(range(32)))
PEOPLE = (
    {"id": "1", "name": "Zoë O'Neil Quux", "email": "Zoe.Quux@Example.com"},
    {"id": "2", "name": "Jane Quuxly", "email": "jq77@example.org"},
    {"id": "3", "name": "Ana", "email": "it@example.org"},
    {"id": "4", "name": "Web Support", "email": "admin@example.org"},
)


def shifted(text: str, *, upper: int, lower: int, other: int = 0) -> str:
    """The text in another look, whose capitals and small letters begin at those code points."""
    moved = (upper - 65 if c.isupper() else lower - 97 if c.islower() else other for c in text)
    return "".join(chr(ord(c) + by) if c != " " else c for c, by in zip(text, moved, strict=True))


def wide(text: str) -> str:
    """In full width, also dots and such."""
    return shifted(text, upper=0xFF21, lower=0xFF41, other=0xFEE0)


OTHERS = (
    "Jürgen Groß", "Søren Kjær", "Łukasz Żółć", "Jane Doe", "Zoë O'Neil", "Anna Müller-Lüdenscheidt", "Mary Ann Smith",
    "Max Power", "山田 太郎", "Juergen Vogel", "Ann Lee",
)  # fmt: skip
WAYS = {
    "Jürgen Groß": (
        "JÜRGEN GROSS", "Jürgen Gross", "Jurgen Gross", "Juergen Gross", "juergengross", "JuergenGrossNotes",
        "J\u00fcrgen GRO\u1e9e", "Ju\u0308rgen Gross",
    ),
    "Juergen Vogel": ("Jürgen Vogel", "JURGEN VOGEL"),
    "Søren Kjær": ("Soren Kjaer", "Soeren Kjaer", "SØREN KJÆR", "Søren Kjär"),
    "Łukasz Żółć": ("Lukasz Zolc", "LUKASZ ZOLC"),
    "Jane Doe": (
        wide("Jane Doe"), shifted("Jane Doe", upper=0x1D400, lower=0x1D41A), "Ⓙⓐⓝⓔ Ⓓⓞⓔ",
        "Jane%20Doe", "jane&#46;doe", "Jane&nbsp;Doe", "Jane\u3000Doe",
        "Ja\u200bne Doe", "Ja\u00adne\u2060 \u200bDoe", "Jane \u200b Doe", "\u202eJane Doe", "Jane\u2800Doe",
        "Ja\U000e0041ne Doe", "JaneDoe2", "jane.doe2", "2JaneDoe", "JaneDoeNotes", "TheJaneDoe", "doejane",
        "Jane M. Doe",
    ),
    "Zoë O'Neil": (
        "Zoë O\u02bcNeil", "Zoë ONeil", "Zoe O\u2019Neil", "zoeoneil", "Zo%C3%AB%20O%27Neil", "Zo&euml; O&#39;Neil",
    ),
    "Anna Müller-Lüdenscheidt": (
        "Anna Mueller-Luedenscheidt", "Anna Müller-Luedenscheidt", "ANNA MULLER LUDENSCHEIDT",
    ),
    "Mary Ann Smith": ("Smith, Mary", "Mary Smith", "marysmith"),
    "Max Power": ("MaxPowerTools", "maxpowertools", "power.max"),
    "山田 太郎": ("山田太郎", "太郎山田", "太郎 山田", "山田太郎のMac"),
}  # fmt: skip
"""How people and machines write the names above."""

FEW = ("devices", "users", "apps", "prism_installed_profiles")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One that knows the people above."""
    folder = tmp_path_factory.mktemp("engine")
    with Engine(folder / "spill", key=KEY) as found:
        with Staging(resource("users"), folder / "scratch", engine=found, masked=True) as staging:
            staging.add(json.dumps({"data": list(PEOPLE)}))
            staging.flush()
        yield found


def scrubbed(engine: Engine, *texts: str) -> list[str]:
    """What becomes of texts."""
    with closing(engine.cursor()) as con:
        con.execute("CREATE TEMP TABLE given AS SELECT unnest($1::VARCHAR[]) AS v", [list(texts)])
        scrub_texts(con, "SELECT v FROM given")
        found = dict(con.execute("FROM scrubbed").fetchall())
    return [found.get(text, text) for text in texts]


def pseudonym(engine: Engine, value: str) -> str:
    with closing(engine.cursor()) as con:
        return str(con.execute("SELECT memory.main.mask_person($1)", [value]).fetchall()[0][0])


def test_each_spelling_of_a_known_person_becomes_the_pseudonym_of_the_column(engine: Engine) -> None:
    jane, zoe = pseudonym(engine, "Jane Quuxly"), pseudonym(engine, "Zoë O'Neil Quux")
    found = scrubbed(
        engine,
        "Exchange zoe.quux@example.com, old",
        "mailto:zoe.quux%40example.com",
        "stranger@somewhere.example",
        "JANE QUUXLY's Wi-Fi",
        "com.acme.jane-quuxly.helper",
        "Quuxly, Jane",
        "janequuxly (admin)",
        "Zoe\u0308 O\u2019Neil QUUX (Zoe Quux)",
        "/opt/jq77/bin",
    )
    address = pseudonym(engine, "zoe.quux@example.com")
    assert found[:2] == [f"Exchange {address}, old", f"mailto:{address}"]
    assert found[2] == pseudonym(engine, "stranger@somewhere.example")
    assert found[3:7] == [f"{jane}'s Wi-Fi", f"com.acme.{jane}.helper", jane, f"{jane} (admin)"]
    assert found[8] == f"/opt/{pseudonym(engine, 'jq77@example.org')}/bin"
    assert re.fullmatch(rf"{zoe} \(person_\w{{16}}\)", found[7])


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An engine that knows people whose names are written in many ways."""
    folder = tmp_path_factory.mktemp("others")
    people = [{"id": name, "name": name, "email": f"q{i}zz@corp.example"} for i, name in enumerate(OTHERS)]
    people.append({"id": "j", "name": "Jane Doe", "email": "jane.doe@corp.example"})
    with Engine(folder / "spill", key=KEY) as found:
        with Staging(resource("users"), folder / "scratch", engine=found, masked=True) as staging:
            staging.add(json.dumps({"data": people}))
            staging.flush()
        yield found


@pytest.mark.parametrize("name", WAYS)
def test_whoever_the_search_takes_for_the_same_person_is_masked_as_that_person(others: Engine, name: str) -> None:
    told = pseudonym(others, name)
    texts = [f"com.x0.{way} (old)" for way in WAYS[name]]
    assert scrubbed(others, *texts) == [f"com.x0.{told} (old)" for _ in texts]


def test_an_address_in_other_looks_is_the_same_address(others: Engine) -> None:
    told = pseudonym(others, "jane.doe@corp.example")
    ways = (f"{wide('jane.doe@')}corp.example", "jane.\u200bdoe@corp.example", "Jane.Doe&#64;corp.example")
    assert scrubbed(others, *(f"for {way}!" for way in ways)) == [f"for {told}!"] * len(ways)
    stranger = pseudonym(others, "wer@fremd.example")
    assert scrubbed(others, f"{wide('wer@')}fremd.example", "we\u200br@fremd.example") == [stranger] * 2


def test_a_name_inside_of_other_words_is_nobody(others: Engine) -> None:
    texts = (
        "AnnLeeTools", "annleer", "MaxPowder", "xjanedoex", "Janet Doering", "Powerful Maxim", "janed", "Jane%zz",
        "100%25 Jane", wide("MaxPowder"), "a\u200bb", "R&amp;D", "Neil", "太郎",
    )  # fmt: skip
    assert scrubbed(others, *texts) == list(texts)


def test_of_two_who_are_nearly_called_alike_each_stays_who_it_is(tmp_path: Path) -> None:
    names = ("Michael Doe", "Michal Doe")
    people = [{"id": name, "name": name, "email": f"q{i}zz@corp.example"} for i, name in enumerate(names)]
    with Engine(tmp_path / "spill", key=KEY) as engine:
        with Staging(resource("users"), tmp_path / "scratch", engine=engine, masked=True) as staging:
            staging.add(json.dumps({"data": people}))
            staging.flush()
        assert scrubbed(engine, *names) == [pseudonym(engine, name) for name in names]


def test_texts_that_name_nobody_stay_as_they_are(engine: Engine) -> None:
    texts = (
        "Google Chrome", "com.apple.Safari", "python@3.11", "icon@2x", "Banana", "Analytics", "IT Support", "Web Admin",
        "Jane", "C02XK1JHJG5J", "7.1.7 (13891)", "東京 · naïve\n\tline", "person_0123456789abcdef", "", "@", "a@b",
    )  # fmt: skip
    assert scrubbed(engine, *texts) == list(texts)


def sample(table: Resource, text: str) -> dict[str, Any]:
    """A row as the provider sends it with ``text`` wherever a column keeps words."""
    row: dict[str, Any] = {}
    for column in table.columns:
        *objects, name = column.sources[0].split(".")
        inner = row
        for step in objects:
            inner = inner.setdefault(step, {})
            if not isinstance(inner, dict):
                break
        else:
            inner.setdefault(name, _value(column, text))
    return row | {"extra": {"strange": text}}


def _value(column: Column, text: str) -> Any:
    shapes: dict[Kind, Any] = {
        Kind.TEXT: text,
        Kind.TEXTS: ["one", text],
        Kind.DOCUMENT: [{"name": text, text: 1, "deep": {"er": [text]}, "number": 1}, text],
    }
    return shapes.get(column.kind)


@pytest.mark.heavy
def test_no_column_of_any_table_lets_a_person_through(engine: Engine, tmp_path: Path) -> None:
    """Also none that somebody declares tomorrow: it is masked or looked through without being named anywhere."""
    text = "of jane quuxly, Zoe.Quux@example.com"
    for table in tenant_tables().values():
        row = sample(table, text)
        file = tmp_path / f"{table.name}.duckdb"
        with Staging(table, tmp_path / f"{table.name}.scratch", engine=engine, masked=True) as staging:
            staging.add(json.dumps({"data": [row]}), [text] * len(table.parent_key))
            staging.write(file)
        shown = rows_of(file, table.name)
        first = {table.key[0]} - {c.name for c in table.columns if c.personal}
        told = {name: value for name, value in shown.items() if re.search("quux", str(value), re.IGNORECASE)}
        assert set(told) <= first, table.name
        kept = [c.name for c in table.columns if c.kind is Kind.TEXT and not c.personal and c.name not in first]
        assert all("of person_" in str(shown[name]) for name in kept if shown[name]), table.name


def rows_of(file: Path, table: str) -> dict[str, Any]:
    with duckdb.connect(file, read_only=True) as con:
        found = con.execute(f'FROM "{table}"')
        (row,) = found.fetchall()
        return dict(zip([c[0] for c in found.description or ()], row, strict=True))


class Named:
    """A tenant whose lists name a person in texts."""

    def __init__(self, tenant: Tenant, text: str) -> None:
        self.tenant, self.text = tenant, text

    def handle(self, request: Request) -> Response:
        answer = self.tenant.handle(request)
        found = [r for r in resources().values() if r.path == request.path and r.name in FEW and r.name != "users"]
        if answer.status != 200 or not found:
            return answer
        body = json.loads(answer.body)
        rows = body["data"] if isinstance(body, dict) else body
        for row in rows:
            for field in ("asset_tag", "name", "bundle_id", "profile_display_name", "organization", "copyright"):
                if field in row:
                    row[field] = f"{row[field]} {self.text}"
            if "tags" in row:
                row["tags"] = [*(row["tags"] or ()), self.text]
        return replace(answer, body=json.dumps(body).encode())


def read(home: Path, tenant: Named, mode: Privacy, *names: str) -> None:
    client = client_of(tenant.handle, tenant.tenant.fetch)
    report = sync(home, "loopback", client, names=names, everything=True, privacy=mode)
    assert report.failed == ()


@pytest.mark.heavy
@pytest.mark.parametrize("mode", slow_but(Privacy.AGENTS, of=[Privacy.AGENTS, Privacy.ON]))
def test_somebody_who_becomes_known_later_goes_out_of_what_was_masked_before(tmp_path: Path, mode: Privacy) -> None:
    tenant = make_tenant(4, apps=3)
    assigned = {(row.get("user") or {}).get("name") for row in tenant.world.truth("devices") if isinstance(row, dict)}
    user = next(user for user in tenant.world.truth("users") if user["name"] not in assigned)
    named = Named(tenant, f"by {user['name']}")
    read(tmp_path, named, mode, "devices", "apps", "prism_installed_profiles")
    named.text = f"for {user['name'].upper()}"
    read(tmp_path, named, mode, "devices", "apps")  # what changes goes to history
    word = user["name"].rpartition(" ")[2].lower()
    assert leaks(tmp_path, word) != []
    read(tmp_path, named, mode, "users")
    assert leaks(tmp_path, word) == []
    with Reader(tmp_path, masked=True) as reader:
        joined = (
            "SELECT count(*) FROM users u JOIN apps a ON ends_with(a.name, u.name) JOIN devices d USING (device_id)"
        )
        assert reader.run(joined).rows != [(0,)]
        assert reader.run("SELECT count(*) FROM changes WHERE column_name = 'asset_tag'").rows != [(0,)]
    assert word.encode() not in (tmp_path / "store").joinpath(people_file(tmp_path)).read_bytes().lower()


def people_file(home: Path) -> str:
    (found,) = (home / "store").glob("people.*.parquet")
    return found.name


def leaks(home: Path, word: str) -> list[str]:
    """Masked files that name somebody."""
    manifest = manifest_of(home)
    files = [data_dir(home) / str(s.masked_file) for s in manifest.tables.values() if s.masked_file]
    files += [history_dir(home) / str(s.masked_file) for s in manifest.history]
    return [file.name for file in files if _names(file, word)]


def _names(file: Path, word: str) -> bool:
    with duckdb.connect(file, read_only=True) as con:
        tables = con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal").fetchall()
        return any(word in str(con.execute(f'FROM "{name}"').fetchall()).lower() for (name,) in tables)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("mode", "which"),
    [
        (Privacy.AGENTS, 1),
        pytest.param(Privacy.ON, 0, marks=pytest.mark.many),
        pytest.param(Privacy.AGENTS, 0, marks=pytest.mark.many),
        pytest.param(Privacy.ON, 1, marks=pytest.mark.many),
    ],
)
def test_a_home_of_an_earlier_version_is_brought_in_line(tmp_path: Path, mode: Privacy, which: int) -> None:
    tenant = make_tenant(4, apps=3)
    run_sync(tmp_path, tenant, *FEW, privacy=mode)
    before = manifest_of(tmp_path)
    with Reader(tmp_path, masked=True) as reader:
        people = reader.run("SELECT id, name, email FROM users ORDER BY ALL").rows
    _as_by_an_earlier_version(tmp_path, which)
    run_sync(tmp_path, tenant, "tags", privacy=mode)
    run_sync(tmp_path, tenant, everything=False, privacy=mode)
    assert {s.masked_with for n, s in manifest_of(tmp_path).tables.items() if n in FEW} == {
        before.tables["users"].masked_with
    }
    with Reader(tmp_path, masked=True) as reader:
        assert reader.run("SELECT id, name, email FROM users ORDER BY ALL").rows == people
    assert people_file(tmp_path)


def _as_by_an_earlier_version(home: Path, which: int) -> None:
    """Its manifest names the key otherwise, and so is its list of people."""
    from kandji_mirror.privacy.key import key_of
    from kandji_mirror.store.opening import open_store

    former = sorted(key_of(home).former_names)[which]
    file = home / "store" / people_file(home)
    file.rename(file.with_name(f"people.{former}.parquet"))
    with open_store(home, "loopback", resources()) as store:
        states = {n: replace(s, masked_with=former) for n, s in store.current.tables.items() if s.masked_with}
        store.publish(states)
