"""The simulated tenant's two hosts: the API with its doors, and the storage of exported files."""

from urllib.parse import parse_qsl, urlsplit

from kandji_schema.errors import UnknownName
from kandji_schema.http import SIMULATED_HEADER, Request, Response
from kandji_simulator.answers import json_answer
from kandji_simulator.bodies import BODY_LIMIT, TOO_LARGE
from kandji_simulator.doors import DOORS
from kandji_simulator.loopback import Connection, Loopback
from kandji_simulator.tenant import Tenant


class ApiListener(Loopback):
    """The API's host."""

    def __init__(self, tenant: Tenant, port: int) -> None:
        self.tenant = tenant
        super().__init__(port, _ApiConnection)
        self.said_always = {SIMULATED_HEADER: tenant.world.identity}


class StorageListener(Loopback):
    """The storage's host."""

    def __init__(self, tenant: Tenant, port: int) -> None:
        self.storage = tenant.storage
        super().__init__(port, _StorageConnection)


class _ApiConnection(Connection):
    server: ApiListener

    def do_GET(self) -> None:
        """Truth, a door, or the API."""
        path = urlsplit(self.path).path
        if path.startswith("/_truth/"):
            self._send_truth(path.removeprefix("/_truth/"))
        else:
            self._answer()

    def do_POST(self) -> None:
        """A door, or the API."""
        self._answer()

    def do_PATCH(self) -> None:
        """The API."""
        self._answer()

    def do_DELETE(self) -> None:
        """A door, or the API."""
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        query, body = tuple(parse_qsl(url.query, keep_blank_values=True)), self.body(BODY_LIMIT)
        door = DOORS.get((self.command, url.path))
        if body is None:
            self.send(TOO_LARGE)
        elif door:
            with self.server.tenant.lock:
                self.send(door(self.server.tenant, dict(query), body))
        else:
            request = Request(self.command, url.path, query, dict(self.headers), body)
            self.send(*self.server.tenant.answer(request))

    def _send_truth(self, table: str) -> None:
        """The rows while the world stands still, in chunks: they may be gigabytes."""
        with self.server.tenant.lock:
            try:
                lines = self.server.tenant.world.truth_lines(table)
            except UnknownName as error:
                self.send(json_answer(404, {"detail": str(error)}))
            else:
                self.send_chunks(Response(200, {"content-type": "application/x-ndjson"}), lines)


class _StorageConnection(Connection):
    server: StorageListener

    def do_GET(self) -> None:
        """A file."""
        url = urlsplit(self.path)
        found = self.server.storage.answer(url.path, url.query, dict(self.headers))
        self.send_chunks(*found)
