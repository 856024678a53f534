"""The seam between our client and the network: a function from request to response.

The real one speaks HTTP (``http.py``); the simulated tenant is another one. Nothing is patched in tests: they pass
the function they want.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the configured host. ``path`` begins with ``/api/``; ``query`` values are not yet encoded."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # the token is one of them
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Send = Callable[[Request], Response]
"""Sends one request once. Raises :class:`kandji_schema.errors.Unreachable` where no answer came."""
