"""Homes that earlier versions wrote, kept as small archives in ``homes``.

Each was made by checking that version out (``git archive fbc5787``, ``5efa28f``, ``a717e2a``, ``258e84d``,
``af40196``), and having its own tests' ``support`` sync a simulated tenant of six devices, or four where it masks, with
three apps each, let three steps of the world pass, and sync again; from the third on with two records in the audit log.
"""

import tarfile
from pathlib import Path
from typing import NamedTuple

from kandji_schema.privacy import Privacy

FOLDER = Path(__file__).parent / "homes"


class OldHome(NamedTuple):
    """A home by the name of its archive, and the mode of privacy it was written in."""

    name: str
    privacy: Privacy = Privacy.OFF


OLD_HOMES = (
    OldHome("1-first"),
    OldHome("2-inventory"),
    OldHome("3-agents", Privacy.AGENTS),
    OldHome("4-actions"),
    OldHome("5-masked", Privacy.ON),
)


def unpacked(old: OldHome, home: Path) -> Path:
    """The home as that version left it."""
    with tarfile.open(FOLDER / f"{old.name}.tar.xz") as archive:
        archive.extractall(home, filter="data")
    return home
