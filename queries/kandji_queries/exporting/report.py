"""What an export wrote."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from kandji_queries.engine import utc_text


@dataclass(frozen=True)
class Exported:
    """One table, view or query. ``file`` may hold several of them; a partitioned one is a folder and has no hash.

    ``as_of`` tells for each mirrored table behind it when its rows were read from the provider.
    """

    name: str
    file: str
    rows: int
    bytes: int
    sha256: str | None
    as_of: Mapping[str, str | None]
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """One export: all of it is of the mirror's state ``generation``."""

    generation: int
    tenant: str
    exported_at: datetime
    format: str
    files: tuple[Exported, ...]

    def to_json(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {**asdict(self), "exported_at": utc_text(self.exported_at), "files": [asdict(f) for f in self.files]}


def sha256_of(path: Path) -> str:
    """Hash of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
