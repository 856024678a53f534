"""How current devices are: by hand for each kind of device, and by an oracle in plain Python for a random fleet."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from currency_oracle import Judged, World, judge, read_world
from past_home import PastHome

from kandji_mirror.feeds.load import load_files
from kandji_queries.profile import read_profile
from kandji_queries.reader import Reader
from kandji_schema.errors import Failed, Refused
from kandji_web.report.contents import About, Wanted
from kandji_web.report.reading import read_report

HERE = Path(__file__).parent
DOCUMENTS = [HERE / "feeds" / name for name in ("sofa_macos.json", "sofa_ios.json", "kev.json")]
REAL = Path(__file__).parents[2] / "shared" / "feeds"
REAL_DOCUMENTS = [REAL / name for name in ("sofa-v2-macos_data_feed.json", "sofa-v2-ios_data_feed.json", "kev.json")]

EARLIER, LATER = datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
BETWEEN = "2026-11-01"
DAY = "2026-11-20 12:00"

Device = Mapping[str, Any]
NO_FIXES: tuple[int, list[str]] = (0, [])

# platform, model, version, build, response: what is to be said on 20 November
BY_HAND: dict[str, tuple[tuple[str | None, ...], dict[str, Any]]] = {
    "newest of all": (("Mac", "Mac14,2", "26.2.1", "25C80", "(a)"), {"currency": "current", "fixes_lacked": 0}),
    "newest of an old major": (
        ("Mac", "Mac14,2", "15.7.3", "24G419", ""),
        {
            "currency": "current of its major",
            "newest_version": "26.2.1",
            "newest_of_major": "15.7.3",
            "versions_behind": 4,
            "days_behind": 67,
            "days_behind_in_major": 0,
            "fixes_lacked": 5,
            "exploited_lacked": 0,
            "fixes_lacked_in_major": 0,
            "major_gets_fixes": True,
        },
    ),
    "a beta": (
        ("Mac", "Mac14,2", "26.2", "25C5048a", ""),
        {
            "currency": "beta",
            "versions_behind": 2,
            "days_behind": 24,
            "exploited_cves_lacked": ["CVE-2026-90001", "CVE-2026-90004"],
        },
    ),
    "a beta of what is to come": (
        ("Mac", "Mac14,2", "26.3", "25D5034c", ""),
        {"currency": "beta", "versions_behind": None, "days_behind": None, "fixes_lacked": None},
    ),
    "without the response": (("Mac", "Mac14,2", "26.2.1", "25C80", ""), {"currency": "current", "fixes_lacked": 1}),
    "the response in its build": (
        ("Mac", "Mac14,2", "26.2.1", "25C771080a", ""),
        {"currency": "current", "version_extra": "(a)", "fixes_lacked": 0},
    ),
    "the response in its version": (
        ("Mac", "Mac14,2", "26.2.1 (a)", "", None),
        {"currency": "current", "version_extra": "(a)", "fixes_lacked": 0},
    ),
    "an older response": (
        ("Mac", "Mac14,2", "26.2", "25C771056a", "(a)"),
        {"currency": "behind", "versions_behind": 1, "fixes_lacked": 2, "exploited_lacked": 1},
    ),
    "a model that cannot go on": (
        ("Mac", "MacBookAir9,1", "15.7.3", "24G419", ""),
        {"currency": "current", "newest_version": "15.7.3", "days_behind": 0, "model_gets_fixes": True},
    ),
    "a model whose last system gets no fixes": (
        ("Mac", "iMac18,3", "13.7.8", "22H730", ""),
        {"currency": "current", "newest_version": "13.7.8", "model_gets_fixes": False, "major_gets_fixes": False},
    ),
    "a Mac that the feed's lists forget": (
        ("Mac", "MacBookPro16,1", "26.0", "25A354", ""),
        {"currency": "behind", "newest_version": "26.2.1", "versions_behind": 3, "days_behind": 53},
    ),
    "an iPad": (
        ("iPad", "iPad13,18", "26.1", "23B85", ""),
        {"os": "iOS", "currency": "behind", "newest_version": "26.2", "versions_behind": 1, "days_behind": 10},
    ),
    "an iPhone that a release of its major leaves out": (
        ("iPhone", "iPhone14,5", "18.7.2", "22H124", ""),
        {"currency": "current of its major", "newest_of_major": "18.7.2", "versions_behind": 3, "days_behind": 67},
    ),
    "an iPhone that it is for": (
        ("iPhone", "iPhone11,8", "18.7.3", "22H217", ""),
        {"currency": "current", "newest_version": "18.7.3"},
    ),
    "an unknown model": (
        ("Mac", "Mac99,1", "26.2.1", "25C80", ""),
        {
            "currency": "unknown",
            "versions_behind": None,
            "days_behind": None,
            "fixes_lacked": None,
            "newest_version": None,
        },
    ),
    "newer than the feed": (
        ("Mac", "Mac15,3", "26.3", "25D120", ""),
        {
            "currency": "newer than the feed",
            "versions_behind": None,
            "exploited_lacked": None,
            "newest_version": "26.2.1",
        },
    ),
    "newer than the feed in its major": (
        ("Mac", "Mac15,3", "15.7.4", "24G500", ""),
        {"currency": "newer than the feed", "newest_version": "26.2.1", "versions_behind_in_major": None},
    ),
    "two majors behind": (
        ("Mac", "Mac14,2", "13.7.8", "22H730", ""),
        {"currency": "current of its major", "versions_behind": 7, "days_behind": 67, "major_gets_fixes": False},
    ),
    "without details": (("Mac", None, "26.2.1", "25C80", ""), {"currency": "unknown", "newest_version": None}),
    "a version that is none": (
        ("Mac", "Mac14,2", "😀'); --", "", ""),
        {"currency": "unknown", "newest_version": "26.2.1", "versions_behind": None},
    ),
    "Windows": (("Windows", None, "25H2", "", ""), {"currency": "unknown", "os": None, "days_behind": None}),
}


def fleet(world: World, size: int, *, seed: int, model_of: Mapping[str, Device] | None = None) -> list[Device]:
    """Devices with models, versions, builds and responses of the feeds and of nobody; models again, if given."""
    draw = random.Random(seed)  # noqa: S311  # a fleet, the same each time
    models = [*sorted(world.majors), ("macOS", "Mac99,9"), ("iOS", None), ("Windows", None)]
    devices: list[Device] = []
    for number in range(size):
        system, model = draw.choice(models)
        if model_of:
            system, model = model_of[f"d{number}"]["system"], model_of[f"d{number}"]["model_id"]
        fit = [r for r in world.releases if r.os == system and r.major in world.majors.get((system, model or ""), ())]
        release = draw.choice(fit if fit and draw.random() < 0.6 else world.releases)
        found = {
            "device_id": f"d{number}",
            "system": system,
            "platform": {"macOS": "Mac", "Windows": "Windows"}.get(
                system, "iPad" if "iPad" in (model or "") else "iPhone"
            ),
            "model_id": model,
            "os_version": release.text,
            "build": next(iter(sorted(release.builds)), ""),
            "extra": f"({release.letter})" if release.letter else "",
        }
        odd = [
            {},
            {"build": f"25G50{draw.randrange(10, 100)}{draw.choice('abcd')}"},
            {
                "os_version": draw.choice(
                    ["26.9", "27.0", "15.99", "", "?", "26.2 (a)", "11.7.10", f"{release.text} (a)"]
                )
            },
            {"extra": "(a)"},
            {"build": "25C771080a"},
        ]
        devices.append({**found, **draw.choices(odd, (80, 6, 6, 4, 4))[0]})
    return devices


def rows_of(devices: list[Device]) -> dict[str, list[dict[str, Any]]]:
    """The rows of both tables; a device without a model is not in Prism."""
    return {
        "devices": [
            {
                "device_id": device["device_id"],
                "device_name": device.get("name", device["device_id"]),
                "serial_number": f"S{device['device_id']}",
                "platform": device["platform"],
                "blueprint_name": "Even" if device["device_id"][-1] in "02468" else None,
                "os_version": device["os_version"],
                "supplemental_build_version": device["build"],
                "supplemental_os_version_extra": device["extra"],
                "is_missing": False,
                "is_removed": device["device_id"] == "d0",
            }
            for device in devices
        ],
        "prism_device_information": [
            {
                "device_id": d["device_id"],
                "model_id": d["model_id"],
                "os_version": d["os_version"],
                "os_build": d["build"],
            }
            for d in devices
            if d["model_id"]
        ],
    }


@pytest.fixture(scope="module")
def world() -> World:
    return read_world(*DOCUMENTS)


@pytest.fixture(scope="module")
def devices(world: World) -> tuple[list[Device], list[Device]]:
    """The fleet of October and of November."""
    before = fleet(world, 400, seed=3)
    after = fleet(world, 400, seed=4, model_of={device["device_id"]: device for device in before})
    return before, [old if place % 2 else new for place, (old, new) in enumerate(zip(before, after, strict=True))]


@pytest.fixture(scope="module")
def by_hand() -> list[Device]:
    keys = ("platform", "model_id", "os_version", "build", "extra")
    return [
        {"device_id": f"h{place}", "name": name, **dict(zip(keys, facts, strict=True))}
        for place, (name, (facts, _)) in enumerate(BY_HAND.items())
    ]


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, devices: tuple[list[Device], list[Device]], by_hand: list[Device]
) -> PastHome:
    made = PastHome(tmp_path_factory.mktemp("currency"))
    made.add(EARLIER, **rows_of([*devices[0], *by_hand]))
    made.add(LATER, **rows_of([*devices[1], *by_hand]))
    load_files(made.home, "example", DOCUMENTS)
    return made


@pytest.fixture(scope="module")
def reader(home: PastHome) -> Iterator[Reader]:
    with Reader(home.home) as found:
        yield found


@pytest.fixture(scope="module")
def told(reader: Reader) -> dict[str, dict[str, Any]]:
    """Rows by the name of the device, as of the day."""
    found = reader.run("SELECT * FROM os_currency_as_of($day)", {"day": DAY})
    names = [column.name for column in found.columns]
    return {row["device_name"]: row for row in (dict(zip(names, cells, strict=True)) for cells in found.rows)}


@pytest.mark.parametrize("name", BY_HAND)
def test_each_kind_of_device_is_judged_as_by_hand(told: dict[str, dict[str, Any]], name: str) -> None:
    expected = BY_HAND[name][1]
    assert {column: told[name][column] for column in expected} == expected


COLUMNS = (
    "device_id, currency, newest_version, newest_of_major, versions_behind, days_behind, versions_behind_in_major, "
    "days_behind_in_major, fixes_lacked, exploited_cves_lacked, fixes_lacked_in_major, exploited_cves_lacked_in_major, "
    "major_gets_fixes, exploited_lacked"
)


def _judged(row: tuple[Any, ...]) -> Judged:
    def pair(first: Any, second: Any) -> Any:
        return None if first is None else (first, tuple(second) if isinstance(second, list) else second)

    assert row[13] == (None if row[9] is None else len(row[9]))
    return Judged(
        row[1], row[2], row[3], pair(*row[4:6]), pair(*row[6:8]), pair(*row[8:10]), pair(*row[10:12]), row[12]
    )


def differing(
    reader: Reader, relation: str, world: World, devices: list[Device], day: date, *, before: bool
) -> list[Any]:
    """Devices of which the oracle says another thing."""
    told = {row[0]: _judged(row) for row in reader.run(f"SELECT {COLUMNS} FROM {relation}").rows}
    expected = {device["device_id"]: judge(world, device, day, before=before) for device in devices}
    return [(name, told[name], found) for name, found in expected.items() if told[name] != found]


def test_a_random_fleet_is_judged_as_by_the_oracle(
    reader: Reader, world: World, devices: tuple[list[Device], list[Device]]
) -> None:
    assert differing(reader, "os_currency", world, devices[1], datetime.now(UTC).date(), before=False) == []
    kinds = Counter(row[0] for row in reader.run("SELECT currency FROM os_currency").rows)
    assert len(kinds) == 6
    assert min(kinds.values()) > 5


def test_the_past_is_judged_by_what_was_there_then(
    reader: Reader, world: World, devices: tuple[list[Device], list[Device]]
) -> None:
    day = date.fromisoformat(BETWEEN)
    assert differing(reader, f"os_currency_as_of('{BETWEEN}')", world, devices[0], day, before=True) == []
    newest = reader.run(
        "SELECT DISTINCT newest_version FROM os_currency_as_of('2026-10-21') WHERE model_identifier = 'Mac14,2'"
    )
    assert newest.rows == [("26.1",)]


@pytest.mark.heavy
@pytest.mark.skipif(not REAL.is_dir(), reason="the real feeds of ../shared/feeds are not there")
def test_the_real_feeds_are_judged_as_by_the_oracle(tmp_path: Path) -> None:
    world = read_world(*REAL_DOCUMENTS)
    devices = fleet(world, 600, seed=5)
    made = PastHome(tmp_path)
    made.add(datetime(2026, 8, 1, tzinfo=UTC), **rows_of(devices))
    load_files(made.home, "example", REAL_DOCUMENTS)
    with Reader(made.home) as reader:
        today = datetime.now(UTC).date()
        assert differing(reader, "os_currency", world, devices, today, before=False) == []
        day = date(2026, 8, 7)
        assert differing(reader, "os_currency_as_of('2026-08-07')", world, devices, day, before=True) == []


def test_releases_are_for_the_system_that_they_name_and_fix_what_was_fixed_before_them(tmp_path: Path) -> None:
    macos, ios = (json.loads(path.read_text()) for path in DOCUMENTS[:2])
    ios["OSVersions"][0]["SecurityReleases"][1]["UpdateName"] = "iOS 26.1"
    ios["OSVersions"][1]["SecurityReleases"][1]["UpdateName"] = "iPadOS 18.7.2"
    ios["OSVersions"][1]["SecurityReleases"][2]["UpdateName"] = "iPadOS 18.7.2"
    late = macos["BackgroundSecurityImprovements"]["26"][1]
    assert late["Version"] == "26.2"
    late |= {"CVEs": ["CVE-2026-90010"], "PostingDate": "2026-11-12"}
    for name, document in (("macos", macos), ("ios", ios)):
        (tmp_path / name).write_text(json.dumps(document))
    facts = {
        "iPad": ("iPad", "iPad13,18", "26.0", "", ""),
        "iPhone": ("iPhone", "iPhone14,5", "26.0", "", ""),
        "iPhone of before": ("iPhone", "iPhone14,5", "18.7", "", ""),
        "after, without": ("Mac", "Mac14,2", "26.2.1", "25C80", ""),
        "before, with": ("Mac", "Mac14,2", "26.2", "", "(a)"),
    }
    keys = ("platform", "model_id", "os_version", "build", "extra")
    made = PastHome(tmp_path / "home")
    made.add(
        LATER, **rows_of([{"device_id": name, **dict(zip(keys, row, strict=True))} for name, row in facts.items()])
    )
    load_files(made.home, "example", [tmp_path / "macos", tmp_path / "ios"])
    told = made.ask("SELECT device_id, versions_behind, fixes_lacked, newest_of_major FROM os_currency")
    assert {row[0]: row[1:] for row in told} == {
        "iPad": (1, 2, "26.2"),
        "iPhone": (2, 4, "26.2"),
        "iPhone of before": (3, 4, "18.7"),
        "after, without": (0, 1, "26.2.1"),
        "before, with": (1, 2, "26.2.1"),
    }


def test_without_the_feed_nothing_is_known(tmp_path: Path, by_hand: list[Device]) -> None:
    made = PastHome(tmp_path)
    made.add(LATER, **rows_of(by_hand))
    with Reader(made.home) as reader:
        told = reader.run(
            "SELECT DISTINCT currency, versions_behind, days_behind, fixes_lacked, feed_age, major_gets_fixes "
            "FROM os_currency"
        )
        assert told.rows == [("unknown", None, None, None, None, None)]
        assert any("os_releases" in note and "feed" in note for note in told.notes)
        why = {row[0] for row in reader.run("SELECT why FROM os_currency WHERE platform = 'Mac'").rows}
        assert why == {"the feed of releases was never read; KANDJI_MIRROR_FEEDS=sofa switches it on"}
        assert "currency" not in read_profile(reader, "h0").sections
        report = reader.query("patch_report", {})
        row = dict(zip([column.name for column in report.columns], report.rows[0], strict=True))
        numbers = ("patched", "percent_patched", "with_exploited", "exploited_cves", "without_supported_os")
        assert [row[name] for name in numbers] == [None] * 5


def test_a_clock_that_is_behind_hides_no_release(tmp_path: Path) -> None:
    macos = json.loads(DOCUMENTS[0].read_text())
    macos["LastCheck"] = "2999-01-03T00:00:00Z"
    macos["OSVersions"][0]["SecurityReleases"][0]["ReleaseDate"] = "2999-01-01T00:00:00Z"
    (tmp_path / "macos").write_text(json.dumps(macos))
    facts = {"device_id": "d", "platform": "Mac", "model_id": "Mac14,2", "os_version": "26.2", "build": "", "extra": ""}
    made = PastHome(tmp_path / "home")
    made.add(LATER, **rows_of([facts]))
    load_files(made.home, "example", [tmp_path / "macos"], wall=lambda: datetime(2999, 1, 4, tzinfo=UTC))
    told = "SELECT currency, newest_version, versions_behind, days_behind FROM"
    assert made.ask(f"{told} os_currency") == [("behind", "26.2.1", 1, 0)]
    assert made.ask(f"{told} os_currency_as_of('{DAY}')") == [("current", "26.2", 0, 0)]


def test_a_system_whose_document_was_not_read_is_said(tmp_path: Path, by_hand: list[Device]) -> None:
    made = PastHome(tmp_path)
    made.add(LATER, **rows_of([device for device in by_hand if device["platform"] in {"Mac", "iPad"}]))
    load_files(made.home, "example", DOCUMENTS[1:2])
    told = made.ask(
        "SELECT platform, currency, why FROM os_currency WHERE model_identifier IN ('Mac14,2', 'iPad13,18')"
    )
    assert [row for row in dict.fromkeys(told) if row[0] == "Mac"] == [
        ("Mac", "unknown", "of macOS no document of the feed was read yet")
    ]
    assert [row[1] for row in told if row[0] == "iPad"] == ["behind"]


@pytest.mark.slow
def test_the_report_says_how_to_switch_the_feed_on(tmp_path: Path, by_hand: list[Device]) -> None:
    made = PastHome(tmp_path)
    made.add(LATER, **rows_of(by_hand[:3]))
    with Reader(made.home) as reader:
        wanted = Wanted(sections=("patches",))
        (section,) = read_report(reader, wanted, About(tenant="example", version="1"), masked=False).sections
    assert section.pictures == ()
    assert "KANDJI_MIRROR_FEEDS=sofa,kev switches it on" in section.told


def test_an_old_feed_is_said(reader: Reader) -> None:
    told = reader.run("SELECT why, feed_age FROM os_currency WHERE device_name = 'newest of all'")
    ((why, age),) = told.rows
    assert age > 17 * 24
    assert why == f"by a feed that is {int(age // 24)} days old"
    assert any("device_models" in note and "`kandji-mirror feed" in note for note in told.notes)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ("os_currency_as_of('2026-10-01')", Failed, "history of devices begins at 2026-10-20 00:00:00 UTC"),
        ("os_currency_as_of('2999-10-01')", Failed, "lies in the future"),
        ("os_currency_as_of(NULL)", Failed, "at none"),
        ("os_currency_as_of()", Refused, "takes one moment"),
        ("os_currency_as_of('soon')", Refused, "takes a moment, which 'soon' is not"),
        ("os_currency_as_of((SELECT moment FROM feed))", Refused, "has a feed of its own"),
    ],
)
def test_moments_of_which_nothing_is_known_are_refused(
    reader: Reader, call: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        reader.run(f"WITH feed AS (SELECT now() AS moment) FROM {call}")


def test_the_profile_says_it_in_a_sentence(reader: Reader, by_hand: list[Device]) -> None:
    named = {device["name"]: device["device_id"] for device in by_hand}
    said = read_profile(reader, named["an older response"]).sections["currency"].first()["says"]
    assert str(said).startswith("macOS 26.2 (a): behind (26.2.1 is the newest it can run, 1 version and ")
    assert str(said).endswith("It lacks 2 fixes, 1 of them exploited.")
    assert read_profile(reader, named["Windows"]).sections["currency"].objects() == []
