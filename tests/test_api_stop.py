"""Stopping lets everything end at once, whatever hangs."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Semaphore, Thread, current_thread

import pytest
from loopback import Silent, silent
from paged import THINGS
from support import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.api.download import Download
from kandji_mirror.api.paging import walk
from kandji_mirror.api.transport import HttpTransport
from kandji_mirror.threads import AbandonableCalls, in_thread
from kandji_schema.errors import Unreachable
from kandji_schema.http import Request, Response

SOON = 15.0  # at once where the machine is idle; not the five minutes of the timeouts
HANGS_IN_THE_BODY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n[1,"


@contextmanager
def hanging(first_words: bytes = b"") -> Iterator[tuple[Silent, Client]]:
    """A client of a server that hangs, over real sockets, with timeouts far beyond any test's."""
    with (
        silent(first_words) as server,
        HttpTransport(server.url, read_timeout=300) as transport,
        Download(server.url, read_timeout=300) as download,
    ):
        yield server, Client(transport, "token", Unlimited(), fetch=download)


def stopped_in(client: Client, server: Silent, jobs: list[Callable[[], object]]) -> tuple[float, list[str]]:
    """Seconds from ``stop`` until every job ended, and how; stopped once each has a connection that hangs."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        running = [pool.submit(job) for job in jobs]
        assert all(server.connected.acquire(timeout=30) for _ in jobs)
        began = time.monotonic()
        client.stop()
        endings = [type(future.exception(30)).__name__ for future in running]
    return time.monotonic() - began, endings


@pytest.mark.parametrize("first_words", [b"", b"HTTP/1.1 200 OK\r\n", HANGS_IN_THE_BODY])
def test_requests_that_hang_in_a_read_end_at_once(first_words: bytes, tmp_path: Path) -> None:
    with hanging(first_words) as (server, client):
        seconds, endings = stopped_in(
            client,
            server,
            [
                lambda: client.get("/api/v1/devices"),
                lambda: client.post("/api/v1/prism/export", {}),
                lambda: client.download(f"{server.url}/x", tmp_path / "x"),
                lambda: list(walk(client, THINGS)),
            ],
        )
    assert endings == ["Unreachable"] * 4
    assert seconds < SOON


def test_a_walk_that_hangs_in_pages_asked_for_ahead_ends_at_once() -> None:
    """Page one is there; the next eight, asked for by threads of their own, never come."""
    release, asked_ahead = Event(), Semaphore(0)

    def send(request: Request) -> Response:
        if "offset" not in dict(request.query):
            return Response(200, {"x-total-count": "300"}, b'[{"id":"1"},{"id":"2"},{"id":"3"}]')
        asked_ahead.release()
        release.wait(60)
        raise Unreachable("too late", sent=True)

    client = Client(send, "token", Unlimited())
    pages = walk(client, THINGS)
    next(pages)
    second = in_thread(lambda: next(pages))
    assert all(asked_ahead.acquire(timeout=30) for _ in range(8))
    began = time.monotonic()
    client.stop()
    with pytest.raises(Unreachable, match="Stopped"):
        second.result(30)
    assert time.monotonic() - began < SOON
    release.set()


def test_a_request_that_was_on_its_way_counts_as_sent() -> None:
    with hanging() as (server, client):
        stopped_in(client, server, [lambda: client.get("/api/v1/devices")])
        assert client.requests == 1


def test_a_write_that_was_on_its_way_may_have_been_carried_out() -> None:
    release = Event()

    def send(_request: Request) -> Response:
        client.stop()
        release.wait(60)
        return Response(200)

    client = Client(send, "token", Unlimited())
    with pytest.raises(Unreachable) as raised:
        client.post("/api/v1/devices/d/action/lock", {})
    release.set()
    assert raised.value.sent


def test_what_is_called_after_the_end_is_let_go_too() -> None:
    calls, never = AbandonableCalls(), Event()
    calls.abandon(lambda: KeyError("over"))
    with pytest.raises(KeyError, match="over"):
        calls.wait_for(lambda: never.wait(60))
    never.set()


def test_an_abandoned_call_ends_unheard() -> None:
    calls, release, threads = AbandonableCalls(), Event(), SimpleQueue[Thread]()

    def job() -> None:
        threads.put(current_thread())
        release.wait(60)
        raise ValueError("nobody listens")

    waiting = in_thread(lambda: calls.wait_for(job))
    thread = threads.get(timeout=30)
    calls.abandon(lambda: KeyError("over"))
    assert isinstance(waiting.exception(30), KeyError)
    release.set()
    thread.join(30)
    assert not thread.is_alive()


def test_a_call_gives_its_result_and_its_error() -> None:
    calls = AbandonableCalls()
    assert calls.wait_for(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        calls.wait_for(lambda: 1 // 0)
