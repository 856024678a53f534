"""What was worked out for somebody and is good for others who read the same state of the mirror."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from kandji_mcp_server.context import ServerContext
from kandji_queries.reader import Reader

T = TypeVar("T")

MOST = 300
"""Answers; the one that was asked for longest ago goes for a further one."""

SECONDS = 60.0
"""So long an answer is good while nothing is published: some queries ask for the time."""


class KeptAnswers:
    """Answers by the mirror, its state and a key. Thread-safe; two who ask at once may both work."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int, Hashable], tuple[float, Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, mirror: ServerContext, reader: Reader, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept, else what ``make`` returns; errors are not kept."""
        whole = (id(mirror), reader.generation, key)
        with self._lock:
            until, found = self._kept.get(whole, (0.0, None))
            if time.monotonic() < until:
                self._kept.move_to_end(whole)
                kept: T = found
                return kept
        made = make()
        with self._lock:
            self._kept[whole] = (time.monotonic() + SECONDS, made)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return made
