"""The simulated tenant over real HTTP on loopback."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode, urlsplit

import pytest
from naive_client import walk_table

from kandji_schema.errors import ConfigurationError
from kandji_schema.http import Request, Response
from kandji_simulator import TOKEN, Fault, FaultKind, Server, ServerLimits, Tenant, World, serve

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(World(1, 30, apps_per_device=12), limits=None)


@pytest.fixture
def server(tenant: Tenant) -> Iterator[Server]:
    with serve(tenant) as running:
        yield running


@pytest.fixture
def connection(server: Server) -> Iterator[HTTPConnection]:
    address = urlsplit(server.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
    yield connection
    connection.close()


def _ask(connection: HTTPConnection, method: str, path: str) -> tuple[int, bytes]:
    connection.request(method, path, headers=HEADERS)
    response = connection.getresponse()
    return response.status, response.read()


def test_the_api_over_http_is_the_api_in_process(tenant: Tenant, connection: HTTPConnection) -> None:
    def send(request: Request) -> Response:
        path = f"{request.path}?{urlencode(request.query)}"
        connection.request(request.method, path, headers=dict(request.headers))
        answer = connection.getresponse()
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    for table in ("devices", "apps", "users", "blueprint_library_items"):
        assert walk_table(send, tenant.world, table, 50) == list(tenant.world.truth(table))


def test_one_connection_serves_many_requests(connection: HTTPConnection) -> None:
    statuses, ports = [], set()
    for _ in range(5):
        statuses.append(_ask(connection, "GET", "/api/v1/devices?limit=1")[0])
        ports.add(connection.sock.getsockname()[1])
    assert statuses == [200] * 5
    assert len(ports) == 1


def test_only_loopback_is_listened_on(server: Server) -> None:
    assert urlsplit(server.url).hostname == "127.0.0.1"


def test_truth_log_and_time_have_control_endpoints_without_a_token(tenant: Tenant, connection: HTTPConnection) -> None:
    _, lines = _ask(connection, "GET", "/_truth/apps")
    assert [json.loads(line) for line in lines.splitlines()] == list(tenant.world.truth("apps"))
    _ask(connection, "GET", "/api/v1/devices?limit=1")
    status, body = _ask(connection, "POST", "/_advance?steps=2")
    assert (status, json.loads(body)["now"]) == (200, "2026-01-12T09:30:00+00:00")
    _, log = _ask(connection, "GET", "/_journal")
    assert json.loads(log) == [{"method": "GET", "path": "/api/v1/devices", "query": [["limit", "1"]], "status": 200}]


def test_a_door_refuses_what_it_does_not_know(connection: HTTPConnection) -> None:
    assert _ask(connection, "GET", "/_truth/nothing")[0] == 404
    assert _ask(connection, "POST", "/_advance?steps=soon")[0] == 400


def test_a_reset_reaches_the_client(tenant: Tenant, connection: HTTPConnection) -> None:
    tenant.faults.append(Fault("devices", FaultKind.RESET))
    with pytest.raises(ConnectionResetError):
        _ask(connection, "GET", "/api/v1/devices")
    connection.close()
    assert _ask(connection, "GET", "/api/v1/devices")[0] == 200


def test_a_torn_body_is_shorter_than_announced(tenant: Tenant, connection: HTTPConnection) -> None:
    tenant.faults.append(Fault("devices", FaultKind.TORN))
    with pytest.raises(IncompleteRead):
        _ask(connection, "GET", "/api/v1/devices")


def test_a_slow_body_arrives_whole(tenant: Tenant, connection: HTTPConnection) -> None:
    _, whole = _ask(connection, "GET", "/api/v1/devices")
    tenant.faults.append(Fault("devices", FaultKind.SLOW, seconds=0.05))
    assert _ask(connection, "GET", "/api/v1/devices") == (200, whole)


def test_a_hanging_answer_sends_no_byte_and_ends(tenant: Tenant, connection: HTTPConnection) -> None:
    tenant.faults.append(Fault("devices", FaultKind.HANGING, seconds=0.05))
    with pytest.raises(RemoteDisconnected):
        _ask(connection, "GET", "/api/v1/devices")
    connection.close()
    assert _ask(connection, "GET", "/api/v1/devices")[0] == 200


def test_closing_ends_a_hanging_answer(tenant: Tenant) -> None:
    asked = Event()
    tenant.faults.append(Fault("devices", FaultKind.HANGING, seconds=3_600))
    tenant.between("devices", lambda world: asked.set())
    server = serve(tenant)
    address = urlsplit(server.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("GET", "/api/v1/devices", headers=HEADERS)
    assert asked.wait(10)
    server.close()
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        connection.getresponse()
    connection.close()


def test_the_date_is_the_tenants_and_there_is_one(connection: HTTPConnection) -> None:
    connection.request("GET", "/api/v1/devices?limit=1", headers=HEADERS)
    response = connection.getresponse()
    response.read()
    assert response.headers.get_all("date") == ["Mon, 12 Jan 2026 09:00:00 GMT"]


def _export(connection: HTTPConnection) -> str:
    connection.request("POST", "/api/v1/prism/export", b'{"category":"apps"}', HEADERS)
    job = json.loads(connection.getresponse().read())
    answers = [json.loads(_ask(connection, "GET", f"/api/v1/prism/export/{job['id']}")[1]) for _ in range(2)]
    return str(answers[-1]["signed_url"])


def _download(url: str, headers: dict[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_exported_files_are_on_a_second_port_that_refuses_a_token(
    tenant: Tenant, server: Server, connection: HTTPConnection, tmp_path: Path
) -> None:
    url = _export(connection)
    assert (url.startswith(f"{server.storage_url}/"), url.startswith(f"{server.url}/")) == (True, False)
    tenant.fetch(url, tmp_path / "file")
    assert _download(url, {}) == (200, (tmp_path / "file").read_bytes())
    assert _download(url, HEADERS)[0] == 400


def test_a_torn_download_has_no_end(tenant: Tenant, connection: HTTPConnection) -> None:
    url = _export(connection)
    tenant.faults.append(Fault("visibility-export", FaultKind.TORN))
    with pytest.raises(IncompleteRead):
        _download(url, {})


def test_downloads_do_not_count_against_the_limits() -> None:
    tenant = Tenant(
        World(1, 30, apps_per_device=12), limits=ServerLimits(per_second=1_000, per_hour=4), clock=lambda: 1e9
    )
    with serve(tenant) as server:
        address = urlsplit(server.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
        url = _export(connection)
        assert [_download(url, {})[0] for _ in range(3)] == [200] * 3
        assert [_ask(connection, "GET", "/api/v1/tags")[0] for _ in range(2)] == [200, 429]
        connection.close()


def test_faults_have_a_door(connection: HTTPConnection) -> None:
    assert json.loads(_ask(connection, "GET", "/_faults")[1])["SERVER_ERROR"] == "500 with a page of HTML"
    connection.request("POST", "/_faults", b'{"pattern": "tags", "kind": "SERVER_ERROR", "times": 2}')
    assert connection.getresponse().read() == b'{"faults":1}'
    assert _ask(connection, "GET", "/api/v1/tags")[0] == 500
    assert _ask(connection, "DELETE", "/_faults") == (200, b'{"faults":0}')
    assert _ask(connection, "GET", "/api/v1/tags")[0] == 200


@pytest.mark.parametrize("body", [b"", b"[]", b'{"pattern": "x"}', b'{"pattern": "x", "kind": "BOREDOM"}'])
def test_the_door_of_faults_says_what_it_takes(connection: HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/_faults", body)
    response = connection.getresponse()
    assert (response.status, b"SERVER_ERROR" in response.read()) == (400, True)


def test_closing_ends_open_connections_and_frees_the_port(tenant: Tenant) -> None:
    server = serve(tenant)
    address = urlsplit(server.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
    _ask(connection, "GET", "/api/v1/devices?limit=1")
    server.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address.hostname, address.port or 0), timeout=10).close()
    connection.close()


def test_a_taken_port_is_told_in_plain_words(tenant: Tenant, server: Server) -> None:
    port = urlsplit(server.url).port or 0
    with pytest.raises(ConfigurationError, match=rf"Port {port} of 127\.0\.0\.1 cannot be used"):
        serve(tenant, port)


def test_requests_leave_no_trace_on_the_console(
    tenant: Tenant, connection: HTTPConnection, capfd: pytest.CaptureFixture[str]
) -> None:
    tenant.faults.append(Fault("users", FaultKind.RESET))
    _ask(connection, "GET", "/api/v1/devices")
    with pytest.raises(ConnectionResetError):
        _ask(connection, "GET", "/api/v1/users")
    assert capfd.readouterr() == ("", "")


def test_several_clients_are_served_at_once(tenant: Tenant, server: Server) -> None:
    address = urlsplit(server.url)
    found: list[tuple[int, bytes]] = []

    def ask() -> None:
        connection = HTTPConnection(address.hostname or "", address.port, timeout=10)
        found.extend(_ask(connection, "GET", "/api/v1/prism/apps?limit=300") for _ in range(5))
        connection.close()

    threads = [Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(found) == 30
    assert len(set(found)) == 1
