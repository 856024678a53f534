"""The seam between our client and the network: a function from request to response.

The real one is ``kandji_mirror.api.transport``; the simulated tenant is another one. Nothing is patched in tests:
they pass the function they want.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol


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


SIMULATED_HEADER = "x-simulated-tenant"
"""A header of every answer of a simulated tenant: which one it is, whatever port it is on."""

Send = Callable[[Request], Response]
"""Sends one request once. Raises :class:`kandji_schema.errors.Unreachable` where no answer came."""


class Writable(Protocol):
    """Something open that takes bytes."""

    def write(self, data: bytes, /) -> object:
        """Take the next bytes."""


class Target(Protocol):
    """Where a download goes: the path of a file, or what behaves like one."""

    def open(self, mode: Literal["wb"], /) -> AbstractContextManager[Writable]:
        """Begin anew, with nothing in it."""

    def unlink(self) -> object:
        """Let nothing of it stay."""


Fetch = Callable[[str, Target], None]
"""Downloads a signed URL into a file, without the token and without following redirects.

Raises :class:`~kandji_schema.errors.Unreachable` (also for a body cut short), :class:`ServerFault`, :class:`Rejected`
(expired, for one) and :class:`StoreFull`; their texts never hold the URL, and no part of the file stays.
"""
