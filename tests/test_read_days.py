"""The days on which tables were read are kept: they tell a day without a change from one on which nobody looked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from past_home import PastHome, hours
from support import manifest_of, synced

from kandji_mirror.store.opening import open_store
from kandji_schema.manifest import Manifest, State
from kandji_schema.read_days import MOST, days_in, spans_of, with_day
from kandji_schema.registry import resources

ROWS = [{"device_id": "d1", "platform": "Mac"}]


def test_each_day_on_which_a_table_was_read_is_kept_and_no_other(tmp_path: Path) -> None:
    home = PastHome(tmp_path)
    for day in (0, 0.2, 1, 2, 5):
        home.add(hours(24 * day), devices=ROWS)
    home.add(hours(24 * 6), prism_filevault=[])
    tables = manifest_of(tmp_path).tables
    assert tables["devices"].read_days == (("2026-03-02", "2026-03-04"), ("2026-03-07", "2026-03-07"))
    assert tables["prism_filevault"].read_days == (("2026-03-08", "2026-03-08"),)
    assert tables["apps"].read_days == ()
    assert Manifest.from_json(manifest_of(tmp_path).to_json()).tables == tables


def test_a_pass_that_failed_is_no_reading_and_takes_no_day_away(tmp_path: Path) -> None:
    PastHome(tmp_path).add(hours(0), devices=ROWS)
    with open_store(tmp_path, "example", resources(), lambda: hours(24)) as store:
        known = store.current.tables["devices"]
        store.publish({"devices": replace(known, state=State.FAILED, attempted_at=hours(24))})
        store.publish({"devices": replace(known, synced_at=hours(48), read_days=())})  # not a pass of its own
    assert manifest_of(tmp_path).tables["devices"].read_days == (("2026-03-02", "2026-03-02"),)


def test_a_sync_marks_its_day(tmp_path: Path) -> None:
    synced(tmp_path, 12, "devices", "prism_filevault")
    days = {*days_in(manifest_of(tmp_path).tables["prism_filevault"].read_days)}
    assert days
    assert days <= {datetime.now(UTC).date() - timedelta(days=back) for back in (0, 1)}


def test_spans_are_in_order_whatever_the_clock_did_and_bounded() -> None:
    day = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    spans = with_day(with_day(with_day((), day), day - timedelta(days=2)), day - timedelta(days=1))
    assert spans == (("2026-02-28", "2026-03-02"),)
    assert with_day((), day.astimezone(UTC).replace(tzinfo=UTC) + timedelta(minutes=1)) == (
        ("2026-03-03", "2026-03-03"),
    )
    others = [day.date() + timedelta(days=2 * number) for number in range(MOST + 10)]
    assert [*days_in(spans_of(others))] == others[10:]
