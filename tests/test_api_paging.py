"""Every page, once, in order, with no needless request; and what an answer must be to count as a page."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from paged import (
    COUNTED,
    CURSORED,
    HOST,
    PRISM,
    THINGS,
    Provider,
    Walked,
    as_response,
    documents,
    expected,
    fails,
    things,
)
from support import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.api.paging import walk
from kandji_mirror.api.retry import ATTEMPTS, UNREADABLE_ATTEMPTS
from kandji_schema.errors import NotFound, PermissionMissing, Unreachable
from kandji_schema.http import Request, Response
from kandji_schema.resource import Paging, Resource


def array(total: int, *, header: bool = True, cap: int = 300, shown: int | None = None) -> Provider:
    """A bare-array endpoint with ``total`` rows and at most ``cap`` rows a page."""

    def provider(query: Mapping[str, str]) -> Response:
        offset = int(query.get("offset", 0))
        rows = things(offset, min(total, offset + min(cap, int(query["limit"]))))
        headers = {"X-Total-Count": str(total if shown is None else shown), "link": '<None>; rel="next"'}
        return Response(200, headers if header else {}, json.dumps(rows).encode())

    return provider


@pytest.mark.parametrize("total", range(11))
def test_an_array_of_known_length_is_walked_without_a_needless_request(total: int) -> None:
    walked = Walked(THINGS, array(total)).all()
    assert walked.ids == expected(total)
    assert len(walked.asked) == max(1, -(-total // 3))
    assert documents(walked) == things(0, total)
    assert {page.total for page in walked.pages} == {total}


@pytest.mark.parametrize("total", range(8))
def test_an_array_of_unknown_length_ends_at_a_short_page(total: int) -> None:
    walked = Walked(THINGS, array(total, header=False)).all()
    assert walked.ids == expected(total)
    assert len(walked.asked) == total // 3 + 1
    assert {page.total for page in walked.pages} == {None}


def test_ten_thousand_devices_cost_34_requests() -> None:
    walked = Walked(replace(THINGS, page_size=300), array(10_000)).all()
    assert walked.ids == expected(10_000)
    assert (walked.client.requests, walked.asked_for("limit")) == (34, ["300"] * 34)


def test_every_request_carries_the_limit_and_the_parameters_of_the_resource() -> None:
    walked = Walked(THINGS, array(5)).all()
    assert walked.asked == [{"ordering": "id", "limit": "3"}, {"ordering": "id", "limit": "3", "offset": "3"}]
    assert walked.paths == {"/api/v1/things"}


def test_parameters_of_the_walk_go_with_every_request() -> None:
    walked = Walked(PRISM, prism(5), params={"filter": '{"updated_at":{"gte":"2026"}}'}).all()
    shared = {"ordering": "id", "limit": "3", "filter": '{"updated_at":{"gte":"2026"}}'}
    assert walked.asked == [shared, {**shared, "cursor": "3"}]


def test_a_server_that_caps_pages_below_the_limit_sets_the_step() -> None:
    walked = Walked(replace(THINGS, page_size=300), array(10, cap=4), in_flight=1).all()
    assert walked.ids == expected(10)
    assert walked.asked_for("offset") == [None, "4", "8"]


@pytest.mark.parametrize("shown", [0, 2, 4])
def test_a_total_that_is_too_small_is_not_believed(shown: int) -> None:
    walked = Walked(replace(THINGS, page_size=5), array(12, shown=shown)).all()
    assert walked.ids == expected(12)


def test_a_total_that_is_too_large_ends_at_an_empty_page() -> None:
    walked = Walked(THINGS, array(7, shown=10**9), in_flight=2).all()
    assert walked.ids == expected(7)
    assert len(walked.asked) <= 6


@pytest.mark.parametrize("shown", ["many", "-1", "", "3.5"])
def test_a_total_that_is_no_number_is_unknown(shown: str) -> None:
    def provider(query: Mapping[str, str]) -> Response:
        offset = int(query.get("offset", 0))
        return Response(200, {"x-total-count": shown}, json.dumps(things(offset, min(5, offset + 3))).encode())

    assert Walked(THINGS, provider).all().ids == expected(5)


def test_rows_that_came_meanwhile_are_walked_too() -> None:
    totals = iter([6, 7, 7])

    def provider(query: Mapping[str, str]) -> Response:
        return as_response(array(next(totals))(query))

    assert Walked(THINGS, provider, in_flight=1).all().ids == expected(7)


def test_offsets_are_asked_for_at_once_and_come_in_order() -> None:
    """Four requests wait for one another: one after the other they would never get past the barrier."""
    together = Barrier(4)

    def provider(query: Mapping[str, str]) -> Response:
        if "offset" in query:
            together.wait(10)
        return as_response(array(15)(query))

    assert Walked(THINGS, provider, in_flight=4).all().ids == expected(15)


def test_no_more_than_the_allowed_requests_run_ahead_of_the_reader() -> None:
    client = Client(lambda r: as_response(array(300)(dict(r.query))), "token", Unlimited())
    pages = walk(client, THINGS, in_flight=2)
    for _ in range(3):
        next(pages)
    pages.close()  # type: ignore[attr-defined]  # every iterator of ours is a generator
    assert client.requests <= 5


def test_an_error_in_a_later_page_reaches_the_reader() -> None:
    def provider(query: Mapping[str, str]) -> Response:
        return as_response(array(12)(query)) if query.get("offset") != "6" else Response(403)

    walked = Walked(THINGS, provider)
    with pytest.raises(PermissionMissing):
        walked.all()
    assert walked.ids == expected(6)


def test_a_stopped_client_ends_the_walk() -> None:
    client = Client(lambda r: as_response(array(300)(dict(r.query))), "token", Unlimited())
    pages = walk(client, THINGS, in_flight=1)
    next(pages)
    client.stop()
    with pytest.raises(Unreachable, match="Stopped"):
        list(pages)


def test_a_whole_set_at_once_is_one_page() -> None:
    walked = Walked(THINGS, lambda _query: things(0, 9)).all()
    assert (walked.ids, len(walked.asked)) == (expected(9), 1)


def test_a_resource_without_a_page_size_sends_no_limit() -> None:
    walked = Walked(replace(THINGS, page_size=0), lambda _query: things(0, 9)).all()
    assert (walked.ids, walked.asked) == (expected(9), [{"ordering": "id"}])


def test_a_single_object_is_one_row() -> None:
    walked = Walked(THINGS, lambda _query: {"id": "1", "name": "x"}).all()
    assert documents(walked) == [{"id": "1", "name": "x"}]


def test_another_path_may_be_given() -> None:
    asked: list[str] = []

    def send(request: Request) -> Response:
        asked.append(request.path)
        return Response(200, {}, b"[]")

    list(walk(Client(send, "token", Unlimited()), THINGS, path="/api/v1/blueprints/7/things"))
    assert asked == ["/api/v1/blueprints/7/things"]


def counted(total: int, *, idiom: str) -> Provider:
    """A count envelope whose links count by ``offset`` or by ``page``, on another host."""

    def provider(query: Mapping[str, str]) -> dict[str, Any]:
        number = int(query.get("page", 1)) - 1
        offset = int(query.get("offset", number * 3))
        onward = {"offset": offset + 3, "page": number + 2}[idiom]
        link = f"{HOST}?limit=3&{idiom}={onward}" if offset + 3 < total else None
        rows = things(offset, min(total, offset + 3))
        return {"count": total, "next": link, "previous": f"{HOST}?limit=3", "results": rows}

    return provider


@pytest.mark.parametrize("idiom", ["offset", "page"])
@pytest.mark.parametrize("total", range(8))
def test_a_count_envelope_is_followed_in_its_own_idiom(idiom: str, total: int) -> None:
    walked = Walked(COUNTED, counted(total, idiom=idiom)).all()
    assert walked.ids == expected(total)
    assert len(walked.asked) == max(1, -(-total // 3))
    assert documents(walked) == things(0, total)
    assert {page.total for page in walked.pages} == {total}


def test_a_count_resource_may_answer_with_a_bare_array() -> None:
    walked = Walked(COUNTED, array(7)).all()
    assert (walked.ids, len(walked.asked)) == (expected(7), 3)


def test_an_array_resource_may_answer_with_a_count_envelope() -> None:
    assert Walked(THINGS, counted(7, idiom="offset")).all().ids == expected(7)


def test_a_page_that_went_away_meanwhile_is_the_end() -> None:
    def provider(query: Mapping[str, str]) -> Any:
        gone = Response(404, {}, b'{"detail":"Invalid page."}')
        return gone if "page" in query else counted(4, idiom="page")(query)

    walked = Walked(COUNTED, provider).all()
    assert walked.ids == expected(3)
    assert sum(len(page.rows) for page in walked.pages) < (walked.pages[0].total or 0)


@pytest.mark.parametrize("body", [b'{"detail":"Not found."}', b"<title>Not Found</title>", b""])
def test_a_list_that_went_away_meanwhile_is_not_read_as_its_end(body: bytes) -> None:
    def provider(query: Mapping[str, str]) -> Any:
        return Response(404, {}, body) if "page" in query else counted(4, idiom="page")(query)

    with pytest.raises(NotFound):
        Walked(COUNTED, provider).all()


def cursored(pages: int) -> Provider:
    def provider(query: Mapping[str, str]) -> dict[str, Any]:
        number = int(query.get("cursor", "p+/=0")[4:])
        link = f"{HOST}?cursor=p%2B%2F%3D{number + 1}" if number + 1 < pages else None
        return {"next": link, "previous": None, "results": things(number * 3, number * 3 + 3)}

    return provider


def test_a_cursor_is_decoded_once_and_its_host_never_asked() -> None:
    walked = Walked(CURSORED, cursored(4)).all()
    assert walked.ids == expected(12)
    assert walked.asked_for("cursor") == [None, "p+/=1", "p+/=2", "p+/=3"]
    assert walked.paths == {"/api/v1/things"}
    assert {page.total for page in walked.pages} == {None}


def test_users_are_asked_for_without_a_limit() -> None:
    walked = Walked(replace(CURSORED, page_size=0, params={}), cursored(2)).all()
    assert walked.asked == [{}, {"cursor": "p+/=1"}]


def prism(total: int, *, end: object = None, **envelope: Any) -> Provider:
    def provider(query: Mapping[str, str]) -> dict[str, Any]:
        offset = int(query.get("cursor", "0"))
        cursor = str(offset + 3) if offset + 3 < total else end
        rows = things(offset, min(total, offset + 3))
        page = {"offset": None, "limit": 3, "total": total, "data": rows, "cursor": cursor} | envelope
        return {name: value for name, value in page.items() if value != "absent"}

    return provider


@pytest.mark.parametrize("end", [None, "", "absent"])
@pytest.mark.parametrize("total", range(8))
def test_prism_goes_on_until_there_is_no_cursor(total: int, end: object) -> None:
    walked = Walked(PRISM, prism(total, end=end)).all()
    assert walked.ids == expected(total)
    assert walked.asked_for("cursor") == [None, *map(str, range(3, total, 3))]


def test_a_short_prism_page_with_a_cursor_is_not_the_last() -> None:
    pages = {"": (things(0, 1), "a"), "a": ([], "b"), "b": (things(1, 3), None)}

    def provider(query: Mapping[str, str]) -> dict[str, Any]:
        rows, cursor = pages[query.get("cursor", "")]
        return {"total": None, "data": rows, "cursor": cursor}

    assert Walked(PRISM, provider).all().ids == expected(3)


def prism_by_offset(total: int | None, *, limit: int | None = 3, rows: int = 7) -> Provider:
    def provider(query: Mapping[str, str]) -> dict[str, Any]:
        offset = int(query.get("offset", 0))
        return {"limit": limit, "total": total, "data": things(offset, min(rows, offset + 3)), "cursor": None}

    return provider


def test_prism_without_a_cursor_is_walked_by_offset_where_the_total_says_more() -> None:
    walked = Walked(PRISM, prism_by_offset(7), in_flight=1).all()
    assert (walked.ids, walked.asked_for("offset")) == (expected(7), [None, "3", "6"])


def test_prism_with_pages_of_its_own_default_is_walked_by_these() -> None:
    walked = Walked(replace(PRISM, page_size=300), prism_by_offset(7)).all()
    assert walked.ids == expected(7)


@pytest.mark.parametrize(("total", "limit"), [(None, 3), (3, 3), (7, 25)])
def test_prism_without_a_cursor_ends_where_nothing_says_there_is_more(total: int | None, limit: int) -> None:
    walked = Walked(replace(PRISM, page_size=25) if limit == 25 else PRISM, prism_by_offset(total, limit=limit)).all()
    assert (walked.ids, len(walked.asked)) == (expected(3), 1)


def test_a_numeric_cursor_is_passed_on() -> None:
    pages = {"": (things(0, 3), 7), "7": (things(3, 4), None)}

    def provider(query: Mapping[str, str]) -> dict[str, Any]:
        rows, cursor = pages[query.get("cursor", "")]
        return {"data": rows, "cursor": cursor}

    assert Walked(PRISM, provider).all().ids == expected(4)


def test_a_repeated_cursor_stops_the_walk() -> None:
    numbers = count()

    def provider(_query: Mapping[str, str]) -> dict[str, Any]:
        number = next(numbers)
        return {"data": things(number, number + 3), "cursor": "ab"[number % 2]}

    assert len(fails(PRISM, provider).asked) == 3


def test_a_link_that_leads_back_stops_the_walk() -> None:
    numbers = count()

    def provider(_query: Mapping[str, str]) -> dict[str, Any]:
        number = next(numbers)
        return {"count": 9, "next": f"{HOST}?offset=3", "results": things(number, number + 3)}

    assert len(fails(COUNTED, provider).asked) == 2


@pytest.mark.parametrize("resource", [THINGS, PRISM, COUNTED, CURSORED])
def test_a_repeated_page_stops_the_walk(resource: Resource) -> None:
    numbers = count()
    bodies: dict[Paging, Callable[[int], Any]] = {
        Paging.ARRAY: lambda _n: things(0, 3),
        Paging.PRISM: lambda n: {"data": things(0, 3), "cursor": f"{n}"},
        Paging.COUNT: lambda n: {"count": 99, "results": things(0, 3), "next": f"{HOST}?offset={n}"},
        Paging.CURSOR: lambda n: {"results": things(0, 3), "next": f"{HOST}?cursor={n}"},
    }
    assert len(fails(resource, lambda _query: bodies[resource.paging](next(numbers))).asked) == 2


def test_endless_empty_pages_stop_the_walk() -> None:
    numbers = count()
    assert len(fails(PRISM, lambda _query: {"data": [], "cursor": f"{next(numbers)}"}).asked) <= 13


NO_PAGES = [
    (THINGS, b""),
    (THINGS, b"<html>please log in</html>"),
    (THINGS, b'[{"id": 1'),
    (THINGS, b'"OK"'),
    (THINGS, b"null"),
    (THINGS, b"3"),
    (THINGS, b"{}"),
    (THINGS, b'{"error":"try later"}'),
    (THINGS, b"[" * 100_000),
    (COUNTED, b"{}"),
    (COUNTED, b'{"count":0,"next":null}'),
    (COUNTED, b'{"count":0,"next":null,"results":null}'),
    (COUNTED, b'{"count":0,"next":null,"results":{}}'),
    (COUNTED, b'{"count":9,"next":"https://acme.kandji.io/","results":[]}'),
    (COUNTED, b'{"count":9,"next":7,"results":[]}'),
    (COUNTED, b'{"count":9,"next":"https://[::1","results":[]}'),
    (CURSORED, b"[]"),
    (CURSORED, b'{"next":"https://acme.kandji.io/?page=2","results":[]}'),
    (CURSORED, b'{"next":["x"],"results":[]}'),
    (PRISM, b"[]"),
    (PRISM, b'{"cursor":null}'),
    (PRISM, b'{"data":null,"cursor":null}'),
    (PRISM, b'{"data":[],"cursor":{"a":1}}'),
    (PRISM, b'{"data":[],"cursor":["a"]}'),
]


@pytest.mark.parametrize(("resource", "body"), NO_PAGES)
def test_a_200_that_is_no_page_is_a_fault_and_never_an_empty_result(resource: Resource, body: bytes) -> None:
    walked = fails(resource, lambda _query: Response(200, {}, body))
    assert (len(walked.asked), walked.pages) == (UNREADABLE_ATTEMPTS if body.startswith(b"[[") else ATTEMPTS, [])


def test_a_page_that_came_right_at_the_second_attempt_counts_once() -> None:
    answers = iter([Response(200, {}, b"<html>"), things(0, 3), Response(200, {}, b"[{"), things(3, 4)])
    walked = Walked(THINGS, lambda _query: next(answers)).all()
    assert walked.ids == expected(4)
