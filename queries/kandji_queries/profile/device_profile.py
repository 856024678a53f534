"""The profile of one device, read: every part with what is known, and how old that is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kandji_queries.profile.parts import ProfilePart, profile_parts
from kandji_schema.errors import UnknownName

if TYPE_CHECKING:
    from kandji_queries.reader import Reader
    from kandji_queries.results.result import Result

ROWS = 10_000
"""Most rows of a part that are counted."""

HISTORY = "recent_changes"
"""The part that needs the history: read first, its engine has open what all others need."""


@dataclass(frozen=True)
class ProfileSection:
    """A part with its answer."""

    part: ProfilePart
    answer: "Result"

    @property
    def is_read(self) -> bool:
        """Whether all tables behind it were ever synced: only then no row says that there is none."""
        return all(self.answer.as_of.values())

    def objects(self) -> list[dict[str, object]]:
        """Return the rows as objects, those of a part that has one row as well."""
        names = [column.name for column in self.answer.columns]
        return [dict(zip(names, row, strict=True)) for row in self.answer.rows]

    def first(self) -> dict[str, object]:
        """Return the one row of a part that has one; empty where there is none."""
        return next(iter(self.objects()), {})


@dataclass(frozen=True)
class DeviceProfile:
    """All that is told of one device: sections by name, the age of every table behind them, and notes."""

    device_id: str
    sections: Mapping[str, ProfileSection]
    as_of: Mapping[str, str | None]
    notes: Sequence[str]

    @property
    def platform(self) -> str | None:
        """The platform of the device, where that is known."""
        found = self.sections["device"].first().get("platform")
        return found if isinstance(found, str) else None


def wanted_parts(include: Iterable[str]) -> list[ProfilePart]:
    """Return the usual parts and those to ``include``, in order; :class:`UnknownName` names one that there is not."""
    asked = list(include)
    for name in asked:
        if name not in profile_parts():
            raise UnknownName("part of a profile", name, profile_parts())
    return [part for part in profile_parts().values() if part.usual or part.name in asked]


def read_profile(reader: "Reader", device_id: str, include: Iterable[str] = ()) -> DeviceProfile:
    """Read the profile of the device of that identifier; ``include`` names parts that are not usual."""
    wanted = [part for part in wanted_parts(include) if not part.needs or reader.was_read(part.needs)]
    limits = replace(reader.limits, rows=ROWS, bytes=None)
    found = {
        part.name: reader.run(part.sql, {"device_id": device_id}, limits=limits)
        for part in sorted(wanted, key=lambda part: part.name != HISTORY)
    }
    as_of = {table: moment for answer in found.values() for table, moment in answer.as_of.items()}
    return DeviceProfile(
        device_id=device_id,
        sections={part.name: ProfileSection(part, found[part.name]) for part in wanted},
        as_of=as_of,
        notes=[*reader.warnings, *reader.data_notes(as_of)],
    )
