"""Where exports go: files that appear when they are whole, dated folders, and the manifest beside them."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from kandji_queries.exporting.report import Report
from kandji_schema.errors import StoreFull, UsageError

MANIFEST = "manifest.json"

_DATED = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
_UNFINISHED = ".unfinished"


def prepare(folder: Path) -> None:
    """Make the folder; :class:`UsageError` where it cannot be one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}. Choose another folder.") from error


def dated(folder: Path, now: datetime) -> Path:
    """The folder of an export made now, ``2026-11-24T030500Z``."""
    return folder / now.strftime("%Y-%m-%dT%H%M%SZ")


def forget_old(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest ``keep`` dated folders that hold a whole export of ours; returns those removed."""
    whole = [p for p in folder.iterdir() if _DATED.fullmatch(p.name) and (p / MANIFEST).is_file()]
    old = sorted(whole, reverse=True)[keep:]
    for path in old:
        shutil.rmtree(path)
    return old


@contextmanager
def new(final: Path) -> Iterator[Path]:
    """A name to write to; what is there at the end of the block takes the place of ``final``, else it is removed."""
    unfinished = final.with_name(f".{final.name}{_UNFINISHED}")
    _remove(unfinished)
    try:
        yield unfinished
        if final.is_dir():
            _remove(final)
        unfinished.replace(final)
    except OSError as error:
        raise StoreFull(f"{final} could not be written: {error.strerror or error}. Free some space there.") from error
    finally:
        _remove(unfinished)


def describe(folder: Path, report: Report) -> None:
    """Write the manifest of an export, last of all: where it is, the export is whole."""
    with new(folder / MANIFEST) as path:
        path.write_text(json.dumps(report.to_json(), indent=1) + "\n", encoding="utf-8")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
