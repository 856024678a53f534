"""Calls of the functions of the past, ``<table>_as_of`` and ``changes_between``: what is wrong with one is told."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from kandji_queries import definitions
from kandji_queries.lineage import tree
from kandji_queries.relations import AS_OF, BETWEEN, BY_THING, CURRENCY, past_call
from kandji_schema.durations import parse_duration
from kandji_schema.errors import Refused
from kandji_schema.sql import fold_name

_MOMENT = re.compile(r"\s*(?:[-+]?\d+-\d+-\d|[-+]?infinity|epoch)", re.IGNORECASE)
"""How a text begins that the engine may read as a moment."""


_CTE = re.compile(r"^(?:WITH )?(\w+) AS (?:NOT MATERIALIZED )?\($", re.MULTILINE)
"""A CTE of a view."""

_CLOCK = frozenset({"current_date", "current_timestamp", "localtimestamp", "current_localtimestamp"})
"""Functions of the present that are called by a mere name."""

_NAMED = {"now": "now()", "today": "current_date", "yesterday": "current_date - 1"}


def check(name: str, arguments: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a number of moments that the function does not take, and a text that is none."""
    if len(arguments) != (2 if name == BETWEEN else 1):
        raise wrong(name, "takes two moments" if name == BETWEEN else "takes one moment")
    if name in _VIEWS:
        _refuse_captured(name, arguments)
    for argument in arguments:
        literal = argument["expression"].get("literal") or {}
        if literal.get("kind") == "STRING" and not _MOMENT.match(literal["text"]):
            meant = _meant(literal["text"])
            raise wrong(
                name, f"takes a moment, which {literal['text'][:40]!r} is not{f' ({meant} is)' if meant else ''}"
            )


_VIEWS = {BETWEEN: BY_THING, f"{CURRENCY}{AS_OF}": CURRENCY}
"""Functions that are made of the text of a view, with that view."""


def _refuse_captured(function: str, arguments: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what may mean another thing inside the function, where its arguments are put.

    The CTEs, aliases and columns of its own are nearer there than those of the statement.
    """
    view = _VIEWS[function]
    inside = {fold_name(name) for name in _CTE.findall(definitions.views()[view].sql)}
    for node in tree.below([argument["expression"] for argument in arguments]):
        if tree.kind(node) == "BASE_TABLE" and tree.table_name(node) in inside:
            raise wrong(function, f"has a {tree.table_name(node)} of its own, give yours another name")
    for node in tree.below([argument["expression"] for argument in arguments], into_queries=False):
        column = ".".join(tree.parts(node)) if node.get("class") == "COLUMN_REF" else ""
        if column and column not in _CLOCK:
            raise wrong(function, f"takes moments and no column, which {column[:40]!r} is; JOIN {view} for that")


def _meant(text: str) -> str:
    """Return how the engine takes what people write for a moment elsewhere; empty where that is not known."""
    plain = text.strip().lower()
    if plain in _NAMED:
        return _NAMED[plain]
    with suppress(ValueError):
        return f"'{datetime.fromisoformat(plain):%Y-%m-%d %H:%M}'".replace(" 00:00", "")
    with suppress(ValueError, OverflowError):
        if ago := parse_duration(plain):
            return f"now() - INTERVAL {ago.total_seconds() / 3600:g} HOURS"
    return ""


def wrong(name: str, why: str) -> Refused:
    """Return the refusal of a call, with how it is written."""
    zone = "A moment is UTC where it has no offset, and a date alone the start of that day."
    return Refused(f"{name} {why}: write FROM {past_call(name)}. {zone}", rule="table function")


def without_history(name: str, known: Collection[str]) -> Refused:
    """Return the refusal of ``<table>_as_of`` for a table of which no history is kept."""
    known = sorted(other for other in known if other.endswith(AS_OF))
    there_are = f"There are {', '.join(known)}." if known else "No changes were kept until now."
    nearest = get_close_matches(name, known, n=1, cutoff=0.85)
    instead = f"Did you mean {nearest[0]}?" if nearest else there_are
    return Refused(f"There is no history for {name}(). {instead}", rule="table function")
