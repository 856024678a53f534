"""Sections of the long record that tell of the machine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kandji_simulator.chance import lot, pick
from kandji_simulator.moments import DAY, zulu
from kandji_simulator.people import host_name
from kandji_simulator.records import Device

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.world import World

Section = dict[str, Any]


def hardware_overview(world: World, device: Device) -> Section:
    """What the machine is."""
    number = lot("hardware", device.id)
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


def network(world: World, device: Device) -> Section:
    """Where it is reached; every 17th device has nothing to say."""
    if device.platform == "AppleTV" or device.number % 17 == 5:
        return {}
    number = lot("network", device.id)
    octets = [number >> 8 * place & 255 for place in range(5)]
    public = f"203.0.113.{octets[0]}" if number % 5 else ""
    return {
        "local_hostname": host_name(device.name, device.number) if device.platform == "Mac" else "",
        "mac_address": "02:" + ":".join(f"{octet:02X}" for octet in octets),
        "ip_address": f"192.168.{octets[1] % 4}.{octets[2]}" if device.platform == "Mac" else "",
        "public_ip": public if device.platform == "Mac" else "",
    }


def recovery_information(world: World, device: Device) -> Section:
    """What keeps others out of recovery; older agents do not know of the last field."""
    number = lot("recovery", device.id)
    locked = device.platform == "Mac" and bool(device.model.silicon) and number % 4 > 0
    known = {} if device.number % 13 == 6 else {"password_has_been_set": locked}
    return {
        "recovery_lock_enabled": locked,
        "firmware_password_exist": device.platform == "Mac" and not device.model.silicon and number % 2 == 0,
        "firmware_password_pending": False,
        "password_rotation_scheduled": zulu(device.enrolled + 400 * DAY) if locked else None,
        **known,
    }
