"""Which device is meant by an identifier, a serial number or a name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from kandji_mirror.api.client import Client
from kandji_mirror.api.pages import read_page
from kandji_mirror.known_devices import KnownDevice, known, listed, meant, mirrored, near, newest_first
from kandji_mirror.sync.fleet import DEVICES
from kandji_schema.errors import UsageError
from kandji_schema.registry import resource
from kandji_schema.text import fold_identifier

NAMES = ("device_id", "serial_number", "device_name")
"""What tells a device from others, as the provider calls it and as the device table does."""


def identified(home: Path, client: Client, text: str) -> str:
    """The identifier of the device that is meant, as a search compares texts; what is exactly so comes first.

    The mirror is asked first, then the tenant: the device may be new. :class:`UsageError` where there is none of that
    name, with those called nearly so, and where there are several.
    """
    wanted = text.strip()
    here = mirrored(home)
    found = meant(here, wanted) or _listed(client, wanted)
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} devices are called {wanted!r}, newest contact first: {listed(found)}. "
            "Name one by its identifier."
        )
    for device in found:
        return device.device_id
    raise UsageError(
        f"There is no device {wanted!r}, neither by identifier nor by serial number nor by name.{_hint(here, wanted)}"
    )


def _hint(devices: Sequence[KnownDevice], wanted: str) -> str:
    alike = near(devices, wanted)
    return f" Nearly so: {listed(alike)}." if alike else ""


def _listed(client: Client, wanted: str) -> list[KnownDevice]:
    """The provider's filters find what contains the text; only what is called so counts."""
    rows: list[dict[str, Any]] = []
    for name, value in _filters(wanted):
        table = resource(DEVICES)
        params = {**table.params, "limit": str(table.page_size), name: value}
        rows += client.read(table.path, params.items(), lambda answer: read_page(answer, resource(DEVICES))).rows
    return meant(newest_first(known(row) for row in rows if row.get("device_id")), wanted)


def _filters(wanted: str) -> list[tuple[str, str]]:
    if _is_identifier(wanted):
        return [(NAMES[0], wanted)]
    plain = fold_identifier(wanted).upper()
    grouped = [(NAMES[1], plain)] if plain and plain != wanted.upper() and " " not in plain else []
    return [*((name, wanted) for name in NAMES[1:]), *grouped]


def _is_identifier(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
