"""Evidence without names: devices have numbers in no order of theirs, and no text names a person or a device."""

from collections.abc import Mapping
from dataclasses import replace
from random import SystemRandom

from kandji_queries.evidence.contents import ControlEvidence, Device, DeviceLine, Evidence, ExemptionUse
from kandji_queries.evidence.framework import Control
from kandji_queries.reader import Reader
from kandji_web.report.nameless import GONE, Nameless


def without_names(reader: Reader, evidence: Evidence) -> Evidence:
    """Return evidence in which a device is ``device-00012``, the same in all files of it and in no other evidence."""
    nameless = Nameless.of(reader)
    numbers = _numbers(evidence)
    framework = evidence.framework
    return replace(
        evidence,
        framework=replace(
            framework,
            name=nameless.text(framework.name) if not framework.is_ours else framework.name,
            controls=tuple(_control(nameless, control) for control in framework.controls),
        ),
        controls=tuple(_evidence(nameless, numbers, told) for told in evidence.controls),
        exemptions=tuple(_use(nameless, numbers, use) for use in evidence.exemptions),
        notes=[nameless.text(note) for note in evidence.notes],
        statements={name: nameless.text(sql) for name, sql in evidence.statements.items()},
        anonymous=True,
    )


def _numbers(evidence: Evidence) -> Mapping[str, str]:
    """Return a number for each device, drawn by lot: its place in a list would tell of its name."""
    ids = list({line.device.device_id for told in evidence.controls for line in told.lines})
    SystemRandom().shuffle(ids)
    return {device_id: f"device-{number:05d}" for number, device_id in enumerate(ids, 1)}


def _control(nameless: Nameless, control: Control) -> Control:
    return replace(control, title=nameless.text(control.title), measured=nameless.text(control.measured))


def _evidence(nameless: Nameless, numbers: Mapping[str, str], told: ControlEvidence) -> ControlEvidence:
    lines = [_line(nameless, numbers, line) for line in told.lines]
    lines.sort(key=lambda line: (-line.failed, -line.unknown, -line.excepted, line.device.device_id))
    return replace(told, control=_control(nameless, told.control), lines=tuple(lines))


def _line(nameless: Nameless, numbers: Mapping[str, str], line: DeviceLine) -> DeviceLine:
    return replace(line, device=_device(nameless, numbers, line.device))


def _device(nameless: Nameless, numbers: Mapping[str, str], device: Device) -> Device:
    number = numbers.get(device.device_id, GONE)
    blueprint = device.blueprint and nameless.text(device.blueprint)
    return replace(device, device_id=number, serial_number=number, name=None, blueprint=blueprint)


def _use(nameless: Nameless, numbers: Mapping[str, str], use: ExemptionUse) -> ExemptionUse:
    known = use.exemption
    device = use.device and _device(nameless, numbers, use.device)
    return replace(
        use,
        exemption=replace(
            known,
            serial_number=device.device_id if device else GONE,
            reason=nameless.text(known.reason),
            approved_by=GONE,
        ),
        device=device,
    )
