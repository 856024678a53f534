"""Files that are there whole or not at all, also after a power cut."""

import os
from pathlib import Path

from kandji_schema.private import make_file


def sync_file(path: Path) -> None:
    """Bring a written file to the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring a rename in ``folder`` to the disk; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def appear(temporary: Path, final: Path) -> None:
    """Give a finished temporary file its final name, which nothing has had before."""
    sync_file(temporary)
    temporary.rename(final)
    sync_folder(final.parent)


def write_new(path: Path, data: bytes) -> None:
    """Write a new small file so that no reader ever sees a part of it."""
    temporary = path.with_name(path.name + ".tmp")
    make_file(temporary)
    temporary.write_bytes(data)
    appear(temporary, path)
