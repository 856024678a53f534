"""The version of the store: which layout a home has, who wrote it, and which homes this program takes.

Each manifest says both in its head, beside the checksum and not under it::

    {"format": 1, "store": 2, "written_by": "0.1.0", "sha256": "...", "manifest": ...}

A version is a whole number. It grows only when an older program would misread what is new; a new column of a table is
no new version. The writer brings an older home up to date when it opens it (:mod:`kandji_mirror.store.upgrade`),
readers take an older home as it is, and a newer home is refused by both. Whatever a later layout looks like, it leaves
a manifest where they are now, so that this program finds the number.

===== =====================================================================================
store what is new
===== =====================================================================================
1     homes without a number: up to the first release
2     the number, and the program that wrote it
===== =====================================================================================

``format`` is what programs compared before there was a number: any other than 1 they hold for damaged.
"""

from collections.abc import Mapping
from typing import Any

from kandji_schema.errors import StoreDamaged, StoreNewer

STORE_VERSION = 2

_FORMAT = 1


def head(program: str) -> str:
    """Return the members of a manifest's JSON that say the version of the store, and that of who writes it."""
    return f'"format": {_FORMAT}, "store": {STORE_VERSION}, "written_by": "{program}"'


def version_in(envelope: Mapping[str, Any]) -> int:
    """Return the version of the store that a manifest is of; 1 where it says none.

    :class:`StoreNewer` for a newer one, in words that go on from the name of what was written.
    """
    found = envelope.get("store", 1)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise StoreDamaged("it has no version that could be one")
    if found > STORE_VERSION or envelope["format"] > _FORMAT:
        raise StoreNewer(_newer(max(found, STORE_VERSION + 1), str(envelope.get("written_by", "")) or None))
    return found


def _newer(found: int, by: str | None) -> str:
    who = f"kandji-mirror {by}" if by else "a newer kandji-mirror"
    return (
        f"was written by {who} (version {found} of the store), and what is installed here knows versions up to "
        f"{STORE_VERSION}: install {by or 'that one'} or a newer one; nothing was touched."
    )
