"""What changed is kept, and how it was at any kept moment can be asked."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from past_home import START, PastHome, comparable, hours, write_rows
from support import slow_but

from kandji_mirror.history.recorder import Change, HistoryRecorder
from kandji_queries.reader import Reader
from kandji_schema.errors import Failed, Refused, StoreDamaged
from kandji_schema.manifest import history_dir
from kandji_schema.registry import resource

NASTY = ["", "15.1", "null", "[]", '"],"x":["', "a\0b", "Zoë's \U0001f4bb", "\\u0000", "'; --", "x" * 5_000]
TEXTS = st.none() | st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = {
    "version": st.none() | st.sampled_from(["1", "2", "3"]),
    "info": TEXTS,
    "bundle_size": st.none() | st.integers(-(2**63), 2**63 - 1),
    "beta_app": st.none() | st.booleans(),
    "tags": st.none() | st.lists(st.none() | st.sampled_from(["a", "b,c", '"', "[x]", ""]), max_size=3),
    "created_at": st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),
    "extra": st.none() | st.sampled_from(['{"a":1}', '{"a": [1.50, null]}', '{"a":"\\u0000"}']),
    "updated_at": st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
}
IDENTITY = ("device_id", "bundle_id", "path", "name")
IDENTITIES = (
    ("d1", "com.a", "/A", None),
    ("d1", "com.a", "", None),
    ("d1", None, None, "A"),  # told apart by their names only
    ("d1", None, None, None),
    ("é'", None, "/A", "A"),
)
CONTENT = [*IDENTITY, *(name for name in VALUES if name != "updated_at")]


@st.composite
def states(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some of few rows, so that each of them comes, changes and goes again and again."""
    present = draw(st.lists(st.sampled_from(IDENTITIES), unique=True))
    return [dict(zip(IDENTITY, key, strict=True)) | draw(st.fixed_dictionaries(VALUES)) for key in present]


def visible(rows: list[dict[str, Any]]) -> list[str]:
    return comparable([row[name] for name in CONTENT] for row in rows)


SELECT = f"SELECT {', '.join(CONTENT)} FROM apps_as_of($moment)"
GAPS = st.sampled_from([0, 0.5, 3, 30, 200, 900])
"""Hours between two states: the same moment, the same day, the next days, other months."""


Past = list[tuple[float, list[dict[str, Any]]]]
PASTS = st.lists(st.tuples(GAPS, states()), min_size=2, max_size=6), st.sampled_from([1, 3, 400])


@pytest.mark.heavy
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(*PASTS)
def test_the_state_at_every_kept_moment_is_the_one_that_was_there(
    tmp_path_factory: pytest.TempPathFactory, past: Past, keep_days: int
) -> None:
    mirror = PastHome(tmp_path_factory.mktemp("home"), keep_days)
    moment, truth = START, {}
    for gap, rows in past:
        moment += timedelta(hours=gap)
        mirror.add(moment, apps=rows)
        truth[moment] = rows
    with Reader(mirror.home) as reader:
        for at, rows in truth.items():
            until = min([later for later in truth if later > at], default=moment + timedelta(days=1))
            last = until - timedelta(microseconds=1)  # the state lasted until just before the next one
            if last >= moment - timedelta(days=keep_days):
                asked = max(at, moment - timedelta(days=keep_days))
                assert comparable(reader.run(SELECT, {"moment": asked}).rows) == visible(rows)
                assert comparable(reader.run(SELECT, {"moment": last}).rows) == visible(rows)
        with pytest.raises(Failed, match="history of apps begins"):
            reader.run(SELECT, {"moment": START - timedelta(microseconds=1)})


@pytest.fixture
def mirror(tmp_path: Path) -> PastHome:
    return PastHome(tmp_path / "home")


def mac(number: int, **facts: Any) -> dict[str, Any]:
    return {"device_id": f"d{number}", "device_name": f"Mac {number}", "serial_number": f"S{number}", **facts}


def test_changes_say_what_happened_to_which_row(mirror: PastHome) -> None:
    mirror.add(hours(0), devices=[mac(1, os_version="15.1"), mac(2)])
    mirror.add(hours(1), devices=[mac(1, tags=["a"])], blueprints=[{"id": "b1", "name": "Lab"}])
    mirror.add(hours(2), devices=[mac(1, tags=["a"]), mac(3)], blueprints=[{"id": "b1", "name": "Lab 2"}])
    about = (datetime(2026, 3, 2, 9), "devices")
    later = datetime(2026, 3, 2, 10)
    assert mirror.ask("FROM changes ORDER BY changed_at, table_name, row_key, column_name") == [
        (*about, "changed", "d1", "Mac 1", "S1", '{"device_id":"d1"}', "os_version", "15.1", None),
        (*about, "changed", "d1", "Mac 1", "S1", '{"device_id":"d1"}', "tags", None, '["a"]'),
        (*about, "removed", "d2", "Mac 2", "S2", '{"device_id":"d2"}', None, None, None),
        (later, "blueprints", "changed", None, None, None, '{"id":"b1"}', "name", "Lab", "Lab 2"),
        (later, "devices", "added", "d3", "Mac 3", "S3", '{"device_id":"d3"}', None, None, None),
    ]


def test_what_moves_at_every_collection_is_no_change(mirror: PastHome) -> None:
    mirror.add(hours(0), devices=[mac(1)], apps=[{"device_id": "d1", "updated_at": datetime(2026, 1, 1)}])
    files = sorted(path.name for path in history_dir(mirror.home).iterdir())
    segments = mirror.segments
    mirror.add(hours(1), devices=[mac(1)], apps=[{"device_id": "d1", "updated_at": datetime(2026, 2, 1)}])
    assert mirror.segments == segments
    assert sorted(path.name for path in history_dir(mirror.home).iterdir()) == files
    assert mirror.ask("FROM changes") == []


@pytest.mark.many(quick_every=4)
@pytest.mark.parametrize(
    "question",
    [
        "FROM devices_as_of($moment)",
        "SELECT count(*) FROM devices_as_of($moment)",
        "SELECT 1 FROM devices_as_of($moment) WHERE device_id = 'nobody' AND os_version = '1' LIMIT 1",
        "SELECT device_id FROM devices_as_of($moment) WHERE serial_number IS NOT NULL",
        "FROM devices SEMI JOIN devices_as_of($moment) USING (device_id)",
        "SELECT count(*) FROM range(0), devices_as_of($moment)",
        "SELECT * FROM blueprints WHERE id IN (SELECT blueprint_id FROM devices_as_of($moment))",
    ],
)
def test_before_history_begins_there_is_no_answer_but_an_error(mirror: PastHome, question: str) -> None:
    mirror.add(hours(0), devices=[mac(1)], blueprints=[{"id": "b1"}])
    with pytest.raises(Failed, match="history of devices begins at 2026-03-02 08:00:00 UTC"):
        mirror.ask(question, moment=hours(-0.001))
    with pytest.raises(Failed, match="or at none"):
        mirror.ask(question, moment=None)
    mirror.ask(question, moment=hours(0))


@pytest.mark.slow(quick_every=3)
@pytest.mark.parametrize("written", ["'2026-03-02 08:30'", "'2026-03-02T10:30+02:00'", "TIMESTAMP '2026-03-02 08:30'"])
def test_a_moment_can_be_written_in_many_ways(mirror: PastHome, written: str) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    mirror.add(hours(1), devices=[])
    assert mirror.ask(f"SELECT device_id FROM devices_as_of({written})") == [("d1",)]
    assert mirror.ask("SELECT device_id FROM devices_as_of(moment := now())") == []


@pytest.mark.heavy
def test_an_answer_about_the_past_is_dated_and_passes_the_second_opinion(mirror: PastHome) -> None:
    mirror.add(hours(0), devices=[mac(1)], blueprints=[])
    mirror.add(hours(1), devices=[mac(2)])
    with Reader(mirror.home, second_opinion=True, lazy=True) as reader:
        answer = reader.run("SELECT d.device_id FROM devices_as_of('2026-03-02 08:00') AS d JOIN blueprints ON true")
        assert answer.as_of == {"blueprints": "2026-03-02T08:00:00Z", "devices": "2026-03-02T09:00:00Z"}
        assert reader.run("FROM changes").as_of == answer.as_of


def test_a_table_without_history_is_named_with_those_that_have_one(mirror: PastHome) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    with pytest.raises(Refused, match=r"no history for users_as_of\(\). There are devices_as_of"):
        mirror.ask("FROM users_as_of('2026-03-02')")
    with pytest.raises(Refused, match="Did you mean devices_as_of"):
        mirror.ask("FROM device_as_of('2026-03-02')")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("devices_as_of()", "takes one moment: write FROM devices_as_of('2026-11-20 12:00')"),
        ("devices_as_of", "is a function of a moment: write FROM devices_as_of("),
        ("devices_as_of('soon')", "takes a moment, which 'soon' is not: write FROM devices_as_of("),
        ("devices_as_of('24h')", "'24h' is not (now() - INTERVAL 24 HOURS is): write"),
        ("changes_between('20261129', now())", "'20261129' is not ('2026-11-29' is): write FROM changes_between("),
        ("changes_between(d.m, now())", "takes moments and no column, which 'd.m' is; JOIN changes_by_thing for that"),
        ("changes_between((SELECT m FROM named), now())", "has a named of its own, give yours another name"),
        ("devices_as_of('12 hours ago')", "now() - INTERVAL 12 HOUR"),
        ("changes_between('2026-03-02')", "takes two moments: write FROM changes_between('2026-11-20 12:00', '2026-"),
        ("(SELECT devices_as_of('2026-03-02'))", "gives a table: write FROM devices_as_of("),
    ],
)
def test_a_wrong_call_of_the_past_is_told_how_it_is_written(mirror: PastHome, call: str, told: str) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    with pytest.raises(Refused) as refusal:
        mirror.ask(f"FROM {call}")
    assert told in str(refusal.value)


def test_an_unknown_moment_is_told_with_one_that_is_known(mirror: PastHome) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    with pytest.raises(Failed, match=r"Write devices_as_of\('2026-03-02 08:00:00'\) or later"):
        mirror.ask("FROM devices_as_of('2020-01-01')")
    with pytest.raises(Failed, match="FROM devices is now"):
        mirror.ask("FROM devices_as_of('2999-01-01')")


@pytest.mark.parametrize("name", ["internal.events", "internal.tracked", "history_0.main.events"])
def test_segments_cannot_be_read_past_the_view(mirror: PastHome, name: str) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    with pytest.raises(Refused):
        mirror.ask(f"FROM {name}")


def test_an_engine_with_history_is_as_sealed_as_any(mirror: PastHome) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    segment = history_dir(mirror.home) / mirror.segments[0].file
    with Reader(mirror.home) as reader:
        reader.run("FROM changes")
        reader.self_test()
    assert segment.stat().st_size == mirror.segments[0].bytes
    assert segment.stat().st_mode & 0o077 == 0


def test_without_days_to_keep_there_is_no_history(tmp_path: Path) -> None:
    mirror = PastHome(tmp_path, keep_days=0)
    mirror.add(hours(0), devices=[mac(1)])
    mirror.add(hours(1), devices=[mac(2)])
    assert mirror.segments == ()
    assert mirror.ask("FROM changes") == []
    with pytest.raises(Refused, match="No changes were kept"):
        mirror.ask("FROM devices_as_of('2026-03-02 08:30')")


@pytest.mark.slow
def test_history_that_was_off_begins_when_it_is_turned_on(mirror: PastHome) -> None:
    PastHome(mirror.home, keep_days=0).add(hours(0), devices=[mac(1)])
    mirror.add(hours(1), devices=[mac(2)])
    assert mirror.ask("SELECT device_id FROM devices_as_of($m)", m=hours(1)) == [("d2",)]
    with pytest.raises(Failed, match="begins at 2026-03-02 09:00:00"):
        mirror.ask("FROM devices_as_of($m)", m=hours(0.5))


@pytest.mark.heavy
def test_a_clock_that_goes_back_does_not_turn_the_past_around(mirror: PastHome) -> None:
    for at, version in ((0, "1"), (5, "2"), (3, "3"), (6, "4")):
        mirror.add(hours(at), devices=[mac(1, os_version=version)])
    past = {at: mirror.ask("SELECT os_version FROM devices_as_of($m)", m=hours(at)) for at in (0, 4, 5, 6)}
    assert past == {0: [("1",)], 4: [("1",)], 5: [("3",)], 6: [("4",)]}


@pytest.mark.heavy
def test_events_are_merged_into_few_files_as_time_goes_by(mirror: PastHome) -> None:
    for number in range(12):
        mirror.add(hours(number * 16), devices=[mac(1, os_version=str(number))])
    assert len(mirror.segments) <= 10
    for number in range(12, 16):
        mirror.add(hours(1_000 + number), devices=[mac(1, os_version=str(number))])
    assert len(mirror.segments) <= 7
    assert sum(sum(s.tables.values()) for s in mirror.segments) == 15
    assert mirror.ask("SELECT os_version FROM devices_as_of($m)", m=hours(5 * 16 + 1)) == [("5",)]


@pytest.mark.heavy
def test_what_is_older_than_the_days_to_keep_is_let_go(tmp_path: Path) -> None:
    mirror = PastHome(tmp_path, keep_days=10)
    for day in range(0, 30, 3):
        mirror.add(hours(24 * day), devices=[mac(1, os_version=str(day))])
    assert mirror.segments[0].until >= hours(24 * (27 - 10))
    assert mirror.ask("SELECT os_version FROM devices_as_of($m)", m=hours(24 * 17)) == [("15",)]
    with pytest.raises(Failed, match="history of devices begins"):
        mirror.ask("FROM devices_as_of($m)", m=hours(24 * 10))


def test_a_quiet_table_keeps_its_history_however_long_it_is_quiet(tmp_path: Path) -> None:
    mirror = PastHome(tmp_path, keep_days=10)
    mirror.add(hours(0), devices=[mac(1)])
    mirror.add(hours(24 * 100), devices=[mac(1)])
    mirror.add(hours(24 * 101), devices=[mac(2)])
    assert mirror.ask("SELECT device_id FROM devices_as_of($m)", m=hours(24 * 95)) == [("d1",)]


def spoil(path: Path) -> None:
    """Alter a file without changing its size."""
    content = bytearray(path.read_bytes())
    for place in range(3 * 4096, len(content), 512):
        content[place] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.heavy
@pytest.mark.parametrize("damage", slow_but(spoil, of=[Path.unlink, lambda path: path.write_bytes(b"cut"), spoil]))
def test_a_damaged_segment_costs_the_history_before_it_and_nothing_else(mirror: PastHome, damage: Any) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    mirror.add(hours(30), devices=[mac(2)])
    damage(history_dir(mirror.home) / mirror.segments[-1].file)
    with Reader(mirror.home) as reader:
        for _ in range(7):  # more often than there are older states to fall back to
            with pytest.raises(StoreDamaged, match="the tables themselves are whole"):
                reader.run("FROM changes")
        assert (reader.run("SELECT device_id FROM devices").rows, reader.warnings) == ([("d2",)], [])
    mirror.add(hours(31), devices=[mac(3)])
    mirror.add(hours(32), devices=[mac(4)])
    assert mirror.ask("SELECT device_id FROM devices_as_of($m)", m=hours(31)) == [("d3",)]
    with pytest.raises(Failed, match="history of devices begins"):
        mirror.ask("FROM devices_as_of($m)", m=hours(30))


def recorded(tmp_path: Path, before: str, after: str) -> list[tuple[Any, ...]]:
    """The events between two files of `blueprints`, each made by a statement."""
    paths = [tmp_path / "before.duckdb", tmp_path / "after.duckdb"]
    for path, sql in zip(paths, (before, after), strict=True):
        with duckdb.connect(path) as con:
            con.execute(f"CREATE TABLE blueprints AS {sql}")
    change = Change(resource("blueprints"), paths[0], paths[1], hours(0))
    (segment,) = HistoryRecorder(tmp_path).record((), [change], generation=1, keep_days=1)
    with duckdb.connect(history_dir(tmp_path) / segment.file, read_only=True) as con:
        return con.execute("SELECT change, first_key, old, new FROM events ORDER BY ALL").fetchall()


def test_a_column_that_comes_goes_or_gets_another_type_is_no_change_of_its_rows(tmp_path: Path) -> None:
    before = "SELECT 'b1' AS id, 'Lab' AS name, 'x' AS gone, '7' AS type"
    assert recorded(tmp_path, before, "SELECT 'b1' AS id, 'Lab' AS name, 1 AS come, 7 AS type") == []


def test_a_changed_row_keeps_only_its_changed_columns(tmp_path: Path) -> None:
    before = "SELECT 'b1' AS id, 'Lab' AS name, NULL AS description"
    after = "SELECT 'b1' AS id, 'Lab' AS name, 'new' AS description"
    assert recorded(tmp_path, before, after) == [("changed", "b1", '{"description":[]}', '{"description":["new"]}')]


def test_a_removed_row_is_kept_as_it_was(tmp_path: Path) -> None:
    before = "SELECT 'b1' AS id, 'Lab' AS name, NULL AS description"
    assert recorded(tmp_path, before, f"FROM ({before}) WHERE false") == [
        ("removed", "b1", '{"id":["b1"],"name":["Lab"]}', None)
    ]


def test_a_table_that_was_lost_begins_a_new_history(mirror: PastHome) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    write_rows(mirror.home / "new.duckdb", "devices", [mac(2)])
    change = Change(resource("devices"), None, mirror.home / "new.duckdb", hours(5))
    (segment,) = HistoryRecorder(mirror.home).record(mirror.segments, [change], generation=9, keep_days=400)
    assert (segment.tables, segment.since, segment.until) == ({"devices": 0}, hours(0), hours(5))


def test_leftovers_of_a_killed_recording_are_overwritten(mirror: PastHome) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    folder = history_dir(mirror.home)
    for leftover in ("00000002.duckdb", "00000002.duckdb.tmp"):
        (folder / leftover).write_bytes(b"half")
    mirror.add(hours(1), devices=[mac(2)])
    assert mirror.ask("SELECT change FROM changes ORDER BY ALL") == [("added",), ("removed",)]
    assert list(folder.glob("*.tmp*")) == []


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_is_told_and_changes_nothing(mirror: PastHome) -> None:
    mirror.add(hours(0), devices=[mac(1)])
    write_rows(mirror.home / "new.duckdb", "devices", [mac(2)])
    before = sorted(history_dir(mirror.home).iterdir())
    script = (
        "import resource, signal, sys; from pathlib import Path; from datetime import UTC, datetime\n"
        "from kandji_mirror.history.recorder import Change, HistoryRecorder\n"
        "from kandji_schema import registry; from kandji_schema.errors import StoreFull\n"
        "before, after = map(Path, sys.argv[2:])\n"
        "change = Change(registry.resource('devices'), before, after, datetime.now(UTC))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try: HistoryRecorder(Path(sys.argv[1])).record((), [change], generation=2, keep_days=9)\n"
        "except StoreFull as error: print(error)"
    )
    files = [mirror.home / "store/data/devices.00000001.duckdb", mirror.home / "new.duckdb"]
    command = [sys.executable, "-c", script, str(mirror.home), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "The history could not be written" in done.stdout
    assert sorted(path for path in history_dir(mirror.home).iterdir() if ".tmp" not in path.name) == before
    assert mirror.ask("FROM changes") == []
