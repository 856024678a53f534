"""The time of a served world: it stands still, or follows a clock once something was written."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import formatdate

from kandji_simulator.moments import MICROSECOND, SECOND
from kandji_simulator.quirks import Quirks
from kandji_simulator.world import World


class WorldClock:
    """``answering`` is after how many seconds of ``clock`` devices answer commands; None: the world stands still.

    The world is moved only for writes and while commands wait: rows worked out for readers are kept until then.
    """

    def __init__(self, world: World, clock: Callable[[], float], quirks: Quirks, answering: float | None) -> None:
        self._world = world
        self._clock = clock
        self._quirks = quirks
        self._answering = answering
        self._caught_up = clock()

    def catch_up(self, *, writing: bool) -> None:
        """Let the world's time be the clock's, and devices answer what has waited long enough."""
        if self._answering is not None and (self._world.waiting or writing):
            behind = self._behind()
            self._caught_up += behind
            self._world.wait(timedelta(seconds=behind))
            self._world.answer_in_time(timedelta(seconds=self._answering))

    def date(self) -> dict[str, str]:
        """The header, by the tenant's own and perhaps wrong clock."""
        if not self._quirks.dates:
            return {}
        now = self._world.moment + self._quirks.clock // MICROSECOND
        return {"date": formatdate(now / SECOND + self._behind(), usegmt=True)}

    def _behind(self) -> float:
        """Seconds from the world's time to the clock's."""
        return 0.0 if self._answering is None else max(0.0, self._clock() - self._caught_up)
