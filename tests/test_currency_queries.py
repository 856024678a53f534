"""Named queries about updates, each recomputed in plain loops over what the oracle says of every device."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from currency_oracle import NUMBER, Judged, World, judge, read_world
from past_home import PastHome
from test_currency import BY_HAND, DOCUMENTS, EARLIER, LATER, Device, fleet, rows_of

from kandji_mirror.feeds.load import load_files
from kandji_queries.catalog.search import search
from kandji_queries.charts.picture import read_picture
from kandji_queries.reader import Reader
from kandji_web.report.table import table_of

VULNERABILITIES = [
    {"cve_id": cve, "severity": "High", "cvss_score": score, "status": status}
    for cve, score, status in (
        ("CVE-2026-90001", 5.0, "Active"),
        ("CVE-2026-90004", 6.0, "Active"),
        ("CVE-2020-1", 9.9, "Active"),
        ("CVE-2026-90020", 9.8, "Remediated"),
    )
]


@pytest.fixture(scope="module")
def world() -> World:
    return read_world(*DOCUMENTS)


@pytest.fixture(scope="module")
def states(world: World) -> tuple[list[Device], list[Device]]:
    """The fleet of October, and that of November: some devices updated, one left, one came, the last are by hand."""
    keys = ("platform", "model_id", "os_version", "build", "extra")
    hand = [
        {"device_id": f"h{n}", **dict(zip(keys, facts, strict=True))} for n, (facts, _) in enumerate(BY_HAND.values())
    ]
    before = fleet(world, 120, seed=7)
    after = fleet(world, 120, seed=8, model_of={device["device_id"]: device for device in before})
    moved = [old if place % 3 == 0 else new for place, (old, new) in enumerate(zip(before, after, strict=True))]
    return [*before[:-1], *hand], [*moved[1:], *hand]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, states: tuple[list[Device], list[Device]]) -> Iterator[Reader]:
    made = PastHome(tmp_path_factory.mktemp("patches"))
    made.add(EARLIER, **rows_of(states[0]), vulnerabilities=VULNERABILITIES)
    made.add(LATER, **rows_of(states[1]))
    load_files(made.home, "example", DOCUMENTS)
    with Reader(made.home) as found:
        yield found


@pytest.fixture(scope="module")
def judged(world: World, states: tuple[list[Device], list[Device]]) -> dict[str, Judged]:
    today = datetime.now(UTC).date()
    return {device["device_id"]: judge(world, device, today, before=False) for device in states[1]}


def asked(reader: Reader, query: str, **params: Any) -> list[dict[str, Any]]:
    found = reader.query(query, params)
    return [dict(zip([column.name for column in found.columns], row, strict=True)) for row in found.rows]


def blueprint_of(device_id: str) -> str:
    return "Even" if device_id[-1] in "02468" else "(no blueprint)"


def test_the_report_counts_every_device_once(reader: Reader, judged: dict[str, Judged]) -> None:
    found = {row["blueprint"]: row for row in asked(reader, "patch_report")}
    for blueprint, row in found.items():
        mine = [told for name, told in judged.items() if blueprint_of(name) == blueprint]
        kinds = Counter(told.currency for told in mine)
        assert [
            row["devices"],
            row["current"],
            row["current_of_major"],
            row["behind"],
            row["beta"],
            row["unknown"],
        ] == [
            len(mine),
            *(kinds[word] for word in ("current", "current of its major", "behind", "beta", "unknown")),
        ]
        still = sum(told.currency == "current of its major" and told.gets_fixes is True for told in mine)
        assert row["patched"] == kinds["current"] + still
        days = [told.behind[1] for told in mine if told.behind and told.behind[1]]
        assert row["median_days_behind"] == median(days)
        lacked = [told.lacked[1] for told in mine if told.lacked and told.lacked[1]]
        assert [row["with_exploited"], row["exploited_cves"]] == [
            len(lacked),
            len({cve for cves in lacked for cve in cves}),
        ]
    assert sum(row["devices"] for row in found.values()) == len(judged)


def test_the_table_of_a_report_shows_what_is_behind_and_not_what_leads_there(reader: Reader) -> None:
    shown = [heading.words for heading in table_of(read_picture(reader, "patch_report")).headings]
    assert {"Behind", "Median days behind"} <= {*shown}
    assert "Behind" not in [heading.words for heading in table_of(read_picture(reader, "expiries")).headings]


@pytest.mark.parametrize("own_major", [False, True])
def test_devices_behind_are_those_for_longer_than_asked(
    reader: Reader, judged: dict[str, Judged], own_major: bool
) -> None:
    found = [row["device_id"] for row in asked(reader, "devices_behind", days=30, own_major=own_major)]
    spans = {name: told.behind_own if own_major else told.behind for name, told in judged.items()}
    assert sorted(found) == sorted(name for name, span in spans.items() if span and span[1] > 30)
    assert len(found) > 20


def test_exploited_cves_are_counted_with_the_day_they_were_due(reader: Reader, judged: dict[str, Judged]) -> None:
    expected = Counter(cve for told in judged.values() if told.lacked for cve in told.lacked[1])
    own = Counter(cve for told in judged.values() if told.lacked_own for cve in told.lacked_own[1])
    due = {v["cveID"]: v["dueDate"] for v in json.loads(DOCUMENTS[2].read_text())["vulnerabilities"]}
    found = asked(reader, "exploited_unfixed")
    assert {row["cve_id"]: row["devices"] for row in found} == dict(expected)
    for row in found:
        assert row["fixed_by_own_major"] == own[row["cve_id"]]
        assert (row["due_date"] and f"{row['due_date']:%Y-%m-%d}") == due.get(row["cve_id"])
    assert found[0]["fixed_in"] == ["macOS 13.7.8"]  # the one that is overdue longest
    assert [row["days_overdue"] for row in found] == sorted((row["days_overdue"] for row in found), reverse=True)


def test_macs_without_a_supported_system_are_listed_and_those_nobody_knows_last(
    reader: Reader, states: tuple[list[Device], list[Device]]
) -> None:
    found = asked(reader, "macs_without_supported_os")
    macs = [device for device in states[1] if device["platform"] == "Mac"]
    old = {device["device_id"] for device in macs if device["model_id"] == "iMac18,3"}
    unknown = {device["device_id"] for device in macs if device["model_id"] in {None, "Mac99,9", "Mac99,1"}}
    assert old
    assert {row["device_id"] for row in found if row["is_known"]} == old
    assert {row["device_id"] for row in found if not row["is_known"]} == unknown
    assert [row["is_known"] for row in found] == sorted((row["is_known"] for row in found), reverse=True)


def test_vulnerabilities_are_told_by_the_day_they_are_due(reader: Reader) -> None:
    found = asked(reader, "vulnerabilities_by_due_date")
    assert [row["cve_id"] for row in found] == ["CVE-2026-90004", "CVE-2026-90001", "CVE-2020-1"]
    assert [row["in_catalogue"] for row in found] == [True, True, False]
    assert found[0]["days_overdue"] == (datetime.now(UTC).date() - date(2026, 11, 18)).days
    listed = asked(reader, "vulnerabilities_by_due_date", exploited_only=True)
    assert [row["cve_id"] for row in listed] == ["CVE-2026-90004", "CVE-2026-90001"]
    every = asked(reader, "vulnerabilities_by_due_date", with_remediated=True)
    assert len(every) == 4
    (done,) = (row for row in every if row["status"] == "Remediated")
    assert (done["days_overdue"] > 0, done["overdue"]) == (True, 0)


def _version(text: str | None) -> tuple[int, ...]:
    read = NUMBER.fullmatch(text or "")
    return tuple([*(int(part) for part in read[1].split(".")), 0, 0, 0][:4]) if read else ()


@pytest.mark.slow
@pytest.mark.parametrize(("system", "version"), [("macOS", "26.0"), ("macOS", "26.1.1"), ("iOS", "26.1")])
def test_the_adoption_of_a_release_is_what_each_day_had(
    reader: Reader, world: World, states: tuple[list[Device], list[Device]], system: str, version: str
) -> None:
    release = next(r for r in world.releases if r.os == system and r.text == version and not r.letter)
    found = asked(reader, "release_adoption", os=system, version=version)
    days = []
    for row in found:
        # the updates were at midnight, which is the end of the day before
        devices = states[0] if row["day"] < LATER.date() - timedelta(days=1) else states[1]
        can = [
            device
            for device in devices
            if (majors := world.majors.get((system, device["model_id"] or ""))) is not None
            and (device["model_id"] in release.models if release.models else release.major in majors)
        ]
        has = [device for device in can if _version(device["os_version"]) >= release.version]
        assert (row["devices"], row["eligible"]) == (len(has), len(can)), row
        assert row["days_since_release"] == (row["day"] - release.day).days
        days.append(row["day"])
    first = max(release.day, EARLIER.date() - timedelta(days=1))  # at its end begins the history
    assert days == [first + timedelta(days=n) for n in range(len(days))]
    assert days[-1] == datetime.now(UTC).date()
    notes = reader.query("release_adoption", {"os": system, "version": version}).notes
    assert any("History begins on 2026-10-20" in note for note in notes) == (release.day < EARLIER.date())


def test_the_velocity_is_of_updates_that_were_seen(
    reader: Reader, world: World, states: tuple[list[Device], list[Device]]
) -> None:
    days, not_dated = defaultdict(list), Counter[str]()
    before = {device["device_id"]: device["os_version"] for device in states[0]}
    for device in states[1]:
        system = {"Mac": "macOS", "iPad": "iOS", "iPhone": "iOS"}.get(device["platform"])
        old, new = _version(before.get(device["device_id"])), _version(device["os_version"])
        if system is None or not old or new <= old:
            continue
        dated = [r.day for r in world.releases if r.os == system and r.version == new and not r.letter]
        blueprint = blueprint_of(device["device_id"])
        if dated:
            days[blueprint].append((LATER.date() - min(dated)).days)
        else:
            not_dated[blueprint] += 1
    for row in asked(reader, "patch_velocity", days=3650):
        mine = days[row["blueprint"]]
        assert (row["installations"], row["not_dated"]) == (len(mine), not_dated[row["blueprint"]])
        assert (row["median_days"], row["slowest_days"]) == (median(mine), max(mine))
    assert len(days) == 2


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("which Macs are behind on patches", "devices_behind"),
        ("which Macs are behind on patches", "patch_report"),
        ("how long behind", "os_currency.days_behind"),
        ("exploited CVEs unfixed", "exploited_unfixed"),
        ("was it up to date on 1 September", "os_currency.currency"),
        ("adoption of a release", "release_adoption"),
        ("kev due date", "known_exploited_vulnerabilities.due_date"),
    ],
)
def test_questions_find_what_answers_them(reader: Reader, words: str, name: str) -> None:
    assert name in [hit.name for hit in search(reader, words).hits]
