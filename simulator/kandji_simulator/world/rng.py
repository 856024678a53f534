"""Seeded draws: the same parts give the same numbers on every machine."""

from collections.abc import Sequence
from hashlib import blake2b
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


def rng(*parts: object) -> Random:
    """Return a generator of its own for whatever ``parts`` name, such as a seed, a device and a column."""
    return Random(":".join(map(str, parts)))  # noqa: S311  # a synthetic fleet needs repeatable numbers, not secret ones


def number_rng(number: int) -> Random:
    """Return a generator for a number of :func:`stable_hash`: cheaper, as for every row."""
    return Random(number)  # noqa: S311  # see above


def stable_hash(*parts: object) -> int:
    """Return one number below 2**128 for whatever ``parts`` name: where a generator would cost too much."""
    text = ":".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")


def uuid_of(draw: Random) -> str:
    """Draw a version-4 UUID as text."""
    bits = f"{draw.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{'89ab'[draw.getrandbits(2)]}{bits[17:20]}-{bits[20:]}"


def uuid_from(number: int) -> str:
    """Return the version-4 UUID of a number of :func:`stable_hash`."""
    bits = f"{number:032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"


def pick(number: int, among: Sequence[_T], turn: int = 0) -> _T:
    """Return one of ``among`` by a number of :func:`stable_hash`; another ``turn`` picks independently."""
    return among[(number >> (9 * turn)) % 8_191 % len(among)]
