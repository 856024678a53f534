"""Devices that the tenant lists, by serial number or name: live, for syncs of one device and live actions.

The provider's filters find whatever contains a text, so every row is looked at, by the rule of who asks.
"""

from collections.abc import Callable, Iterator, Sequence

from kandji_mirror.api.client import Client
from kandji_mirror.api.paging import read_page
from kandji_schema.device_lookup import KnownDevice, known, newest_first
from kandji_schema.errors import UsageError
from kandji_schema.registry import resource
from kandji_schema.text import fold_identifier

NAMES = ("serial_number", "device_name")
_MOST_PAGES = 50


def find_listed(
    client: Client, wanted: str, fits: Callable[[KnownDevice], bool], columns: Sequence[str] = NAMES
) -> list[KnownDevice]:
    """Read the devices that fit and contain the text in one of the columns, the one in contact last first.

    Where none does, its serial number may have been typed in groups, as j7p0 89j2-wkt6, which no filter of the provider
    finds. :class:`UsageError` for a list without an end.
    """
    found = [device for column in columns for device in _containing(client, column, wanted) if fits(device)]
    plain = fold_identifier(wanted).upper()
    if not found and "serial_number" in columns and plain and plain != wanted.upper():
        found = [device for device in _containing(client, "serial_number", plain) if fits(device)]
    return newest_first(found)


def _containing(client: Client, column: str, text: str) -> Iterator[KnownDevice]:
    table = resource("devices")
    for page in range(_MOST_PAGES):
        where = {"limit": str(table.page_size), "offset": str(table.page_size * page), column: text}
        answer = client.read(table.path, {**table.params, **where}.items(), lambda response: read_page(response, table))
        yield from (known(row) for row in answer.rows if row.get("device_id"))
        if answer.members < table.page_size:
            return
    raise UsageError(f"Too many devices have {text!r} in their name. Name one by its identifier.")
