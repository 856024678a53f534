"""Changes as people tell them: by device and thing, each once, and as many as there were."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from past_home import PastHome, hours

from kandji_queries.describe import functions_in_short
from kandji_queries.history.changes import read_asked, statement
from kandji_queries.reader import Reader
from kandji_schema import things
from kandji_schema.errors import Failed
from kandji_schema.prism import PrismRow
from kandji_schema.registry import resources

TOLD = "SELECT device_id, what FROM changes_by_thing ORDER BY changed_at, table_name, device_id, what"


def mac(number: int, **facts: Any) -> dict[str, Any]:
    return {"device_id": f"d{number}", "device_name": f"Mac {number}", "serial_number": f"S{number}", **facts}


def chrome(number: int, version: str, **facts: Any) -> dict[str, Any]:
    bundle = {"bundle_id": "com.google.Chrome", "path": "/Applications/Google Chrome.app", "name": "Google Chrome"}
    short = {"short_version": version.split(".")[0], "bundle_size": int(version.split(".")[0])}
    return {"device_id": f"d{number}", **bundle, "version": version, **short, **facts}


def profile(number: int, name: str) -> dict[str, Any]:
    return {"device_id": f"d{number}", "payload_uuid": f"uuid of {name}", "profile_display_name": name}


LAB = {"blueprint_id": "b1", "blueprint_name": "Lab"}
ANN = {"user_id": "u1", "user_name": "Ann", "user_email": "ann@example.org"}
BOB = {"user_id": "u2", "user_name": "Bob", "user_email": "bob@example.org"}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    past = PastHome(tmp_path_factory.mktemp("home"))
    past.add(
        hours(0),
        devices=[mac(1, os_version="14.5", tags=["a"], **ANN, **LAB), mac(2, **LAB), mac(3)],
        blueprints=[{"id": "b1", "name": "Lab", "computers_count": 2}],
        apps=[chrome(1, "129.0", tags=["a"]), chrome(2, "129.0"), chrome(3, "128.0")],
        prism_installed_profiles=[profile(1, "Wi-Fi"), profile(3, "Wi-Fi")],
        prism_filevault=[{"device_id": "d1", "status": False, "asset_tag": "1"}],
    )
    past.add(
        hours(1),
        devices=[
            mac(1, os_version="14.6", tags=["VIP", "a"], **BOB, blueprint_id="b1", blueprint_name="Labs"),
            mac(2, blueprint_id="b1", blueprint_name="Labs"),
            mac(4),
        ],
        blueprints=[{"id": "b1", "name": "Labs", "computers_count": 3}],
        prism_filevault=[{"device_id": "d1", "status": True, "asset_tag": "2"}],
    )
    past.add(
        hours(3),
        apps=[chrome(1, "130.1", tags=["VIP", "a"]), chrome(2, "130.1"), chrome(4, "130.1")],
        prism_installed_profiles=[profile(1, "Passcode"), profile(4, "Wi-Fi"), profile(4, "Passcode")],
    )
    past.add(
        hours(40),
        devices=[
            mac(1, os_version="14.6", tags=["VIP", "a"], **BOB, blueprint_id="b1", blueprint_name="Labs"),
            mac(2, blueprint_id="b2", blueprint_name="Sales"),
            mac(4),
        ],
        apps=[chrome(1, "130.1", tags=[]), chrome(4, "130.1"), chrome(4, "130.1", path="/Users/x")],
    )
    with Reader(past.home) as reader:
        yield reader


def test_each_change_is_told_once_with_what_came_and_went(reader: Reader) -> None:
    assert reader.run(TOLD).rows == [
        (None, "blueprint Labs: name Lab -> Labs"),
        ("d1", "owner ann@example.org -> bob@example.org, os 14.5 -> 14.6, tag 'VIP' added"),
        ("d3", "device removed: 1 profile, 1 app"),
        ("d4", "device added: 2 profiles, 1 app"),
        ("d1", "FileVault: status false -> true"),
        ("d1", "app Google Chrome updated 129.0 -> 130.1"),
        ("d2", "app Google Chrome updated 129.0 -> 130.1"),
        ("d1", "profile Passcode added"),
        ("d1", "profile Wi-Fi removed"),
        ("d2", "app Google Chrome 130.1 removed"),
        ("d4", "app Google Chrome added"),
        ("d2", "blueprint Labs -> Sales"),
    ]


def test_a_part_of_the_time_tells_the_same_and_each_change_lies_in_one_part(reader: Reader) -> None:
    parts = [("-infinity", "2026-03-02 10:00"), ("2026-03-02T10:00+00:00", "2026-03-02T13:00+02:00")]
    parts += [("2026-03-02T12:00+01:00", "infinity")]
    told = [row for begin, end in parts for row in reader.run(_BETWEEN, {"a": begin, "b": end}).rows]
    assert sorted(map(str, told)) == sorted(map(str, reader.run(TOLD).rows))
    assert reader.run("FROM changes_between(current_date - 1, current_timestamp)").rows == []
    assert len(reader.run("FROM changes_between(begins := '2026-03-01', ends := now())").rows) == len(told)


_BETWEEN = "SELECT device_id, what FROM changes_between($a, $b)"


def test_a_cte_of_the_statement_is_not_what_the_function_reads(reader: Reader) -> None:
    asked = "SELECT count(*), count(device_name) FROM changes_between('-infinity', 'infinity')"
    (known,) = reader.run(asked).rows
    for name in ("devices", "apps", "blueprints", "gone", "called"):
        assert reader.run(f"WITH {name} AS (SELECT 1 AS device_id) {asked}").rows == [known], name


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        ("2020-01-01", "2020-02-01", r"begins at 2026-03-02 08:00:00 UTC; .* changes_between\('2026-03-02 08:00:00', "),
        ("2026-03-04", "2026-03-03", "first moment of changes_between is not before the second"),
        ("2026-03-04", "2026-03-04", r"of one day tells changes_between\('2026-11-20', '2026-11-21'\)"),
        (None, "2026-03-04", "one of these is NULL"),
        ("2998-01-01", "2999-01-01", "lies in the future"),
    ],
)
def test_a_time_of_which_nothing_can_be_told_is_refused_whatever_is_asked_of_it(
    reader: Reader, begin: str | None, end: str, told: str
) -> None:
    for asked in (_BETWEEN, "SELECT count(*) FROM changes_between($a, $b) WHERE device_id = 'nobody'"):
        with pytest.raises(Failed, match=told):
            reader.run(asked, {"a": begin, "b": end})


def test_facts_and_the_most_telling_column_are_columns_too(reader: Reader) -> None:
    asked = "SELECT change, column_name, old_value, new_value, facts FROM changes_by_thing WHERE device_id = 'd1' AND "
    (device,) = reader.run(f"{asked} thing = 'device'").rows
    assert device[:4] == ("changed", "user_email", "ann@example.org", "bob@example.org")
    assert [fact["fact"] for fact in device[4]] == ["owner", "os", "tag"]
    assert reader.run(f"{asked} thing = 'app'").rows[0][:4] == ("updated", "version", "129.0", "130.1")


def test_an_answer_about_changes_is_dated_by_devices_and_the_oldest_table(reader: Reader) -> None:
    dated = {"blueprints": "2026-03-02T09:00:00Z", "devices": "2026-03-04T00:00:00Z"}
    for view in ("changes_by_thing", "changes"):
        assert reader.run(f"SELECT device_name FROM {view}").as_of == dated


def test_what_a_call_of_the_function_and_what_devices_carried_are_told_of_date_an_answer(reader: Reader) -> None:
    view = "SELECT %s FROM changes_by_thing WHERE table_name = 'devices'"
    call = "SELECT %s FROM changes_between('-infinity', 'infinity')"
    dated = {
        view % "count(*)": {"devices"},
        f"{view % 'count(*)'} UNION ALL {call % 'count(*)'}": {"blueprints", "devices"},
        f"{call % 'device_id'} WHERE table_name = 'apps'": {"apps", "devices"},
        view % "what": {"blueprints", "devices"},
        f"{call % '*'} WHERE table_name = 'devices'": {"blueprints", "devices"},
    }
    assert {asked: set(reader.run(asked).as_of) for asked in dated} == dated


def test_what_is_long_is_said_to_have_changed_and_nothing_of_a_version_is_repeated(tmp_path: Any) -> None:
    past = PastHome(tmp_path)
    rows = [{"id": "b1", "name": "Lab", "params": '{"a": "%s"}' % ("x" * 90), "updated_at": datetime(2026, 1, 1)}]
    past.add(hours(0), blueprints=rows, apps=[chrome(1, "1.0", info="old")])
    past.add(hours(1), blueprints=[{**rows[0], "params": "{}"}], apps=[chrome(1, "1.0", info="new")])
    told = past.ask("SELECT what FROM changes_by_thing ORDER BY what")
    assert told == [("app Google Chrome: info old -> new",), ("blueprint Lab: params changed",)]


def test_without_history_nothing_is_told(tmp_path: Any) -> None:
    past = PastHome(tmp_path, keep_days=0)
    past.add(hours(0), devices=[mac(1)])
    assert past.ask("FROM changes_by_thing") == []
    assert past.ask("FROM changes_between('2026-01-01', now())") == []


def test_every_word_for_a_thing_is_about_columns_that_there_are() -> None:
    for table, thing in things.THINGS.items():
        resource = resources()[table]
        columns = {column.name for column in resource.columns}
        facts = {name for fact in thing.facts for name in (*fact.columns, *fact.needs, *filter(None, [fact.unless]))}
        named = {*thing.name, *filter(None, [thing.named, thing.named_by])}
        assert resource.tracked
        assert (facts | named | things.copies_in(table) | thing.blueprint_copies) <= columns, table
        assert {*thing.name, *filter(None, [thing.named_by])} <= {*resource.key, *resource.key_fallback}, table
        assert bool(thing.plural) == (len(resource.key) > 1), table


def test_every_column_that_all_prism_rows_share_is_the_devices_or_moves_by_itself() -> None:
    category = resources()["prism_filevault"].columns
    shared = {column.name for column in category if column.name in PrismRow.model_fields}
    moving = {column.name for column in category if column.volatile}
    assert shared - moving - things.PRISM_COPIES == {"device_id", "created_at"}


def test_every_table_with_history_says_how_it_is_asked_as_it_was(reader: Reader) -> None:
    for table in ("apps", "blueprints", "devices", "prism_filevault"):
        assert reader.describe(table).info.description.endswith(f"As it was: FROM {table}_as_of('2026-11-20 12:00').")
    assert "_as_of" not in reader.describe("users").info.description
    short = functions_in_short(reader)
    assert short.startswith(
        "T_as_of(moment), T = apps, blueprints, devices, os_currency, prism_filevault, prism_installed_profiles"
    )
    assert all(call in short for call in ("changes_between(from, to)", " folded,", " version_below,"))


def test_helpers_that_changed_alike_are_in_the_line_of_their_app_and_counted(tmp_path: Any) -> None:
    def both(number: int, version: str, helper: str) -> list[dict[str, Any]]:
        inside = "/Applications/Google Chrome.app/Contents/Helper.app"
        return [chrome(number, version), chrome(number, helper, path=inside, bundle_id="helper", name="Helper")]

    past = PastHome(tmp_path)
    past.add(hours(0), devices=[mac(1), mac(2)], apps=[*both(1, "129", "129"), *both(2, "129", "7")])
    past.add(hours(1), apps=[*both(1, "130", "130"), *both(2, "130", "8")])
    with Reader(past.home) as reader:
        asked = read_asked(reader, since="2026-03-01", until=None, device=None, table=None, now=datetime.now(UTC))
        found = reader.run(statement(newest_first=True), asked.values).rows
    assert [(row[1], row[5], row[2], row[6]) for row in found] == [
        (None, 4, 2, None),
        ("app Google Chrome updated 129 -> 130", 3, 2, "Mac 1 (S1), Mac 2 (S2)"),
        ("app Helper updated 7 -> 8", 1, 1, "Mac 2 (S2)"),
    ]
