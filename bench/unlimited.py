"""Permits for benchmarks, which measure work and no waiting."""

import time
from collections.abc import Callable


class Unlimited:
    """Permits without a limit."""

    def acquire(self, timeout: float, sleep: Callable[[float], object] = time.sleep) -> None:
        """Return at once."""
