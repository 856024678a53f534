"""The folder an export goes to: checked before, and never left with half of anything.

Files are written in a hidden folder inside it and moved when all of them are whole. A file that is there already is
replaced where ``manifest.json`` names it as one of ours, any other only by force. Dated exports are folders of their
own inside, of which the last few are kept.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from kandji_queries.export import manifest, report
from kandji_schema.errors import NotExported, UsageError
from kandji_schema.files import is_address, sync_file, sync_folder

PREFIX, TEMPORARY = ".kandji-export-", ".tmp"
LOCK = ".kandji-export.lock"
OWN = "store"
"""The folder below the data directory that is the mirror's alone."""

PRIVATE = 0o700
"""Mode of every folder an export makes, whatever the umask: names of people are in there."""


def checked(to: Path | str, home: Path) -> Path:
    """Return the folder as a whole path; :class:`UsageError` repeats ``to`` where no export may go there."""
    _refuse_elsewhere(str(to))
    try:
        folder = Path(to).expanduser().resolve()
        is_other = folder.exists() and not folder.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"--to {str(to)!r} is no path of a folder: {error}.") from error
    if is_other:
        raise UsageError(f"--to {str(to)!r} is a file. Name a folder; it is made where there is none.")
    if folder.is_relative_to((home / OWN).resolve()):
        raise UsageError(f"--to {str(to)!r} lies inside the mirror's own store. Name a folder outside of it.")
    return folder


def _refuse_elsewhere(to: str) -> None:
    if is_address(to):
        raise UsageError(
            f"--to {to!r} is an address, and exports go to folders of this machine; object stores will come with a "
            "later version. Name a folder, and copy it from there."
        )
    if not to.strip():
        raise UsageError("--to is empty. Name a folder; it is made where there is none.")
    if to == "-":
        raise UsageError(
            "--to '-' is no folder. An export is files with a manifest; for one on standard output run "
            '`kandji-mirror sql "FROM devices" --format csv`.'
        )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder, be the only export to it for the time of the block, and sweep what a killed one left."""
    with errors(folder):
        _make(folder)
        lock = FileLock(folder / LOCK, mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise NotExported(f"Another export is writing to {folder}. Wait for it, or name another folder.") from error
        try:
            for leftover in folder.glob(f"{PREFIX}*{TEMPORARY}"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield
        finally:
            lock.release()


def _make(folder: Path) -> None:
    """Make the folder, and those above it that are missing, for their owner alone."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(PRIVATE)


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Make a hidden folder beside the final names; whatever is still in it goes after the block."""
    with errors(folder):
        made = Path(tempfile.mkdtemp(prefix=PREFIX, suffix=TEMPORARY, dir=folder))
        made.chmod(PRIVATE)
    try:
        with errors(folder):
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def errors(folder: Path) -> Iterator[None]:
    """:class:`NotExported` for whatever the system refuses."""
    try:
        yield
    except OSError as error:
        raise NotExported(
            f"The export to {folder} could not be written: {error.strerror or error}. Free some space, correct the "
            "rights, or choose another folder with --to; what was there before is unchanged."
        ) from error


def refuse_foreign(folder: Path, names: Sequence[str]) -> None:
    """:class:`UsageError` where a name is taken by something that no export of ours wrote."""
    known = manifest.read(folder)
    ours = {manifest.NAME, *manifest.tops(known)} if known else set()
    foreign = [name for name in names if os.path.lexists(folder / name) and name not in ours]
    if foreign:
        raise UsageError(
            f"{folder} already holds {', '.join(foreign)}, which no export wrote. Choose another folder, or --force to "
            "replace."
        )


def measured(staged: Path, root: Path) -> report.ExportedFile:
    """Bring a finished file to the disk, for its owner alone; return what the manifest says of it."""
    staged.chmod(0o600)
    with staged.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    sync_file(staged)
    return report.ExportedFile(path=staged.relative_to(root).as_posix(), bytes=staged.stat().st_size, sha256=digest)


def divided(whole: Path, suffix: str) -> list[Path]:
    """Return the files of a table that a column divided, in folders that are now their owner's alone."""
    for place in (whole, *(path for path in whole.iterdir() if path.is_dir())):
        place.chmod(PRIVATE)
    return sorted(whole.rglob(f"*.{suffix}"))


def publish(staged: Path, folder: Path, names: Sequence[str]) -> None:
    """Move files and folders from the staging folder to their names, the last one last.

    What had such a name goes, also where there is nothing in its place now: a divided table without rows.
    """
    sync_folder(staged)
    for number, name in enumerate(names):
        final, new = folder / name, staged / name
        if final.is_dir() or not new.is_file():
            _retire(final, staged / f"old.{number}")
        if new.exists():
            new.replace(final)
    sync_folder(folder)


def _retire(path: Path, aside: Path) -> None:
    """Move the old one away, into what is swept: a folder cannot be replaced in one step."""
    if os.path.lexists(path):
        path.rename(aside)


DATED_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?")
"""Colons are not for file names: ``2026-11-27T221500Z``, with a number behind in the same second."""

HARMLESS = frozenset({".DS_Store", "Thumbs.db"})
"""What file managers put into every folder they show."""


def free_name(folder: Path, now: datetime) -> str:
    """Return the name of the next dated folder."""
    name = f"{now:%Y-%m-%dT%H%M%SZ}"
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(n for n in names if not (folder / n).exists())


def publish_dated(whole: Path, folder: Path, name: str) -> None:
    """Give a finished folder its name."""
    sync_folder(whole)
    whole.rename(folder / name)
    sync_folder(folder)


def drop_old(folder: Path, keep: int) -> tuple[list[Path], list[str]]:
    """Remove all but the newest ``keep`` dated exports; return what went, and a line for each that has to stay.

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
        if DATED_NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            known = manifest.read(path)
            if known and known.get("folder") == path.name:
                yield path


def _order(path: Path) -> tuple[str, int]:
    moment, _, number = path.name.partition("Z")
    return moment, int(number[1:] or 1)


def _foreign(folder: Path) -> str | None:
    """Return the name of something in the folder that its manifest does not name."""
    known = manifest.read(folder) or {"exports": []}
    named = {manifest.NAME, *manifest.paths(known)}
    files = (path for path in sorted(folder.rglob("*")) if not path.is_dir() and path.name not in HARMLESS)
    return next((n for n in (path.relative_to(folder).as_posix() for path in files) if n not in named), None)
