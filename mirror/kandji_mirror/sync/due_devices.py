"""Which devices a sweep reads next: a decision about facts, without doing anything."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from kandji_mirror.state import DeviceReading
from kandji_mirror.sync.fleet import Fleet, Listed
from kandji_schema.ages import in_future

MISREAD = ""
"""Stands for what the list of devices said where the answer is to be asked for again: no device is listed so."""


def due_devices(
    fleet: Fleet,
    readings: Mapping[str, DeviceReading],
    now: datetime,
    ttl: timedelta,
    *,
    anew: bool = False,
    reported: bool = True,
) -> list[str]:
    """Devices never read, then those heard of since they were read, then those read longer ago than ``ttl``.

    Of those never read the one that checked in last comes first, else the oldest reading does. ``anew`` makes every
    device due. Of rows that are not ``reported`` by devices it does not matter that something was heard of one.
    """
    never = sorted(fleet.keys() - readings.keys(), key=lambda device: (_silence(fleet[device], now), device))
    known = sorted(fleet.keys() & readings.keys(), key=lambda device: (readings[device].at, device))
    moved = {d for d in known if readings[d].seen == MISREAD or (reported and readings[d].seen != fleet[d].seen)}
    heard_of = [device for device in known if device in moved]
    quiet = [device for device in known if device not in moved]
    old = [device for device in quiet if now - readings[device].at >= ttl or in_future(readings[device].at, now)]
    return never + heard_of + (quiet if anew else old)


def _silence(device: Listed, now: datetime) -> timedelta:
    return now.replace(tzinfo=None) - device.checked_in if device.checked_in else timedelta.max
