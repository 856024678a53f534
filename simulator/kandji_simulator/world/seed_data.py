"""What the fleet is drawn from besides hardware and apps: names, awkward ones included, and ``facts.toml``."""

import csv
import tomllib
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any
from unicodedata import normalize


def _read(file: str) -> str:
    return (files(__package__) / file).read_text(encoding="utf-8")


@cache
def read_table(file: str) -> list[dict[str, str]]:
    """Return the rows of a file of this folder whose columns are separated by tabs and named in the first line."""
    return list(csv.DictReader(_read(file).splitlines(), delimiter="\t"))


NAMES: dict[str, Any] = tomllib.loads(_read("names.toml"))
"""Lists of names by kind."""

_LETTERS = str.maketrans({"Ł": "L", "ł": "l", "ø": "o", "ß": "ss", "\N{LATIN SMALL LETTER DOTLESS I}": "i"})
"""Letters that do not fall apart into a plain one and a mark."""


def person(draw: Random) -> str:
    """Draw a full name; one in thirty is not in Latin script."""
    if draw.random() < 1 / 30:
        return str(draw.choice(NAMES["other_scripts"]))
    return f"{draw.choice(NAMES['first'])} {draw.choice(NAMES['last'])}"


def short_name(name: str, number: int) -> str:
    """Return an account name: ``jalvarez`` for José Álvarez; ``user`` and a number where nothing is Latin."""
    plain = normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    words = ["".join(filter(str.isalpha, word)) for word in plain.split()]
    letters = "".join(w[:1] for w in words[:-1]) + words[-1] if words else ""
    return letters or f"user{number}"


def host_name(name: str, number: int) -> str:
    """Return the Bonjour name of a device: ``Joses-MacBook-Pro``."""
    plain = normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode()
    words = ["".join(filter(str.isalnum, word)) for word in plain.split()]
    return "-".join(filter(None, words)) or f"Mac-{number}"


def owned(name: str, thing: str) -> str:
    """Return what a person calls a device: ``Zoë's MacBook Air``."""
    return str(NAMES["possessive"]).format(owner=name.split()[0], thing=thing)


FACTS: dict[str, Any] = tomllib.loads(_read("facts.toml"))
"""Lists by kind."""

ITEM_KINDS: dict[str, str] = {name: kind for kind, names in FACTS["library"].items() for name in names}
"""Kind of a library item by its name."""
