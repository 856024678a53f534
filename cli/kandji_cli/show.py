"""``kandji-mirror show``: all that is known of a device, on one page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kandji_cli import page
from kandji_cli.output import say, tell
from kandji_cli.reads import open_reader
from kandji_queries.catalog import device_lookup
from kandji_queries.profile import DeviceProfile, Field, ProfileSection, profile_parts, read_profile, wanted_parts
from kandji_queries.results.values import plain
from kandji_schema.durations import age
from kandji_schema.text import escaped

PLACE = "device"
"""The part with the name of the device, which heads the page."""


def show_device(device: str, include: Sequence[str], *, as_json: bool) -> None:
    """Print the profile of the device that is meant; :class:`UsageError` where that is none, or several."""
    wanted_parts(include)  # a slip of the fingers is told before anything is opened
    with open_reader() as reader:  # which device is meant needs the device list alone
        device_id = device_lookup.find_one(reader, device)["device_id"]
    with open_reader(lazy=False) as reader:
        profile = read_profile(reader, device_id, include)
    if as_json:
        say(json.dumps(_document(profile), indent=1, ensure_ascii=False))
        return
    for line in _page(profile, datetime.now(UTC)):
        say(line)
    for note in profile.notes:
        tell(note)


def _document(profile: DeviceProfile) -> dict[str, Any]:
    """Return the profile for programs: what is not known is null, which is another thing than an empty list."""
    parts = {name: _value(section) for name, section in profile.sections.items()}
    return {**parts, "as_of": dict(profile.as_of), "notes": list(profile.notes)}


def _value(section: ProfileSection) -> Any:
    rows = [plain(row) for row in section.objects()]
    if section.part.one:
        return rows[0] if rows else None
    return rows if rows or section.is_read else None


def _page(profile: DeviceProfile, now: datetime) -> Iterator[str]:
    device = profile.sections[PLACE].first()
    yield escaped(str(device["device_name"] or "A device without a name"))
    for section in profile.sections.values():
        yield from _section(section, profile, now)
    more = [part.name for part in profile_parts().values() if part.name not in profile.sections]
    if more:
        yield ""
        yield from page.paragraph(f"More with --include: {', '.join(more)}. {_read(profile.as_of, now)}", indent="")


def _section(section: ProfileSection, profile: DeviceProfile, now: datetime) -> Iterator[str]:
    """Yield a section; nothing where no device of that platform has any of it."""
    fields = [field for field in section.part.fields if field.fits(profile.platform)]
    if not fields:
        return
    if section.part.one:
        yield page.heading(section.part.title)
        row = section.first()
        for field in fields:
            yield from page.labelled(field.label, page.shown(row.get(field.name), field.words, field.unit, now))
    elif section.answer.rows:
        yield from _rows(section, fields, profile)
    else:
        yield page.heading(section.part.title, "none" if section.is_read else "none known: not all of it was read")


def _rows(section: ProfileSection, fields: Sequence[Field], profile: DeviceProfile) -> Iterator[str]:
    rows = section.objects()
    told = rows[: section.part.most]
    yield page.heading(section.part.title, f"the first {len(told)} of {len(rows):,}" if len(told) < len(rows) else "")
    yield from page.table([field.label for field in fields], [_cells(row, fields) for row in told])


def _cells(row: Mapping[str, object], fields: Sequence[Field]) -> list[str]:
    return [page.shown(row[field.name], field.words, field.unit) for field in fields]


def _read(as_of: Mapping[str, str | None], now: datetime) -> str:
    """Say how old the facts are."""
    moments = sorted((moment, table) for table, moment in as_of.items() if moment)
    if not moments:
        return "Nothing of it was ever read."
    oldest, newest = ((table, age(datetime.fromisoformat(moment), now)) for moment, table in (moments[0], moments[-1]))
    if oldest[1] == newest[1]:
        return f"Read from the tenant {oldest[1]} ago."
    return f"Read from the tenant {newest[1]} ({newest[0]}) to {oldest[1]} ({oldest[0]}) ago."
