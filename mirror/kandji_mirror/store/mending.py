"""What can be mended in a home without touching a row: rights, leftovers, an unreadable newest manifest."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kandji_mirror.store.disk_use import collect
from kandji_mirror.store.lock import writer_lock
from kandji_mirror.store.restoring import finish
from kandji_schema.errors import AlreadySyncing, NothingMirrored, StoreDamaged, StoreError
from kandji_schema.files import loose, tighten_home, write_atomically
from kandji_schema.manifest import generations, kept, manifest_path, newest_whole
from kandji_schema.text import counted, size


def mend(home: Path) -> Iterator[str]:
    """Mend what is safe, and say each thing that was done. Data files are never written.

    Raises :class:`StoreError` where the home cannot be written, and :class:`StoreNewer`.
    """
    if not (home / "store").is_dir():
        return
    any(kept(home))  # refuses a newer home
    open_ones = loose(home)
    tighten_home(home)
    if closed := len(open_ones) - len(loose(home)):
        yield f"took the rights of others from {counted(closed, 'file')} and folders of {home}"
    try:
        yield from _mend_locked(home)
    except AlreadySyncing as error:
        yield f"left the store alone: {error}"


def _mend_locked(home: Path) -> Iterator[str]:
    with writer_lock(home):
        if finish(home):
            yield f"carried out the restore that was stopped in its last step: {home} has its mirror"
        yield from _newest(home)
    try:
        removed = collect(home)
    except NothingMirrored:
        return
    if removed:
        yield f"removed {counted(len(removed), 'file')} that nothing names, {size(sum(each for _, each in removed))}"


def _newest(home: Path) -> Iterator[str]:
    """Publish the newest whole state once more where later manifests cannot be read, so that none is in its way."""
    if not isinstance(next(kept(home), None), StoreDamaged):
        return
    try:
        whole, _ = newest_whole(home)
    except (StoreDamaged, NothingMirrored) as error:
        yield f"could not mend the manifest: {error}"
        return
    number = generations(home)[0] + 1
    try:
        write_atomically(manifest_path(home, number), replace(whole, generation=number).to_json())
    except OSError as error:
        raise StoreError(f"{home} cannot be written: {error.strerror or error}.") from error
    yield f"state {whole.generation}, the newest that is whole, is current again as {number}; nothing was removed"
