"""A home or a backup proved: every file, its size and hash, the manifest, the rows, and the chain of the audit log."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kandji_mirror.audit.log import AuditLog, actor
from kandji_mirror.backup.contents import AUDIT, NAME, Contents
from kandji_mirror.backup.look import Expected, data_trouble, database_trouble, expected
from kandji_mirror.backup.unpack import opened, unpacked
from kandji_schema.errors import NotExported, StoreDamaged
from kandji_schema.files import has_size
from kandji_schema.manifest import Manifest, generations, kept, newest_readable, nothing_mirrored

_DATABASES = ("state.sqlite", "checks.sqlite", AUDIT)
_ROUNDS = 5


@dataclass
class Verdict:
    """What a check found. ``troubles`` are sentences by the name of what is wrong; none: all is well."""

    what: str
    files: int = 0
    bytes: int = 0
    rows: int = 0
    events: int = 0
    audit_records: int = 0
    troubles: dict[str, str] = field(default_factory=dict)
    contents: Contents | None = None


def verify_home(home: Path) -> Verdict:
    """Look at all of a home, also while it is synced. Raises :class:`NothingMirrored`, and :class:`StoreError`."""
    verdict = Verdict(f"the mirror in {home}")
    manifest = newest_readable(home)
    if manifest is None and not generations(home):
        raise nothing_mirrored(home)
    seen: dict[str, str | None] = {}
    for _ in range(_ROUNDS):
        if manifest is None:
            break
        wanted = expected(manifest)
        sizes = {f"store/{name}": size for name, size in manifest.file_sizes.items()}
        for name in wanted.keys() - seen.keys():
            seen[name] = _file_trouble(home / name, sizes[name], wanted[name])
        again = newest_readable(home)
        if again is None or again.generation == manifest.generation:
            break
        manifest = again  # published meanwhile: what it does not name any more may have gone
    if manifest is not None:
        _note(verdict, manifest)
        verdict.troubles |= {name: trouble for name in expected(manifest) if (trouble := seen.get(name))}
    _older(home, verdict)
    _databases(home, verdict)
    return verdict


def verify_backup(source: Path) -> Verdict:
    """Look at all of a backup, file or folder. :class:`UsageError` where it is none, and :class:`StoreNewer`."""
    verdict = Verdict(f"the backup {source}")
    with _room() as room:
        try:
            with opened(source) as (contents, members):
                verdict.contents = contents
                _members(verdict, contents, room, unpacked(contents, members, room, verdict.troubles))
        except StoreDamaged as error:
            verdict.troubles[NAME if verdict.contents is None else source.name] = str(error)
        _databases(room, verdict)
    return verdict


def _members(verdict: Verdict, contents: Contents, room: Path, files: Iterator[str]) -> None:
    """Look at each file as it is unpacked, and let go of it, so that the largest alone needs room."""
    wanted: Expected = {}
    for name in files:
        if name.startswith("store/manifests/"):
            try:
                manifest = Manifest.from_json((room / name).read_bytes())
            except StoreDamaged as error:
                verdict.troubles[name] = f"cannot be used: {error}"
                continue
            wanted = expected(manifest)
            _note(verdict, manifest)
            missing = sorted(wanted.keys() - {entry.path for entry in contents.files})
            verdict.troubles |= dict.fromkeys(missing, "is named by the manifest, and is not there")
        elif name.startswith(("store/data/", "store/history/")):
            trouble = data_trouble(room / name, wanted[name]) if name in wanted else "is named by no manifest"
            if trouble:
                verdict.troubles[name] = trouble
            (room / name).unlink()


def _note(verdict: Verdict, manifest: Manifest) -> None:
    verdict.files, verdict.bytes = len(manifest.file_sizes), sum(manifest.file_sizes.values())
    verdict.rows = sum(state.rows for state in manifest.tables.values())
    verdict.events = sum(sum(segment.tables.values()) for segment in manifest.history)


def _file_trouble(path: Path, size: int, tables: Mapping[str, int]) -> str | None:
    if not path.is_file():
        return "is missing"
    if not has_size(path, size):
        return f"has {path.stat().st_size:,} bytes, not {size:,}: it was cut or altered"
    return data_trouble(path, tables)


def _older(home: Path, verdict: Verdict) -> None:
    """Tell of manifests that cannot be used: what they stood for is what damage would fall back to."""
    for found in kept(home):
        if isinstance(found, StoreDamaged):
            verdict.troubles[str(found).split()[1]] = str(found).rstrip(".")


def _databases(folder: Path, verdict: Verdict) -> None:
    for name in _DATABASES:
        if (folder / name).exists() and (trouble := database_trouble(folder / name)):
            verdict.troubles[name] = trouble
    if AUDIT not in verdict.troubles:
        chain = AuditLog(folder, actor()).verify()
        verdict.audit_records = chain.records
        if chain.trouble:
            verdict.troubles[AUDIT] = chain.trouble


@contextmanager
def _room() -> Iterator[Path]:
    """Give a folder for what is unpacked; :class:`NotExported` where there is none."""
    try:
        room = Path(tempfile.mkdtemp(prefix="kandji-mirror-verify-"))
    except OSError as error:
        raise NotExported(f"There is no room to unpack into: {error.strerror or error}. Set TMPDIR.") from error
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
