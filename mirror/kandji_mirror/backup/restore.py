"""A backup becomes a home: into an empty one, or in place of one that is moved aside; all of it, or nothing."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kandji_mirror.audit.log import AuditLog, actor
from kandji_mirror.backup.contents import CHECKS, NAME, Contents
from kandji_mirror.backup.look import data_trouble, expected
from kandji_mirror.backup.unpack import needed, opened, unpacked
from kandji_mirror.store import restoring
from kandji_mirror.store.lock import writer_lock
from kandji_schema.errors import AlreadySyncing, NotExported, StoreDamaged, StoreFull, StoreNewer, UsageError
from kandji_schema.files import make_folder, sync_file, sync_folder
from kandji_schema.home import mirrored
from kandji_schema.manifest import Manifest, manifest_path
from kandji_schema.unfinished import STAGED

RESTORED_CHECKS = f"{CHECKS}.restored"
"""Under this name checks come back: they send, and start programs, which a file of unknown origin may not."""

_OWN = {"aside", "exports", "exported", "refresh", "config", "logs", STAGED}
"""What may be in a home that is empty all the same: it is no part of a mirror."""


@dataclass(frozen=True)
class Restored:
    """What was restored, where to, and where what was there before is now."""

    home: Path
    contents: Contents
    aside: Path | None


def restore(source: Path, home: Path, *, force: bool = False, now: datetime | None = None) -> Restored:
    """Put a backup into a home that is empty, or with ``force`` in place of what is there, which is moved aside.

    Everything is unpacked and proved before anything of the home is touched. Raises :class:`UsageError` where the home
    is not empty or the source no backup, :class:`AlreadySyncing` while somebody writes, and :class:`StoreError`; then
    the home is what it was.
    """
    moment = now or datetime.now(UTC)
    _refuse_inside(source, home)
    made = _made(home)
    try:
        with _locked(home):
            finished = restoring.finish(home)  # one that was killed before: what it had proved is the home now
            with _opened(source) as (contents, members):
                if finished and manifest_path(home, contents.generation).exists():
                    return Restored(home, contents, None)
                taken = _in_the_way(home)
                if taken and not force:
                    raise UsageError(
                        f"{home} is not empty ({', '.join(taken[:3])}). Name another with --to, or add --force: it "
                        "moves what is there aside and removes nothing."
                    )
                _refuse_no_room(home, contents)
                held = home / STAGED / restoring.HELD
                make_folder(held)
                troubles: dict[str, str] = {}
                try:
                    _prove(source, contents, unpacked(contents, members, held, troubles), held, troubles)
                    aside = _aside(home, moment) if taken else None
                except BaseException:
                    shutil.rmtree(home / STAGED, ignore_errors=True)
                    raise
            restoring.make_ready(home, aside)
            restoring.finish(home)
            return Restored(home, contents, home / restoring.ASIDE / aside if aside else None)
    except OSError as error:
        raise StoreFull(
            f"{home} could not be written: {error.strerror or error}. Make room or correct the rights, then restore "
            "again; what was there is there still."
        ) from error
    finally:
        _remove_empty(home, made)


def _prove(source: Path, contents: Contents, files: Iterator[str], held: Path, troubles: dict[str, str]) -> None:
    """Unpack all, and look at every file; :class:`StoreDamaged` names what is wrong."""
    for name in files:
        sync_file(held / name)
    found = manifest_path(held, contents.generation)
    if not troubles:
        wanted = expected(Manifest.from_json(found.read_bytes())) if found.exists() else {}
        for name, tables in wanted.items():
            trouble = data_trouble(held / name, tables) if (held / name).is_file() else "is missing"
            if trouble:
                troubles[name] = trouble
        if not wanted:
            troubles[found.name] = "is missing"
        if chain := AuditLog(held, actor()).verify().trouble:
            troubles["audit.sqlite"] = chain
    if troubles:
        listed = "; ".join(f"{name}: {trouble}" for name, trouble in list(troubles.items())[:3])
        raise StoreDamaged(
            f"{source} is not what was backed up, so nothing was restored. {listed}. `kandji-mirror verify` tells all."
        )
    if (held / CHECKS).exists():
        (held / CHECKS).rename(held / RESTORED_CHECKS)
    for folder in [held, *(path for path in held.rglob("*") if path.is_dir())]:
        sync_folder(folder)


@contextmanager
def _opened(source: Path) -> Iterator[tuple[Contents, Iterator[tuple[str, int, Iterator[bytes]]]]]:
    try:
        with opened(source) as found:
            yield found
    except StoreDamaged as error:
        if str(error).startswith(str(source)):
            raise
        raise StoreDamaged(f"{source} cannot be restored: {error}. Nothing was changed.") from error


def _aside(home: Path, moment: datetime) -> str:
    """Return a name for what is there that nothing aside has yet, also after a clock went back."""
    name = f"{_whose(home)}-{moment:%Y-%m-%dT%H%M%SZ}"
    names = (name, *(f"{name}-{number}" for number in range(2, 10_000)))
    return next(each for each in names if not os.path.lexists(home / restoring.ASIDE / each))


def _whose(home: Path) -> str:
    try:
        return mirrored(home) or "mirror"
    except StoreNewer:  # a backup of before is what one wants then
        return "mirror"


def _in_the_way(home: Path) -> list[str]:
    """Name what is in a home that a restore would replace."""
    inside = home / "store"
    store = [f"store/{path.name}" for path in inside.iterdir() if path.name not in {"writer.lock", "writer.json"}]
    others = [path.name for path in home.iterdir() if path.name not in _OWN | {"store"}]
    return sorted([*store, *others])


def _refuse_inside(source: Path, home: Path) -> None:
    if not source.exists():
        raise UsageError(f"{source} is not there. Name a backup: a file, or a folder with {NAME} in it.")
    if source.resolve() == home.resolve():
        raise UsageError(f"{source} is the home itself. Name another home with --to.")
    if home.exists() and not home.is_dir():
        raise UsageError(f"{home} is no folder. Name one with --to.")


def _refuse_no_room(home: Path, contents: Contents) -> None:
    free, wanted = shutil.disk_usage(home).free, needed(contents)
    if free < wanted:
        raise NotExported(
            f"The backup takes {wanted:,} bytes and {free:,} are free where {home} is. Make room, or name another home "
            "with --to; nothing was changed."
        )


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    try:
        with writer_lock(home):
            yield
    except AlreadySyncing as error:
        raise AlreadySyncing(f"{error} Stop it before a restore (`serve`, `mcp` or `sync`).") from None


def _made(home: Path) -> list[Path]:
    """Make the folders that the lock needs; returns those that were not there."""
    wanted = (home / "store", home)
    new = [folder for folder in wanted if not folder.exists()]
    try:
        make_folder(home / "store")
    except OSError as error:
        raise StoreFull(f"{home} could not be made: {error.strerror or error}. Name another home with --to.") from error
    return new


def _remove_empty(home: Path, made: list[Path]) -> None:
    """Leave nothing behind where nothing was restored."""
    if any((home / "store").glob("manifests/*.json")):
        return
    for folder in made:
        for name in ("writer.lock", "writer.json"):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()
