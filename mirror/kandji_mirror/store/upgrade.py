"""An older home brought up to date in place, with a copy of what it was until the next good pass.

What is new is written beside what is there and becomes current with one manifest, so that a kill or a full disk leaves
the older state, which still answers, and the next opening begins anew. The copy is a home of its own below
:data:`COPY`: its files are further names of the same ones, which never change, and so take no space where the file
system has such names. The program that wrote it reads it as it was.
"""

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kandji_mirror.report import Report
from kandji_mirror.sqlite_copy import copy_database
from kandji_mirror.store.migrate import STATE_FILE, conform, has_other_columns
from kandji_mirror.store.store import COPY, TEMPORARY, Store, store_full
from kandji_schema.files import make_folder, sync_folder
from kandji_schema.manifest import State, manifest_path
from kandji_schema.store_version import STORE_VERSION

log = logging.getLogger(__name__)

_BESIDE = ("store/tenant", "store/feeds.json", "store/people.*.parquet", "privacy.key")
"""Small files that are replaced and never written into, so that another name keeps what they were."""


def bring_up_to_date(store: Store) -> None:
    """Bring the home to this version of the store, its columns and its mode of privacy.

    Raises :class:`StoreError`; then nothing that is published changed.
    """
    found = store.current
    older = found.generation > 0 and found.store < STORE_VERSION
    rewritten = [name for name, state in found.tables.items() if has_other_columns(state)]
    if older or rewritten:
        with store_full(store.home / COPY):
            _keep_copy(store)
    conform(store)
    if older and store.current.store < STORE_VERSION:
        store.publish({})
    if older or rewritten:
        words = (
            "The mirror was brought from version %d of the store to %d, %d tables written anew; what it was is in %s"
        )
        log.info(words, found.store, STORE_VERSION, len(rewritten), store.home / COPY)


def let_copy_go(store: Store, report: Report) -> None:
    """Remove the copy after a good pass: nothing failed, and of every table that was written anew rows were read."""
    read = any(outcome.state is State.OK for outcome in report.outcomes)
    waiting = any(state.file and state.attempted_at is None for state in store.current.tables.values())
    if read and not waiting and not report.failed and not report.outage:
        store.remove_copy()


def _keep_copy(store: Store) -> None:
    """Make the copy where there is none; one that is there is older, and stays. Raises :class:`OSError`."""
    target, staged = store.home / COPY, store.home / f"{COPY}{TEMPORARY}"
    shutil.rmtree(staged, ignore_errors=True)
    if target.exists():
        return
    for path in _files(store):
        relative = path.relative_to(store.home)
        make_folder((staged / relative).parent)
        with suppress(FileNotFoundError):  # damage, which the mirror heals
            _name_again(path, staged / relative)
    with suppress(FileNotFoundError, sqlite3.Error):  # without what the writer remembers a sync is as exact
        _copy_state(store.home, staged)
    sync_folder(staged)
    staged.rename(target)
    sync_folder(store.home)


def _files(store: Store) -> Iterator[Path]:
    yield manifest_path(store.home, store.current.generation)
    yield from (store.home / "store" / name for name in store.current.file_sizes)
    for pattern in _BESIDE:
        yield from store.home.glob(pattern)


def _name_again(path: Path, other: Path) -> None:
    """Give a file another name, or copy it where the file system has no such thing."""
    try:
        os.link(path, other)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(path, other)
        other.chmod(0o600)


def _copy_state(home: Path, folder: Path) -> None:
    if (home / STATE_FILE).exists():
        copy_database(home / STATE_FILE, folder / STATE_FILE)
