"""The last step of a restore: what is proved and lies ready becomes the home, also where it was killed in between.

What is to come lies in :data:`STAGED` inside the home, so that a home may be a disk of its own. Once :data:`READY` is
written everything is there and proved; from then on whoever writes next goes on where it ended. The manifests come
last: until then a reader finds no mirror, and no half of one.
"""

import json
import shutil
from pathlib import Path

from kandji_schema.errors import StoreDamaged
from kandji_schema.files import make_folder, sync_folder, write_atomically
from kandji_schema.unfinished import READY, STAGED, is_unfinished

HELD = "held"
"""Folder below :data:`STAGED` with what is to come, laid out as a home."""

ASIDE = "aside"
"""Folder in the home for mirrors that were moved aside."""

_STAY = {STAGED, ASIDE, "exports", "exported", "refresh"}
"""What is no part of a mirror, or of the user alone; and in ``store`` what tells who writes."""

_LOCK = {"writer.lock", "writer.json"}
_LAST = "manifests"


def make_ready(home: Path, aside: str | None) -> None:
    """Write down that all is there; ``aside`` is the folder below :data:`ASIDE` for what is in the home now."""
    sync_folder(home / STAGED)
    write_atomically(home / STAGED / READY, json.dumps({"aside": aside}).encode())


def finish(home: Path) -> bool:
    """Carry out the last step where one waits, else remove what a stopped restore left; tells whether it did the first.

    Whoever calls it holds the writer's lock. Raises :class:`OSError`, and :class:`StoreDamaged`.
    """
    if not is_unfinished(home):
        shutil.rmtree(home / STAGED, ignore_errors=True)
        return False
    try:
        aside = json.loads((home / STAGED / READY).read_bytes())["aside"]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(
            f"{home / STAGED / READY} cannot be read. Remove {home / STAGED} and restore again."
        ) from error
    if aside is not None:
        _empty_into(home, home / ASIDE / Path(str(aside)).name)
    _take_in(home / STAGED / HELD, home)
    (home / STAGED / READY).unlink()
    shutil.rmtree(home / STAGED, ignore_errors=True)
    sync_folder(home)
    return True


def _empty_into(home: Path, aside: Path) -> None:
    """Move what is there aside, its manifests first. What came with the restore has no other of its name there."""
    marker = home / STAGED / "emptied"
    if marker.exists():
        return
    make_folder(aside / "store")
    for path in sorted((home / "store").iterdir(), key=lambda path: path.name != _LAST):
        if path.name not in _LOCK:
            path.rename(aside / "store" / path.name)
    for path in sorted(home.iterdir()):
        if path.name not in _STAY | {"store"}:
            path.rename(aside / path.name)
    sync_folder(aside)
    marker.touch(mode=0o600)
    sync_folder(home / STAGED)


def _take_in(held: Path, home: Path) -> None:
    """Move what lies ready to its place, the manifests last."""
    inside = (
        sorted((held / "store").iterdir(), key=lambda path: path.name == _LAST) if (held / "store").exists() else []
    )
    for path in [*(p for p in sorted(held.iterdir()) if p.name != "store"), *inside]:
        target = home / path.relative_to(held)
        make_folder(target.parent)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)  # of a restore that was stopped, or an empty one of the writer's
        path.replace(target)
        sync_folder(target.parent)
