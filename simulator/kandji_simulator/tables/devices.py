"""The device list, and the Prism category device_information."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kandji_simulator.tables.listing import Json, Listing, Query
from kandji_simulator.tables.prism import OneRow
from kandji_simulator.tables.registry import Makers
from kandji_simulator.world.fleet import specimen
from kandji_simulator.world.records import Device, User
from kandji_simulator.world.seed_data import host_name
from kandji_simulator.world.time import DAY, offset, spaced, zulu


class DeviceList(Listing):
    """``GET /devices``."""

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Device]:
        """Return devices by the filters of the contract, most of them "contains"; ``-`` in ``ordering`` reverses."""
        ordering = query.get("ordering", "")
        devices = self._state.remember(f"ordered {ordering}", lambda: self._ordered(ordering))
        wanted = [(_DEVICE_FILTERS[name], value) for name, value in query.items() if name in _DEVICE_FILTERS]
        return [d for d in devices if all(passes(d, value) for passes, value in wanted)] if wanted else devices

    def _ordered(self, ordering: str) -> list[Device]:
        devices = list(self._state.devices.values())
        for name in reversed(ordering.split(",")):
            key = _DEVICE_ORDER.get(name.removeprefix("-"))
            if key:
                devices.sort(key=key, reverse=name.startswith("-"))
        return devices

    def row(self, record: Device) -> Json:
        """See :class:`Listing`."""
        return device_row(record)

    def find(self, key: str) -> Device | None:
        """See :class:`Listing`."""
        return self._state.devices.get(key)

    def position(self, record: Device) -> str:
        """See :class:`Listing`."""
        return record.id


_DEVICE_TEXTS: dict[str, Callable[[Device], str]] = {
    "asset_tag": lambda d: d.asset_tag or "",
    "blueprint_id": lambda d: d.blueprint.id if d.blueprint else "",
    "device_id": lambda d: d.id,
    "device_name": lambda d: d.name,
    "model": lambda d: d.model.name,
    "os_version": lambda d: d.release.version,
    "platform": lambda d: d.platform,
    "serial_number": lambda d: d.serial,
    "user_email": lambda d: d.user.email if d.user else "",
    "user_name": lambda d: d.user.name if d.user else "",
}
_DEVICE_ORDER: dict[str, Callable[[Device], Any]] = {
    **_DEVICE_TEXTS,
    "last_check_in": lambda d: d.checked_in or 0,
    "user": _DEVICE_TEXTS["user_email"],
}


def _contains(text: Callable[[Device], str]) -> Callable[[Device, str], bool]:
    return lambda device, wanted: wanted.lower() in text(device).lower()


_DEVICE_FILTERS: dict[str, Callable[[Device, str], bool]] = {
    **{name: _contains(text) for name, text in _DEVICE_TEXTS.items()},
    "user": _contains(_DEVICE_TEXTS["user_name"]),
    "user_id": lambda d, wanted: d.user is not None and wanted in {d.user.id, str(d.user.number)},
    "user_email_exact": lambda d, wanted: d.user is not None and d.user.email == wanted,
    "tag_name": lambda d, wanted: any(wanted in tag for tag in d.tags),
    "tag_name_in": lambda d, wanted: not set(d.tags).isdisjoint(wanted.split(",")),
}


def device_row(device: Device) -> Json:
    """Return one row of ``GET /devices``; older rows lack keys, Windows and Android rows have more."""
    blueprint = device.blueprint
    row: Json = {
        "device_id": device.id,
        "device_name": device.name,
        "model": device.model.name,
        "serial_number": device.serial,
        "platform": device.platform,
        "os_version": device.release.version,
        "supplemental_build_version": device.release.build,
        "supplemental_os_version_extra": device.release.extra,
        "last_check_in": "" if device.checked_in is None else zulu(device.checked_in),
        "user": user_object(device.user),
        "asset_tag": device.asset_tag,
        "blueprint_id": blueprint.id if blueprint else "",
        "mdm_enabled": True,
        "agent_installed": bool(device.agent),
        "is_missing": device.missing,
        "is_removed": device.removed,
        "agent_version": device.agent,
        "first_enrollment": spaced(device.first_enrolled),
        "last_enrollment": spaced(device.enrolled),
        "blueprint_name": blueprint.name if blueprint else "",
        "lost_mode_status": device.lost_mode,
        "tags": list(device.tags),
    }
    return _loosely(row | _OTHER_PLATFORMS.get(device.platform, {}), device)


_OTHER_PLATFORMS = {
    "Windows": {"api_level": "", "security_patch_level": "", "full_software_version": "10.0.26100.6584"},
    "Android": {"api_level": "35", "security_patch_level": "2025-12-05", "full_software_version": ""},
}


def user_object(user: User | None) -> Json | str:
    """Return the assigned person as the provider writes them, "" for none."""
    if user is None:
        return ""
    identifier = user.number if user.integer_id else user.id
    return {"email": user.email, "name": user.name, "id": identifier, "is_archived": user.archived}


def _loosely(row: Json, device: Device) -> Json:
    """Write a few rows with the provider's looseness: null or absent users, absent keys, booleans as text."""
    kind = device.number % 40
    if kind in {4, 5} and device.user is None:
        row["user"] = None
    if kind in {8, 9} and device.user is None:
        del row["user"]
    if kind == 13:
        for name in ("tags", "lost_mode_status", "supplemental_build_version", "supplemental_os_version_extra"):
            del row[name]
    if kind == 17:
        row["mdm_enabled"] = "True"
        row["is_missing"] = "Yes" if device.missing else "No"
    return row


class DeviceInformation(OneRow):
    """The Prism category device_information."""

    def __init__(self, name: str) -> None:
        super().__init__(name, tuple(_information(specimen())))

    def row(self, device: Device, epoch: int) -> Json:
        """See :class:`OneRow`; nothing of it is drawn."""
        return _information(device)


def _information(device: Device) -> Json:
    mac, release, seen = device.platform == "Mac", device.release, device.checked_in
    last = None if seen is None else offset(seen)
    return {
        "device_capacity": device.model.capacity,
        "host_name": f"{host_name(device.name, device.number)}.local" if mac else None,
        "local_hostname": host_name(device.name, device.number) if mac else None,
        "apple_silicon": device.model.silicon,
        "model": device.model.short,
        "model_name": device.model.name,
        "shared_ipad": False if device.platform == "iPad" else None,
        "cellular_technology": None if mac else "None",
        "data_roaming": None if mac else False,
        "hotspot": None,
        "first_enrollment_date": offset(device.first_enrolled),
        "last_enrollment_date": offset(device.enrolled),
        "agent_version": device.agent or None,
        "mdm_enabled": True,
        "agent_installed": bool(device.agent),
        "os_version": release.version,
        "os_build": release.build,
        "marketing_name": release.title,
        "supplemental_build_version": release.build,
        "supplemental_os_version_extra": release.extra or None,
        "display_os_version": f"{release.version} {release.extra}".strip(),
        "last_checkin": last,
        "last_checkin_agent": last if device.agent else None,
        "last_checkin_mdm": None if seen is None else offset(max(device.enrolled, seen - DAY // 48)),
        "battery_health": ("Normal", "Normal", "Service", None)[device.number % 4],
        "lost_mode_status": device.lost_mode or None,
    }


MAKERS: Makers = {
    "devices": lambda tables: DeviceList(tables.state),
    "prism_device_information": lambda tables: DeviceInformation("prism_device_information"),
}
