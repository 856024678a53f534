"""``/changes``: what changed, by day and kind of thing, newest first; narrowed by period, device, thing and kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kandji_queries.history.changes import Kind, read_asked
from kandji_queries.history.days import CHANGES, Days, Line, read_days
from kandji_queries.history.period import read_period
from kandji_queries.reader import Reader
from kandji_queries.results.dates import date_line
from kandji_queries.times import read_moment
from kandji_schema.errors import UnknownName, UsageError
from kandji_schema.things import THINGS
from kandji_web.asking import ask
from kandji_web.cells import address
from kandji_web.kept import kept_answer
from kandji_web.rendering import page

USUAL = "7d"
"""The time that is looked at where nobody says which."""

LINES = 100
"""Lines of a page."""

PERIODS = (("24 hours", "24h"), ("7 days", "7d"), ("30 days", "30d"), ("90 days", "90d"))

MOST_DIGITS = 9
"""Digits of the number of a page."""

LONGEST = 200
"""Characters of a parameter."""

MOST = 20
"""Parameters that are looked at."""

FIELDS = ("since", "until", "device", "thing", "change", "page")


@dataclass(frozen=True)
class Wanted:
    """What is asked for, as it was typed, and what is wrong with it by field."""

    given: Mapping[str, str]
    wrong: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """Return what was typed; None for nothing."""
        return self.given.get(name) or None

    @property
    def page(self) -> int:
        """Return the number of the page."""
        return int(self.given.get("page") or 1)


async def changes(request: Request) -> Response:
    """Show the changes of a period, or what is wrong with what was asked for."""
    now = datetime.now(UTC)
    wanted = _read(request.query_params.multi_items(), now)
    found = None if wanted.wrong else await _asked(request, wanted, now)
    facts = _facts(wanted, found, now)
    return page(request, "changes.html", title="Changes", status=400 if wanted.wrong else 200, **facts)


async def _asked(request: Request, wanted: Wanted, now: datetime) -> Days | None:
    """Return the changes; those that everybody looks at are worked out once for all."""
    if wanted.given:
        return await ask(request, lambda reader: _found(reader, wanted, now))

    def make(reader: Reader) -> tuple[Days | None, Mapping[str, str]]:
        usual = Wanted({})
        return _found(reader, usual, reader.now()), usual.wrong

    found, wrong = await kept_answer(request, "/changes", USUAL, make)
    wanted.wrong.update(wrong)
    return found


def _read(pairs: list[tuple[str, str]], now: datetime) -> Wanted:
    wanted = Wanted({name: value.strip() for name, value in pairs[:MOST] if name in FIELDS})
    for name, value in pairs[:MOST]:
        if name not in FIELDS:
            wanted.wrong[name] = str(UnknownName("parameter of this page", name, FIELDS))
        elif len(value) > LONGEST:
            wanted.wrong[name] = f"This is {len(value):,} characters long; at most {LONGEST} are read."
    checks: tuple[tuple[str, Callable[[str], object]], ...] = (
        ("since", lambda text: read_moment(text, now)),
        ("until", lambda text: read_moment(text, now)),
        ("thing", lambda text: _one_of("thing", text, _things())),
        ("change", lambda text: _one_of("kind of change", text, CHANGES)),
        ("page", _page),
    )
    for name, check in checks:
        _try(wanted, name, check)
    if not wanted.wrong:
        _try(wanted, "since", lambda text: read_period(text, wanted.get("until"), now))
    return wanted


def _try(wanted: Wanted, name: str, check: Callable[[str], object]) -> None:
    text = wanted.get(name)
    try:
        if text is not None and name not in wanted.wrong:
            check(text)
    except UsageError as error:
        wanted.wrong[name] = str(error)


def _one_of(what: str, text: str, known: tuple[str, ...]) -> None:
    if text not in known:
        raise UnknownName(what, text, known)


def _page(text: str) -> None:
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text)):
        raise UsageError(f"{text[:MOST_DIGITS]!r} is no page; pages are whole numbers from 1 on.")


def _things() -> tuple[str, ...]:
    return tuple(thing.noun for thing in THINGS.values())


def _found(reader: Reader, wanted: Wanted, now: datetime) -> Days | None:
    """Return the changes; what cannot be known of the period or the device is told at the field."""
    since, device = wanted.get("since") or USUAL, wanted.get("device")
    try:
        asked = read_asked(reader, since=since, until=wanted.get("until"), device=device, table=None, now=now)
    except UsageError as error:
        wanted.wrong["device" if device else "until"] = str(error)
        return None
    return read_days(
        reader,
        asked,
        thing=wanted.get("thing"),
        change=wanted.get("change"),
        limit=LINES,
        offset=(wanted.page - 1) * LINES,
    )


def _facts(wanted: Wanted, found: Days | None, now: datetime) -> dict[str, Any]:
    pages = max(-(-found.lines // LINES), 1) if found else 1
    number = 1 if wanted.wrong else wanted.page
    return {
        "wanted": wanted,
        "usual": USUAL,
        "found": found,
        "others": [name for name in wanted.wrong if name not in FIELDS or name == "page"],
        "things": _things(),
        "ways": CHANGES,
        "dated": date_line(found.as_of, now) if found else "",
        "periods": [(words, _to(wanted, since=since, until=""), since) for words, since in PERIODS],
        "clean": "/changes",
        "of_day": lambda day, kind: _of_day(wanted, day, kind, now),
        "of_line": lambda day, line: _of_line(wanted, day, line, now),
        "number": number,
        "pages": pages,
        "end": _to(wanted, page=str(pages)),
        "previous": _to(wanted, page=str(min(number - 1, pages))) if number > 1 else "",
        "next": _to(wanted, page=str(number + 1)) if number < pages else "",
    }


def _of_day(wanted: Wanted, day: date, kind: Kind, now: datetime) -> str:
    """Return where the changes of a kind and a day are told, or of the part of the day that was asked for."""
    begin, end = _part(wanted, day, now)
    return _to(wanted, since=begin, until=end, thing=kind.thing, change=kind.change)


def _of_line(wanted: Wanted, day: date, line: Line, now: datetime) -> str:
    """Return where the devices of a line are listed."""
    begin, end = _part(wanted, day, now)
    pairs = [("changed_at__ge", begin), ("changed_at__lt", end), ("what", line.what), ("_columns", _COLUMNS)]
    return address("changes_by_thing", pairs)


def _part(wanted: Wanted, day: date, now: datetime) -> tuple[str, str]:
    """Return when the part of a day begins and ends that was asked for."""
    begin, end = datetime.combine(day, time()), datetime.combine(day + timedelta(days=1), time())
    since, until = read_moment(wanted.get("since") or USUAL, now), wanted.get("until")
    bounds = max(begin, since), min(end, read_moment(until, now)) if until else end
    first, last = (moment.isoformat().removesuffix("T00:00:00") for moment in bounds)
    return first, last


_COLUMNS = "changed_at,device_name,serial_number,what,old_value,new_value"


def _to(wanted: Wanted, **others: str) -> str:
    given = {**{name: value for name, value in wanted.given.items() if name != "page"}, **others}
    kept = {name: value for name, value in given.items() if value and (name, value) != ("page", "1")}
    return f"/changes{'?' if kept else ''}{urlencode(kept)}"


ROUTES = [Route("/changes", changes)]
