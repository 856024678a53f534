"""``/devices/...``: all that is known of one device, or in short of the devices of one person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kandji_queries.profile import (
    DeviceProfile,
    DevicesInShort,
    Field,
    ProfilePart,
    ProfileSection,
    devices_meant,
    profile_parts,
    read_in_short,
    read_profile,
)
from kandji_queries.reader import Reader
from kandji_queries.results.wording import UNKNOWN, read_ages, shown
from kandji_web.asking import ask
from kandji_web.rendering import page

TONES = {"fail": "bad", "pass": "good", "unknown": "warn", UNKNOWN: "soft"}
"""Words that are coloured, too."""

WELL = frozenset({"filevault_on", "filevault_key_escrowed", "firewall_on", "gatekeeper_on", "sip_on"})
"""Fields of which true is good and false is bad."""

LEADS = {
    "user_email": "/tables/fleet?user_email={}",
    "blueprint_name": "/tables/fleet?blueprint_name={}",
    "cve_id": "/tables/vulnerability_detections?cve_id={}",
}
"""Where the value of a field leads."""


@dataclass(frozen=True)
class Cell:
    """A value in words, how it is coloured, and where it leads; both empty where they are not wanted."""

    words: str
    tone: str = ""
    lead: str = ""


@dataclass(frozen=True)
class Block:
    """A part of the page: labels with values, or a table of which ``total`` rows are known."""

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    one: bool
    usual: bool
    total: int


async def device(request: Request) -> Response:
    """Show the device that the path names by identifier, serial number, asset tag, name, person or another number."""
    named: str = request.path_params["device"]
    found = await ask(request, lambda reader: _read(reader, named))
    now = datetime.now(UTC)
    if isinstance(found, DevicesInShort):
        return page(
            request, "devices.html", title=f"Devices of {named}", blocks=_in_short(found, now), notes=found.notes
        )
    first = found.sections["device"].first()
    blocks = [block for section in found.sections.values() if (block := _block(section, found.platform, now))]
    return page(
        request,
        "device.html",
        title=str(first.get("device_name") or "A device without a name"),
        device=first,
        person=found.sections["person"].first(),
        contradictions=[str(row[0]) for row in found.sections["contradictions"].answer.rows],
        compliance=_block(found.sections["compliance"], found.platform, now),
        blocks=[block for block in blocks if block.name not in ABOVE],
        nothing=_nothing(found),
        dated=read_ages(found.as_of, now),
        notes=found.notes,
        device_id=found.device_id,
    )


ABOVE = frozenset({"contradictions", "compliance"})
"""Parts that have a place of their own at the top."""


async def devices(request: Request) -> Response:
    """Lead to the table of all devices."""
    return RedirectResponse("/tables/fleet", status_code=303)


def _read(reader: Reader, named: str) -> DeviceProfile | DevicesInShort:
    meant = devices_meant(reader, named)
    return read_profile(reader, meant[0], profile_parts()) if len(meant) == 1 else read_in_short(reader, meant)


def _block(section: ProfileSection, platform: str | None, now: datetime) -> Block | None:
    """Return a part as the page has it; None where the platform has none of it, or there are no rows."""
    fields = [field for field in section.part.fields if field.fits(platform)]
    rows = section.objects()
    if not fields or not (rows or section.part.one):
        return None
    if section.part.one:
        row = section.first()
        told = [field for field in fields if not field.optional or row.get(field.name) is not None]
        cells = [[_cell(row.get(field.name), field, now)] for field in told]
        return _made(section.part, [field.label for field in told], cells, 1)
    cells = [[_cell(row.get(field.name), field) for field in fields] for row in rows]
    return _made(section.part, [field.label for field in fields], cells, len(rows))


def _made(part: ProfilePart, heads: Sequence[str], rows: Sequence[Sequence[Cell]], total: int) -> Block:
    return Block(part.name, part.title, heads, rows, part.one, part.usual, total)


def _cell(value: object, field: Field, now: datetime | None = None) -> Cell:
    words = shown(value, field.words, field.unit, now)
    tone = ("good" if value else "bad") if field.name in WELL and value is not None else TONES.get(words, "")
    lead = LEADS[field.name].format(_quoted(value)) if field.name in LEADS and value else ""
    return Cell(words, tone, lead)


def _quoted(value: object) -> str:
    return quote(str(value), safe="")


def _in_short(found: DevicesInShort, now: datetime) -> Iterator[tuple[str, str, Sequence[tuple[str, Cell]]]]:
    for row in found.section.objects():
        platform = row["platform"] if isinstance(row["platform"], str) else None
        told = [field for field in found.section.part.fields if field.fits(platform)]
        facts = [(field.label, _cell(row.get(field.name), field, now)) for field in told]
        yield str(row["device_name"] or "A device without a name"), str(row["device_id"]), facts


def _nothing(profile: DeviceProfile) -> Sequence[str]:
    """Say of which parts there is nothing, and of which nothing is known."""
    rows = [section for section in profile.sections.values() if not section.part.one and section.part.name not in ABOVE]
    empty = [s for s in rows if not s.answer.rows and any(field.fits(profile.platform) for field in s.part.fields)]
    told = []
    for head, read in (("None", True), ("None known, since it was never read", False)):
        if titles := [section.part.title for section in empty if section.is_read is read]:
            told.append(f"{head}: {'; '.join(titles)}.")
    return told


ROUTES = [Route("/devices", devices), Route("/devices/{device:path}", device)]
