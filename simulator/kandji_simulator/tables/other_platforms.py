"""The details of Windows and Android devices: each platform has sections of its own."""

from kandji_simulator.tables.devices import user_object
from kandji_simulator.tables.listing import Json
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import stable_hash
from kandji_simulator.world.seed_data import FACTS, host_name
from kandji_simulator.world.time import spaced, zulu

_NOT_SAID = ("android_debug_bridge_enabled", "developer_mode_enabled", "unknown_app_sources_enabled")


def windows_details(device: Device) -> Json:
    """Return the details of Windows; the build is in another spelling than in the device list."""
    number = stable_hash("windows", device.id)
    own: Json = {
        "general": {**general(device), "device_model": device.model.name, "device_type": device.model.name},
        "mdm": {"windows_device_id": f"{number:032X}"},
        "hardware_overview": {"free_capacity": str(number % 486_061), "smbios_serial_number": device.serial},
        "network": {
            "dns_computer_name": host_name(device.name, device.number),
            "wifi_ipv4_address": f"10.10.{number % 250}.{number % 241}",
        },
        "kandji_agent": {
            "is_agent_installed": bool(device.agent),
            "install_date": zulu(device.enrolled),
            "last_check_in_datetime": None if device.checked_in is None else zulu(device.checked_in),
            "version": device.agent,
        },
    }
    return _with_facts("windows_details", own, device)


def android_details(device: Device) -> Json:
    """Return the details of Android: nobody's, in the eyes of the provider; ``assigned_user`` is null."""
    number = stable_hash("android", device.id)
    known = {
        "assigned_user": None,
        "model_name": device.model.name,
        "serial_number": device.serial,
        "os_version": device.release.version,
        "enterprise_device_id": f"{number:032x}"[:16],
    }
    own: Json = {
        "general": general(device) | known,
        "hardware": {
            "available_capacity": f"{number % 110}.93",
            "wifi_mac_address": f"02:00:00:00:{number % 100:02}:03",
        },
        "management": {},
        "cellular": {"imei": f"{number % 10**15:015}"},
        "security": {**dict.fromkeys(_NOT_SAID), "has_passcode": number % 7 > 0},
    }
    return _with_facts("android_details", own, device)


def _with_facts(kind: str, own: Json, device: Device) -> Json:
    """Return the sections together with what is the same on every device of the platform."""
    sections = {name: {**section, **FACTS[kind].get(name, {})} for name, section in own.items()}
    return {**sections, "tags": list(device.tags)}


def general(device: Device) -> Json:
    """Return what the section of this name holds on every platform."""
    return {
        "device_id": device.id,
        "device_name": device.name,
        "platform": device.platform,
        "first_enrollment": spaced(device.first_enrolled),
        "last_enrollment": spaced(device.enrolled),
        "assigned_user": user_object(device.user),
        "blueprint_name": device.blueprint.name if device.blueprint else "",
        "blueprint_uuid": device.blueprint.id if device.blueprint else "",
        "asset_tag": device.asset_tag or "",
    }
