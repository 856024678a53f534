"""Seeded draws: the same parts give the same numbers on every machine."""

from random import Random


def chance(*parts: object) -> Random:
    """A generator of its own for whatever ``parts`` name, such as a seed, a device and a column."""
    return Random(":".join(map(str, parts)))  # noqa: S311  # an invented fleet needs repeatable numbers, not secret ones


def uuid_of(draw: Random) -> str:
    """A version-4 UUID as text."""
    bits = f"{draw.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{'89ab'[draw.getrandbits(2)]}{bits[17:20]}-{bits[20:]}"
