"""``manifest.json``: what the files beside it hold, for programs and for the next export to the same folder."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kandji_queries.export.report import ExportedItem
from kandji_schema.files import sync_file
from kandji_schema.installation import mirror_version

NAME = "manifest.json"
FORMAT = 1
MADE_BY = "kandji-mirror"


def write(
    whole: Path,
    exports: Iterable[ExportedItem],
    left_out: Mapping[str, str],
    *,
    dated: str | None,
    kept: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write it into the folder ``whole``.

    ``dated`` is the name that folder will have, None where its files go to others. ``kept`` are entries of an earlier
    export whose files stay there.
    """
    head = {"format": FORMAT, "made_by": MADE_BY, "version": mirror_version(), "folder": dated}
    entries = [*kept, *map(asdict, exports)]
    document = {**head, "left_out": dict(left_out), "exports": entries}
    path = whole / NAME
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    path.chmod(0o600)
    sync_file(path)


def read(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of an export in that folder; None where there is none of ours."""
    try:
        found: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
        ours = found["made_by"] == MADE_BY and isinstance(found["format"], int)
        return found if ours and all(isinstance(path, str) for path in paths(found)) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def paths(manifest: Mapping[str, Any]) -> list[str]:
    """Return every path a manifest names."""
    return [path for entry in manifest["exports"] for path in _paths(entry)]


def tops(manifest: Mapping[str, Any]) -> set[str]:
    """Return the files and folders beside the manifest that hold what it names."""
    return {_top(path) for path in paths(manifest)}


def remaining(folder: Path, replaced: Iterable[str]) -> list[Mapping[str, Any]]:
    """Return entries of the manifest in the folder whose files stay when ``replaced`` are written anew."""
    known, gone = read(folder), set(replaced)
    entries = known["exports"] if known else []
    return [e for e in entries if _paths(e) and all(_stays(folder, path, gone) for path in _paths(e))]


def _stays(folder: Path, path: str, gone: set[str]) -> bool:
    return _top(path) not in gone and (folder / path).is_file()


def _paths(entry: Mapping[str, Any]) -> list[str]:
    return [file["path"] for file in entry["files"]]


def _top(path: str) -> str:
    return path.partition("/")[0]
