"""A backup is taken: files of one manifest, however much is synced meanwhile, and what belongs to them.

All files of the manifest are opened before the first is read: they never change, and whoever removes one takes only its
name away. What others write is copied before the manifest is chosen, so that a backup is what a kill at some moment
would have left, and never remembers more than its rows say.
"""

import os
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO

from kandji_mirror.audit.log import AuditLog, actor
from kandji_mirror.backup import archive
from kandji_mirror.backup.contents import AUDIT, CHECKS, NAME, PRIVACY_KEY, STATE, Contents, Entry, may_be_in
from kandji_mirror.sqlite_copy import copy_database
from kandji_mirror.store.lock import is_alive
from kandji_schema.errors import NotExported, StoreDamaged, UsageError
from kandji_schema.files import is_address, make_folder, sync_file, sync_folder
from kandji_schema.manifest import Manifest, generations, manifest_path, newest_whole

_SMALL = (
    *("store/tenant", "store/feeds.json", "store/people.*.parquet", "audit.head", "audit.signed"),
    *("compliance.toml", "queries/*.sql"),
)
"""Small files, copied as they are; those of the audit log before its database, of which they must not know more."""

_DATABASES = (STATE, AUDIT, "checks.sqlite")
_NO_DAMAGE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_TRIES = 20
_PIECE = 1 << 20
_STAGED = ".kandji-mirror-backup"
_OPEN_FILES = 4_096


@dataclass(frozen=True)
class Taken:
    """A backup that was taken: where it is, what is in it, and what has to be said."""

    path: Path
    contents: Contents
    warnings: tuple[str, ...]


def back_up(
    home: Path,
    to: str,
    *,
    checks: bytes | None = None,
    left_out: tuple[str, ...] = (),
    with_key: bool = True,
    now: datetime | None = None,
) -> Taken:
    """Write a backup of a home into a new file, or a new folder of today's date in the folder ``to``.

    ``checks`` is what of ``checks.toml`` may be in it, and ``left_out`` says what is not. Without ``with_key`` the key
    of the pseudonyms is not. Raises :class:`UsageError`, :class:`NothingMirrored`, and :class:`StoreError`; then
    nothing of it is there.
    """
    moment = now or datetime.now(UTC)
    manifest, _ = newest_whole(home)
    final = _final(home, to, manifest.tenant, moment)
    try:
        make_folder(final.parent)
        with _staging(final.parent) as staged:
            return _taken(home, final, staged, _Asked(moment, checks, left_out, with_key))
    except OSError as error:
        raise NotExported(
            f"The backup {final} could not be made: {error.strerror or error}"
            f"{f' ({error.filename})' if error.filename else ''}. Nothing of it is there. Make room or correct the "
            "rights, or name another place."
        ) from error


@dataclass(frozen=True)
class _Asked:
    now: datetime
    checks: bytes | None
    left_out: tuple[str, ...]
    with_key: bool


def _final(home: Path, to: str, tenant: str, now: datetime) -> Path:
    """Return the path of the backup, which is not there yet."""
    if not to.strip() or is_address(to) or "\0" in to:
        raise UsageError(f"--to {to[:200]!r} is no file or folder of this machine. Name one.")
    try:
        path = Path(to).expanduser().absolute()
        inside = path.resolve().is_relative_to((home / "store").resolve())
        if archive.is_file_name(path) and not path.is_dir():
            final = path
        else:
            final = path / f"kandji-mirror-{tenant}-{now:%Y-%m-%dT%H%M%SZ}"
        there, no_folder = os.path.lexists(final), path.exists() and not path.is_dir() and final != path
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"--to {to[:200]!r} is no path of a file or folder: {error}.") from error
    if inside:
        raise UsageError(
            f"--to {to[:200]!r} lies inside the mirror's own store. Name a place outside, on another disk."
        )
    if there:
        raise UsageError(f"{final} is there already, and a backup replaces nothing. Name another.")
    if no_folder:
        raise UsageError(f"--to {to[:200]!r} is a file, and ends in none of {', '.join(archive.ENDINGS)}.")
    return final


def _taken(home: Path, final: Path, staged: Path, asked: _Asked) -> Taken:
    """Copy what changes, hold what does not, and write all of it."""
    warnings = _copy_beside(home, staged, asked)
    with _held(home) as (manifest, held, older):
        with ExitStack() as opened:
            sources = {
                path.relative_to(staged).as_posix(): path for path in sorted(staged.rglob("*")) if path.is_file()
            }
            files = {**held} | {name: opened.enter_context(path.open("rb")) for name, path in sources.items()}
            contents = _contents(manifest, files, staged, asked)
            if archive.is_file_name(final):
                made = staged / "archive"
                _write_archive(made, final.name, contents, files)
            else:
                made = staged
                _write_folder(staged, contents, held)
        if os.path.lexists(final):
            raise UsageError(f"{final} is there already, and a backup replaces nothing. Name another.")
        made.rename(final)
        sync_folder(final.parent)
    return Taken(final, contents, (*older, *warnings))


# -- what changes -----------------------------------------------------------------------------------------------------


def _copy_beside(home: Path, staged: Path, asked: _Asked) -> list[str]:
    """Copy what others write, and what people wrote; returns what could not be copied as it should."""
    for pattern in (*_SMALL, *([PRIVACY_KEY] if asked.with_key else [])):
        for path in sorted(home.glob(pattern)):
            name = path.relative_to(home).as_posix()
            if may_be_in(name) and path.is_file() and not path.is_symlink():
                _copy(path, staged / name)
    if asked.checks is not None:
        _new(staged / CHECKS).write_bytes(asked.checks)
    return [words for name in _DATABASES if (home / name).exists() and (words := _copy_one(home / name, staged / name))]


def _copy_one(path: Path, target: Path) -> str | None:
    """Copy a database; one that is damaged byte for byte, for whoever looks into it, and says so."""
    try:
        copy_database(path, target)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_DAMAGE:
            raise OSError(str(error)) from error
        target.unlink(missing_ok=True)
        _copy(path, target)
        return f"{path} is damaged ({error}); it is in the backup as it is."
    return None


def _copy(path: Path, target: Path) -> None:
    with suppress(FileNotFoundError):  # replaced or taken away in this moment
        data = path.read_bytes()
        _new(target).write_bytes(data)


def _new(target: Path) -> Path:
    make_folder(target.parent)
    target.touch(mode=0o600, exist_ok=False)
    return target


# -- what does not ----------------------------------------------------------------------------------------------------


@contextmanager
def _held(home: Path) -> Iterator[tuple[Manifest, Mapping[str, IO[bytes]], list[str]]]:
    """Open every file of the newest manifest; where one went meanwhile, there is a newer manifest."""
    _allow_open_files()
    for _ in range(_TRIES):
        manifest, warnings = newest_whole(home)
        with ExitStack() as opened:
            try:
                paths = {f"store/{name}": home / "store" / name for name in manifest.file_sizes}
                own = manifest_path(home, manifest.generation)
                paths[own.relative_to(home).as_posix()] = own
                held = {name: opened.enter_context(path.open("rb")) for name, path in sorted(paths.items())}
                lost = [n for n, size in manifest.file_sizes.items() if _size(held[f"store/{n}"]) != size]
            except FileNotFoundError:
                if generations(home)[:1] == [manifest.generation]:
                    raise StoreDamaged(
                        "A file of the newest state is missing. `kandji-mirror verify` names it."
                    ) from None
                continue
            if lost:
                raise StoreDamaged(f"{lost[0]} is cut, so there is no whole state to back up; a sync heals it.")
            yield manifest, held, warnings
            return
    raise StoreDamaged("The mirror changed faster than its files could be opened. Try again.")


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _allow_open_files() -> None:
    """Let this process have as many open files as the system allows: a shell on macOS begins with 256."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # POSIX has it

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


# -- what is written --------------------------------------------------------------------------------------------------


def _contents(manifest: Manifest, files: Mapping[str, IO[bytes]], staged: Path, asked: _Asked) -> Contents:
    in_order = sorted(files.items(), key=lambda each: (not each[0].startswith("store/manifests/"), each[0]))
    entries = tuple(Entry(name, _size(file), _hash(file)) for name, file in in_order)
    return Contents(
        tenant=manifest.tenant,
        generation=manifest.generation,
        published_at=manifest.published_at,
        made_at=asked.now,
        rows={name: state.rows for name, state in sorted(manifest.tables.items()) if state.file},
        audit_records=AuditLog(staged, actor()).verify().records,
        files=entries,
        left_out=asked.left_out,
    )


def _hash(file: IO[bytes]) -> str:
    digest = sha256()
    file.seek(0)
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _again(entry: Entry, file: IO[bytes]) -> Iterator[bytes]:
    """Read a file once more; :class:`StoreDamaged` where the disk gives something else now."""
    digest = sha256()
    file.seek(0)
    for piece in archive.pieces_of(file, entry.bytes):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != entry.sha256:
        raise StoreDamaged(f"{entry.path} was read twice, and differently: the disk or the memory is at fault.")


def _write_archive(path: Path, name: str, contents: Contents, files: Mapping[str, IO[bytes]]) -> None:
    """Write the file: first what is in it, so that whoever reads it knows before anything is unpacked."""
    told = contents.to_json()
    with archive.writing(path, name) as file:
        archive.put(file, NAME, len(told), contents.made_at.timestamp(), iter([told]))
        for entry in contents.files:
            archive.put(file, entry.path, entry.bytes, contents.made_at.timestamp(), _again(entry, files[entry.path]))
        archive.end(file)
    sync_file(path)


def _write_folder(folder: Path, contents: Contents, held: Mapping[str, IO[bytes]]) -> None:
    for entry in contents.files:
        if entry.path in held:
            with _new(folder / entry.path).open("wb") as file:
                for piece in _again(entry, held[entry.path]):
                    file.write(piece)
        sync_file(folder / entry.path)
    _new(folder / NAME).write_bytes(contents.to_json())
    sync_file(folder / NAME)
    for made in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        sync_folder(made)


@contextmanager
def _staging(parent: Path) -> Iterator[Path]:
    """Give a hidden folder beside the backup, gone after the block unless it was renamed."""
    host = "".join(c for c in socket.gethostname() if c.isalnum())
    for left in parent.glob(f"{_STAGED}-{host}-*-*.tmp"):  # of one that was killed
        pid = left.name.removesuffix(".tmp").split("-")[-2]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"{_STAGED}-{host}-{os.getpid()}-", suffix=".tmp", dir=parent))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
