"""Several devices at once: which ones a text means, and what matters most of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kandji_queries import sql_files
from kandji_queries.catalog import device_lookup
from kandji_queries.profile.device_profile import ProfileSection
from kandji_queries.profile.parts import ProfilePart, read_part
from kandji_schema.errors import UsageError

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

HERE = Path(__file__).parent

MOST = 8
"""Most devices that are told in short; of more an error lists the first."""

OF_PEOPLE = ("part of the name", "person")
"""How devices fit where a text may be a person's name: as well as another device's."""


@dataclass(frozen=True)
class DevicesInShort:
    """What matters most of several devices, those in contact last first, and notes."""

    section: ProfileSection
    notes: Sequence[str]


def devices_meant(reader: "Reader", device: str) -> list[str]:
    """Return the identifier of the device that is meant, or of those of the person whom the text names.

    :class:`UsageError` where no device fits, where the text names several devices and no person, or a person with more
    than :data:`MOST`.
    """
    if exact := device_lookup.letter_for_letter(reader, device):  # as links have it: no need to look at all devices
        return [exact]
    found = device_lookup.as_objects(device_lookup.search(reader, device))
    if len(found) == 1 and found[0]["match"] == "exact":
        return [found[0]["device_id"]]
    if not found or found[0]["match"] not in OF_PEOPLE:
        return [device_lookup.find_one(reader, device)["device_id"]]
    theirs = device_lookup.as_objects(reader.run(_of_person(), {"device": device.strip()}))
    if not theirs and found[0]["match"] != "person":
        return [device_lookup.find_one(reader, device)["device_id"]]
    every = {each["device_id"]: each for each in [*theirs, *found]}
    if len(every) > MOST:
        raise UsageError(
            f"{len(every):,} devices fit {device!r}: {device_lookup.described(list(every.values()))} Call again with "
            "one of these serial numbers or ids."
        )
    return list(every)


def read_in_short(reader: "Reader", device_ids: Sequence[str]) -> DevicesInShort:
    """Read what matters most of these devices."""
    part = brief()
    answer = reader.run(part.sql, {"devices": list(device_ids)})
    return DevicesInShort(ProfileSection(part, answer), [*reader.warnings, *answer.notes])


@cache
def brief() -> ProfilePart:
    """Return the statement and the fields of a device in short."""
    return read_part(HERE / "brief.sql")


@cache
def _of_person() -> str:
    return sql_files.read(HERE / "of_person.sql", frozenset({"title", "description"})).sql
