"""Device lookup: which device or person a text means, and what is said where that is several, or none."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kandji_queries import sql_files
from kandji_schema.errors import UsageError
from kandji_schema.text import fold_identifier, fold_text

if TYPE_CHECKING:
    from kandji_queries.catalog.queries import NamedQuery
    from kandji_queries.results.result import Result, StatementRunner

LONGEST = 200
"""Most characters of a name to look for; Apple's own limit for device names is 255 bytes."""

LISTED = 8
"""Most devices that an error lists."""

COUNTED = 10_000
"""Most devices that a note counts."""

BEST_FIRST = ("exact", "part of the name", "person", "similar")
"""Words for how a device fits."""

NUMBERS = "UDID, IMEI, MEID, EID, SIM, phone number, MAC and IP address, host name"
"""What devices are looked for by, besides names, serial numbers, asset tags and people."""

STATEMENTS = Path(__file__).parents[1] / "lookup"

Device = dict[str, Any]


class NotOneDevice(UsageError):
    """A text that fits several devices, or only some similarly; they are told, one a line on a terminal."""

    def __init__(self, found: Sequence[Device], device: str) -> None:
        """``found`` are all that fit, the best first, ``device`` is the text."""
        self._parts = (_several(found, device), _each(found), f"Call again with one of these {_told_by(found)}.")
        super().__init__(f"{self._parts[0]} {described(found)} {self._parts[2]}")

    def lines(self) -> tuple[str, ...]:
        """Return head, devices and remedy."""
        head, each, remedy = self._parts
        return (head, *(f"  {line}" for line in each), remedy)


@dataclass(frozen=True)
class DeviceHistory:
    """A device of which history is asked; ``others`` are gone and were called the same."""

    device: Device
    gone: bool
    others: Sequence[Device] = ()

    def notes(self) -> Iterator[str]:
        """Say what has to be known of the ones that are not in the answer."""
        if self.others:
            yield f"Also called so, but gone: {described(self.others)} Ask by id for what changed on one of these."


def search(reader: "StatementRunner", device: str) -> "Result":
    """Find devices that fit, the best first, with the word for how; :class:`UsageError` for what is no name.

    Where none has the text as a name or number of the device list, those that have it as another number.
    """
    text = device.strip()
    if not _may_be_a_name(text):
        raise UsageError(
            f"The device is a text of {len(text):,} characters; give 1 to {LONGEST} that show: an identifier, a serial "
            "number, an asset tag, or a name of a device or person."
        )
    found = reader.run(_statement("devices"), {"device": text})
    if found.rows and found.rows[0][0] != BEST_FIRST[-1]:
        return found
    numbered = by_identifier(reader, text)
    if numbered.rows or not found.rows:
        found.as_of |= numbered.as_of
        found.notes.extend(note for note in numbered.notes if note not in found.notes)
    return replace(found, rows=numbered.rows, row_count=numbered.row_count) if numbered.rows else found


def letter_for_letter(reader: "StatementRunner", device: str) -> str | None:
    """Return the identifier of the one device that has a text as identifier or number in this very spelling.

    None where there is none, or several: then :func:`search` tells. It is what :func:`find_one` returns, found sooner.
    """
    text = device.strip()
    rows = reader.run(_statement("letter_for_letter"), {"device": text}).rows if _may_be_a_name(text) else []
    return str(rows[0][0]) if len(rows) == 1 else None


def by_identifier(reader: "StatementRunner", device: str) -> "Result":
    """Find devices by the numbers that the device list does not have: UDID, IMEI, MAC address, phone number and so on.

    ``match`` tells which number it is.
    """
    number = re.sub("[^a-z0-9]", "", fold_text(device))
    digits = "" if re.search("[a-z]", number) else number.lstrip("0")
    return reader.run(_statement("identifiers"), {"number": number, "digits": digits})


def as_objects(found: "Result") -> list[Device]:
    """Return the rows of a search as objects."""
    names = [column.name for column in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def find_one(reader: "StatementRunner", device: str) -> Device:
    """Return the one device that is meant; :class:`UsageError` lists several, or what is written similarly."""
    return _only_device(as_objects(search(reader, device)), device)


def find_in_history(reader: "StatementRunner", device: str) -> DeviceHistory:
    """Return the one device that is meant, there or gone; :class:`UsageError` as :func:`only`.

    Of those that fit alike the one that is there is meant, and of several that are gone the one removed last.
    """
    here, gone = as_objects(search(reader, device)), _gone(reader, device)
    if not gone or (here and _rank(here[0]) < _rank(gone[0])):
        return DeviceHistory(_only_device(here, device), gone=False)
    if here and _rank(here[0]) == _rank(gone[0]):
        return DeviceHistory(_only_device(here, device), gone=False, others=gone)
    if gone[0]["match"] == BEST_FIRST[0]:
        return DeviceHistory(gone[0], gone=True, others=gone[1:])
    return DeviceHistory(_only_device(gone, device), gone=True)


def query_notes(
    reader: "StatementRunner", query: "NamedQuery", values: Mapping[str, object], answer: "Result | None" = None
) -> Iterator[str]:
    """Say of the device that a named query was asked for that several fit, or none does.

    An ``answer`` to an identifier, or that lists who fits itself, needs no second search.
    """
    names = {param.name for param in query.params}
    device = str(values.get("device") or "").strip()
    if "device" in names and _may_be_a_name(device) and not (answer and _identifies_device(answer, device)):
        yield from _device_notes(reader, device, past="removed_rows" in query.sql)


def _identifies_device(answer: "Result", device: str) -> bool:
    names = [column.name for column in answer.columns]
    if not answer.rows or "device_id" not in names:
        return False
    return "match" in names or {row[names.index("device_id")] for row in answer.rows} == {device}


def _device_notes(reader: "StatementRunner", device: str, *, past: bool) -> Iterator[str]:
    whole = replace(reader.limits, rows=COUNTED, bytes=None)
    here = as_objects(reader.run(_statement("devices"), {"device": device}, limits=whole))
    found = _best([*here, *_gone(reader, device)]) if past else here
    numbered = [] if found and found[0]["match"] != "similar" else as_objects(by_identifier(reader, device))
    if numbered:
        ids = f"Ask with one of these {_told_by(numbered)}."
        yield f"{device!r} is the {numbered[0]['match']} of {described(numbered)} {ids}"
    elif not found:
        yield nothing_fits(device)
    elif found[0]["match"] == "similar":
        yield f"{_several(found, device)} {described(found)}"
    elif len(found) > 1:
        yield f"{_several(found, device)} {described(found)} For one of them ask with one of these {_told_by(found)}."


def _gone(reader: "StatementRunner", device: str) -> list[Device]:
    """Find devices that are gone and fit, the one removed last first; only those that fit best."""
    return as_objects(reader.run(_statement("gone"), {"device": device.strip()}))


def _best(found: Sequence[Device]) -> list[Device]:
    best = min(map(_rank, found), default=0)
    return [device for device in found if _rank(device) == best]


def _rank(device: Device) -> int:
    """Return the place among the ways to fit; one by a number of its own is exact."""
    return BEST_FIRST.index(device["match"]) if device["match"] in BEST_FIRST else 0


def _may_be_a_name(text: str) -> bool:
    """Tell whether something of it can be seen, and nothing of it ends a text."""
    return len(text) <= LONGEST and "\0" not in text and any(c.isprintable() and not c.isspace() for c in text)


@cache
def _statement(name: str) -> str:
    return sql_files.read(STATEMENTS / f"{name}.sql", frozenset({"title", "description"})).sql


def _only_device(found: list[Device], device: str) -> Device:
    if not found:
        raise UsageError(f"{nothing_fits(device)} A device that left the tenant is only in the view changes.")
    found = _letter_for_letter(found, device.strip()) or found
    if len(found) > 1 or found[0]["match"] == "similar":
        raise NotOneDevice(found, device)
    return found[0]


def _letter_for_letter(found: list[Device], text: str) -> list[Device]:
    """Keep the device that has the text as identifier or number in this very spelling, where others differ in case."""
    same = [d for d in found if text in (d["device_id"], d["serial_number"], d["asset_tag"])]
    return same if len(same) == 1 else []


def nothing_fits(device: str) -> str:
    """Say that there is no such device, and what was looked at."""
    looked_at = f"names, serial numbers, asset tags, people; {NUMBERS}"
    return f"No device fits {device!r}, nor any similar name. Looked at: {looked_at}."


def _several(found: Sequence[Device], device: str) -> str:
    if found[0]["match"] == "similar":
        return f"No device fits {device!r} exactly; similar:"
    return f"{len(found):,} devices fit {device!r}, newest contact first:"


def share_a_serial(found: Sequence[Device]) -> bool:
    """Tell whether a serial number is in the list twice, as that of a re-enrolled device is."""
    serials = [fold_identifier(device["serial_number"]) for device in found if device["serial_number"]]
    return len(set(serials)) < len(serials)


def _told_by(found: Sequence[Device]) -> str:
    return "ids: some have one serial number" if share_a_serial(found) else "serial numbers or ids"


def described(found: Sequence[Device]) -> str:
    """Name several devices in one sentence, with what tells them apart."""
    return f"{'; '.join(_each(found))}."


def _each(found: Sequence[Device]) -> list[str]:
    lines = [f"{device['device_name']!r} ({facts(device)})" for device in found[:LISTED]]
    return [*lines, f"and {len(found) - LISTED} more"] if len(found) > LISTED else lines


def facts(device: Device) -> str:
    """Tell what tells a device from others of its name."""
    return (
        f"serial {device['serial_number'] or 'unknown'}, id {device['device_id']}, "
        f"{device['model'] or device['platform'] or 'unknown model'}, {device['user_name'] or 'no person'}, "
        f"{_contact(device)}"
    )


def _contact(device: Device) -> str:
    """Say when the device was heard of last, and whether it still counts."""
    seen = device["last_check_in"]
    marks = [mark for mark in ("missing", "removed") if device[f"is_{mark}"]]
    return ", ".join([f"last contact {seen:%Y-%m-%d %H:%M} UTC" if seen else "never in contact", *marks])
