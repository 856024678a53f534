"""Threats: malware that was found on Macs, and processes that behaved badly. Few devices have any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from kandji_simulator.tables.listing import RowList
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import pick, stable_hash, uuid_from
from kandji_simulator.world.time import DAY, offset

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.world.world import World

Json = dict[str, Any]
_EVERY = 25
"""One Mac of so many has threats."""
_POLICY = uuid_from(stable_hash("library item", "Avert"))
_NAMES = ("Adload", "Pirrit", "AtomicStealer", "Bundlore")
_PROCESSES = (("curl", "/usr/bin/curl"), ("osascript", "/usr/bin/osascript"), ("vim", "/usr/bin/vim"))


class ThreatList(RowList):
    """``GET /threat-details``."""

    def summary(self, records: Sequence[Json]) -> Json:
        """See :class:`Listing`."""
        kinds = Counter(record["classification"] for record in records)
        return {"count": len(records), "malware_count": kinds["MALWARE"], "pup_count": kinds["PUP"]}


class BehaviorList(RowList):
    """``GET /behavioral-detections``."""

    def summary(self, records: Sequence[Json]) -> Json:
        """See :class:`Listing`."""
        kinds = Counter(record["classification"] for record in records)
        counts = {"malicious_count": kinds["malicious"], "suspicious_count": kinds["suspicious"]}
        return {"total_count": len(records), **counts}


def threats(world: World) -> list[Json]:
    """One to three on a Mac that has any."""
    return [_threat(device, n) for device in _infected(world) for n in range(1 + device.number % 3)]


def newer_threats(world: World) -> list[Json]:
    """The same at the endpoint that takes the older one's place."""
    return [{**threat, **_newer(threat)} for threat in threats(world)]


def _newer(threat: Json) -> Json:
    drawn = stable_hash("newer threat", threat["device_id"], threat["file_hash"])
    return {
        "id": uuid_from(drawn),
        "severity": pick(drawn, ("high", "medium", "low"), 1),
        "management_state": pick(drawn, ("open", "resolved"), 2),
        "tags": ["reviewed"] if drawn % 2 else [],
    }


def behaviors(world: World) -> list[Json]:
    """One on a Mac that has threats."""
    return [_behavior(device) for device in _infected(world)]


def _infected(world: World) -> Iterator[Device]:
    macs = (device for device in world.devices_from("") if device.platform == "Mac" and device.collected is not None)
    return (device for device in macs if device.number % _EVERY == 6)


def _threat(device: Device, number: int) -> Json:
    """Times are without a zone, as this endpoint sends them."""
    drawn = stable_hash("threat", device.id, number)
    detected = device.first_collected - drawn % (100 * DAY)
    released = drawn % 6 == 0
    return {
        "threat_name": f"{pick(drawn, _NAMES)}_{number}",
        "classification": "PUP" if drawn % 5 == 0 else "MALWARE",
        "status": "RELEASED" if released else "QUARANTINED",
        "process_name": pick(drawn, ("chmod", "Safari", "installer"), 1),
        "process_owner": pick(drawn, ("root", device.account), 2),
        "device_name": device.name,
        "device_id": device.id,
        "detection_date": _bare(detected),
        "date_of_quarantine": _bare(detected + 1_188_487),
        "date_of_release": _bare(detected + DAY) if released else "",
        "released_by": "robin@example.com" if released else "",
        "release_note": "False alarm, says Zoë" if released else "",
        "file_path": f"/Users/{device.account}/Downloads/{pick(drawn, _NAMES)}-{drawn % 97}.dmg",
        "file_hash": f"{drawn:064x}",
        "bundle_path": "",
        "device_serial_number": device.serial,
        "blueprint_id": device.blueprint.id if device.blueprint else "",
        "blueprint_name": device.blueprint.name if device.blueprint else "",
        "library_item_name": "Avert",
        "library_item_id": _POLICY,
        "pup_posture": "protect",
        "malware_posture": "protect",
    }


def _bare(moment: int) -> str:
    return offset(moment)[:26]


def _behavior(device: Device) -> Json:
    drawn = stable_hash("behavior", device.id)
    blueprint = device.blueprint
    return {
        "id": uuid_from(drawn).upper(),
        "threat_id": f"KTI_BD_{drawn % 3_000:04d}",
        "rule_version": drawn % 5 + 1,
        "description": "A shell started a program that reads the keychain",
        "classification": pick(drawn, ("malicious", "suspicious")),
        "informational_tags": [],
        "malware_family": [pick(drawn, _NAMES, 1)] if drawn % 2 else [],
        "detection_date": offset(device.first_collected - drawn % (60 * DAY)),
        "threat_status": pick(drawn, ("detected", "blocked"), 2),
        "device_info": {"id": device.id, "name": device.name, "serial_number": device.serial},
        "parent_process": _process(("zsh", "/bin/zsh"), drawn // 7, "root"),
        "target_process": _process(pick(drawn, _PROCESSES, 3), drawn // 11, device.account),
        "library_item": {"id": _POLICY, "name": "Avert", "mal_posture_mode": "protect"},
        "blueprint": {"id": blueprint.id, "name": blueprint.name} if blueprint else None,
    }


def _process(program: tuple[str, str], drawn: int, owner: str) -> Json:
    name, path = program
    return {
        "name": name,
        "command_line": f"{name} --user {owner}",
        "image_path": path,
        "pid": drawn % 90_000,
        "owner": owner,
        "sha256": f"{stable_hash('program', path):064x}",
    }
