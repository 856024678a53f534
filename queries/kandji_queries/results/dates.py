"""The date of an answer, made short: most tables behind one were read in the same minute."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from kandji_schema.durations import age, in_future
from kandji_schema.manifest import State

SAME = timedelta(minutes=1)
"""Moments no further apart than this are told as one, the older."""

NAMED = 3
"""Tables with a date of their own that are named beside the others."""

OTHERS = "others"

AsOf = Mapping[str, str | None]
"""By table when its rows were read, ``2026-11-20T12:00:00Z``; None where they never were."""


def date_line(as_of: AsOf, now: datetime) -> str:
    """Say it in a line: ``As of 2026-11-20 12:00 UTC, 3 min old.``, or from the oldest table to the youngest.

    Empty where no table was read.
    """
    dated = {table: datetime.fromisoformat(moment) for table, moment in as_of.items() if moment}
    never = [table for table, moment in as_of.items() if not moment]
    words = f"{_listed(never)} {State.NEVER.value}." if never else ""
    if not dated:
        return words
    return f"As of {_range(dated, now)}{'; ' if never else '.'}{words}"


def short_dates(as_of: AsOf) -> str | dict[str, str | None]:
    """Return one moment where all tables have the same, to the minute; else a map with those that differ.

    It has the oldest few by name, oldest first, and ``others`` for the rest.
    """
    oldest_first = sorted(as_of.items(), key=lambda told: told[1] or "")
    if not oldest_first:
        return {}
    youngest = oldest_first[-1][1]
    differing = [(table, moment) for table, moment in oldest_first if not _same(moment, youngest)]
    rest = oldest_first[len(differing) :]
    if not differing and youngest:
        return str(oldest_first[0][1])
    if len(differing) > NAMED:
        differing, rest = differing[:NAMED], oldest_first[NAMED:]
    told = dict(differing)
    told |= {rest[0][0] if len(rest) == 1 else OTHERS: rest[0][1]} if rest else {}
    return told


def _same(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(datetime.fromisoformat(other) - datetime.fromisoformat(one)) <= SAME


def _range(dated: Mapping[str, datetime], now: datetime) -> str:
    oldest, youngest = min(dated, key=lambda table: dated[table]), max(dated, key=lambda table: dated[table])
    if dated[youngest] - dated[oldest] <= SAME:
        return f"{_minute(dated[oldest])}, {_old(dated[oldest], now)}"
    ends = [f"{_minute(dated[table])} ({table}, {_old(dated[table], now)})" for table in (oldest, youngest)]
    return " to ".join(ends)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _old(moment: datetime, now: datetime) -> str:
    words = age(moment, now)
    return words if in_future(moment, now) else f"{words} old"


def _listed(tables: list[str]) -> str:
    return f"{', '.join(tables[:NAMED])}{f' and {len(tables) - NAMED} more' if len(tables) > NAMED else ''}"
