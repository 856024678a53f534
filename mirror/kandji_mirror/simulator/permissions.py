"""What the token may not do: the provider grants permissions endpoint by endpoint."""

import re

from kandji_mirror.simulator.route import path_pattern


class Permissions:
    """Everything is allowed that was not forbidden."""

    def __init__(self) -> None:
        self._forbidden: dict[tuple[str, str], re.Pattern[str]] = {}

    def forbid(self, prefix: str, method: str = "") -> None:
        """Paths that begin with ``prefix``, in which ``{device_id}`` stands for any; "" is every method."""
        self._forbidden[prefix, method] = path_pattern(prefix)

    def allow(self, prefix: str, method: str = "") -> None:
        """Take :meth:`forbid` back."""
        self._forbidden.pop((prefix, method), None)

    def refuses(self, method: str, path: str) -> bool:
        """Whether the token may not."""
        return any(m in {"", method} and pattern.match(path) for (_, m), pattern in self._forbidden.items())
