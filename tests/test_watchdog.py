"""When what runs is asked to end and when it is ended, told by a clock and a memory that the test turns."""

from dataclasses import dataclass
from threading import Event

import pytest

from kandji_queries.engine.limits import GRACE, LOOK_EVERY, Verdict, Watchdog

MB = 1024**2


@dataclass
class Machine:
    """A clock in seconds and a memory in bytes."""

    time: float = 100.0
    used: int = 0

    def clock(self) -> float:
        return self.time

    def memory(self) -> int:
        return self.used


def test_what_is_in_time_goes_on_then_is_asked_to_end_and_after_a_grace_is_ended() -> None:
    machine = Machine()
    watchdog = Watchdog(ends=130.0, clock=machine.clock)
    seen = []
    for machine.time in (100.0, 129.9, 130.0, 130.0 + GRACE / 2, 130.0 + GRACE, 200.0):
        seen.append(watchdog.look())
    go_on, interrupt, kill = Verdict.GO_ON, Verdict.INTERRUPT, Verdict.KILL
    assert seen == [go_on, go_on, interrupt, interrupt, kill, kill]


def test_a_late_first_look_leaves_the_whole_grace() -> None:
    machine = Machine(time=500.0)
    watchdog = Watchdog(ends=130.0, clock=machine.clock)
    assert watchdog.look() is Verdict.INTERRUPT
    machine.time += GRACE
    assert watchdog.look() is Verdict.KILL


def test_who_no_longer_waits_ends_it_at_once_and_cannot_take_that_back() -> None:
    machine, stop = Machine(), Event()
    watchdog = Watchdog(ends=130.0, stop=stop, clock=machine.clock)
    assert watchdog.look() is Verdict.GO_ON
    stop.set()
    assert watchdog.look() is Verdict.INTERRUPT
    stop.clear()
    assert watchdog.look() is Verdict.INTERRUPT
    machine.time += GRACE
    assert watchdog.look() is Verdict.KILL


def test_too_much_memory_has_no_grace_and_just_enough_is_enough() -> None:
    machine = Machine(used=200 * MB)
    watchdog = Watchdog(most_bytes=200 * MB, clock=machine.clock, memory=machine.memory)
    assert watchdog.look() is Verdict.GO_ON
    machine.used += 1
    assert watchdog.look() is Verdict.KILL


def test_without_bounds_nothing_ever_ends() -> None:
    machine = Machine(time=1e12, used=2**62)
    assert Watchdog(clock=machine.clock, memory=machine.memory).look() is Verdict.GO_ON


@pytest.mark.parametrize(
    ("now", "pause"), [(100.0, LOOK_EVERY), (129.99, 0.01), (130.0, LOOK_EVERY), (131.0, LOOK_EVERY)]
)
def test_the_next_look_is_never_later_than_the_end(now: float, pause: float) -> None:
    machine = Machine(time=now)
    assert Watchdog(ends=130.0, clock=machine.clock).pause() == pytest.approx(pause)
