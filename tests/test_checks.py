"""Checks: what is found begins once and ends once, whatever the clock, the data and the file of checks do."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from checks_home import BEGAN, MACS, Watched, mac
from support import make_tenant, run_sync, synced

from kandji_queries.catalog.declared import DeclaredMirror
from kandji_queries.catalog.queries import catalog
from kandji_schema.errors import ConfigurationError, StoreError, UnknownName
from kandji_schema.privacy import Privacy
from kandji_watch import overview, read_checks
from kandji_watch.definition import built_in
from kandji_watch.starting import write_first

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def labels(document: dict[str, Any], part: str = "new") -> list[str]:
    return [entry["label"] for entry in document[part]]


# -- what is told ------------------------------------------------------------------------------------------------------


def test_what_is_new_and_what_ended_is_told_once(tmp_path: Path) -> None:
    home = Watched(tmp_path)
    home.macs("d1", "d2")
    home.round()
    (first,) = home.told
    assert labels(first) == ["D1, Mac d1", "D2, Mac d2"]
    assert first["headline"] == "Macs of the lab: 2 new, 2 in all"
    assert home.round(after=HOUR).told == 0
    home.macs("d2", "d3")
    home.round(after=HOUR)
    (second,) = home.told
    assert labels(second) == ["D3, Mac d3"]
    assert labels(second, "ended") == ["D1, Mac d1 (2 h)"]
    assert second["headline"] == "Macs of the lab: 1 new, 1 ended, 2 in all"
    assert second["id"] != first["id"]
    assert second["text"].splitlines()[1:3] == ["New since 2026-11-20 14:00 UTC:", "- D3, Mac d3"]
    assert home.round(after=HOUR).told == 0
    assert home.told == []


def test_a_text_has_some_rows_and_the_number_of_the_others(tmp_path: Path) -> None:
    home = Watched(tmp_path, MACS + "rows = 3\n")
    home.macs(*(f"d{number:02}" for number in range(15)))
    home.round()
    (told,) = home.told
    assert told["text"].splitlines()[2:6] == ["- D00, Mac d00", "- D01, Mac d01", "- D02, Mac d02", "- and 12 more"]
    assert told["new_count"] == 15


def test_a_row_that_changes_beside_its_key_is_the_same_thing(tmp_path: Path) -> None:
    home = Watched(tmp_path, '[check.macs]\nsql = "SELECT device_id, device_name, os_version, is_missing FROM devices"')
    home.hold(devices=[mac("d1", os_version="26.1")])
    home.round()
    assert len(home.told) == 1
    home.hold(devices=[mac("d1", os_version="26.2", is_missing=True)])
    assert home.round().told == 0


def test_of_new_things_those_of_the_first_look_are_only_counted(tmp_path: Path) -> None:
    home = Watched(tmp_path, MACS + 'when = "new"\n')
    home.macs("d1", "d2")
    home.round()
    (first,) = home.told
    assert "2 are there at the first look" in first["headline"]
    assert overview(home.home, Privacy.OFF, home.now).exit_code == 0
    home.macs("d2", "d3")
    home.round(after=HOUR)
    (second,) = home.told
    assert (labels(second), second["ended"]) == (["D3, Mac d3"], [])
    assert overview(home.home, Privacy.OFF, home.now).exit_code == 10


def test_a_check_without_ends_tells_beginnings_alone(tmp_path: Path) -> None:
    home = Watched(tmp_path, MACS + "ended = false\n")
    home.macs("d1")
    home.round()
    assert len(home.told) == 1
    home.macs()
    assert home.round().told == 0
    home.macs("d1")
    home.round()
    assert labels(home.told[0]) == ["D1, Mac d1"]


def test_a_number_begins_and_ends(tmp_path: Path) -> None:
    check = '[check.many]\nsql = "SELECT count(*) AS n FROM {macs}"\nwhen = "above"\nnumber = "n"\nvalue = 2\n'
    home = Watched(tmp_path, check)
    home.macs("d1", "d2")
    assert home.round().told == 0
    home.macs("d1", "d2", "d3")
    home.round()
    assert home.told[0]["headline"] == "Many: 3, above 2"
    home.macs("d1", "d2", "d3", "d4")
    assert home.round().told == 0
    home.macs("d1")
    home.round()
    assert home.told[0]["headline"] == "Many: it is over"


def test_a_number_that_is_not_known_begins_and_ends_nothing(tmp_path: Path) -> None:
    oldest = '[check.oldest]\nsql = "SELECT min(os_version::INT) AS n FROM devices"\nwhen = "below"\n'
    home = Watched(tmp_path, f'{oldest}value = 15\nnumber = "n"\n')
    home.hold(devices=[mac("d1", os_version="14")])
    home.round()
    assert home.told[0]["headline"] == "Oldest: 14, below 15"
    home.hold(devices=[mac("d1")])
    home.round()
    (told,) = home.told
    assert told["headline"] == "Oldest: cannot be answered"
    assert "n is NULL, no number" in told["trouble"]
    home.hold(devices=[mac("d1", os_version="14")])
    home.round()
    assert [told["headline"] for told in home.told] == ["Oldest: can be answered again, 1 in all"]


def test_what_a_table_held_does_not_end_where_the_table_is_not_read_any_more(tmp_path: Path) -> None:
    statement = "FROM devices ANTI JOIN prism_filevault USING (device_id)"
    home = Watched(tmp_path, MACS.replace("FROM {macs}", statement))
    home.hold(devices=[mac("d1"), mac("d2")], prism_filevault=[{"device_id": "d2"}])
    home.round()
    assert labels(home.told[0]) == ["D1, Mac d1"]
    home.hold(anew=True, devices=[mac("d2")])  # as after a reset: nobody knows of FileVault
    home.round()
    assert [labels(told) + labels(told, "ended") for told in home.told] == [["D2, Mac d2"]]


def test_a_check_without_an_answer_is_told_once_and_asked_again_soon(tmp_path: Path) -> None:
    home = Watched(tmp_path, '[check.wrong]\nsql = "SELECT nope FROM {macs}"\nat = "08:00"\n')
    home.macs("d1")
    home.round()
    (told,) = home.told
    assert "nope" in told["trouble"]
    (asked,) = home.round(after=timedelta(minutes=5), everything=False).asked
    assert asked.due_at == BEGAN + timedelta(minutes=10)
    (asked,) = home.round(after=timedelta(minutes=5), everything=False).asked
    assert "nope" in asked.trouble
    assert home.told == []
    assert overview(home.home, Privacy.OFF, home.now).exit_code == 11


def test_the_same_trouble_of_many_checks_is_one_text(tmp_path: Path) -> None:
    home = Watched(
        tmp_path, MACS + MACS.replace("check.macs", "check.others") + MACS.replace("check.macs", "check.all")
    )
    home.write(
        (MACS + MACS.replace("check.macs", "check.others") + MACS.replace("check.macs", "check.all")).replace(
            "{macs}", "devices"
        )
    )
    assert home.round().told == 1
    (told,) = home.told
    assert told["headline"] == "3 checks cannot be answered"
    assert "Nothing is mirrored" in told["trouble"]
    assert "macs, others, all" in told["trouble"]
    home.hold(devices=[mac("d1")])
    home.round()
    headlines = sorted(told["headline"] for told in home.told)
    assert headlines == ["3 checks can be answered again", *["Macs of the lab: 1 new, 1 in all"] * 3]


def test_a_check_that_is_changed_tells_anew_and_says_so(tmp_path: Path) -> None:
    home = Watched(tmp_path)
    home.macs("d1")
    home.round()
    assert len(home.told) == 1
    home.write(MACS.replace('key = ["device_id"]', 'key = ["serial_number"]'))
    home.round()
    (told,) = home.told
    assert labels(told) == ["D1, Mac d1"]
    assert told["notes"][0] == "The check was changed: all that it finds is told anew."
    assert home.round().told == 0


def test_an_answer_that_is_too_long_is_no_answer(tmp_path: Path) -> None:
    home = Watched(tmp_path, '[check.all]\nsql = "SELECT range FROM range(10001)"\n')
    home.macs("d1")
    assert "more than 10,000 rows" in home.round().asked[0].trouble


def test_exploited_vulnerabilities_are_told_where_both_lists_were_read(tmp_path: Path) -> None:
    home = Watched(tmp_path, "[check.exploited_vulnerabilities]\n")
    cves = [{"cve_id": f"CVE-1-{n}", "status": "Active" if n else "Remediated", "device_count": n} for n in range(3)]
    home.hold(vulnerabilities=cves)
    assert "known_exploited_vulnerabilities was never read" in home.round().asked[0].trouble
    home.hold(known_exploited_vulnerabilities=[{"cve_id": f"CVE-1-{n}", "name": "A flaw"} for n in range(2)])
    home.round()
    assert labels(home.told[-1]) == ["CVE-1-1, A flaw, devices 1"]


# -- the mirror itself -------------------------------------------------------------------------------------------------


def test_a_table_is_too_old_after_so_many_times_its_time_to_live(tmp_path: Path) -> None:
    home = Watched(tmp_path, '[check.old]\nwhen = "older"\ntimes = 3\n')
    home.hold(devices=[mac("d1")])  # read at BEGAN, due after 5 minutes
    assert home.round(after=timedelta(minutes=14)).asked[0].total == 0
    home.round(after=timedelta(minutes=2))
    assert labels(home.told[0]) == ["devices, read 2026-11-20 12:00 UTC, due after 5 min"]
    home.now = BEGAN - DAY
    home.round()
    assert home.told == []  # the clock was set back: its age is not known, and it is no new finding
    assert home.round().asked[0].total == 1


@pytest.mark.parametrize("named", ["", 'tables = ["apps"]\n'])
def test_a_table_that_was_never_read_counts_where_it_is_named(tmp_path: Path, named: str) -> None:
    home = Watched(tmp_path, f'[check.old]\nwhen = "older"\n{named}')
    home.hold(devices=[mac("d1")])
    assert home.round().asked[0].total == bool(named)
    assert [label for told in home.told for label in labels(told)] == ["apps, never synced, due after 5 min"] * bool(
        named
    )


def test_a_silent_syncer_is_told_also_by_a_clock_that_jumps(tmp_path: Path) -> None:
    home = Watched(tmp_path, '[check.syncer_silent]\nafter = "2h"\n')
    home.hold(devices=[mac("d1")])
    assert home.round(after=HOUR).asked[0].total == 0
    home.now = BEGAN - 10 * DAY  # heard in the future: from when that was seen
    assert home.round().asked[0].total == 0
    assert home.round(after=HOUR).told == 0
    home.round(after=2 * HOUR)
    assert home.told[0]["headline"].endswith(": heard 2026-11-20 12:00 UTC, 3 h ago")
    home.now = BEGAN + HOUR
    home.round()
    assert [told["ended_count"] for told in home.told] == [1]


def test_a_home_that_was_never_synced_is_silent(tmp_path: Path) -> None:
    home = Watched(tmp_path, "[check.syncer_silent]\n")
    home.round()
    assert home.told[0]["headline"] == "Nothing heard from the process that syncs: never synced"


# -- when --------------------------------------------------------------------------------------------------------------


def asked(home: Watched, after: timedelta) -> bool:
    return home.round(after=after, everything=False).asked[0].due_at is None


def test_a_check_is_asked_every_so_often(tmp_path: Path) -> None:
    home = Watched(tmp_path, MACS + 'every = "1h"\n')
    home.macs("d1")
    assert asked(home, timedelta())
    assert not asked(home, timedelta(minutes=58))
    assert asked(home, timedelta(minutes=1))  # cron is not exact to the second
    home.now = BEGAN - 30 * DAY
    assert asked(home, timedelta())  # the clock was set back
    assert not asked(home, timedelta(minutes=58))
    assert len(home.told) == 1


def test_a_check_is_asked_at_an_hour_of_its_zone(tmp_path: Path) -> None:
    home = Watched(tmp_path, MACS + 'at = ["08:00", "20:30"]\ntimezone = "Asia/Tokyo"\n')  # 23:00 and 11:30 UTC
    home.macs("d1")
    assert asked(home, timedelta())
    assert not asked(home, timedelta(hours=10, minutes=59))
    assert asked(home, timedelta(minutes=1))
    assert not asked(home, timedelta(hours=12))
    assert asked(home, timedelta(hours=36))  # what was missed is made up for, once
    assert not asked(home, timedelta(minutes=1))


def test_nobody_is_told_in_a_quiet_time_and_everything_after_it(tmp_path: Path) -> None:
    home = Watched(tmp_path, MACS + 'quiet = "14:00-16:00"\ntimezone = "Europe/Berlin"\n')  # 13:00 to 15:00 UTC
    home.macs("d1")
    home.round(after=HOUR)
    home.macs("d1", "d2")
    home.round(after=HOUR / 2)
    home.macs("d1", "d3")
    home.round(after=HOUR / 2)
    assert home.told == []
    home.round(after=HOUR)
    (told,) = home.told
    assert labels(told) == ["D1, Mac d1", "D2, Mac d2 (over after 30 min)", "D3, Mac d3"]
    assert told["total"] == 2
    assert home.round(after=HOUR).told == 0


def test_what_is_found_before_anybody_is_to_be_told_is_told_then(tmp_path: Path) -> None:
    home = Watched(tmp_path)
    home.write(MACS, tell="[]")
    home.macs("d1")
    home.round()
    assert home.told == []
    home.write(MACS)
    home.round()
    assert labels(home.told[0]) == ["D1, Mac d1"]


# -- what is remembered ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"no database", None], ids=["not one", "a page of it"])
def test_a_damaged_file_is_told_and_kept_aside(tmp_path: Path, damage: bytes | None) -> None:
    home = Watched(tmp_path)
    home.macs("d1")
    home.round()
    assert len(home.told) == 1
    state = tmp_path / "checks.sqlite"
    with closing(sqlite3.connect(state)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = state.read_bytes()
    state.write_bytes(damage or whole[:4096] + bytes(len(whole) - 4096))
    report = home.round(after=HOUR)
    assert "damaged" in report.damage
    told = home.told
    assert [each["headline"] for each in told] == [
        "What was remembered of checks was damaged",
        "Macs of the lab: 1 new, 1 in all",
    ]
    assert told[1]["may_have_been_told_before"]
    (aside,) = tmp_path.glob("checks.sqlite.damaged-*")
    assert aside.name in told[0]["trouble"]
    assert home.round(after=HOUR).told == 0
    assert overview(home.home, Privacy.OFF, home.now).damaged == aside.name


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    home = Watched(tmp_path)
    home.macs("d1")
    home.round()
    with closing(sqlite3.connect(tmp_path / "checks.sqlite")) as file:
        file.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="a newer version"):
        home.round()


def test_what_is_remembered_is_its_owners_alone(tmp_path: Path) -> None:
    home = Watched(tmp_path)
    home.macs("d1")
    home.round()
    assert [path.name for path in tmp_path.glob("*.sqlite*") if path.stat().st_mode & 0o077] == []
    assert home.file.stat().st_mode & 0o777 == 0o600


# -- privacy -----------------------------------------------------------------------------------------------------------

PEOPLE = """
[check.people]
sql = "SELECT device_id, user_name FROM devices ORDER BY device_id"
columns = ["user_name"]
"""


def test_nobody_sees_names_where_they_are_never_written(tmp_path: Path) -> None:
    home = Watched(tmp_path, PEOPLE + "personal = true\n", KANDJI_MIRROR_PRIVACY="on")
    broken = home.round().broken["check people"]
    assert "personal is True; it must be false: KANDJI_MIRROR_PRIVACY is on" in broken


def test_what_a_looser_mode_remembered_goes_with_it(tmp_path: Path) -> None:
    home = Watched(tmp_path, MACS)
    home.write(MACS, tell="[]")
    home.macs("anna")
    home.round()
    home.settings = home.settings.given(mirror_privacy="agents")
    home.write('[check.macs]\nsql = "SELECT 1 AS id"\nenabled = false\n')
    home.round()
    with closing(sqlite3.connect(tmp_path / "checks.sqlite")) as file:
        assert "anna" not in "\n".join(file.iterdump())


@pytest.mark.heavy
def test_names_are_told_where_a_check_may_and_go_where_it_may_not(tmp_path: Path) -> None:
    tenant = make_tenant(4)
    run_sync(tmp_path, tenant, "devices", privacy=Privacy.AGENTS)
    names = {row["device_name"] for row in tenant.world.truth("devices") if row["platform"] == "Mac"}
    checks = MACS.replace("{macs}", "devices WHERE platform = 'Mac'")
    home = Watched(tmp_path, checks + "personal = true\n", KANDJI_MIRROR_PRIVACY="agents")
    home.round()
    assert {entry["row"]["device_name"] for entry in home.told[0]["new"]} == names
    home.write(checks)
    home.round()
    (told,) = home.told
    assert {entry["row"]["device_name"][:7] for entry in told["new"]} == {"device_"}
    assert told["notes"][0] == "The check was changed: all that it finds is told anew."
    with closing(sqlite3.connect(tmp_path / "checks.sqlite")) as file:
        kept = json.dumps([*file.execute("SELECT row FROM findings"), *file.execute("SELECT document FROM tellings")])
    assert [name for name in names if json.dumps(name)[1:-1] in kept] == []


def test_a_text_of_no_answer_has_no_notes_of_an_earlier_one_and_repeats_no_long_name(tmp_path: Path) -> None:
    check = '[check.any]\nsql = "SELECT device_id, serial_number FROM devices"\n'
    home = Watched(tmp_path, check)
    home.hold(devices=[mac("d1")])
    home.round()
    (first,) = home.told
    assert first["notes"][0].startswith("devices: 10 d old")
    assert list(first["as_of"]) == ["devices"]
    home.write(check + f"key = ['{'k' * 100_000}']\n")
    home.round()
    (told,) = home.told
    assert told["trouble"].startswith("key names 'kkkk")
    assert (len(told["trouble"]) < 300, told["notes"], told["as_of"], told["dated"]) == (True, [], {}, "")
    home.write('[check.any]\nsql = "SELECT NULL AS n"\nwhen = "above"\nvalue = 1\nnumber = "n"\n')
    assert home.round().asked[0].trouble == "n is NULL, no number, so nothing is known."


def test_a_check_that_asks_nothing_is_told_so(tmp_path: Path) -> None:
    Watched(tmp_path, '[check.mine]\ntitle = "Mine"\n[check.macs_without_filevalt]\n')
    broken = read_checks(tmp_path).broken
    assert "query is missing; it is the name of a query; or sql, a statement; or the check" in broken["check mine"]
    assert "it must be one of macs_without_filevault" in broken["check macs_without_filevalt"]


# -- the file of checks ------------------------------------------------------------------------------------------------


@pytest.mark.many(quick_every=3)
@pytest.mark.parametrize(
    ("check", "words"),
    [
        ('when = "often"', "when is 'often'; it must be one of"),
        ("every = 5", "every is 5; it must be a time such as 15m"),
        ('every = "0s"', "every is '0s'"),
        ('at = "25:00"', "at is '25:00'; it must be hours as 00:00 to 23:59"),
        ('at = "8:00"\nevery = "1h"', "left out where there is `every`"),
        ('quiet = "night"', "quiet is 'night'; it must be two hours"),
        ('quiet = "07:00-07:00"', "quiet is '07:00-07:00'; it must be two different hours"),
        ('timezone = "Mars/Olympus"', "timezone is 'Mars/Olympus'; it must be a zone such as Europe/Zurich"),
        ('tell = ["ops"]', "tell is 'ops'; it must be one of log"),
        ('severity = "fatal"', "severity is 'fatal'; it must be one of critical, info, warning"),
        ('querry = "x"', "a key is 'querry'; it must be one of query"),
        ('query = "fleet_activity"', "sql is 'SELECT 1'; it must be left out where there is `query`"),
        ("rows = 0", "rows is 0; it must be a whole number from 1 to 50"),
        ("rows = true", "rows is True"),
        ("ended = 1", "ended is 1; it must be true or false, without quotes"),
        ("personal = 'yes'", "personal is 'yes'; it must be true or false"),
        ("params = 7", "params is 7; it must be names and values"),
        ("key = [1]", "key is [1]; it must be a text or a list of texts"),
        ('when = "above"', "value is missing; it is the number that is told when it is above"),
        ('when = "above"\nvalue = "7"', "value is '7'; it must be a number, without quotes"),
        ('when = "above"\nvalue = nan', "value is nan"),
        ('when = "older"', "sql is 'SELECT 1'; it must be left out"),
        ('title = ""', "title is ''; it must be a text"),
        ("after = '1h'", "after is '1h'; it must be left out with when = \"any\""),
        (f"title = '{'x' * 100_000}'\nrows = 'x'", "rows is 'x'"),
        (f"severity = '{'🙂' * 100_000}'", "severity is '🙂🙂"),
        ('severity = "\\u202e\\n"', "severity is '\\u202e\\n'"),
    ],
    ids=lambda value: value[:30],
)
def test_what_is_wrong_is_told_with_file_check_key_value_and_rule(tmp_path: Path, check: str, words: str) -> None:
    home = Watched(tmp_path, f'[check.mine]\nsql = "SELECT 1"\n{check}\n{MACS}')
    file = read_checks(tmp_path)
    told = file.broken["check mine"]
    assert told.startswith(f"{tmp_path / 'checks.toml'}, check mine: ")
    assert words in told
    assert len(told) < 600
    assert [*file.checks] == ["macs"]
    home.macs("d1")
    home.round()
    assert len(home.told) == 1  # the other one goes on


@pytest.mark.many(quick_every=3)
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ('kind = "fax"', "kind is 'fax'; it must be one of"),
        ('kind = "slack"', "url is missing; it is env:NAME"),
        ('kind = "slack"\nurl = "http://hooks.example/SECRET"', "url cannot be used; it must be an address with https"),
        ('kind = "slack"\nurl = "SECRET"', "url cannot be used"),
        ('kind = "slack"\nurl = ["SECRET"]', "url cannot be used; it must be env:NAME"),
        ('kind = "command"\ncommand = "/bin/echo SECRET"', "it must be a list: the whole path of a program"),
        ('kind = "command"\ncommand = ["echo"]', "the whole path of a program"),
        (
            'kind = "command"\ncommand = ["/bin/true"]\nseconds = 0',
            "seconds is 0; it must be more than 0 and at most 300",
        ),
        ('kind = "file"\npath = "told.jsonl"', "path is 'told.jsonl'; it must be a whole path"),
        ('kind = "email"\nhost = "mail.example"\nsecurity = "none"', "security is 'none'; it must be starttls or tls"),
        ('kind = "email"\nhost = "mail.example"\nfrom = "a@b.c"\nto = "no"', "to is 'no'; it must be an address"),
        ('kind = "email"\nhost = "m.example"\nuser = "u"\nfrom = "a@b.c"\nto = "a@b.c"', "password is missing"),
        ('kind = "email"\nhost = "m.example"\nfrom = "a@b.c\\nBcc: x@y.z"\nto = "a@b.c"', "from is "),
    ],
    ids=lambda value: value[:40],
)
def test_a_target_that_is_wrong_is_told_without_its_secrets(tmp_path: Path, target: str, words: str) -> None:
    home = Watched(tmp_path, f'[target.ops]\n{target}\n{MACS}tell = ["ops"]\n')
    broken = read_checks(tmp_path).broken
    assert words in broken["target ops"]
    assert broken["target ops"].startswith(f"{tmp_path / 'checks.toml'}, target ops: ")
    assert "this one is wrong" in broken["check macs"]
    assert "SECRET" not in str(broken).replace('"/bin/echo SECRET"', "").replace("'/bin/echo SECRET'", "")
    assert home.round().told == 0


@pytest.mark.parametrize(
    "text", ["check = 7", "[[check]]", "tell = 1", "colour = 1", "pages = 'ftp://x'", "[check.", "\udcff"]
)
def test_a_file_that_is_none_is_an_error_as_a_whole(tmp_path: Path, text: str) -> None:
    home = Watched(tmp_path)
    (tmp_path / "checks.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigurationError, match=r"checks\.toml"):
        home.round()
    assert "checks.toml" in overview(tmp_path, Privacy.OFF, home.now).error


@pytest.mark.parametrize("what", ["checks.toml", "."])
def test_a_file_that_others_could_write_is_not_used(tmp_path: Path, what: str) -> None:
    home = Watched(tmp_path, MACS)
    (tmp_path / what).chmod(0o777)
    with pytest.raises(ConfigurationError, match="is not used: everyone may write"):
        home.round()
    (tmp_path / what).chmod(0o700)


def test_a_secret_stands_in_a_file_that_its_owner_alone_may_read(tmp_path: Path) -> None:
    Watched(tmp_path, '[target.ops]\nkind = "slack"\nurl = "https://hooks.example/SECRET"\n')
    assert read_checks(tmp_path).broken == {}
    (tmp_path / "checks.toml").chmod(0o644)
    (told,) = read_checks(tmp_path).broken.values()
    assert "chmod 600" in told
    assert "SECRET" not in told


def test_a_built_in_check_is_switched_on_by_its_name_and_set_otherwise(tmp_path: Path) -> None:
    Watched(
        tmp_path,
        '[check.devices_not_checked_in]\nparams = { days = 7 }\nat = "08:00"\n[check.macs_without_filevault]\n',
    )
    file = read_checks(tmp_path)
    assert file.broken == {}
    check = file.checks["devices_not_checked_in"]
    assert str(check.schedule) == "at 08:00 UTC"
    assert dict(check.condition.question.params) == {"days": 7}  # type: ignore[union-attr]  # it asks a query
    assert file.checks["macs_without_filevault"].severity == "critical"
    Watched(tmp_path, '[check.devices_not_checked_in]\nquery = "fleet_activity"\n')
    assert "is a built-in check; name yours otherwise" in read_checks(tmp_path).broken["check devices_not_checked_in"]
    Watched(tmp_path, "[check.macs_without_filevalt]\n")
    assert "one of macs_without_filevault" in read_checks(tmp_path).broken["check macs_without_filevalt"]


def test_a_check_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="macs"):
        Watched(tmp_path).round("mac")


@pytest.mark.heavy
def test_every_built_in_check_has_an_answer(tmp_path: Path) -> None:
    synced(tmp_path)
    home = Watched(tmp_path, "\n".join(f"[check.{name}]" for name in built_in()))
    report = home.round()
    assert report.broken == {}
    troubles = {asked.name: asked.trouble for asked in report.asked if asked.trouble}
    unread = " was never read, so nothing is known; KANDJI_MIRROR_FEEDS="
    assert troubles == {
        "exploited_vulnerabilities": f"known_exploited_vulnerabilities{unread}kev has it read.",
        "exploited_cves_unfixed": f"os_releases{unread}sofa has it read.",
        "devices_behind": f"os_releases{unread}sofa has it read.",
    }
    assert sum(asked.began for asked in report.asked) > 10
    assert home.round().told == 0  # every key names its row


@pytest.mark.slow
def test_built_in_checks_name_columns_that_their_queries_have() -> None:
    mirror = DeclaredMirror()
    for name, table in built_in().items():
        if "query" in table:
            columns = {column.name for column in mirror.columns(catalog()[table["query"]])}
            assert {*table["key"], *table["columns"]} <= columns, name


def test_the_file_to_begin_with_is_right_also_with_all_checks_on(tmp_path: Path) -> None:
    path = write_first(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_checks(tmp_path).broken == {}
    lines = path.read_text().splitlines()
    begun = next(n for n, line in enumerate(lines) if line.startswith(f"# [check.{min(built_in())}]"))
    path.write_text(
        "\n".join([*lines[:begun], *(line.removeprefix("# ") for line in lines[begun:] if "[check." in line)])
    )
    file = read_checks(tmp_path)
    assert {*built_in()} <= {*file.checks}
