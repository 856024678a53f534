"""What the token may not do: the provider grants permissions endpoint by endpoint."""

import re

from kandji_simulator.route import path_pattern


class Permissions:
    """Everything is allowed that was not forbidden."""

    def __init__(self) -> None:
        self._areas: dict[str, re.Pattern[str]] = {}
        self._endpoints: dict[tuple[str, str], re.Pattern[str]] = {}

    def forbid(self, path: str, method: str = "") -> None:
        """One endpoint, in whose path ``{device_id}`` stands for any; without a method, all that begins so."""
        if method:
            self._endpoints[method, path] = path_pattern(path)
        else:
            self._areas[path] = path_pattern(path)

    def allow(self, path: str, method: str = "") -> None:
        """Take :meth:`forbid` back."""
        if method:
            self._endpoints.pop((method, path), None)
        else:
            self._areas.pop(path, None)

    def refuses(self, method: str, path: str) -> bool:
        """Whether the token may not."""
        endpoints = (pattern for (known, _), pattern in self._endpoints.items() if known == method)
        return any(area.match(path) for area in self._areas.values()) or any(e.fullmatch(path) for e in endpoints)
