"""Threats: malware that was found on Macs, and processes that behaved badly. Few devices have any.

The rows are generated; here is which Macs have some, and what has to agree with the devices.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from kandji_simulator.tables.generated import GeneratedListing
from kandji_simulator.tables.listing import Json, Listing
from kandji_simulator.tables.registry import Makers, Tables
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import pick, stable_hash, uuid_from
from kandji_simulator.world.state import TenantState
from kandji_simulator.world.time import DAY, offset

_EVERY = 25
"""One Mac of so many has threats."""
_POLICY = {"library_item_id": uuid_from(stable_hash("library item", "Avert")), "library_item_name": "Avert"}


class ThreatList(GeneratedListing):
    """``GET /threat-details``: the envelope counts the rows by classification."""

    total = "count"
    counts: ClassVar[Mapping[str, str]] = {"malware_count": "MALWARE", "pup_count": "PUP"}

    def summary(self, records: Sequence[Json]) -> Json:
        """See :class:`Listing`."""
        kinds = Counter(record["classification"] for record in records)
        return {self.total: len(records), **{name: kinds[kind] for name, kind in self.counts.items()}}


class BehaviorList(ThreatList):
    """``GET /behavioral-detections``."""

    total = "total_count"
    counts: ClassVar[Mapping[str, str]] = {"malicious_count": "malicious", "suspicious_count": "suspicious"}


def about(device: Device) -> Json:
    """Return what rows that were found on a device repeat of it."""
    blueprint = device.blueprint
    return {
        "device_id": device.id,
        "device_name": device.name,
        "device_serial_number": device.serial,
        "blueprint_id": blueprint.id if blueprint else "",
        "blueprint_name": blueprint.name if blueprint else "",
    }


def _infected(state: TenantState) -> Iterator[Device]:
    macs = (device for device in state.devices_from("") if device.platform == "Mac" and device.collected is not None)
    return (device for device in macs if device.number % _EVERY == 6)


def _threats(state: TenantState) -> Iterator[Json]:
    """Yield one to three on a Mac that has any. Times are without a zone, as this endpoint sends them."""
    for device in _infected(state):
        for number in range(1 + device.number % 3):
            drawn = stable_hash("threat", device.id, number)
            detected = device.first_collected - drawn % (100 * DAY)
            released = drawn % 6 == 0
            yield {
                "file_hash": f"{drawn:064x}",
                "file_path": f"/Users/{device.account}/Downloads/update-{drawn % 97}.dmg",
                "detection_date": offset(detected)[:26],
                "status": "RELEASED" if released else "QUARANTINED",
                "date_of_quarantine": offset(detected + 1_188_487)[:26],
                "date_of_release": offset(detected + DAY)[:26] if released else "",
                "released_by": "robin@example.com" if released else "",
                "release_note": "False alarm, says Zoë" if released else "",
                "process_owner": pick(drawn, ("root", device.account), 2),
                **about(device),
                **_POLICY,
            }


def _newer_threats(state: TenantState) -> Iterator[Json]:
    for threat in _threats(state):
        drawn = stable_hash("newer threat", threat["file_hash"])
        yield {
            **threat,
            "id": uuid_from(drawn),
            "severity": pick(drawn, ("high", "medium", "low"), 1),
            "management_state": pick(drawn, ("open", "resolved"), 2),
            "tags": ["reviewed"] if drawn % 2 else [],
        }


def _behaviors(state: TenantState) -> Iterator[Json]:
    """Yield one on a Mac that has threats."""
    for device in _infected(state):
        drawn = stable_hash("behavior", device.id)
        known = {"id": uuid_from(drawn).upper(), "detection_date": offset(device.first_collected - drawn % (60 * DAY))}
        yield known | about(device) | _POLICY | ({} if device.blueprint else {"blueprint": None})


def newer_threats(tables: Tables) -> Listing:
    """Return the threats at the endpoint that takes the older one's place."""
    return tables.generated("threats", lambda: _newer_threats(tables.state), kind=ThreatList)


MAKERS: Makers = {
    "threats": lambda tables: tables.generated("threats", lambda: _threats(tables.state), kind=ThreatList),
    "behavioral_detections": lambda tables: tables.generated(
        "behavioral_detections", lambda: _behaviors(tables.state), kind=BehaviorList
    ),
}
