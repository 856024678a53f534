"""A list that changes while it is read by offset: no row slips through between two pages."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import client_of, make_tenant, mirrored, true_rows

from kandji_mirror.sync.list_walk import overlapping_pages
from kandji_mirror.sync.run import sync
from kandji_schema.errors import ServerFault
from kandji_schema.http import Request, Response
from kandji_schema.registry import resource
from kandji_simulator import Tenant

DEVICES = resource("devices")
Rows = list[dict[str, Any]]


class Server:
    """A bare array behind ``limit`` and ``offset``; ``total`` None sends no header."""

    def __init__(self, count: int, total: int | None = -1) -> None:
        self.rows = [{"device_id": f"{number:06}"} for number in range(count)]
        self.total = count if total == -1 else total
        self.offsets: list[int] = []
        self.cap = 300

    def __call__(self, request: Request) -> Response:
        query = dict(request.query)
        offset = int(query.get("offset", "0"))
        self.offsets.append(offset)
        page = self.rows[offset : offset + min(int(query["limit"]), self.cap)]
        headers = {} if self.total is None else {"x-total-count": str(self.total)}
        return Response(200, headers, json.dumps(page).encode())

    def walked(self) -> tuple[Rows, int]:
        """The rows of a walk, overlapping ones once, and how many pages are torn."""
        rows: Rows = []
        torn = 0
        for piece in overlapping_pages(client_of(self), DEVICES):
            rows += piece.page.rows[piece.overlap :]
            torn += not piece.unbroken
        return rows, torn


@pytest.mark.parametrize(
    ("count", "requests"), [(0, 1), (1, 1), (299, 1), (300, 2), (301, 2), (598, 2), (600, 3), (1_000, 4), (10_000, 34)]
)
def test_every_row_comes_once_and_only_a_full_page_is_asked_beyond(count: int, requests: int) -> None:
    server = Server(count)
    assert server.walked() == (server.rows, 0)
    assert len(server.offsets) == requests


@pytest.mark.parametrize("total", [None, 0, 350, 900, 5_000])
def test_an_absent_or_lying_total_changes_nothing_but_the_requests(total: int | None) -> None:
    server = Server(700, total)
    assert server.walked() == (server.rows, 0)


def test_a_server_that_caps_pages_below_the_limit_is_read_to_its_end() -> None:
    server = Server(700)
    server.cap = 100
    assert server.walked() == (server.rows, 0)


def test_a_server_that_ignores_the_offset_is_noticed() -> None:
    server = Server(700)

    def same(request: Request) -> Response:
        return server(Request(request.method, request.path, (("limit", "300"),)))

    with pytest.raises(ServerFault, match="same page twice in a row"):
        list(overlapping_pages(client_of(same), DEVICES))


def swapping(tenant: Tenant, times: int) -> Callable[[Request], Response]:
    """Answers like the tenant; before each of the first ``times`` second pages a device goes and another comes."""
    left = times

    def answer(request: Request) -> Response:
        nonlocal left
        if left and dict(request.query).get("offset") == "299":
            left -= 1
            swap(tenant)
        return tenant.handle(request)

    return answer


def swap(tenant: Tenant) -> None:
    """One device of the first page goes, one of the last comes: the total stays, what is between moves by one."""
    world = tenant.world
    first, border = world.device_ids()[5], world.device_ids()[-20]
    while (new := world.enrol()) < border:
        world.remove(new)
    world.remove(first)


def test_a_device_that_goes_while_another_comes_makes_the_list_be_walked_anew(tmp_path: Path) -> None:
    tenant = make_tenant(700)
    total = len(tenant.world.device_ids())
    report = sync(tmp_path, "loopback", client_of(swapping(tenant, 1)), names=["devices"])
    assert len(tenant.world.device_ids()) == total
    assert (report.outcomes[0].requests, report.outcomes[0].note) == (6, None)
    assert mirrored(tmp_path, "devices") == true_rows(tenant.world, "devices")


@pytest.mark.heavy
def test_a_list_that_changes_in_every_walk_is_taken_with_a_note(tmp_path: Path) -> None:
    tenant = make_tenant(700)
    report = sync(tmp_path, "loopback", client_of(swapping(tenant, 9)), names=["devices"])
    assert "changed in each of 3 walks" in str(report.outcomes[0].note)
    assert sync(tmp_path, "loopback", client_of(tenant.handle), names=["devices"]).outcomes[0].note is None
    assert mirrored(tmp_path, "devices") == true_rows(tenant.world, "devices")
