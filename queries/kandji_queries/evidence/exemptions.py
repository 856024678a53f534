"""Exceptions are held against the fleet: which device each is about, and what became of it."""

from collections.abc import Iterable, Mapping, Sequence

from kandji_queries.evidence.contents import ControlEvidence, Days, Device, ExemptionUse
from kandji_queries.evidence.exceptions import Exemption
from kandji_queries.evidence.framework import Control


def matched(
    exemptions: Iterable[Exemption], control: Control, devices: Iterable[Device]
) -> Mapping[str, Sequence[Exemption]]:
    """Return the exceptions of a control by the identifier of the device; serial numbers in any case of letters."""
    by_serial: dict[str, list[Exemption]] = {}
    for exemption in exemptions:
        if exemption.control == control.id:
            by_serial.setdefault(exemption.serial_number.casefold(), []).append(exemption)
    if not by_serial:
        return {}
    named = ((device, by_serial.get((device.serial_number or "").casefold())) for device in devices)
    return {device.device_id: found for device, found in named if found}


def uses(
    exemptions: Iterable[Exemption],
    controls: Sequence[ControlEvidence],
    covered: Mapping[Exemption, int],
    devices: Mapping[str, Device],
    period: Days,
) -> tuple[ExemptionUse, ...]:
    """Return every exception with what became of it."""
    by_control = {control.control.id: control for control in controls}
    by_serial = {(device.serial_number or "").casefold(): device for device in devices.values()}
    found = []
    for exemption in exemptions:
        device = by_serial.get(exemption.serial_number.casefold())
        days = covered.get(exemption, 0)
        found.append(ExemptionUse(exemption, _status(exemption, by_control, device, days, period), days, device))
    return tuple(found)


def _status(
    exemption: Exemption,
    controls: Mapping[str, ControlEvidence],
    device: Device | None,
    days: int,
    period: Days,
) -> str:
    if exemption.last_day < period.first:
        return "expired before the period"
    if exemption.first_day > period.last:
        return "begins after the period"
    if exemption.control not in controls:
        return "no such control in this framework"
    if device is None:
        return "no device with this serial number was listed"
    control = controls[exemption.control]
    if control.not_measured or all(line.device.device_id != device.device_id for line in control.lines):
        return "the control is not measured on this device"
    expired = f", expired on {exemption.last_day}" if exemption.last_day < period.last else ""
    return f"applied{expired}" if days else f"not needed{expired}"
