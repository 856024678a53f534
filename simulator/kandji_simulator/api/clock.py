"""The tenant's time: it stands still, follows the clock for commands, or has everyday life go on at a pace."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import formatdate

from kandji_simulator.api.paging import Quirks
from kandji_simulator.simulation.life import live
from kandji_simulator.simulation.world import World
from kandji_simulator.world.time import MICROSECOND, SECOND

_STEP, _DAY = 900.0, 86_400.0
"""Seconds of everyday life of one step: devices check in four times an hour."""

_MOST_STEPS = 500
"""Most steps that one request waits for."""


class WorldClock:
    """``answering`` is after how many seconds of ``clock`` devices answer commands; None: the world stands still.

    The world is moved only for writes and while commands wait: rows worked out for readers are kept until then. With a
    ``pace`` it is moved at every request: everyday life goes on, so many times as fast as the clock, in steps of a
    quarter of an hour of that life; the same seed and the same moments give the same world.
    """

    def __init__(
        self, world: World, clock: Callable[[], float], quirks: Quirks, answering: float | None, pace: float = 0.0
    ) -> None:
        self._world = world
        self._clock = clock
        self._quirks = quirks
        self._answering = answering
        self._caught_up = self._begun = clock()
        self._pace = pace
        self._lived = 0

    def catch_up(self, *, writing: bool) -> None:
        """Let the world's time be the clock's, and devices answer what has waited long enough."""
        if self._pace:
            self._live()
        if self._answering is not None and (self._world.waiting or writing):
            self._move(self._behind())
            self._world.answer_in_time(timedelta(seconds=self._answering))

    def date(self) -> dict[str, str]:
        """Return the header, by the tenant's own and perhaps wrong clock."""
        if not self._quirks.dates:
            return {}
        now = self._world.moment + self._quirks.clock // MICROSECOND
        return {"date": formatdate(now / SECOND + self._behind(), usegmt=True)}

    def _behind(self) -> float:
        """Return the seconds from the world's time to the clock's."""
        return 0.0 if self._answering is None and not self._pace else max(0.0, self._clock() - self._caught_up)

    def _live(self) -> None:
        """Live what is due, step by step; of a long pause the steps are longer, so that nobody waits for them."""
        due = int((self._clock() - self._begun) * self._pace / _STEP) - self._lived
        times, size = (due, 1) if due <= _MOST_STEPS else (_MOST_STEPS, due // _MOST_STEPS)
        for _ in range(times):
            self._lived += size
            self._move(self._begun + self._lived * _STEP / self._pace - self._caught_up)
            live(self._world, size * _STEP / _DAY)

    def _move(self, seconds: float) -> None:
        if seconds > 0:
            self._caught_up += seconds
            self._world.wait(timedelta(seconds=seconds))
