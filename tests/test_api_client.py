"""Requests, retries, pauses and the budget of the hour."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import pytest
from support import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.api.rate_limit import Sleep
from kandji_mirror.api.retry import ATTEMPTS, PROBE_AFTER
from kandji_schema.errors import (
    ApiError,
    AuthenticationError,
    NotFound,
    Outage,
    PermissionMissing,
    RateLimited,
    Rejected,
    ServerFault,
    Unreachable,
)
from kandji_schema.http import Request, Response, Send, Target

TOKEN = "5e0a3c1b-aaaa-4a2b-9c3d-0000deadbeef"
OK = Response(200, {"content-type": "application/json"}, b"[]")
LIMITED = Response(429, {"retry-after": "7"}, b'{"message":"API rate limit exceeded"}')
REFUSED = Unreachable("no connection", sent=False)
CUT = Unreachable("the connection broke", sent=True)

Reply = Response | ApiError


class Clock:
    """A clock that moves only by sleeping."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []
        self._lock = Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(round(seconds, 6))
            self.now += seconds


class Provider:
    """Answers with the given replies in turn, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Response):
            return reply
        raise reply


def client_of(send: Send, clock: Clock, **options: Any) -> Client:
    return Client(send, TOKEN, Unlimited(), clock=clock, wall=clock, sleep=clock.sleep, jitter=lambda: 0.5, **options)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_request_carries_the_token_and_says_who_asks(clock: Clock) -> None:
    provider = Provider(OK)
    assert client_of(provider, clock).get("/api/v1/devices", [("limit", "300")]) == OK
    (asked,) = provider.asked
    assert (asked.method, asked.path, asked.query, asked.body) == ("GET", "/api/v1/devices", (("limit", "300"),), b"")
    assert asked.headers == {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json",
        "User-Agent": asked.headers["User-Agent"],
    }
    assert asked.headers["User-Agent"].startswith("kandji-mirror/")


@pytest.mark.parametrize(
    "reply", [Response(500), Response(502), Response(503), Response(504), Response(429), REFUSED, CUT]
)
def test_a_get_is_sent_again_after_a_passing_trouble(reply: Reply, clock: Clock) -> None:
    client = client_of(Provider(reply, reply, OK), clock)
    assert client.get("/api/v1/devices") == OK
    assert clock.slept == [1.5, 2.5]


def test_it_is_sent_again_five_times_and_no_more(clock: Clock) -> None:
    provider = Provider(Response(503))
    with pytest.raises(ServerFault):
        client_of(provider, clock).get("/api/v1/devices")
    assert len(provider.asked) == ATTEMPTS == 6
    assert clock.slept == [1.5, 2.5, 4.5, 8.5, 16.5]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Response(400), Rejected),
        (Response(302), Rejected),
        (Response(403), PermissionMissing),
        (Response(404), NotFound),
        (Response(501), ServerFault),
    ],
)
def test_what_would_not_get_better_is_not_sent_again(reply: Response, kind: type[ApiError], clock: Clock) -> None:
    provider = Provider(reply, OK)
    with pytest.raises(kind):
        client_of(provider, clock).get("/api/v1/devices")
    assert len(provider.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_the_server_asks_for_is_kept(status: int, clock: Clock) -> None:
    client_of(Provider(Response(status, {"retry-after": "42"}), OK), clock).get("/api/v1/devices")
    assert clock.slept == [42.5]


def test_a_wait_given_as_a_date_is_kept(clock: Clock) -> None:
    clock.now = 1_790_000_000.0
    reply = Response(429, {"retry-after": "Mon, 21 Sep 2026 14:13:50 GMT"})
    client_of(Provider(reply, OK), clock).get("/api/v1/devices")
    assert clock.slept == [30.5]


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (503, ServerFault)])
def test_a_longer_wait_than_our_patience_is_an_error_and_not_slept(
    status: int, kind: type[RateLimited | ServerFault], clock: Clock
) -> None:
    client = client_of(Provider(Response(status, {"retry-after": "600"})), clock)
    with pytest.raises(kind) as raised:
        client.get("/api/v1/devices")
    assert (clock.slept, client.requests, raised.value.retry_after) == ([], 1, 600.0)


def test_after_a_429_with_a_long_wait_nothing_is_sent_until_it_is_over(clock: Clock) -> None:
    provider = Provider(Response(429, {"retry-after": "600"}), OK)
    client = client_of(provider, clock)
    for _ in range(2):
        with pytest.raises(RateLimited):
            client.get("/api/v1/devices")
    assert len(provider.asked) == 1
    clock.now += 601
    assert client.get("/api/v1/devices") == OK


def test_a_wait_of_exactly_our_patience_is_slept(clock: Clock) -> None:
    client_of(Provider(Response(429, {"retry-after": "120"}), OK), clock).get("/api/v1/devices")
    assert clock.slept == [120.5]


def test_a_429_pauses_every_thread(clock: Clock) -> None:
    """The second thread asks while the first sits out the pause: it must not send before that is over."""
    sent_at: list[tuple[str, float]] = []
    other_waits, limited = Event(), Event()

    def send(request: Request) -> Response:
        sent_at.append((request.path, clock.now))
        if request.path == "/api/v1/devices" and not limited.is_set():
            limited.set()
            return LIMITED
        return OK

    def sleep(seconds: float) -> None:
        if limited.is_set() and not other_waits.is_set():
            other_waits.set()
            other.start()
            return  # the first thread's clock stands still until the other one has slept
        clock.sleep(seconds)

    client = Client(send, TOKEN, Unlimited(), clock=clock, sleep=sleep, jitter=lambda: 0.0)
    other = Thread(target=client.get, args=("/api/v1/users",))
    client.get("/api/v1/devices")
    other.join(10)
    assert sent_at[0] == ("/api/v1/devices", 1_000.0)
    assert {path for path, _ in sent_at[1:]} == {"/api/v1/devices", "/api/v1/users"}
    assert all(at >= 1_007.0 for _, at in sent_at[1:])


def test_an_answer_that_cannot_be_read_is_asked_for_again(clock: Clock) -> None:
    def parse(response: Response) -> bytes:
        if response.body != b"[]":
            raise ServerFault("not JSON", status=response.status)
        return response.body

    client = client_of(Provider(Response(200, {}, b"<html>"), OK), clock)
    assert client.read("/api/v1/devices", (), parse) == b"[]"
    assert client.requests == 2


def with_left(left: int, status: int = 200) -> Response:
    return Response(status, {"X-RateLimit-Remaining-Hour": str(left)}, b"[]")


def test_the_requests_left_to_the_tenant_are_kept(clock: Clock) -> None:
    client = client_of(Provider(with_left(9_965), OK), clock)
    assert client.remaining_hour is None
    client.get("/api/v1/devices")
    client.get("/api/v1/devices")
    assert client.remaining_hour == 9_965


def test_the_last_requests_of_the_hour_are_left_to_others(clock: Clock) -> None:
    client = client_of(Provider(with_left(499), OK), clock)
    client.get("/api/v1/devices")
    with pytest.raises(RateLimited, match="499 requests left in this hour; below 500") as refused:
        client.get("/api/v1/devices")
    assert (client.requests, refused.value.retry_after, clock.slept) == (1, PROBE_AFTER, [])


def test_every_five_minutes_one_request_looks_whether_the_hour_is_over(clock: Clock) -> None:
    client = client_of(Provider(with_left(10), with_left(9), with_left(9_999)), clock)
    client.get("/api/v1/devices")
    clock.now += PROBE_AFTER
    client.get("/api/v1/devices")
    with pytest.raises(RateLimited):
        client.get("/api/v1/devices")
    clock.now += PROBE_AFTER
    client.get("/api/v1/devices")
    client.get("/api/v1/devices")
    assert client.requests == 4


def test_a_429_in_a_used_up_hour_is_not_sent_again(clock: Clock) -> None:
    client = client_of(Provider(with_left(0, status=429)), clock)
    with pytest.raises(RateLimited):
        client.get("/api/v1/devices")
    assert (client.requests, clock.slept) == (1, [])


def test_the_window_of_a_second_is_waited_for(clock: Clock) -> None:
    headers = {"ratelimit-reset": "1", "x-ratelimit-remaining-hour": "9000"}
    client_of(Provider(Response(429, headers), OK), clock).get("/api/v1/devices")
    assert clock.slept == [1.5]


def test_a_401_on_the_first_request_is_a_wrong_token(clock: Clock) -> None:
    with pytest.raises(AuthenticationError):
        client_of(Provider(Response(401)), clock).get("/api/v1/devices")


def test_a_401_after_a_success_is_a_missing_permission(clock: Clock) -> None:
    client = client_of(Provider(OK, Response(401)), clock)
    client.get("/api/v1/devices")
    with pytest.raises(PermissionMissing):
        client.get("/api/v1/users")


def test_a_401_of_the_very_endpoint_that_answered_is_a_token_that_ended(clock: Clock) -> None:
    client = client_of(Provider(OK, OK, Response(401)), clock)
    client.get("/api/v1/devices/5e0a3c1b/details")
    client.get("/api/v1/users")
    with pytest.raises(AuthenticationError):
        client.get("/api/v1/devices/77883d40/details")


def test_a_post_carries_its_body_once(clock: Clock) -> None:
    provider = Provider(OK)
    assert client_of(provider, clock).post("/api/v1/prism/export", {"category": "apps", "columns": []}) == OK
    (asked,) = provider.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/api/v1/prism/export", ())
    assert asked.body == b'{"category":"apps","columns":[]}'
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("reply", [Response(500), Response(502), Response(503), Response(504), CUT])
def test_a_post_that_may_have_been_carried_out_is_not_sent_again(reply: Reply, clock: Clock) -> None:
    provider = Provider(reply, OK)
    with pytest.raises(ApiError):
        client_of(provider, clock).post("/api/v1/prism/export", {})
    assert (len(provider.asked), clock.slept) == (1, [])


@pytest.mark.parametrize("reply", [Response(429), REFUSED])
def test_a_post_that_was_certainly_not_carried_out_is_sent_again(reply: Reply, clock: Clock) -> None:
    provider = Provider(reply, reply, OK)
    assert client_of(provider, clock).post("/api/v1/prism/export", {}) == OK
    assert (len(provider.asked), clock.slept) == (3, [1.5, 2.5])


def test_a_post_is_not_sent_without_a_permit(clock: Clock) -> None:
    class NoPermits:
        def acquire(self, timeout: float, sleep: Sleep = clock.sleep) -> None:
            raise RateLimited("the budget is used up", retry_after=1.0)

    provider = Provider(OK)
    with pytest.raises(RateLimited, match="used up"):
        Client(provider, TOKEN, NoPermits(), clock=clock, sleep=clock.sleep).post("/api/v1/prism/export", {})
    assert provider.asked == []


def test_a_download_costs_no_permit_and_no_request(clock: Clock, tmp_path: Path) -> None:
    class NoPermits:
        def acquire(self, timeout: float, sleep: Sleep = clock.sleep) -> None:
            raise RateLimited("the budget is used up", retry_after=1.0)

    fetched: list[tuple[str, Target]] = []

    def fetch(url: str, target: Target) -> None:
        fetched.append((url, target))
        if len(fetched) == 1:
            raise CUT

    client = Client(Provider(OK), TOKEN, NoPermits(), fetch=fetch, clock=clock, sleep=clock.sleep, jitter=lambda: 0.5)
    client.download("https://files.example/x", tmp_path)
    assert (fetched, client.requests) == ([("https://files.example/x", tmp_path)] * 2, 0)
    assert clock.slept == [1.5]


def test_the_providers_time_is_that_of_its_newest_answer(clock: Clock) -> None:
    dated = [Response(200, {"Date": f"Mon, 21 Sep 2026 14:13:2{n} GMT"}) for n in range(2)]
    client = client_of(Provider(dated[0], dated[1], OK), clock)
    assert client.provider_now is None
    for second in (0, 1, 1):
        client.get("/api/v1/devices")
        assert client.provider_now == datetime(2026, 9, 21, 14, 13, 20 + second, tzinfo=UTC)


def test_a_proxys_error_page_does_not_tell_the_providers_time(clock: Clock) -> None:
    client = client_of(Provider(Response(403, {"Date": "Mon, 21 Sep 2026 14:13:20 GMT"})), clock)
    with pytest.raises(PermissionMissing):
        client.get("/api/v1/devices")
    assert client.provider_now is None


def test_a_pause_is_the_clients_own_wait(clock: Clock) -> None:
    client_of(Provider(OK), clock).pause(42)
    assert clock.slept == [42]


def test_stop_ends_a_pause(clock: Clock) -> None:
    client = client_of(Provider(OK), clock)
    client.stop()
    with pytest.raises(Unreachable, match="Stopped") as stopped:
        client.pause(42)
    assert (clock.slept, stopped.value.sent, client.stopped) == ([], False, True)


def test_only_requests_that_left_are_counted(clock: Clock) -> None:
    client = client_of(Provider(REFUSED, CUT, Response(503), OK), clock)
    client.get("/api/v1/devices")
    assert client.requests == 3


def test_a_permit_is_taken_for_every_request(clock: Clock) -> None:
    class Permits:
        given = 0

        def acquire(self, timeout: float, sleep: Sleep = clock.sleep) -> None:
            assert timeout == 120.0
            self.given += 1

    permits = Permits()
    Client(Provider(Response(503), OK), TOKEN, permits, clock=clock, sleep=clock.sleep).get("/api/v1/devices")
    assert permits.given == 2


def test_a_used_up_budget_sends_nothing(clock: Clock) -> None:
    class NoPermits:
        def acquire(self, timeout: float, sleep: Sleep = clock.sleep) -> None:
            raise RateLimited("the budget is used up", retry_after=1_800.0)

    provider = Provider(OK)
    with pytest.raises(RateLimited, match="used up"):
        Client(provider, TOKEN, NoPermits(), clock=clock, sleep=clock.sleep).get("/api/v1/devices")
    assert provider.asked == []


def test_threads_are_counted_rightly(clock: Clock) -> None:
    client = client_of(Provider(OK), clock)

    def ask() -> None:
        for _ in range(200):
            client.get("/api/v1/devices")

    run_all(ask for _ in range(8))
    assert client.requests == 1_600


def run_all(jobs: Iterable[Callable[[], None]]) -> None:
    threads = [Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


def test_stop_ends_a_long_wait_at_once() -> None:
    limited = Event()
    ended: list[ApiError] = []

    def send(_request: Request) -> Response:
        limited.set()
        return Response(429, {"retry-after": "60"})

    client = Client(send, TOKEN, Unlimited())

    def ask() -> None:
        try:
            client.get("/api/v1/devices")
        except ApiError as error:
            ended.append(error)

    thread = Thread(target=ask)
    thread.start()
    assert limited.wait(5)
    client.stop()
    thread.join(1)
    assert not thread.is_alive()
    assert [type(error) for error in ended] == [Unreachable]


def test_a_stopped_client_sends_nothing(clock: Clock) -> None:
    provider = Provider(OK)
    client = client_of(provider, clock)
    client.stop()
    with pytest.raises(Unreachable, match="Stopped") as stopped:
        client.get("/api/v1/devices")
    assert (provider.asked, stopped.value.sent) == ([], False)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("form", ['{{"detail":"{}"}}', '"{}"', "<title>{}</title>", '["Bearer {}"]'])
def test_no_error_ever_shows_the_token(status: int, form: str, clock: Clock) -> None:
    headers: Mapping[str, str] = {"location": f"https://evil.example/{TOKEN}"}
    reply = Response(status, headers, form.format(TOKEN).encode())
    with pytest.raises(Exception, match=str(status)) as raised:
        client_of(Provider(reply), clock).get("/api/v1/devices", [("email", "ann@example.com")])
    chain = [raised.value, raised.value.__cause__, raised.value.__context__]
    assert not any(TOKEN in repr(error) or "ann@" in repr(error) for error in chain)


LIMITED_BRIEFLY = Response(429, {"retry-after": "1"}, b"")


@pytest.mark.parametrize("reply", [LIMITED_BRIEFLY, Response(503, {"retry-after": "1"})])
def test_waits_that_the_provider_names_are_kept_for_a_minute_in_all(reply: Response, clock: Clock) -> None:
    assert client_of(Provider(*[reply] * 40, OK), clock).get("/api/v1/devices") == OK
    provider = Provider(reply)
    with pytest.raises(ApiError):
        client_of(provider, clock).get("/api/v1/devices")
    assert len(provider.asked) == 41  # each wait is of 1.5 s, with what keeps clients apart


def test_waits_of_no_length_end_too(clock: Clock) -> None:
    provider = Provider(Response(429, {"retry-after": "0.001"}))
    with pytest.raises(RateLimited):
        client_of(provider, clock).get("/api/v1/devices")
    assert len(provider.asked) == 61


def test_two_endpoints_that_answer_nothing_for_half_a_minute_are_an_outage(clock: Clock) -> None:
    provider = Provider(Response(500))
    client = client_of(provider, clock)
    with pytest.raises(ServerFault):
        client.get("/api/v1/devices")
    assert client.outage is None
    for _ in range(2):
        with pytest.raises(Outage, match=r"no usable answer to anything for 34 s.*answered 500"):
            client.get("/api/v1/users")
    assert (len(provider.asked), client.outage is not None) == (ATTEMPTS + 1, True)


def test_one_endpoint_that_fails_is_no_outage(clock: Clock) -> None:
    def send(request: Request) -> Response:
        return OK if request.path.endswith("users") else Response(500)

    client = client_of(send, clock)
    for path in ("devices/1", "devices/2", "users", "apps", "users"):
        try:
            client.get(f"/api/v1/{path}")
        except ServerFault:
            continue
    assert client.outage is None


def test_an_outage_ends_the_waits_of_every_thread() -> None:
    moments = iter([0.0, 31.0])
    lost = Client(Provider(CUT), TOKEN, Unlimited(), clock=lambda: next(moments, 31.0))
    with pytest.raises(Outage):
        lost.get("/api/v1/devices")
    with pytest.raises(Outage):
        lost.pause(3_600)
