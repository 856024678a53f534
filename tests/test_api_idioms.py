"""The rarer ways of paging: by page number, by ``after``, by offset within counts, and all at once."""

import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import count, cycle
from typing import Any

import pytest
from paged import COUNTED, HOST, THINGS, Provider, Walked, documents, expected, fails, things

from kandji_mirror.api.retry import ATTEMPTS
from kandji_schema.errors import NotFound, Rejected
from kandji_schema.http import Response
from kandji_schema.resource import Paging, Resource

NUMBERED = replace(THINGS, paging=Paging.PAGE)
AFTER = replace(THINGS, paging=Paging.AFTER)
BY_OFFSET = replace(THINGS, paging=Paging.OFFSET)
WHOLE = replace(THINGS, paging=Paging.WHOLE)
UNSIZED = replace(COUNTED, page_size=0)
INVALID_PAGE = Response(404, {}, b'{"detail":"Invalid page."}')
ABSENT = object()


def numbered(rows: int, *, beyond: Any = None, size: int = 3, **envelope: Any) -> Provider:
    """A page/size endpoint; ``envelope`` overrides members of its answers, or takes them out with ``ABSENT``."""

    def provider(query: Mapping[str, str]) -> Any:
        number = int(query["page"])
        members = things((number - 1) * size, min(rows, number * size))
        if not members and number > 1 and beyond:
            return beyond
        link = f"{HOST}?page={number + 1}&size={size}" if number * size < rows else None
        page = {"total": rows, "page": number, "size": size, "next": link, "results": members} | envelope
        return {name: value for name, value in page.items() if value is not ABSENT}

    return provider


@pytest.mark.parametrize("envelope", [{}, {"page": ABSENT}, {"next": ABSENT}, {"total": None}, {"total": ABSENT}])
@pytest.mark.parametrize("rows", range(8))
def test_numbered_pages_are_walked_without_a_needless_request(rows: int, envelope: dict[str, Any]) -> None:
    walked = Walked(NUMBERED, numbered(rows, **envelope)).all()
    assert walked.ids == expected(rows)
    needless = 1 if "total" in envelope and rows and rows % 3 == 0 else 0  # a full page may be the last one
    assert len(walked.asked) == max(1, -(-rows // 3)) + needless


def test_numbered_pages_are_asked_for_by_size_from_one() -> None:
    assert Walked(NUMBERED, numbered(4)).all().asked == [
        {"ordering": "id", "size": "3", "page": "1"},
        {"ordering": "id", "size": "3", "page": "2"},
    ]


@pytest.mark.parametrize("beyond", [None, INVALID_PAGE])
@pytest.mark.parametrize(
    "envelope",
    [
        {"next": None},
        {"next": ABSENT, "total": None},
        {"next": ABSENT, "total": 0},
        {"next": ABSENT, "total": 2},
        {"next": ABSENT, "total": 10**9},
        {"next": None, "total": 10**9},
        {"next": "soon"},
        {"next": True},
        {"next": ABSENT, "page": 1},
        {"next": ABSENT, "total": "many"},
    ],
)
@pytest.mark.parametrize("rows", [2, 3, 5, 6, 7])
def test_no_single_member_of_a_numbered_page_is_trusted(rows: int, envelope: dict[str, Any], beyond: Any) -> None:
    walked = Walked(NUMBERED, numbered(rows, beyond=beyond, **envelope)).all()
    assert walked.ids == expected(rows)
    assert len(walked.asked) <= -(-rows // 3) + 1


def test_a_link_outweighs_a_total_that_is_reached() -> None:
    def provider(query: Mapping[str, str]) -> Any:
        number = int(query["page"])
        return numbered(7, total=3 * number)(query)

    assert Walked(NUMBERED, provider).all().ids == expected(7)


def test_a_server_that_caps_numbered_pages_is_walked_by_its_own_size() -> None:
    for envelope in ({}, {"total": None}, {"next": None}, {"next": ABSENT}):
        assert Walked(replace(NUMBERED, page_size=50), numbered(8, size=2, **envelope)).all().ids == expected(8)


@pytest.mark.parametrize("answer", [Response(404, {}, b'{"detail":"Not found."}'), Response(404)])
def test_a_numbered_list_that_is_not_there_is_not_its_end(answer: Response) -> None:
    with pytest.raises(NotFound):
        Walked(NUMBERED, numbered(3, beyond=answer, total=9, next=ABSENT)).all()


def test_a_gateway_that_knows_no_such_path_is_not_the_end() -> None:
    answer = Response(404, {}, b'{"message":"no Route matched with those values"}')
    with pytest.raises(Rejected):
        Walked(NUMBERED, numbered(3, beyond=answer, total=9, next=ABSENT)).all()


def after(pages: int) -> Provider:
    def provider(query: Mapping[str, str]) -> Any:
        number = int(query.get("after", "a/=0")[3:])
        link = f"{HOST}?size=3&after=a%2F%3D{number + 1}" if number + 1 < pages else None
        return {"next": link, "previous": None, "results": things(number * 3, number * 3 + 3)}

    return provider


def test_after_is_taken_from_the_link_and_its_host_never_asked() -> None:
    walked = Walked(AFTER, after(3)).all()
    assert walked.ids == expected(9)
    assert walked.asked == [
        {"ordering": "id", "size": "3"},
        {"ordering": "id", "size": "3", "after": "a/=1"},
        {"ordering": "id", "size": "3", "after": "a/=2"},
    ]
    assert walked.paths == {"/api/v1/things"}


def by_offset(rows: int, *, cap: int = 300, **envelope: Any) -> Provider:
    """A limit/offset endpoint with or without counts and links."""

    def provider(query: Mapping[str, str]) -> Any:
        offset, size = int(query.get("offset", 0)), min(cap, int(query["limit"]))
        link = f"{HOST}?offset={offset + size}" if offset + size < rows else None
        page = {"count": rows, "malware_count": 1, "next": link, "results": things(offset, min(rows, offset + size))}
        page |= envelope
        return {name: value for name, value in page.items() if value is not ABSENT}

    return provider


OFFSET_ENVELOPES: list[dict[str, Any]] = [
    {},
    {"count": ABSENT, "next": ABSENT},
    {"count": None, "next": None},
    {"next": ABSENT},
    {"next": None},
    {"count": 1, "next": None},
    {"count": 10**9, "next": ABSENT},
]


@pytest.mark.parametrize("envelope", OFFSET_ENVELOPES)
@pytest.mark.parametrize("rows", range(8))
def test_a_list_by_offset_is_walked_whatever_its_counts_say(rows: int, envelope: dict[str, Any]) -> None:
    walked = Walked(BY_OFFSET, by_offset(rows, **envelope)).all()
    assert walked.ids == expected(rows)
    assert len(walked.asked) <= rows // 3 + 2


def test_total_count_is_a_count_too() -> None:
    walked = Walked(BY_OFFSET, by_offset(6, count=ABSENT, total_count=6, next=ABSENT)).all()
    assert (walked.ids, len(walked.asked)) == (expected(6), 2)
    assert {page.total for page in walked.pages} == {6}


def test_a_published_page_shorter_than_its_count_is_the_last() -> None:
    answer = {"count": 24, "next": None, "previous": None, "results": things(0, 2)}
    assert Walked(BY_OFFSET, lambda _query: answer).all().ids == expected(2)


def test_a_list_by_offset_may_be_a_bare_array() -> None:
    def provider(query: Mapping[str, str]) -> Any:
        offset = int(query.get("offset", 0))
        return things(offset, min(7, offset + 3))

    walked = Walked(BY_OFFSET, provider).all()
    assert (walked.ids, walked.asked_for("offset")) == (expected(7), [None, "3", "6"])


def test_a_count_without_a_next_member_is_walked_by_offset() -> None:
    assert Walked(COUNTED, by_offset(7, next=ABSENT)).all().ids == expected(7)


def test_a_full_page_whose_link_is_null_is_not_the_last_while_the_count_says_more() -> None:
    assert Walked(COUNTED, by_offset(7, next=None)).all().ids == expected(7)


def linked_by_page(rows: int, **envelope: Any) -> Provider:
    """A count envelope of 300 rows a page, linked by page number, as some lists have it."""

    def provider(query: Mapping[str, str]) -> Any:
        number = int(query.get("page", 1))
        link = f"{HOST}?page={number + 1}" if number * 300 < rows else None
        members = things((number - 1) * 300, min(rows, number * 300))
        return {"count": rows, "next": link, "results": members} | envelope if members else INVALID_PAGE

    return provider


@pytest.mark.parametrize("envelope", [{}, {"next": None}, {"count": None}])
@pytest.mark.parametrize("rows", [2, 299, 300, 301, 650])
def test_pages_of_the_providers_own_size_are_walked_by_number(rows: int, envelope: dict[str, Any]) -> None:
    walked = Walked(UNSIZED, linked_by_page(rows, **envelope)).all()
    assert walked.ids == expected(rows)
    assert walked.asked[0] == {"ordering": "id"}
    assert set(walked.asked_for("page")[1:]) <= {"2", "3"}


def test_a_whole_set_is_one_request_without_a_limit() -> None:
    walked = Walked(
        WHOLE, lambda _query: Response(200, {"x-total-count": "55"}, json.dumps(things(0, 9)).encode())
    ).all()
    assert (walked.ids, walked.asked) == (expected(9), [{"ordering": "id"}])
    assert [page.total for page in walked.pages] == [None]


def test_a_whole_set_that_turns_out_to_be_paged_is_followed() -> None:
    def provider(query: Mapping[str, str]) -> Any:
        offset = int(query.get("offset", 0))
        link = f"{HOST}?offset={offset + 3}" if offset + 3 < 7 else None
        return {"count": 7, "next": link, "results": things(offset, min(7, offset + 3))}

    assert Walked(WHOLE, provider).all().ids == expected(7)


def test_an_object_without_a_list_is_one_row() -> None:
    walked = Walked(WHOLE, lambda _query: {"id": "1", "name": "one"}).all()
    assert documents(walked) == [{"id": "1", "name": "one"}]


@pytest.mark.parametrize("resource", [WHOLE, COUNTED, BY_OFFSET, THINGS])
def test_rows_may_be_in_a_member_of_the_answer(resource: Resource) -> None:
    answer = {"device_id": "d", "things": things(0, 2), "others": [{"id": "no"}]}
    walked = Walked(replace(resource, rows_at="things"), lambda _query: answer, path="/api/v1/devices/d/things").all()
    assert (documents(walked), walked.paths) == (things(0, 2), {"/api/v1/devices/d/things"})
    assert Walked(replace(resource, rows_at="things"), lambda _query: things(0, 2)).all().ids == expected(2)


def test_a_member_of_the_answer_may_be_an_envelope_of_its_own() -> None:
    def provider(query: Mapping[str, str]) -> Any:
        return {"device_id": "d", "things": by_offset(7)(query)}

    assert Walked(replace(COUNTED, rows_at="things"), provider).all().ids == expected(7)


def test_a_member_of_the_answer_may_be_empty() -> None:
    walked = Walked(replace(WHOLE, rows_at="things"), lambda _query: {"device_id": "d", "things": []}).all()
    assert (walked.ids, len(walked.pages)) == ([], 1)


ONE_ROW_A_PARENT = replace(WHOLE, parent="parents", parent_key={"id": "id"})

NO_PAGES = [
    (NUMBERED, b"[]"),
    (NUMBERED, b'{"total":0,"page":1}'),
    (NUMBERED, b'{"total":0,"results":null}'),
    (AFTER, b"[]"),
    (AFTER, b'{"next":null}'),
    (AFTER, b'{"next":"https://acme.kandji.io/?cursor=x","results":[]}'),
    (BY_OFFSET, b"{}"),
    (BY_OFFSET, b'{"count":3,"results":{"id":"1"}}'),
    (COUNTED, b'{"count":9,"next":"https://acme.kandji.io/?page=last","results":[]}'),
    (WHOLE, b"{}"),
    (WHOLE, b"null"),
    (WHOLE, b'"OK"'),
    (WHOLE, b'{"detail":"try later"}'),
    (WHOLE, b'{"count":1,"results":null}'),
    (replace(WHOLE, rows_at="things"), b'{"device_id":"d"}'),
    (replace(WHOLE, rows_at="things"), b'{"device_id":"d","things":null}'),
    (replace(WHOLE, rows_at="things"), b'{"device_id":"d","things":"none"}'),
    (replace(WHOLE, rows_at="things"), b'{"device_id":"d","things":{"error":"busy"}}'),
    (replace(WHOLE, rows_at="things"), b"7"),
    (ONE_ROW_A_PARENT, b"[]"),
    (ONE_ROW_A_PARENT, b'[{"id":"1"},{"id":"2"}]'),
]


@pytest.mark.parametrize(("resource", "body"), NO_PAGES)
def test_a_200_that_is_no_page_is_a_fault_and_never_an_empty_result(resource: Resource, body: bytes) -> None:
    walked = fails(resource, lambda _query: Response(200, {}, body))
    assert (len(walked.asked), walked.pages) == (ATTEMPTS, [])


ENDLESS: list[tuple[Resource, Any]] = [
    (NUMBERED, lambda n: {"total": None, "size": 3, "results": things(0, 3)}),
    (NUMBERED, lambda n: {"total": 99, "next": f"{HOST}?page=1", "results": things(n, n + 3)}),
    (AFTER, lambda n: {"next": f"{HOST}?after={n}", "results": things(0, 3)}),
    (AFTER, lambda n: {"next": f"{HOST}?after={'ab'[n % 2]}", "results": things(n, n + 3)}),
    (BY_OFFSET, lambda n: {"results": things(0, 3)}),
    (BY_OFFSET, lambda n: things(0, 3)),
    (COUNTED, lambda n: {"count": 9, "next": None, "results": things(0, 3)}),
]


@pytest.mark.parametrize(("resource", "answer"), ENDLESS)
def test_a_server_that_never_ends_is_given_up(resource: Resource, answer: Any) -> None:
    numbers = count()
    assert len(fails(resource, lambda _query: answer(next(numbers))).asked) <= 3


@pytest.mark.parametrize("resource", [NUMBERED, BY_OFFSET])
def test_pages_that_come_round_again_stop_the_walk(resource: Resource) -> None:
    pages = cycle([things(0, 3), things(3, 6), things(6, 9)])
    assert len(fails(resource, lambda _query: {"total": None, "results": next(pages)}).asked) == 4
