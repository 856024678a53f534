"""When segments of history are written together."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from past_home import START, hours

from kandji_mirror.history.segments import absorbable, count, kept, mergeable
from kandji_schema.manifest import Segment


def segment(at: datetime, events: int) -> Segment:
    return Segment(f"{at:%m%d%H%M}.duckdb", 1, at, at, {"devices": events})


def after_passes(events: list[int], minutes: int = 10) -> list[Segment]:
    """The segments after passes that found so many events, all on one day."""
    segments: list[Segment] = []
    for number, found in enumerate(events):
        at = START + timedelta(minutes=minutes * number)
        run = absorbable(segments, found, at)
        taken = sum(map(count, segments[run]))
        segments[run] = [segment(at, found + taken)]
    return segments


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_a_day_has_few_segments_and_loses_no_event(events: list[int]) -> None:
    segments = after_passes(events)
    assert sum(map(count, segments)) == sum(events)
    assert len(segments) <= 12


def test_small_changes_share_one_segment_and_do_not_rewrite_big_ones() -> None:
    counts = [count(s) for s in after_passes([20_000, 3, 4, 5])]
    assert counts == [20_000, 12]


def test_yesterdays_segments_are_left_alone_by_todays() -> None:
    yesterday = [segment(hours(-10), 3)]
    assert absorbable(yesterday, 100, START) == slice(1, 1)


def test_a_past_day_becomes_one_segment_then_a_past_month() -> None:
    february = [segment(datetime.fromisoformat(f"2026-02-{day}T12:00+00:00"), 5) for day in (26, 27)]
    sunday = [segment(hours(-20), 900), segment(hours(-18), 5)]
    today = [segment(hours(-1), 900), segment(hours(-1), 5)]
    assert mergeable([*february, *sunday, *today], START) == slice(2, 4)
    assert mergeable([*february, sunday[0], *today], START) == slice(0, 2)
    assert mergeable([february[0], sunday[0], *today], START) is None


def test_no_merge_is_larger_than_what_one_call_may_take() -> None:
    february = [segment(datetime.fromisoformat(f"2026-02-{day}T12:00+00:00"), 90_000) for day in range(10, 15)]
    assert mergeable(february, START) == slice(0, 2)
    merged = [segment(february[1].until, 180_000), *february[2:]]
    assert mergeable(merged, START) == slice(1, 3)


def test_the_newest_segment_stays_whatever_its_age() -> None:
    old, newest = segment(hours(-900), 1), segment(hours(-800), 1)
    assert kept([old, newest], START, 10) == (newest,)
    assert kept([], START, 10) == ()
