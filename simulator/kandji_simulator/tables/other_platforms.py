"""The details of Windows and Android devices: each platform has sections of its own."""

from kandji_simulator.tables.devices import user_object
from kandji_simulator.tables.listing import Json
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import stable_hash
from kandji_simulator.world.seed_data import host_name
from kandji_simulator.world.time import spaced, zulu

_SIZE = 486_061
"""Capacity in MB."""


def windows_details(device: Device) -> Json:
    """Return the details of Windows; the build is in another spelling than in the device list."""
    number = stable_hash("windows", device.id)
    own = {
        "manufacturer": "Microsoft Corporation",
        "device_model": device.model.name,
        "device_type": device.model.name,
        "os_name": "Windows 11",
        "os_version": "10.0.26100.6584",
        "os_build": "26100.6584",
        "os_edition": "Professional",
        "update_build_revision": "6584",
        "language": "en-US",
    }
    return {
        "general": general(device) | own,
        "mdm": {"management_client_revision": "1.3", "windows_device_id": f"{number:032X}"},
        "hardware_overview": {
            "bios_version": "19.104.143",
            "commercialization_operator": "Not Present",
            "free_capacity": str(number % _SIZE),
            "processor_architecture": "X64",
            "radio_software_version": "Not Present",
            "smbios_serial_number": device.serial,
            "total_ram": "16384",
            "total_capacity": str(_SIZE),
        },
        "network": {
            "dns_computer_name": host_name(device.name, device.number),
            "iccid": "",
            "volte_service_setting": "False",
            "wifi_dns_suffix": "example.com",
            "wifi_ipv4_address": f"10.10.{number % 250}.{number % 241}",
            "wifi_ipv6_address": "fd7c:3a1b:9f42:8d27:6be2:4c19:ab7d:e530/64",
            "wifi_subnet_mask": "255.255.255.0",
        },
        "kandji_agent": {
            "is_agent_installed": bool(device.agent),
            "install_date": zulu(device.enrolled),
            "last_check_in_datetime": None if device.checked_in is None else zulu(device.checked_in),
            "version": device.agent,
        },
        "tags": list(device.tags),
    }


def android_details(device: Device) -> Json:
    """Return the details of Android: nobody's, in the eyes of the provider; ``assigned_user`` is null."""
    number = stable_hash("android", device.id)
    own = {
        "assigned_user": None,
        "manufacturer": "Google",
        "model_name": device.model.name,
        "serial_number": device.serial,
        "os_version": device.release.version,
        "os_build": "AP4A.241205.013",
        "api_level": "35",
        "security_patch_level": "2025-12-05",
        "enterprise_id": "LC0187hrje",
        "enterprise_device_id": f"{number:032x}"[:16],
    }
    return {
        "general": general(device) | own,
        "hardware": {
            "available_capacity": f"{number % 110}.93",
            "total_capacity": "110.28",
            "total_ram": "11.28",
            "wifi_mac_address": f"02:00:00:00:{number % 100:02}:03",
        },
        "management": {"management_mode": "PROFILE_OWNER", "ownership": "COMPANY_OWNED"},
        "cellular": {"imei": f"{number % 10**15:015}", "meid": ""},
        "security": {
            "android_debug_bridge_enabled": None,
            "device_posture": "SECURE",
            "developer_mode_enabled": None,
            "encryption_status": "ACTIVE_PER_USER",
            "has_google_play_protect": True,
            "has_passcode": number % 7 > 0,
            "is_encrypted": True,
            "unknown_app_sources_enabled": None,
        },
        "tags": list(device.tags),
    }


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
