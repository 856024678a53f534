"""Which device is meant by a text."""

from typing import TYPE_CHECKING, Any

from kandji_mcp_server.own_sql import statement
from kandji_schema.errors import UsageError
from kandji_schema.search import fold_identifier

if TYPE_CHECKING:
    from kandji_queries.reader import Reader
    from kandji_queries.result import Result

LONGEST = 200
"""Most characters of a name to look for; Apple's own limit for device names is 255 bytes."""

LISTED = 8
"""Most devices that an error lists."""

Device = dict[str, Any]


def search(reader: "Reader", device: str) -> "Result":
    """Devices that fit, the best first, with the word for how. :class:`UsageError` for a text that cannot be a name."""
    text = device.strip()
    if not 0 < len(text) <= LONGEST:
        raise UsageError(
            f"The device is a text of {len(text):,} characters; give 1 to {LONGEST}: an identifier, a serial number, "
            "an asset tag, or a name of a device or person."
        )
    return reader.run(statement("search"), {"device": text})


def candidates(found: "Result") -> list[Device]:
    """The rows of a search as objects."""
    names = [column.name for column in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def only(reader: "Reader", device: str) -> Device:
    """The one device that is meant; :class:`UsageError` lists several, or what is written similarly."""
    found = candidates(search(reader, device))
    if not found:
        raise UsageError(
            f"No device fits {device!r}, nor any similar name. find_device takes an identifier, serial number, asset "
            "tag, or part of a name of a device or person; a device that left the tenant is only in the view changes."
        )
    found = _letter_for_letter(found, device.strip()) or found
    if len(found) > 1 or found[0]["match"] == "similar":
        raise UsageError(f"{_several(found, device)} {_listed(found)} Call again with one of these {_tells(found)}.")
    return found[0]


def _letter_for_letter(found: list[Device], text: str) -> list[Device]:
    """The device whose identifier or number is the text in this very spelling, where others have it in another case."""
    same = [d for d in found if text in (d["device_id"], d["serial_number"], d["asset_tag"])]
    return same if len(same) == 1 else []


def _several(found: list[Device], device: str) -> str:
    if found[0]["match"] == "similar":
        return f"No device fits {device!r} exactly; similar:"
    return f"{len(found)} devices fit {device!r}:"


def share_a_serial(found: list[Device]) -> bool:
    """Whether a serial number is in the list twice, as that of a re-enrolled device is."""
    serials = [fold_identifier(device["serial_number"]) for device in found if device["serial_number"]]
    return len(set(serials)) < len(serials)


def _tells(found: list[Device]) -> str:
    return "ids: some have one serial number" if share_a_serial(found) else "serial numbers or ids"


def _listed(found: list[Device]) -> str:
    lines = [
        f"{d['device_name']!r} (serial {d['serial_number'] or 'unknown'}, id {d['device_id']}, "
        f"{d['model'] or d['platform'] or 'unknown model'}, {d['user_name'] or 'no person'}, {_contact(d)})"
        for d in found[:LISTED]
    ]
    more = f"; and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return f"{'; '.join(lines)}{more}."


def _contact(device: Device) -> str:
    """When the device was heard of last, and whether it still counts."""
    seen = device["last_check_in"]
    marks = [mark for mark in ("missing", "removed") if device[f"is_{mark}"]]
    return ", ".join([f"last contact {seen:%Y-%m-%d %H:%M} UTC" if seen else "never in contact", *marks])
