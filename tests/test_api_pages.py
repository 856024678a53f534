"""What is read off one page: its rows, its text, and the fields that are not as expected."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from paged import PRISM, THINGS, Walked, documents, page_of


def test_a_prism_body_is_handed_on_untouched() -> None:
    body = b'{ "offset":null,"limit":3, "total":1 ,"data":[{"id":"\xc3\xa9","name":1.10}],"cursor":null}'
    page = page_of(PRISM, body)
    assert (page.text, page.unknown, page.odd_rows) == (body.decode(), Counter(), 0)


def test_an_array_is_handed_on_untouched_within_an_object() -> None:
    assert page_of(THINGS, b'[{"name":"x","id":1.0} ]').text == '{"data":[{"name":"x","id":1.0} ]}'


def test_unknown_fields_are_kept_in_extra_and_counted() -> None:
    rows: list[dict[str, Any]] = [
        {"id": "1", "colour": "red", "name": "x", "size": {"w": 1}},
        {"id": "2", "colour": None, "known_elsewhere": 1},
        {"id": "3", "colour": "blue", "extra": [7]},
        {"id": "4", "extra": None},
    ]
    page = page_of(replace(THINGS, page_size=9), json.dumps(rows).encode())
    assert json.loads(page.text)["data"] == [
        rows[0] | {"extra": {"colour": "red", "size": {"w": 1}}},
        rows[1],
        rows[2] | {"extra": {"colour": "blue", "extra": [7]}},
        rows[3],
    ]
    assert page.unknown == Counter(colour=2, size=1, extra=1)
    assert page.rows == rows
    assert list(json.loads(page.text)["data"][0]) == ["id", "colour", "name", "size", "extra"]


def test_rows_that_are_no_objects_are_counted_and_left_out() -> None:
    walked = Walked(THINGS, lambda q: [[], None, {"id": "1"}] if "offset" not in q else [{"id": "2"}, "x"]).all()
    assert [(page.rows, page.odd_rows) for page in walked.pages] == [([{"id": "1"}], 2), ([{"id": "2"}], 1)]
    assert documents(walked) == [{"id": "1"}, {"id": "2"}]


@pytest.mark.parametrize(
    ("body", "row"),
    [
        (b'\xef\xbb\xbf[{"id":"1"}]', {"id": "1"}),
        (b'[{"id":"\\ud83d"}]', {"id": "\ufffd"}),
        (b'[{"id":"\\ud83d\\ude00"}]', {"id": "😀"}),
        (b'[{"id":"a\xff"}]', {"id": "a\ufffd"}),
        (b'[{"id":"a\tb"}]', {"id": "a\tb"}),
        (b'[{"id":NaN,"name":-Infinity}]', {"id": "NaN", "name": "-Infinity"}),  # no number takes them: counted
        (b'[{"id":1e999}]', {"id": "1e999"}),
        (b'[{"id":"\\u0000"}]', {"id": "\x00"}),
        (b'[{"id":123456789012345678901234567890}]', {"id": 123456789012345678901234567890}),
        (b'[{"id":-9223372036854775809,"name":""},7]', {"id": -9223372036854775809, "name": ""}),
        (b'[{"id":18446744073709551616,"x":1}]', {"id": 18446744073709551616, "x": 1, "extra": {"x": 1}}),
    ],
)
def test_nearly_json_is_read_without_losing_a_digit(body: bytes, row: dict[str, Any]) -> None:
    assert json.loads(page_of(THINGS, body).text)["data"] == [row]


def test_the_text_of_a_page_is_strict_utf_8() -> None:
    page = page_of(THINGS, b'[{"id":"\\udfff","\\ud800":1}]')
    assert page.text.encode() == '{"data":[{"id":"\ufffd","\ufffd":1,"extra":{"\ufffd":1}}]}'.encode()


@pytest.mark.parametrize(
    ("rows", "absent"),
    [
        ([], set()),
        ([{"id": "1", "name": "x", "known_elsewhere": 1}], set()),
        ([{"id": "1"}], {"name", "known_elsewhere"}),
        ([{"id": "1", "name": None}], {"known_elsewhere"}),
        ([{"id": "1"}, {"name": "x", "colour": "red"}], {"known_elsewhere"}),
        ([{"colour": "red"}], {"id", "name", "known_elsewhere"}),
        ([{"id": "1", "name": None, "known_elsewhere": 1}, "no row"], set()),
    ],
)
def test_known_fields_that_no_row_carries_are_told(rows: list[Any], absent: set[str]) -> None:
    assert page_of(replace(THINGS, page_size=9), json.dumps(rows).encode()).absent == absent
