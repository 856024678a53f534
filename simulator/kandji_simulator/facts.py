"""``facts.toml``: what is found on invented devices besides apps."""

import tomllib
from importlib.resources import files
from typing import Any

FACTS: dict[str, Any] = tomllib.loads((files(__package__) / "facts.toml").read_text(encoding="utf-8"))
"""Lists by kind."""

ITEM_KINDS: dict[str, str] = {name: kind for kind, names in FACTS["library"].items() for name in names}
"""Kind of a library item by its name."""


def items_of(kind: str) -> tuple[str, ...]:
    """Names of the library items of a kind."""
    return tuple(FACTS["library"][kind])
