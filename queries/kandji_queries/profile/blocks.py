"""A profile as people see it: parts with labels, values in words, and what is good or bad of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from kandji_queries.profile.device_profile import DeviceProfile, ProfileSection
from kandji_queries.profile.devices_in_short import DevicesInShort
from kandji_queries.profile.parts import Field, ProfilePart
from kandji_queries.results.wording import UNKNOWN, shown

TONES = {"fail": "bad", "pass": "good", "unknown": "warn", UNKNOWN: "soft"}
"""Words that are coloured, too."""

WELL = frozenset({"filevault_on", "filevault_key_escrowed", "firewall_on", "gatekeeper_on", "sip_on"})
"""Fields of which true is good and false is bad."""

Lead = Callable[[Field, object], str]
"""Where the value of a field leads; empty where nowhere."""


@dataclass(frozen=True)
class Cell:
    """A value in words, how it is coloured, and where it leads; both empty where they are not wanted."""

    words: str
    tone: str = ""
    lead: str = ""


@dataclass(frozen=True)
class Block:
    """A part as it is shown: labels with values, or a table of which ``total`` rows are known."""

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    one: bool
    usual: bool
    total: int


def no_lead(_field: Field, _value: object) -> str:
    """Lead nowhere."""
    return ""


def blocks(profile: DeviceProfile, now: datetime, lead: Lead = no_lead) -> list[Block]:
    """Return the parts of a device of which something is known and its platform has, in order."""
    found = (block_of(section, profile.platform, now, lead) for section in profile.sections.values())
    return [block for block in found if block]


def block_of(section: ProfileSection, platform: str | None, now: datetime, lead: Lead = no_lead) -> Block | None:
    """Return a part as it is shown; None where the platform has none of it, or there are no rows."""
    fields = [field for field in section.part.fields if field.fits(platform)]
    rows = section.objects()
    if not fields or not (rows or section.part.one):
        return None
    if section.part.one:
        row = section.first()
        told = [field for field in fields if not field.optional or row.get(field.name) is not None]
        cells = [[cell(row.get(field.name), field, now, lead)] for field in told]
        return _made(section.part, [field.label for field in told], cells, 1)
    cells = [[cell(row.get(field.name), field, lead=lead) for field in fields] for row in rows]
    return _made(section.part, [field.label for field in fields], cells, len(rows))


def facts_in_short(
    found: DevicesInShort, now: datetime, lead: Lead = no_lead
) -> Iterator[tuple[str, str, Sequence[tuple[str, Cell]]]]:
    """Yield of each of several devices its name, its identifier, and labels with values."""
    for row in found.section.objects():
        platform = row["platform"] if isinstance(row["platform"], str) else None
        told = [field for field in found.section.part.fields if field.fits(platform)]
        facts = [(field.label, cell(row.get(field.name), field, now, lead)) for field in told]
        yield name_of(row), str(row["device_id"]), facts


def name_of(device: dict[str, object]) -> str:
    """Return what a device is called."""
    return str(device.get("device_name") or "A device without a name")


def cell(value: object, field: Field, now: datetime | None = None, lead: Lead = no_lead) -> Cell:
    """Return the value of a field as it is shown; with ``now`` a moment has its age."""
    words = shown(value, field.words, field.unit, now)
    tone = ("good" if value else "bad") if field.name in WELL and value is not None else TONES.get(words, "")
    return Cell(words, tone, lead(field, value))


def _made(part: ProfilePart, heads: Sequence[str], rows: Sequence[Sequence[Cell]], total: int) -> Block:
    return Block(part.name, part.title, heads, rows, part.one, part.usual, total)
