"""What the tenant has left of its hour, as far as the provider told, and when it is time to ask again."""

import time
from collections.abc import Callable
from threading import Lock

from kandji_mirror.api.turns import PROBE_AFTER
from kandji_schema.provider import BACKGROUND_STOPS_BELOW


class Hour:
    """Shared by all runs of one process. ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is known at first."""
        self._clock = clock
        self._left: int | None = None
        self._ask_at = 0.0
        self._lock = Lock()

    @property
    def left(self) -> int | None:
        """Requests the tenant has left in this hour; None while the provider has not told."""
        return self._left

    @property
    def tight(self) -> bool:
        """Whether too few are left for work that nobody waits for."""
        return self._left is not None and self._left < BACKGROUND_STOPS_BELOW

    def note(self, left: int | None) -> None:
        """What a run was told last; None tells nothing."""
        if left is None:
            return
        with self._lock:
            self._left = left
            self._ask_at = self._clock() + PROBE_AFTER

    def may_ask(self) -> bool:
        """Whether a tight hour was so long ago that one request may find out how it is now; then asks count anew."""
        with self._lock:
            if self._clock() < self._ask_at:
                return False
            self._ask_at = self._clock() + PROBE_AFTER
            return True
