"""Devices by what people call them: which of them a text means, and which are called nearly so.

For whoever writes or acts: live actions and syncs of one device. It compares as a search does (``search``), in Python,
over rows of the mirror and of the provider alike. Questions in SQL have the macro ``device_match`` instead, which ranks
fits of all kinds, by people too, in the engine itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kandji_schema.errors import NothingMirrored, StoreError
from kandji_schema.manifest import data_dir, newest_whole
from kandji_schema.tables.devices import DEVICES
from kandji_schema.text import fold_identifier, fold_text, one_line

COLUMNS = ("device_id", "serial_number", "device_name", "last_check_in", "is_missing", "is_removed")
NEAREST = 3
LISTED = 5
_LEAST_LIKENESS = 0.75


@dataclass(frozen=True)
class KnownDevice:
    """A row of the device list: its names, and what tells two records of one machine apart."""

    device_id: str
    serial_number: str
    device_name: str
    last_check_in: str
    is_missing: bool
    is_removed: bool

    def has_serial(self, text: str) -> bool:
        """Whether that is its serial number, in groups or not."""
        return fold_identifier(self.serial_number) == fold_identifier(text) != ""

    def words(self, *, named: bool = True) -> str:
        """Return the device in one line, without its name where not ``named``: that may tell a person's."""
        facts = [
            repr(one_line(self.device_name)) if named and self.device_name else "",
            f"serial number {one_line(self.serial_number)}" if self.serial_number else "without a serial number",
            f"id {self.device_id}",
            f"last contact {self.last_check_in[:16]}" if self.last_check_in else "never in contact",
            "missing" if self.is_missing else "",
            "removed" if self.is_removed else "",
        ]
        return ", ".join(filter(None, facts))


def known(row: Mapping[str, Any]) -> KnownDevice:
    """Return the device of a row of the provider or of the mirror."""
    device_id, serial_number, device_name = (str(row.get(name) or "").strip() for name in COLUMNS[:3])
    return KnownDevice(
        device_id,
        serial_number,
        device_name,
        str(row.get("last_check_in") or "").replace("T", " "),
        is_missing=row.get("is_missing") is True,
        is_removed=row.get("is_removed") is True,
    )


def mirrored(home: Path) -> list[KnownDevice]:
    """Read all devices of the mirror, the one in contact last first; none where there is no mirror.

    :class:`StoreError` where the file cannot be read.
    """
    import duckdb  # only where a device is not named by its identifier

    from kandji_schema import database

    with suppress(NothingMirrored):
        state = newest_whole(home)[0].tables.get(DEVICES.name)
        if state and state.file:
            path = data_dir(home) / state.file
            try:
                with database.connect(path, read_only=True) as con:
                    found = con.execute(f"SELECT {', '.join(COLUMNS)} FROM {DEVICES.name} WHERE device_id <> ''")
                    rows = found.fetchall()
            except duckdb.Error as error:
                raise StoreError(f"{path} cannot be read: {str(error).partition(chr(10))[0].rstrip('.')}.") from error
            return newest_first(known(dict(zip(COLUMNS, row, strict=True))) for row in rows)
    return []


def newest_first(devices: Iterable[KnownDevice]) -> list[KnownDevice]:
    """Keep one of each identifier, the one in contact last first."""
    by_id = {device.device_id: device for device in sorted(devices, key=lambda device: device.device_id)}
    return sorted(by_id.values(), key=lambda device: device.last_check_in, reverse=True)


def meant(devices: Sequence[KnownDevice], wanted: str) -> list[KnownDevice]:
    """Return those of that identifier, serial number or exact name; only where there is none, of that name to a search.

    Numbers are the same however they are grouped, as they are to a search: two records of one machine are both meant.
    """
    name, number = fold_text(wanted), fold_identifier(wanted)
    exact = [d for d in devices if wanted in (d.device_name, d.device_id) or number in _numbers(d)]
    return exact or [d for d in devices if name and name == fold_text(d.device_name)]


def other_number(text: str) -> str:
    """Say where the device of an IMEI, MAC address or phone number is found; empty for what looks like none."""
    if sum(character.isdigit() for character in text) < 10 and text.count(":") < 5:
        return ""
    return (
        " An IMEI, MAC address or phone number is not taken here: `search` tells whose it is, with the serial number."
    )


def near(devices: Sequence[KnownDevice], wanted: str) -> list[KnownDevice]:
    """Return a few called nearly so: by a part of the name first, then by names and serial numbers spelt alike."""
    name, number = fold_text(wanted), fold_identifier(wanted)
    called = [(device, fold_text(device.device_name), fold_identifier(device.serial_number)) for device in devices]
    parts = [device for device, text, _ in called if len(name) > 2 and name in text]
    alike = {*_close(name, (text for _, text, _ in called)), *_close(number, (serial for _, _, serial in called))}
    spelt = [device for device, text, serial in called if alike & {text, serial}]
    return list(dict.fromkeys([*parts, *spelt]))[:NEAREST]


def listed(devices: Sequence[KnownDevice], *, named: bool = True) -> str:
    """List several devices in one line, for a message."""
    more = f"; and {len(devices) - LISTED} more" if len(devices) > LISTED else ""
    return "; ".join(device.words(named=named) for device in devices[:LISTED]) + more


def _numbers(device: KnownDevice) -> list[str]:
    """Return what tells the device, as a search compares it."""
    return [number for number in map(fold_identifier, (device.device_id, device.serial_number)) if number]


def _close(text: str, names: Iterator[str]) -> list[str]:
    return get_close_matches(text, set(filter(None, names)), n=NEAREST, cutoff=_LEAST_LIKENESS) if text else []
