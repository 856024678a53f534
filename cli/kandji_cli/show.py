"""``kandji-mirror show``: all that is known of a device, on one page."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kandji_cli import page
from kandji_cli.output import say, say_document, tell
from kandji_cli.reads import open_reader
from kandji_queries.profile import (
    DeviceProfile,
    DevicesInShort,
    Field,
    ProfileSection,
    devices_meant,
    profile_parts,
    read_in_short,
    read_profile,
    wanted_parts,
)
from kandji_queries.results.values import plain
from kandji_queries.results.wording import read_ages, shown
from kandji_schema.text import escaped


def show_device(device: str, include: Sequence[str], *, as_json: bool) -> None:
    """Print the profile of the device that is meant, or those of the person that is meant in short.

    :class:`UsageError` where that is no device, or several that are not of a person.
    """
    wanted_parts(include)  # a slip of the fingers is told before anything is opened
    with open_reader() as reader:  # which device is meant needs the device list alone
        meant = devices_meant(reader, device)
    with open_reader(lazy=False) as reader:
        found = read_profile(reader, meant[0], include) if len(meant) == 1 else read_in_short(reader, meant)
    if as_json:
        say_document(_document(found))
        return
    now = datetime.now(UTC)
    for line in _page(found, now) if isinstance(found, DeviceProfile) else _short_page(found, device, now):
        say(line)
    for note in found.notes:
        tell(note)


def _document(found: DeviceProfile | DevicesInShort) -> dict[str, Any]:
    """Return it for programs: what is not known is null, which is another thing than an empty list."""
    if isinstance(found, DeviceProfile):
        parts = {name: _value(section) for name, section in found.sections.items()}
        return {**parts, "as_of": dict(found.as_of), "notes": list(found.notes)}
    as_of = found.section.answer.as_of
    return {"devices": _value(found.section), "as_of": as_of, "notes": list(found.notes)}


def _value(section: ProfileSection) -> Any:
    rows = [plain(row) for row in section.objects()]
    if section.part.one:
        return rows[0] if rows else None
    return rows if rows or section.is_read else None


def _page(profile: DeviceProfile, now: datetime) -> Iterator[str]:
    device, person = profile.sections["device"].first(), profile.sections["person"].first()
    yield from page.paragraph(escaped(str(device["device_name"] or "A device without a name")), indent="")
    told = (device["model"] or device["platform"], device["serial_number"], person["user_name"] or person["user_email"])
    if any(told):
        yield from page.paragraph(" · ".join(escaped(str(value)) for value in told if value), indent="")
    for section in profile.sections.values():
        yield from _section(section, profile, now)
    yield from _nothing(profile)
    yield ""
    more = ", ".join(part.name for part in profile_parts().values() if part.name not in profile.sections)
    hint = f"More with --include: {more}. " if more else ""
    yield from page.paragraph(hint + read_ages(profile.as_of, now), indent="")


def _short_page(found: DevicesInShort, device: str, now: datetime) -> Iterator[str]:
    rows = found.section.objects()
    yield from page.paragraph(f"{len(rows)} devices fit {escaped(repr(device))}, each in short.", indent="")
    for row in rows:
        yield f"\n{escaped(str(row['device_name'] or 'A device without a name'))}"
        platform = row["platform"]
        fields = [f for f in found.section.part.fields if f.fits(platform if isinstance(platform, str) else None)]
        yield from _facts(row, fields, now)
    yield ""
    read = read_ages(found.section.answer.as_of, now)
    yield from page.paragraph(f"`kandji-mirror show SERIAL` shows all of one. {read}", indent="")


def _section(section: ProfileSection, profile: DeviceProfile, now: datetime) -> Iterator[str]:
    """Yield a section; nothing where no device of that platform has any of it, or there are no rows."""
    fields = [field for field in section.part.fields if field.fits(profile.platform)]
    if section.part.one and fields:
        yield page.heading(section.part.title)
        yield from _facts(section.first(), fields, now)
    elif fields and section.answer.rows:
        yield from _rows(section, fields)


def _facts(row: Mapping[str, object], fields: Sequence[Field], now: datetime) -> Iterator[str]:
    told = [field for field in fields if not field.optional or row.get(field.name) is not None]
    return page.facts([(f.label, shown(row.get(f.name), f.words, f.unit, now)) for f in told])


def _nothing(profile: DeviceProfile) -> Iterator[str]:
    """Say of which parts there is nothing: none where all was read, else none known."""
    rows = [section for section in profile.sections.values() if not section.part.one]
    empty = [s for s in rows if not s.answer.rows and any(field.fits(profile.platform) for field in s.part.fields)]
    for head, read in (("None", True), ("None known, since it was never read", False)):
        if titles := [section.part.title for section in empty if section.is_read is read]:
            yield page.heading(head)
            yield from page.paragraph("; ".join(titles))


def _rows(section: ProfileSection, fields: Sequence[Field]) -> Iterator[str]:
    rows = section.objects()
    told = rows[: section.part.most]
    yield page.heading(section.part.title, f"the first {len(told)} of {len(rows):,}" if len(told) < len(rows) else "")
    if section.part.texts:
        for row in told:
            first, *others = _cells(row, fields)
            yield from page.paragraph(first)
            for other in others:
                yield from page.paragraph(other, indent=page.INDENT * 2)
        return
    yield from page.table([field.label for field in fields], [_cells(row, fields) for row in told])


def _cells(row: Mapping[str, object], fields: Sequence[Field]) -> list[str]:
    return [shown(row[field.name], field.words, field.unit) for field in fields]
