"""What an export of a map to a folder held last: hashes of its rows, kept in the data directory.

A file a map and folder. It is written when the files of the export are in their place and never before: whatever ends
the export between the two, the next one has the same rows again, and none is lost.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kandji_schema.errors import NotExported
from kandji_schema.files import make_folder, write_atomically

FOLDER = "exported"
FORMAT = 1


@dataclass(frozen=True)
class ExportedBefore:
    """The rows of the last export, all that it stands for, as hashes; its moment as ``2026-11-20T12:00:00Z``.

    ``columns`` are the names in its file: with others every row is another one.
    """

    at: str
    columns: tuple[str, ...]
    rows: frozenset[str]


@dataclass(frozen=True)
class ExportMemory:
    """Where is kept what the exports of one map to one folder held."""

    home: Path
    map_name: str
    target: Path

    @property
    def path(self) -> Path:
        """The file."""
        digest = hashlib.sha256(f"{self.map_name}\0{self.target}".encode(errors="surrogateescape")).hexdigest()
        return self.home / FOLDER / f"{digest[:32]}.json"

    def read(self) -> ExportedBefore | None:
        """Return what it held last; None where nothing is known, as after damage: then every row is new."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            rows, columns = found["rows"], found["columns"]
            ours = found["format"] == FORMAT and isinstance(rows, list) and all(isinstance(row, str) for row in rows)
            return ExportedBefore(str(found["at"]), tuple(columns), frozenset(rows)) if ours else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, at: str, columns: Sequence[str], rows: Iterable[str]) -> None:
        """Keep what an export held; :class:`NotExported` where that cannot be written."""
        facts = {"format": FORMAT, "map": self.map_name, "to": str(self.target), "at": at}
        document = {**facts, "columns": list(columns), "rows": sorted(rows)}
        try:
            make_folder(self.path.parent)
            write_atomically(self.path, json.dumps(document).encode())
        except (OSError, UnicodeError) as error:
            raise NotExported(
                f"The files in {self.target} are whole, but {self.path} could not be written: {error}. The next export "
                "with --changed-since last has the same rows again. Free some space or correct the rights."
            ) from error
