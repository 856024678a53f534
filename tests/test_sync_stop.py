"""Ctrl-C and SIGTERM end a sync at once, whatever hangs; what was complete is published."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import COMMAND, environment
from support import client_of, make_tenant, manifest_of, slow_but

from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.run import SyncRequest, run_request
from kandji_mirror.threads import run_parallel
from kandji_schema.errors import Unreachable
from kandji_schema.http import Request, Response
from kandji_schema.manifest import State
from kandji_schema.registry import resources
from kandji_simulator import TOKEN, Fault, serve
from kandji_simulator import FaultKind as Trouble


@pytest.mark.heavy
@pytest.mark.parametrize("sent", slow_but(signal.SIGTERM, of=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
def test_a_sync_that_hangs_ends_within_two_seconds(tmp_path: Path, sent: signal.Signals) -> None:
    tenant = make_tenant(30)
    tenant.faults.append(Fault("/api/v1/users", Trouble.HANGING, times=99, seconds=60))
    with serve(tenant) as server:
        settings = {"KANDJI_API_URL": server.url, "KANDJI_API_TOKEN": TOKEN}
        command = [COMMAND, "sync", "devices", "users"]
        with subprocess.Popen(
            command, env=environment(tmp_path, **settings), cwd=tmp_path, stderr=subprocess.PIPE, text=True
        ) as process:
            wait_until(lambda: any(request.path == "/api/v1/users" for request in tenant.requests))
            began = time.monotonic()
            process.send_signal(sent)
            _, said = process.communicate(timeout=20)
        assert time.monotonic() - began < 15  # two seconds where the machine is idle; not the minute of the tenant
        assert (process.returncode, "complete are published" in said) == (130, True)
        assert manifest_of(tmp_path).tables["devices"].state is State.OK
        assert manifest_of(tmp_path).tables["users"].state is State.NEVER


def wait_until(happened: Callable[[], bool], seconds: float = 30) -> None:
    """Give another process time; fails the test when it takes too long."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        threading.Event().wait(0.02)


def test_a_stopped_client_is_no_failure_of_the_tables(tmp_path: Path) -> None:
    tenant = make_tenant(30)

    def send(request: Request) -> Response:
        if request.path == "/api/v1/users":
            client.stop()
            raise Unreachable("The connection ended.", sent=True)
        return tenant.handle(request)

    client = client_of(send, tenant.fetch)
    with open_store(tmp_path, "loopback", resources()) as store:
        report = run_request(store, client, SyncRequest(("devices", "users")))
    assert [outcome.table for outcome in report.outcomes] == ["devices"]
    assert manifest_of(tmp_path).tables["users"].state is State.NEVER


def test_the_first_error_stops_the_jobs_beside_it() -> None:
    stopped = threading.Event()

    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_parallel([fails, lambda: assert_true(stopped.wait(10))], stopped.set)


def assert_true(value: bool) -> None:
    assert value


def test_a_job_that_does_not_end_is_left_alone() -> None:
    forever = threading.Event()
    began = time.monotonic()

    def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_parallel([lambda: assert_true(forever.wait(30)), fails], lambda: None)
    assert time.monotonic() - began < 20
    forever.set()
