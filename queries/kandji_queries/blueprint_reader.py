"""The mirror as far as it is about the devices of one blueprint."""

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from kandji_queries.catalog.counting import DEVICES
from kandji_queries.reader import Reader
from kandji_schema.errors import UnknownName

if TYPE_CHECKING:
    from kandji_queries.catalog.queries import NamedQuery

NAMES = (
    "SELECT DISTINCT name FROM (SELECT name FROM blueprints UNION ALL SELECT blueprint_name FROM devices) ORDER BY 1"
)


class BlueprintReader(Reader):
    """A reader whose named queries count the devices of one ``blueprint``; those that count no devices are unchanged.

    It shares everything with the reader it is made of, and is closed with that one. Statements of :meth:`run` are not
    narrowed.
    """

    blueprint: str

    @classmethod
    def of(cls, reader: Reader, blueprint: str) -> Self:
        """Make one for the blueprint of this name, in any letter case; :class:`UnknownName` with the nearest ones."""
        names = [name for (name,) in reader.run(NAMES).rows if name]
        alike = [name for name in names if name.casefold() == blueprint.strip().casefold()]
        if not alike:
            raise UnknownName("blueprint", blueprint, names)
        made = cls.__new__(cls)
        made.__dict__.update(reader.__dict__)
        made.blueprint = blueprint if blueprint in alike else alike[0]
        return made

    def named(self, name: str) -> "NamedQuery":
        """Return the query of that name, narrowed; :class:`UnknownName` with the nearest names."""
        return replace(super().named(name), blueprint=self.blueprint)

    def narrows(self, name: str) -> bool:
        """Tell whether the query of that name is narrowed."""
        return DEVICES in self.named(name).counts
