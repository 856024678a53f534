"""The parts of a profile: what is told of one aspect, declared in ``parts/<name>.sql``.

The header has ``title`` and ``description``; ``usual: yes`` for a part that is always told; ``one: yes`` where its one
row is told as an object, else ``most`` rows are told; ``texts: yes`` where its columns are sentences;
``needs: os_releases`` where it is left out as long as that table was never read. A line for each column that people
see, in their order::

    -- column: filevault_on | FileVault | on/off | Mac

Its words for people; then, where they are wanted, those for true and false, or a unit; then the platforms that have it.
A name with ``?`` is told only where there is a value.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from kandji_queries import sql_files

STATEMENTS = Path(__file__).parent / "parts"
KEYS = frozenset({"title", "description", "usual", "one", "most", "texts", "needs", "column"})

FIRST = (
    "contradictions",
    "device",
    "currency",
    "person",
    "contact",
    "security",
    "locks",
    "secrets",
    "hardware",
    "compliance",
)
"""Parts in the order in which they are wanted; the others follow by name."""


@dataclass(frozen=True)
class Field:
    """A column as people see it: its label, words for true and false or a unit, and the platforms that have it.

    Without ``platforms`` all have it. An ``optional`` one is told only where there is a value.
    """

    name: str
    label: str
    words: tuple[str, str] | None = None
    unit: str = ""
    platforms: frozenset[str] = frozenset()
    optional: bool = False

    def fits(self, platform: str | None) -> bool:
        """Tell whether a device of that platform has it; what is not known may."""
        return not self.platforms or platform is None or platform in self.platforms


@dataclass(frozen=True)
class ProfilePart:
    """One aspect, from a statement that takes ``$device_id``.

    ``usual`` parts are always told, the others when they are asked for. ``one`` row is told as an object; of several
    the first ``most``. Of ``texts`` each column is a sentence, which people read below each other. Where it ``needs`` a
    table it is left out until that was read.
    """

    name: str
    title: str
    sql: str
    usual: bool
    one: bool
    most: int
    texts: bool
    needs: str
    fields: tuple[Field, ...]


@cache
def profile_parts() -> MappingProxyType[str, ProfilePart]:
    """Read all parts by name, in the order in which they are told: the usual ones first."""
    found = [_part(file) for file in sql_files.folder(STATEMENTS, KEYS).values()]
    found.sort(key=lambda part: (not part.usual, _place(part.name), not part.one, part.name))
    return MappingProxyType({part.name: part for part in found})


def read_part(path: Path) -> ProfilePart:
    """Read a statement of a profile with its fields."""
    return _part(sql_files.read(path, KEYS))


def _place(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _part(file: sql_files.SqlFile) -> ProfilePart:
    values = {entry.key: entry.value for entry in file.entries}
    return ProfilePart(
        name=file.name,
        title=file.one("title"),
        sql=file.sql,
        usual=values.get("usual") == "yes",
        one=values.get("one") == "yes",
        most=int(values.get("most", "1")),
        texts=values.get("texts") == "yes",
        needs=values.get("needs", ""),
        fields=tuple(_field(entry.value) for entry in file.all("column")),
    )


def _field(line: str) -> Field:
    name, label, said, platforms = (*(cell.strip() for cell in line.split("|")), "", "", "")[:4]
    true, slash, false = said.partition("/")
    return Field(
        name=name.removesuffix("?"),
        label=label,
        optional=name.endswith("?"),
        words=(true, false) if slash else None,
        unit="" if slash else said,
        platforms=frozenset(filter(None, (platform.strip() for platform in platforms.split(",")))),
    )
