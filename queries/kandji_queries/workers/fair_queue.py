"""Whose statement runs next, and which one makes room: nobody is shut out by what another one asks.

A few statements run at once. One lane more is for short ones: whoever comes gets a turn, and where others wait and the
usual lanes are taken by statements of longer standing, one that is not done after :data:`SHORT` seconds is stopped. Of
those that wait the client with the fewest running goes first, then the one that was served longest ago; of clients that
were never served the newest, so that hundreds of connections of one client are not before another's first.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition
from time import monotonic

from kandji_queries.engine.limits import LOOK_EVERY, Cancellation
from kandji_schema.errors import Busy, Interrupted

SHORT = 2.0
"""Seconds a statement may run in the lane for short ones while others wait."""

CLIENTS = 1_000
"""Clients of which it is remembered when they were served."""


@dataclass(eq=False)
class Turn:
    """One statement's; also what stops it: its caller's ``stop``, or that it has to make room."""

    client: str
    number: int
    stop: Cancellation | None
    overtaken: Callable[["Turn"], bool] = field(repr=False)
    began: float | None = None
    dropped: bool = False
    made_room: bool = False

    def begin(self, now: float) -> None:
        """Note when the statement began."""
        self.began = now

    def drop(self) -> None:
        """Give the place in the queue up to others."""
        self.dropped = True

    def is_set(self) -> bool:
        """Tell whether to stop."""
        if self.stop is not None and self.stop.is_set():
            return True
        self.made_room = self.made_room or self.overtaken(self)
        return self.made_room


class FairQueue:
    """Gives turns to ``at_once`` statements and a short one, while at most ``waiting`` wait. Thread-safe."""

    def __init__(self, at_once: int, waiting: int, clock: Callable[[], float] = monotonic) -> None:
        self._at_once = at_once
        self._most_waiting = waiting
        self._clock = clock
        self._changed = Condition()
        self._running: list[Turn] = []
        self._waiting: list[Turn] = []
        self._served: OrderedDict[str, float] = OrderedDict()
        self._count = 0

    @property
    def running(self) -> int:
        """How many have a turn."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """How many wait for one."""
        return len(self._waiting)

    @contextmanager
    def turn(self, client: str, patience: float, stop: Cancellation | None) -> Iterator[Turn]:
        """Wait for a turn, ``patience`` seconds at most, and have it until the block ends.

        :class:`Busy` where too many wait, or it takes too long; also where the statement was stopped to make room.
        """
        turn = self._begun(client, patience, stop)
        try:
            yield turn
        except Interrupted:
            if turn.made_room:
                raise busy(f"it took more than {SHORT:g} s, others wait and {self._at_once} long ones run") from None
            raise
        finally:
            with self._changed:
                self._running.remove(turn)
                self._serve(client)
                self._changed.notify_all()

    def _begun(self, client: str, patience: float, stop: Cancellation | None) -> Turn:
        with self._changed:
            self._count += 1
            turn = Turn(client, self._count, stop, self._is_overtaken)
            if self._waiting or len(self._running) > self._at_once:
                self._wait(turn, self._clock() + patience)
            turn.begin(self._clock())
            self._running.append(turn)
            self._serve(client)
            return turn

    def _wait(self, turn: Turn, until: float) -> None:
        self._waiting.append(turn)
        if len(self._waiting) > self._most_waiting:
            self._drop()
        try:
            while len(self._running) > self._at_once or self._next() is not turn:
                if turn.dropped:
                    raise busy(f"{len(self._running)} statements run and {self._most_waiting} wait")
                if turn.stop is not None and turn.stop.is_set():
                    raise Interrupted(
                        "The statement was stopped before it began: whoever asked no longer waits for it."
                    )
                if self._clock() >= until:
                    raise busy(f"{len(self._running)} statements take long")
                self._changed.wait(LOOK_EVERY)
        finally:
            self._waiting.remove(turn)
            self._changed.notify_all()

    def _drop(self) -> None:
        """Refuse one of the client that has most: its newest; of clients that have one each the oldest."""
        waiting = [turn for turn in self._waiting if not turn.dropped]
        has = Counter(turn.client for turn in waiting)
        most = max(has.values())
        heaviest = [turn for turn in waiting if has[turn.client] == most]
        (heaviest[0] if most == 1 else heaviest[-1]).drop()

    def _next(self) -> Turn | None:
        runs = Counter(turn.client for turn in self._running)
        first: dict[str, Turn] = {}
        for turn in self._waiting:
            if not turn.dropped:
                first.setdefault(turn.client, turn)

        def claim(turn: Turn) -> tuple[int, float, int]:
            return runs[turn.client], self._served.get(turn.client, float("-inf")), -turn.number

        return min(first.values(), key=claim, default=None)

    def _is_overtaken(self, turn: Turn) -> bool:
        """Tell whether it runs for long, others wait, and as many as usual run that have a better claim."""
        with self._changed:
            if turn.began is None or self._clock() - turn.began < SHORT or not self._waiting:
                return False
            return self._by_claim().index(turn) >= self._at_once

    def _by_claim(self) -> list[Turn]:
        """Rank those that run: every client's first before the second of any, and then by age."""
        seen: Counter[str] = Counter()
        ranked = []
        for turn in self._running:
            ranked.append((seen[turn.client], turn.number, turn))
            seen[turn.client] += 1
        return [turn for _, _, turn in sorted(ranked, key=lambda rank: rank[:2])]

    def _serve(self, client: str) -> None:
        self._served[client] = self._clock()
        self._served.move_to_end(client)
        if len(self._served) > CLIENTS:
            self._served.popitem(last=False)


def busy(why: str) -> Busy:
    """Return the refusal of a statement."""
    return Busy(f"The statement was not run to its end: {why}. Ask again in a moment, or for less at once.")
