"""Prism exports and counts, against providers made of functions."""

import json
from pathlib import Path
from typing import Any

import pytest
from support import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.api.prism import Count, count, export
from kandji_mirror.api.retry import DOWNLOAD_ATTEMPTS
from kandji_schema.errors import (
    ApiError,
    ExportFailed,
    NotFound,
    PermissionMissing,
    RateLimited,
    Rejected,
    ServerFault,
    StoreFull,
    Unreachable,
)
from kandji_schema.http import Request, Response, Target
from kandji_schema.registry import resource

APPS = resource("apps")
SIGNED = "https://files.example/export.csv?X-Amz-Signature=5ecret"
ORDERED = {"id": "64cb5d3d", "status": "pending", "category": "apps", "error_msg": None, "signed_url": None}
READY = {**ORDERED, "status": "success", "signed_url": SIGNED}
CUT = Unreachable("The download was cut short.", sent=True)
EXPIRED = Rejected("The address has expired.", status=403)

Answer = Any


class Provider:
    """A provider that answers ``looks`` in turn, the last one for ever, and whose storage does as ``files`` say."""

    def __init__(self, *looks: Answer, ordered: Answer = ORDERED, files: tuple[ApiError | str, ...] = ("a,b",)) -> None:
        self.looks, self.files = list(looks), list(files)
        self.ordered = ordered
        self.asked: list[Request] = []
        self.fetched: list[str] = []
        self.slept: list[float] = []
        self.client = Client(
            self._send,
            "token",
            Unlimited(),
            fetch=self._fetch,
            clock=lambda: sum(self.slept),
            sleep=self.slept.append,
            jitter=lambda: 0.0,
        )

    def _send(self, request: Request) -> Response:
        self.asked.append(request)
        return as_response(self.ordered if request.method == "POST" else next_of(self.looks))

    def _fetch(self, url: str, target: Target) -> None:
        self.fetched.append(url)
        content = next_of(self.files)
        if isinstance(content, Exception):
            raise content
        with target.open("wb") as file:
            file.write(content.encode())


def next_of(answers: list[Any]) -> Any:
    return answers.pop(0) if len(answers) > 1 else answers[0]


def as_response(answer: Answer) -> Response:
    if isinstance(answer, Exception):
        raise answer
    return answer if isinstance(answer, Response) else Response(200, {}, json.dumps(answer).encode())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "apps.csv"


def test_an_export_is_ordered_awaited_and_downloaded(target: Path) -> None:
    provider = Provider(ORDERED, READY)
    export(provider.client, APPS, target)
    assert target.read_text() == "a,b"
    assert [(r.method, r.path, r.query) for r in provider.asked] == [
        ("POST", "/api/v1/prism/export", ()),
        ("GET", "/api/v1/prism/export/64cb5d3d", ()),
        ("GET", "/api/v1/prism/export/64cb5d3d", ()),
    ]
    assert (provider.fetched, provider.slept, provider.client.requests) == ([SIGNED], [2.0, 3.0], 3)


def test_everything_of_the_category_is_ordered(target: Path) -> None:
    provider = Provider(READY)
    export(provider.client, APPS, target)
    ordered = provider.asked[0]
    assert ordered.body == (
        b'{"category":"apps","blueprint_ids":[],"device_families":[],"filter":{},"columns":[],"sort_by":""}'
    )
    assert ordered.headers["Content-Type"] == "application/json"
    assert "Content-Type" not in provider.asked[1].headers


NOT_YET = [
    ORDERED,
    {**ORDERED, "status": "queued for lunch"},
    {**ORDERED, "status": None},
    {"id": "64cb5d3d"},
    {**READY, "signed_url": None},
    {**READY, "signed_url": ""},
    {**READY, "signed_url": 7},
    {**READY, "status": "pending"},
]


@pytest.mark.parametrize("answer", NOT_YET)
def test_an_export_without_a_file_is_asked_about_again(answer: dict[str, Any], target: Path) -> None:
    provider = Provider(*[answer] * 7, READY)
    export(provider.client, APPS, target)
    assert provider.slept == [2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 30.0]


def test_an_export_is_given_up_after_fifteen_minutes(target: Path) -> None:
    provider = Provider(ORDERED)
    with pytest.raises(ExportFailed, match="not ready after 15 minutes"):
        export(provider.client, APPS, target)
    assert (len(provider.asked), sum(provider.slept)) == (35, 891.0)


def test_a_failed_export_says_why_but_never_where(target: Path) -> None:
    said = f"no space\x00 at {SIGNED} or s3://x\n" + "x" * 2_000_000
    provider = Provider({**ORDERED, "status": "Failed", "error_msg": said})
    with pytest.raises(ExportFailed, match=r"could not export apps: no space at \.\.\. or") as raised:
        export(provider.client, APPS, target)
    assert "5ecret" not in str(raised.value)
    assert len(str(raised.value)) < 300
    assert provider.fetched == []


def test_a_failed_export_without_a_reason_is_failed_too(target: Path) -> None:
    with pytest.raises(ExportFailed, match="does not say why"):
        export(Provider({**ORDERED, "status": "failed"}).client, APPS, target)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(400, {}, b'{"detail":"Invalid category: apps"}'), Rejected),
        (Response(403), PermissionMissing),
        (Response(404), NotFound),
        (Response(502, {}, b"<title>Bad Gateway</title>"), ServerFault),
        (Unreachable("cut", sent=True), Unreachable),
        (Response(200, {}, b"<html>"), ServerFault),
        (Response(200, {}, b"[]"), ServerFault),
        ({"status": "pending"}, ServerFault),
        ({**ORDERED, "id": None}, ServerFault),
        ({**ORDERED, "id": "../devices"}, ServerFault),
    ],
)
def test_an_order_that_is_not_taken_is_sent_once(answer: Answer, kind: type[ApiError], target: Path) -> None:
    provider = Provider(READY, ordered=answer)
    with pytest.raises(kind):
        export(provider.client, APPS, target)
    assert [r.method for r in provider.asked] == ["POST"]


def test_a_look_that_fails_is_tried_again(target: Path) -> None:
    provider = Provider(Response(500), Response(200, {}, b"<html>"), Unreachable("cut", sent=True), READY)
    export(provider.client, APPS, target)
    assert len(provider.asked) == 5


def test_a_lost_export_can_be_read_by_its_pages(target: Path) -> None:
    with pytest.raises(ExportFailed, match="lost the export of apps"):
        export(Provider(Response(404, {}, b'{"detail":"Not found."}')).client, APPS, target)


def test_a_download_that_breaks_is_tried_again_at_the_same_address(target: Path) -> None:
    provider = Provider(READY, files=(CUT, ServerFault("busy", status=503), "whole"))
    export(provider.client, APPS, target)
    assert (target.read_text(), len(provider.asked), len(provider.fetched)) == ("whole", 2, DOWNLOAD_ATTEMPTS)


@pytest.mark.parametrize("trouble", [EXPIRED, CUT])
def test_an_address_that_does_not_work_is_asked_for_anew(trouble: ApiError, target: Path) -> None:
    tries = 1 if trouble is EXPIRED else DOWNLOAD_ATTEMPTS
    fresh = {**READY, "signed_url": "https://files.example/again"}
    provider = Provider(READY, fresh, files=(*[trouble] * tries, "whole"))
    export(provider.client, APPS, target)
    assert target.read_text() == "whole"
    assert (provider.fetched[0], provider.fetched[-1]) == (SIGNED, "https://files.example/again")
    assert len(provider.asked) == 3


@pytest.mark.parametrize("trouble", [EXPIRED, CUT])
def test_two_addresses_that_do_not_work_are_a_failed_export(trouble: ApiError, target: Path) -> None:
    provider = Provider(READY, files=(trouble,))
    with pytest.raises(ExportFailed, match="could not be had whole") as raised:
        export(provider.client, APPS, target)
    assert "5ecret" not in repr(raised.value)
    assert len(provider.fetched) == (2 if trouble is EXPIRED else 2 * DOWNLOAD_ATTEMPTS)


def test_a_full_disk_is_no_failed_export(target: Path) -> None:
    full = StoreFull("no space")

    def fetch(_url: str, _target: Target) -> None:
        raise full

    client = Client(lambda _r: as_response(READY), "token", Unlimited(), fetch=fetch, sleep=lambda _s: None)
    with pytest.raises(StoreFull):
        export(client, APPS, target)


def test_a_client_that_cannot_download_fails_the_export(target: Path) -> None:
    client = Client(lambda _r: as_response(READY), "token", Unlimited(), sleep=lambda _s: None)
    with pytest.raises(ExportFailed, match="without a way to download"):
        export(client, APPS, target)


def test_a_stopped_client_ends_an_export_while_it_waits(target: Path) -> None:
    def stop(_seconds: float) -> None:
        client.stop()

    client = Client(lambda _r: as_response(ORDERED), "token", Unlimited(), sleep=stop)
    with pytest.raises(Unreachable, match="Stopped"):
        export(client, APPS, target)


def test_a_stopped_client_ends_an_export_while_it_downloads(target: Path) -> None:
    def fetch(_url: str, _target: Target) -> None:
        client.stop()
        raise CUT

    client = Client(lambda _r: as_response(READY), "token", Unlimited(), fetch=fetch, sleep=lambda _s: None)
    with pytest.raises(Unreachable):
        export(client, APPS, target)


def counted(answer: Answer) -> tuple[Count | None, list[Request]]:
    asked: list[Request] = []

    def send(request: Request) -> Response:
        asked.append(request)
        return as_response(answer)

    return count(Client(send, "token", Unlimited(), sleep=lambda _s: None), APPS), asked


@pytest.mark.parametrize(
    ("answer", "rows"),
    [
        ({"count": 82, "approximate": False}, Count(82, approximate=False)),
        ({"count": 82, "approximate": True}, Count(82, approximate=True)),
        ({"count": "82"}, Count(82, approximate=False)),
        ({"count": 0, "approximate": None}, Count(0, approximate=False)),
        ({"count": None}, None),
        (Response(400, {}, b'{"detail":"Invalid category: apps"}'), None),
        (Response(403), None),
        (Response(404), None),
    ],
)
def test_the_count_of_a_category_costs_one_request(answer: Answer, rows: Count | None) -> None:
    found, asked = counted(answer)
    assert found == rows
    assert [(r.path, r.query) for r in asked] == [("/api/v1/prism/count", (("category", "apps"),))]


BROKEN: tuple[Answer, ...] = (
    {"count": -1},
    {"count": True},
    {"count": 8.5},
    {},
    [82],
    Response(200, {}, b"<html>"),
    Response(200),
)


def test_a_broken_count_is_asked_for_again_and_never_taken_for_none() -> None:
    for answer in (*BROKEN, Response(500)):
        with pytest.raises(ServerFault):
            counted(answer)


@pytest.mark.parametrize(("answer", "kind"), [(Response(429, {"retry-after": "900"}), RateLimited), (CUT, Unreachable)])
def test_a_count_does_not_hide_that_nothing_can_be_asked(answer: Answer, kind: type[ApiError]) -> None:
    with pytest.raises(kind):
        counted(answer)
