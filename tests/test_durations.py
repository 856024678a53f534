"""Durations as people write them, and as they are told."""

from datetime import timedelta

import pytest

from kandji_schema.durations import exactly_in_words, parse_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        (" 30 m ", timedelta(minutes=30)),
        ("24h", timedelta(days=1)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(days=7)),
        ("0h", timedelta(0)),
    ],
)
def test_a_number_and_a_unit_are_a_duration(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "h", "24", "1.5h", "-1d", "1mo", "1 year", "1234567s", "٣h", "1h 30m"])
def test_anything_else_is_none(text: str) -> None:
    assert parse_duration(text) is None


def test_a_unit_may_be_left_out_of_what_is_taken() -> None:
    assert parse_duration("1w", units="smhd") is None
    assert parse_duration("1mo") is parse_duration("1y") is None
    assert [parse_duration(text, units="smhdwy") for text in ("2mo", "1y")] == [timedelta(days=60), timedelta(days=365)]


@pytest.mark.parametrize(
    ("length", "words", "short"),
    [
        (timedelta(days=7), "7 days", "7 d"),
        (timedelta(hours=36), "36 hours", "36 h"),
        (timedelta(minutes=90), "90 minutes", "90 min"),
        (timedelta(seconds=61), "61 seconds", "61 s"),
        (timedelta(0), "0 seconds", "0 s"),
    ],
)
def test_it_is_told_in_the_largest_unit_that_leaves_no_rest(length: timedelta, words: str, short: str) -> None:
    assert (exactly_in_words(length), exactly_in_words(length, short=True)) == (words, short)
