"""Dated folders: one an export, whole or not there, and of the older ones the last few."""

import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

from kandji_queries.exporter import manifest
from kandji_queries.exporter.folder import PREFIX, TEMPORARY
from kandji_schema.files import sync_folder

NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?")
"""Colons are not for file names: ``2026-11-27T221500Z``, with a number behind in the same second."""

HARMLESS = frozenset({".DS_Store", "Thumbs.db"})
"""What file managers put into every folder they show."""


def free_name(folder: Path, now: datetime) -> str:
    """The name of the next dated folder."""
    name = f"{now:%Y-%m-%dT%H%M%SZ}"
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(n for n in names if not (folder / n).exists())


def publish(whole: Path, folder: Path, name: str) -> None:
    """Give a finished folder its name."""
    sync_folder(whole)
    whole.rename(folder / name)
    sync_folder(folder)


def drop_old(folder: Path, keep: int) -> tuple[list[Path], list[str]]:
    """Remove all but the newest ``keep`` dated exports; what went, and a line for each that has to stay.

    Only a folder goes that an export made under this name and that holds nothing but its files.
    """
    removed, stayed = [], []
    for old in sorted(_ours(folder), key=_order, reverse=True)[keep:]:
        if foreign := _foreign(old):
            stayed.append(f"{old.name} was not removed: {foreign} in it is not part of the export.")
            continue
        aside = folder / f"{PREFIX}{old.name}{TEMPORARY}"
        old.rename(aside)  # what is half removed must not look like an export
        shutil.rmtree(aside, ignore_errors=True)
        removed.append(old)
    return removed, stayed


def _ours(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            known = manifest.read(path)
            if known and known.get("folder") == path.name:
                yield path


def _order(path: Path) -> tuple[str, int]:
    moment, _, number = path.name.partition("Z")
    return moment, int(number[1:] or 1)


def _foreign(folder: Path) -> str | None:
    """Name of something in the folder that its manifest does not name."""
    known = manifest.read(folder) or {"exports": []}
    named = {manifest.NAME, *manifest.paths(known)}
    files = (path for path in sorted(folder.rglob("*")) if not path.is_dir() and path.name not in HARMLESS)
    return next((n for n in (path.relative_to(folder).as_posix() for path in files) if n not in named), None)
