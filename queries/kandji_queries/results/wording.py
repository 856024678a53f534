"""Single values and ages in words, as people read them on a page or in a terminal."""

from collections.abc import Mapping
from datetime import UTC, datetime

from kandji_schema.durations import age, ago
from kandji_schema.text import escaped, size

UNKNOWN = "not known"
"""What is said of a value that is not there."""


def moment(value: datetime) -> str:
    """Write a moment, UTC, to the minute."""
    return f"{value:%Y-%m-%d %H:%M}"


def shown(value: object, words: tuple[str, str] | None = None, unit: str = "", now: datetime | None = None) -> str:
    """Write one value as people read it; with ``now`` a moment has its age."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, bool):
        return (words or ("yes", "no"))[not value]
    if isinstance(value, datetime):
        return moment(value) + (f" ({ago(value.replace(tzinfo=UTC), now)})" if now else "")
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "none"
    if unit == "bytes" and isinstance(value, int | float):
        return size(int(value))
    text = f"{value:,.4g}" if isinstance(value, float) else escaped(str(value))
    return f"{text} {unit}".strip()


def read_ages(as_of: Mapping[str, str | None], now: datetime) -> str:
    """Say how old facts of these tables are, in a sentence."""
    moments = sorted((moment, table) for table, moment in as_of.items() if moment)
    if not moments:
        return "Nothing of it was ever read."
    oldest, newest = ((table, age(datetime.fromisoformat(moment), now)) for moment, table in (moments[0], moments[-1]))
    if oldest[1] == newest[1]:
        return f"Read from the tenant {oldest[1]} ago."
    return f"Read from the tenant {newest[1]} ({newest[0]}) to {oldest[1]} ({oldest[0]}) ago."
