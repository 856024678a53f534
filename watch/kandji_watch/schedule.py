"""When a check is asked, and when nobody is told: every so often, or at hours of a day in a zone; a quiet time.

Clocks are wrong now and then. A check that was asked in the future, by a clock that was ahead, is due: a clock set back
does not silence it, and it is asked once, as what is kept of the answer decides what is told.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from kandji_schema.durations import exactly_in_words, in_future
from kandji_schema.utc import aware_utc
from kandji_watch.place import Place, Table

SLACK = timedelta(minutes=1)
"""So much early counts as in time: cron does not start every command at the same second."""

_HOUR = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Every:
    """Asked again so long after it was asked last."""

    length: timedelta

    def next(self, asked: datetime | None, now: datetime) -> datetime:
        """Return when it is due, aware UTC: ``now`` where it never was asked, or in the future."""
        if asked is None or in_future(asked, now):
            return now
        return asked + self.length - min(SLACK, self.length / 10)

    def __str__(self) -> str:
        return f"every {exactly_in_words(self.length, short=True)}"


@dataclass(frozen=True)
class At:
    """Asked at hours of each day in a zone; one that was missed is made up for as soon as somebody looks."""

    hours: tuple[time, ...]
    zone: tzinfo

    def next(self, asked: datetime | None, now: datetime) -> datetime:
        """Return when it is due, aware UTC: ``now`` where it never was asked, or in the future."""
        if asked is None or in_future(asked, now):
            return now
        return next(moment for moment in self._moments(asked) if moment > asked)

    def _moments(self, since: datetime) -> Iterator[datetime]:
        day = since.astimezone(self.zone).date()
        for ahead in range(-1, 4):
            for hour in sorted(self.hours):
                yield aware_utc(datetime.combine(day + timedelta(days=ahead), hour, self.zone))

    def __str__(self) -> str:
        return f"at {', '.join(f'{hour:%H:%M}' for hour in self.hours)} {self.zone}"


Schedule = Every | At


@dataclass(frozen=True)
class Quiet:
    """Hours of a day, in a zone, in which nobody is told; what is found then is told when they end."""

    begin: time
    end: time
    zone: tzinfo

    def holds(self, now: datetime) -> bool:
        """Tell whether it is quiet now."""
        hour = now.astimezone(self.zone).time().replace(tzinfo=None)
        if self.begin <= self.end:
            return self.begin <= hour < self.end
        return hour >= self.begin or hour < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


def read_zone(place: Place, table: Table, default: tzinfo = UTC) -> tzinfo:
    """Return the zone that the key ``timezone`` names."""
    if "timezone" not in table:
        return default
    name = place.text(table, "timezone")
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # no such zone, or no name of one
        raise place.wrong("timezone", name, "a zone such as Europe/Zurich, as the system knows it") from None


def read_schedule(place: Place, table: Table, zone: tzinfo) -> Schedule:
    """Return when a check is asked by its keys ``every`` or ``at``; every hour where it has neither."""
    if "at" not in table:
        return Every(place.duration(table, "every", "1h", timedelta(minutes=1)))
    if "every" in table:
        raise place.wrong("at", table["at"], "left out where there is `every`")
    hours = place.texts(table, "at")
    if not hours:
        raise place.wrong("at", table["at"], "an hour such as 08:00, or a list of them")
    return At(tuple(_hour(place, "at", hour) for hour in hours), zone)


def read_quiet(place: Place, table: Table, zone: tzinfo, default: Quiet | None) -> Quiet | None:
    """Return the quiet time by the key ``quiet``; an empty text means none."""
    if "quiet" not in table:
        return default
    value = table["quiet"]
    if value == "":
        return None
    begin, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash:
        raise place.wrong("quiet", value, 'two hours such as 22:00-07:00, or "" for none')
    quiet = Quiet(_hour(place, "quiet", begin), _hour(place, "quiet", end), zone)
    if quiet.begin == quiet.end:
        raise place.wrong("quiet", value, 'two different hours such as 22:00-07:00, or "" for none')
    return quiet


def _hour(place: Place, key: str, text: str) -> time:
    found = _HOUR.fullmatch(text.strip())
    if not found:
        raise place.wrong(key, text, "hours as 00:00 to 23:59")
    return time(int(found[1]), int(found[2]))
