"""Statements of the tools themselves: ``sql/<name>.sql``, and one file a part of a device's profile."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from kandji_queries import sql_files

HERE = Path(__file__).parent
KEYS = frozenset({"title", "description"})
PART_KEYS = KEYS | {"usual", "one", "most"}


@dataclass(frozen=True)
class ProfilePart:
    """What ``device_profile`` tells of one aspect, from a statement that takes ``$device_id``.

    ``usual`` parts are always told, the others when they are asked for. ``one`` row is told as an object; of several
    the first ``most``.
    """

    name: str
    title: str
    sql: str
    usual: bool
    one: bool
    most: int


@cache
def own_statement(name: str) -> str:
    """Read one statement of ours."""
    return sql_files.read(HERE / "sql" / f"{name}.sql", KEYS).sql


@cache
def profile_parts() -> MappingProxyType[str, ProfilePart]:
    """Read all parts of a profile by name, ``device`` first, then the usual ones."""
    found = [_part(file) for file in sql_files.folder(HERE / "profile", PART_KEYS).values()]
    found.sort(key=lambda part: (part.name != "device", not part.usual, not part.one, part.name))
    return MappingProxyType({part.name: part for part in found})


def _part(file: sql_files.SqlFile) -> ProfilePart:
    values = {entry.key: entry.value for entry in file.entries}
    return ProfilePart(
        name=file.name,
        title=file.one("title"),
        sql=file.sql,
        usual=values.get("usual") == "yes",
        one=values.get("one") == "yes",
        most=int(values.get("most", "1")),
    )
