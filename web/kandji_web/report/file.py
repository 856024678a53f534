"""The file of a report, and its record beside it: whole or not there, for their owner alone, and never over others'."""

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from kandji_schema.errors import NotExported, UsageError
from kandji_schema.files import is_address, make_folder, rename_durably, written_beside
from kandji_web.report.contents import Report
from kandji_web.report.record import ENDING, is_record, record_of

ENDINGS = (".html", ".htm")
STORE = "store"


@dataclass(frozen=True)
class Written:
    """A report on the disk: its files, the page first, its record, and how large they are together."""

    files: tuple[Path, ...]
    record: Path
    bytes: int


def checked(to: str, home: Path, *, force: bool = False, pdf: bool = False) -> Path:
    """Return where a report goes; :class:`UsageError` repeats ``to`` where none may go there.

    What is there already is replaced where it is a report of ours, or by ``force``.
    """
    if is_address(to):
        raise UsageError(f"--to {to!r} is an address. Name a file of this machine, such as fleet.html.")
    try:
        path = Path(to).expanduser().resolve()
        is_folder = path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"--to {to[:200]!r} is no path of a file: {error}.") from error
    if is_folder or not to.strip():
        raise UsageError(f"--to {to!r} is a folder. Name a file in it, such as fleet.html." if to.strip() else EMPTY)
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"--to {to!r} does not end in .html, which a report is. Name a file such as fleet.html.")
    if path.is_relative_to((home / STORE).resolve()):
        raise UsageError(f"--to {to!r} lies inside the mirror's own store. Name a file outside of it.")
    names = (path, *((pdf_path(path),) if pdf else ()), record_path(path))
    taken = next((file for file in names if os.path.lexists(file) and not _is_ours(path, file.name)), None)
    if taken and not force:
        raise UsageError(f"{taken} is there, and is no report of ours. Name another file, or --force to replace.")
    return path


EMPTY = "--to is empty. Name a file, such as fleet.html."


def record_path(path: Path) -> Path:
    """Return where the record of a report is."""
    return path.with_name(path.name + ENDING)


def pdf_path(path: Path) -> Path:
    """Return where a report is as PDF."""
    return path.with_suffix(".pdf")


def write_report(report: Report, page: str, path: Path, pdf: bytes | None = None) -> Written:
    """Write a report, as PDF beside it where there is one, and its record.

    :class:`NotExported` for whatever the system refuses.
    """
    contents = {path: page.encode(), **({} if pdf is None else {pdf_path(path): pdf})}
    facts = [
        {"path": file.name, "bytes": len(data), "sha256": sha256(data).hexdigest()} for file, data in contents.items()
    ]
    record = record_path(path)
    try:
        make_folder(path.parent)
        with ExitStack() as stack:
            staged = [(stack.enter_context(written_beside(file, data)), file) for file, data in contents.items()]
            staged.append((stack.enter_context(written_beside(record, record_of(report, facts))), record))
            for temporary, final in staged:
                rename_durably(temporary, final)
    except OSError as error:
        raise NotExported(
            f"The report could not be written to {path}: {error.strerror or error}. Free some space, correct the "
            "rights, or name another file with --to."
        ) from error
    return Written(tuple(contents), record, sum(map(len, contents.values())))


def _is_ours(path: Path, name: str) -> bool:
    """Tell whether the record of the report at ``path`` names this file beside it."""
    try:
        return is_record(json.loads(record_path(path).read_bytes()), name)
    except (OSError, ValueError):
        return False
