"""The details of a device: ``GET /devices/{device_id}/details``; each platform has sections of its own."""

from collections.abc import Callable
from typing import Any

from kandji_simulator.tables.devices import user_object
from kandji_simulator.tables.enrollment import apple_record, assigned
from kandji_simulator.tables.listing import DeviceRows, Json
from kandji_simulator.tables.prism import reports
from kandji_simulator.tables.registry import Makers, Tables
from kandji_simulator.world.management import lost_mode_section
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import pick, stable_hash
from kandji_simulator.world.seed_data import FACTS, host_name
from kandji_simulator.world.time import DAY, HOUR, SECOND, spaced, time_of, zulu

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


_TRUE = frozenset({True, "True", "Yes"})


def device_details(tables: Tables, device: Device) -> list[Json]:
    """Return the details, as the only row."""
    make = {"Windows": windows_details, "Android": android_details}.get(device.platform)
    return [make(device) if make else _apple(tables, device)]


def _apple(tables: Tables, device: Device) -> Json:
    sections = {name: make(tables, device) for name, make in _SECTIONS.items()}
    absent = {"AppleTV": ("lost_mode", "cellular")}.get(device.platform, ())
    return {name: section for name, section in sections.items() if name not in absent}


def _mac(device: Device) -> bool:
    return device.platform == "Mac"


def _reported(tables: Tables, device: Device, table: str) -> list[Json]:
    """Return what the device has in a Prism category, so that both ways of asking agree."""
    if table not in tables.state.resources or not reports(device, tables.named(table)):
        return []
    return [record.columns for record in tables.category(table).records(device)]


def _row(tables: Tables, device: Device, table: str) -> Json:
    return next(iter(_reported(tables, device, table)), {})


def _flag(value: Any) -> bool | None:
    """Return a boolean of Prism in any of its spellings."""
    return None if value is None else value in _TRUE


def _general(tables: Tables, device: Device) -> Json:
    release, number = device.release, stable_hash("boot", device.id)
    return {
        **general(device),
        "model": device.model.name,
        "os_version": release.version,
        "supplemental_build_version": release.build,
        "supplemental_os_version_extra": release.extra,
        "system_version": f"{release.version} ({release.build})" if _mac(device) else "",
        "boot_volume": "Macintosh HD" if _mac(device) else "",
        "time_since_boot": pick(number, ("1 month ago", "2 days ago", "5 hours ago")) if _mac(device) else "",
        "last_user": pick(number, (device.account, device.account, "root"), 1) if _mac(device) else "",
    }


def _mdm(tables: Tables, device: Device) -> Json:
    supervised = {} if device.platform == "AppleTV" else {"supervised": str(_mac(device) or assigned(device))}
    return {
        "mdm_enabled": "True",
        **supervised,
        "install_date": spaced(device.enrolled),
        "last_check_in": "" if device.checked_in is None else spaced(max(device.enrolled, device.checked_in - HOUR)),
        "mdm_enabled_user": [device.account] if _mac(device) else [],
    }


def _activation_lock(tables: Tables, device: Device) -> Json:
    known = _row(tables, device, "prism_activation_lock")
    names = (
        "bypass_code_failed",
        "user_activation_lock_enabled",
        "device_activation_lock_enabled",
        "activation_lock_allowed_while_supervised",
        "activation_lock_supported",
    )
    return {name: _flag(known.get(name)) for name in names}


def filevault(tables: Tables, device: Device) -> Json:
    """Return the section on FileVault."""
    known = _row(tables, device, "prism_filevault")
    rotation = known.get("scheduled_key_rotation")
    return {
        "filevault_enabled": _flag(known.get("status")),
        "filevault_recoverykey_type": known.get("key_type") or "",
        "filevault_prk_escrowed": bool(_flag(known.get("key_escrowed"))),
        "filevault_next_rotation": rotation or "",
        "filevault_regen_required": bool(_flag(known.get("regeneration_needed"))),
    }


def _lost_mode(tables: Tables, device: Device) -> Json:
    return lost_mode_section(device.lost_mode, tables.state.managed(device.id).lost) if device.lost_mode else {}


def _agent(tables: Tables, device: Device) -> Json:
    installed = bool(device.agent)
    return {
        "agent_installed": str(installed),
        "install_date": spaced(device.enrolled // SECOND * SECOND)[:19] + "+00:00" if installed else "",
        "last_check_in": "" if device.checked_in is None else zulu(device.checked_in),
        "agent_version": device.agent,
    }


def _volumes(tables: Tables, device: Device) -> list[Json]:
    if device.platform == "AppleTV" or device.collected is None:
        return []
    used = 8 + stable_hash("volume", device.id) % 88
    capacity = device.model.capacity * (0.9313 if _mac(device) else 1)
    size = {"capacity": f"{capacity:.2f} GB", "available": f"{capacity * (100 - used) / 100:.2f} GB"}
    same = {"percent_used": f"{used}%", **size}
    if not _mac(device):
        return [{"name": "", "format": "", "identifier": "", **same, "encrypted": ""}]
    encrypted = "Yes" if filevault(tables, device)["filevault_enabled"] else "No"
    return [
        {"name": "Macintosh HD", "format": "APFS", "identifier": "disk3s3s1", **same, "encrypted": encrypted},
        {"name": "Macintosh HD - Data", "format": "APFS", "identifier": "disk3s1", **same, "encrypted": encrypted},
    ]


def _users(tables: Tables, device: Device) -> Json:
    if not _mac(device):
        return {"regular_users": [], "system_users": []}
    path = f"/Users/{device.account}"
    own = {"username": device.account, "uid": "501", "path": path, "admin": "Yes", "name": ""}
    known = (("_lp", "26", "/var/spool/cups"), ("_ard", "67", "/var/empty"))
    system = [{"username": name, "uid": uid, "path": home, "admin": "No"} for name, uid, home in known]
    managed = tables.state.managed_so_far(device.id)
    gone = managed is not None and device.account in managed.deleted
    return {"regular_users": [] if gone else [own], "system_users": system}


def _profiles(tables: Tables, device: Device) -> list[Json]:
    if not _mac(device):
        return []
    installed = f"{time_of(device.first_collected):%Y-%m-%d %H:%M:%S} +0000"
    return [
        {
            "name": row["profile_display_name"],
            "uuid": row["payload_uuid"],
            "verified": "verified",
            "identifier": row["payload_identifier"],
            "organization": row["organization"],
            "payload_types": [payload["type"] for payload in row["profile_data"]],
            "install_date": installed,
        }
        for row in _reported(tables, device, "prism_installed_profiles")
    ]


def _business_manager(tables: Tables, device: Device) -> Json:
    date = spaced(device.first_enrolled - 30 * DAY)[:19] + "+00:00"
    return {**apple_record(device), "device_assigned_date": date} if assigned(device) else {}


def _security(tables: Tables, device: Device) -> Json:
    known = tables.state.managed_so_far(device.id)
    drawn = device.number % 3 == 0 if _mac(device) else None
    return {"remote_desktop_enabled": drawn if known is None or known.remote_desktop is None else known.remote_desktop}


_ENROLLED = {"auto_enroll_eligible": True, "auto_enrolled": True}
_CELLULAR = {"voice_roaming": False, "data_roaming": False, "cellular_technology": 0, "subscriptions": None}


def hardware_overview(tables: Tables, device: Device) -> Json:
    """Return what the machine is."""
    number = stable_hash("hardware", device.id)
    identifier = f"{number:040x}"
    if device.platform != "Mac":
        return {"uuid": identifier, "serial_number": device.serial, "model_identifier": device.model.identifier}
    silicon = device.model.silicon
    cores = pick(number, ("8", "10", "12") if silicon else ("4", "6"))
    size = pick(number, (8, 16, 16, 24, 32), 1)
    return {
        "model_name": device.model.title,
        "model_identifier": device.model.identifier,
        "processor_name": "Apple M2" if silicon else "Quad-Core Intel Core i5",
        "processor_speed": "" if silicon else "2 GHz",
        "number_of_processors": cores if silicon else "1",
        "total_number_of_cores": cores,
        "memory": f"{size} GB {'LPDDR5' if silicon else 'LPDDR4X'}",
        "udid": f"{identifier[:8]}-{identifier[8:12]}-5{identifier[12:15]}-b{identifier[15:18]}-{identifier[18:30]}",
        "serial_number": device.serial,
    }


def network(tables: Tables, device: Device) -> Json:
    """Return where it is reached; every 17th device has nothing to say."""
    if device.platform == "AppleTV" or device.number % 17 == 5:
        return {}
    number = stable_hash("network", device.id)
    octets = [number >> 8 * place & 255 for place in range(5)]
    public = f"203.0.113.{octets[0]}" if number % 5 else ""
    return {
        "local_hostname": host_name(device.name, device.number) if device.platform == "Mac" else "",
        "mac_address": "02:" + ":".join(f"{octet:02X}" for octet in octets),
        "ip_address": f"192.168.{octets[1] % 4}.{octets[2]}" if device.platform == "Mac" else "",
        "public_ip": public if device.platform == "Mac" else "",
    }


def recovery_information(tables: Tables, device: Device) -> Json:
    """Return what keeps others out of recovery; older agents do not know of the last field."""
    number = stable_hash("recovery", device.id)
    locked = device.platform == "Mac" and bool(device.model.silicon) and number % 4 > 0
    known = {} if device.number % 13 == 6 else {"password_has_been_set": locked}
    return {
        "recovery_lock_enabled": locked,
        "firmware_password_exist": device.platform == "Mac" and not device.model.silicon and number % 2 == 0,
        "firmware_password_pending": False,
        "password_rotation_scheduled": zulu(device.enrolled + 400 * DAY) if locked else None,
        **known,
    }


_SECTIONS: dict[str, Callable[[Tables, Device], Any]] = {
    "general": _general,
    "mdm": _mdm,
    "activation_lock": _activation_lock,
    "filevault": filevault,
    "lost_mode": _lost_mode,
    "automated_device_enrollment": lambda tables, device: _ENROLLED if assigned(device) else {},
    "kandji_agent": _agent,
    "hardware_overview": hardware_overview,
    "volumes": _volumes,
    "network": network,
    "recovery_information": recovery_information,
    "users": _users,
    "installed_profiles": _profiles,
    "apple_business_manager": _business_manager,
    "security_information": _security,
    "cellular": lambda tables, device: {} if _mac(device) else _CELLULAR,
    "tags": lambda tables, device: list(device.tags),
}

MAKERS: Makers = {
    "device_details": lambda tables: DeviceRows(
        tables.state, lambda device: device_details(tables, device), single=True
    ),
}
