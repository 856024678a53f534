"""Which devices a sweep reads next: a decision about facts, without doing anything."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from kandji_mirror.state import Reading
from kandji_mirror.sync.fleet import Fleet
from kandji_schema.ages import in_future


def due_devices(
    fleet: Fleet, readings: Mapping[str, Reading], now: datetime, ttl: timedelta, *, anew: bool = False
) -> list[str]:
    """Devices never read, then those heard of since they were read, then those read longer ago than ``ttl``.

    Within each group the oldest reading comes first. ``anew`` makes every device due.
    """
    never = sorted(fleet.keys() - readings.keys())
    known = sorted(fleet.keys() & readings.keys(), key=lambda device: (readings[device].at, device))
    heard_of = [device for device in known if readings[device].seen != fleet[device].seen]
    quiet = [device for device in known if readings[device].seen == fleet[device].seen]
    old = [device for device in quiet if now - readings[device].at >= ttl or in_future(readings[device].at, now)]
    return never + heard_of + (quiet if anew else old)
