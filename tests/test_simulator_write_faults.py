"""What is left behind by writes that go wrong on their way: the log of writes, faults, and both over HTTP."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import pytest
from naive_client import ask
from support import make_tenant

from kandji_schema.errors import Unreachable
from kandji_schema.http import Request
from kandji_simulator import TOKEN, Fault, FaultKind, Tenant, serve

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
OUTCOMES = [
    (FaultKind.HANGING, 0, True),
    (FaultKind.RESET, 0, True),
    (FaultKind.UNHEARD_HANGING, 0, False),
    (FaultKind.UNHEARD_RESET, 0, False),
    (FaultKind.EXECUTED_SERVER_ERROR, 500, True),
    (FaultKind.EXECUTED_BAD_GATEWAY, 502, True),
    (FaultKind.EXECUTED_GATEWAY_TIMEOUT, 504, True),
    (FaultKind.EXECUTED_HTML_PAGE, 200, True),
    (FaultKind.SERVER_ERROR, 500, False),
    (FaultKind.HTML_PAGE, 200, False),
    (FaultKind.RATE_LIMITED, 429, False),
    (FaultKind.FOUND, 302, False),
    (FaultKind.TEMPORARY_REDIRECT, 307, False),
    (FaultKind.FOUND_NEARBY, 302, False),
    (FaultKind.TEMPORARY_REDIRECT_NEARBY, 307, False),
]
"""Kind of fault, status that goes out (0: none), whether the tenant does what it is asked."""


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant(3, sleep=lambda seconds: None)


@pytest.fixture
def mac(tenant: Tenant) -> str:
    return tenant.world.enrol(platform="Mac")


@pytest.fixture
def connection(tenant: Tenant) -> Iterator[HTTPConnection]:
    with serve(tenant) as server:
        address = urlsplit(server.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
        yield connection
        connection.close()


def over_http(connection: HTTPConnection, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    connection.request(method, path, body, HEADERS)
    response = connection.getresponse()
    sent = response.read()
    return response.status, json.loads(sent) if sent.startswith((b"{", b"[", b'"')) else None


def writes(connection: HTTPConnection) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = over_http(connection, "GET", "/_writes")[1]
    return found


@pytest.mark.parametrize(("kind", "status", "executed"), OUTCOMES)
def test_what_went_out_and_what_was_done_are_told_apart(
    tenant: Tenant, mac: str, kind: FaultKind, status: int, executed: bool
) -> None:
    tenant.faults.append(Fault("action/restart", kind, seconds=0.01, method="POST"))
    try:
        answer = ask(tenant.handle, "POST", f"/devices/{mac}/action/restart", {"NotifyUser": True}).status
    except Unreachable as error:
        answer = 0 if error.sent else -1
    [write] = tenant.writes
    assert (answer, write.status, write.executed) == (status, status, executed)
    assert tenant.world.is_waiting(mac, "restart") is executed


@pytest.mark.parametrize(("kind", "status", "executed"), OUTCOMES)
def test_the_same_over_http(
    tenant: Tenant, mac: str, connection: HTTPConnection, kind: FaultKind, status: int, executed: bool
) -> None:
    fault = {"pattern": "action/restart", "kind": kind.name, "seconds": 0.01, "method": "POST"}
    assert over_http(connection, "POST", "/_faults", json.dumps(fault).encode())[0] == 200
    try:
        answer, _ = over_http(connection, "POST", f"/api/v1/devices/{mac}/action/restart", b'{"NotifyUser": true}')
    except (HTTPException, ConnectionError):
        answer = 0
        connection.close()
    [write] = writes(connection)
    assert (answer, write["status"], write["executed"]) == (status, status, executed)
    assert (write["method"], write["path"]) == ("POST", f"/api/v1/devices/{mac}/action/restart")
    assert (write["body"], write["parsed"]) == ('{"NotifyUser": true}', {"NotifyUser": True})
    assert write["content_type"] == "application/json"
    assert tenant.world.is_waiting(mac, "restart") is executed


def test_a_fault_of_a_method_leaves_the_others_alone(tenant: Tenant, mac: str) -> None:
    tenant.faults.append(Fault(f"devices/{mac}", FaultKind.SERVER_ERROR, method="PATCH"))
    assert ask(tenant.handle, "GET", f"/devices/{mac}").status == 200
    assert ask(tenant.handle, "PATCH", f"/devices/{mac}", {}).status == 500
    assert ask(tenant.handle, "PATCH", f"/devices/{mac}", {}).status == 200


@pytest.mark.parametrize("kind", [FaultKind.FOUND_NEARBY, FaultKind.TEMPORARY_REDIRECT_NEARBY])
def test_a_redirect_nearby_leads_to_a_path_of_this_host(tenant: Tenant, mac: str, kind: FaultKind) -> None:
    tenant.faults.append(Fault("action", kind))
    assert ask(tenant.handle, "POST", f"/devices/{mac}/action/lock").headers["location"].startswith("/api/v1/")


def test_the_log_of_writes_has_refused_ones_and_no_reads(tenant: Tenant, mac: str) -> None:
    ask(tenant.handle, "GET", f"/devices/{mac}/secrets/unlockpin")
    ask(tenant.handle, "POST", "/prism/export", {"category": "apps"})
    assert list(tenant.writes) == []
    ask(tenant.handle, "POST", f"/devices/{mac}/action/explode", b"\xff{")
    ask(tenant.handle, "DELETE", f"/devices/{mac}", Authorization="none")
    ask(tenant.handle, "PATCH", f"/devices/{mac}", {"asset_tag": 1})
    told = [(w.method, w.status, w.executed, w.body, w.parsed) for w in tenant.writes]
    assert told == [
        ("POST", 404, False, b"\xff{", None),
        ("DELETE", 401, False, b"", None),
        ("PATCH", 400, False, b'{"asset_tag": 1}', {"asset_tag": 1}),
    ]


def test_a_device_is_managed_over_http(tenant: Tenant, mac: str, connection: HTTPConnection) -> None:
    path = f"/api/v1/devices/{mac}"
    assert over_http(connection, "POST", f"{path}/action/setname", b'{"DeviceName": "Over HTTP"}') == (200, None)
    assert over_http(connection, "POST", f"/_commands?device_id={mac}&status=RUNNING") == (200, {"answered": 1})
    assert over_http(connection, "POST", "/_commands") == (200, {"answered": 1})
    assert over_http(connection, "GET", path)[1]["device_name"] == "Over HTTP"
    assert over_http(connection, "PATCH", path, b'{"asset_tag": "7"}')[1]["asset_tag"] == "7"
    status, note = over_http(connection, "POST", f"{path}/notes", b'{"content": "x"}')
    assert (status, over_http(connection, "DELETE", f"{path}/notes/{note['note_id']}")[0]) == (201, 200)
    assert over_http(connection, "DELETE", path) == (204, None)
    assert over_http(connection, "GET", path)[0] == 404
    assert [w["executed"] for w in writes(connection)] == [True] * 5


def test_permissions_have_a_door(mac: str, connection: HTTPConnection) -> None:
    door = "/_forbidden?path=/api/v1/devices/{device_id}&method=DELETE"
    over_http(connection, "POST", door)
    assert over_http(connection, "DELETE", f"/api/v1/devices/{mac}")[0] == 403
    assert over_http(connection, "GET", f"/api/v1/devices/{mac}")[0] == 200
    over_http(connection, "DELETE", door)
    assert over_http(connection, "DELETE", f"/api/v1/devices/{mac}")[0] == 204


def test_a_status_no_command_has_is_refused(connection: HTTPConnection) -> None:
    assert over_http(connection, "POST", "/_commands?status=EXPLODED")[0] == 400


@pytest.mark.parametrize("length", ["9999999", "-1", "many"])
def test_a_body_without_a_usable_length_is_refused_unread(
    tenant: Tenant, mac: str, connection: HTTPConnection, length: str
) -> None:
    with socket.create_connection((connection.host, connection.port), timeout=10) as raw:
        head = f"POST /api/v1/devices/{mac}/action/erase HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
        raw.sendall(head.encode())
        assert raw.recv(65_536).startswith(b"HTTP/1.1 413 ")
    assert tenant.world.waiting == []


def test_a_body_too_large_is_refused_in_process(tenant: Tenant, mac: str) -> None:
    body = b'{"Message": "' + b"x" * (1 << 20) + b'"}'
    assert tenant.handle(Request("POST", f"/api/v1/devices/{mac}/action/lock", (), HEADERS, body)).status == 413
    assert tenant.world.waiting == []
