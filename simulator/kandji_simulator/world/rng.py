"""Seeded draws: the same parts give the same numbers on every machine."""

from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


def rng(*parts: object) -> Random:
    """A generator of its own for whatever ``parts`` name, such as a seed, a device and a column."""
    return Random(":".join(map(str, parts)))  # noqa: S311  # an invented fleet needs repeatable numbers, not secret ones


def uuid_of(draw: Random) -> str:
    """A version-4 UUID as text."""
    bits = f"{draw.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{'89ab'[draw.getrandbits(2)]}{bits[17:20]}-{bits[20:]}"


def stable_hash(*parts: object) -> int:
    """One number below 2**128 for whatever ``parts`` name: where a generator would cost too much."""
    text = ":".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")


def uuid_from(number: int) -> str:
    """A version-4 UUID from a number of :func:`stable_hash`."""
    bits = f"{number:032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"


def pick(number: int, among: Sequence[_T], turn: int = 0) -> _T:
    """One of ``among`` by a number of :func:`stable_hash`; another ``turn`` picks independently."""
    return among[(number >> (9 * turn)) % 8_191 % len(among)]
