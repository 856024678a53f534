"""Vulnerabilities and where they are: derived from the versions of the apps on the devices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

from kandji_simulator.tables.listing import Json, Listing, Query, RowList
from kandji_simulator.tables.registry import Makers
from kandji_simulator.tables.threats import about
from kandji_simulator.world.catalogue import CURRENT, App, catalogue
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import stable_hash
from kandji_simulator.world.state import PerDevice, TenantState
from kandji_simulator.world.time import spaced, zulu

_VULNERABLE_APPS = 60
_LINK = "https://nvd.nist.gov/vuln/detail"


@dataclass(frozen=True, eq=False)
class Flaw:
    """One CVE: releases of an app before the one that mends it."""

    cve_id: str
    index: int
    score: float
    mended: int

    @property
    def app(self) -> App:
        """The app that has it."""
        return catalogue("Mac").apps[self.index]

    @cached_property
    def versions(self) -> frozenset[str]:
        """The versions that have it."""
        return frozenset(self.app.release(number) for number in range(self.mended)) - {self.app.release(self.mended)}

    @property
    def severity(self) -> str:
        """The word for the score."""
        return next(word for least, word in _SEVERITIES if self.score >= least)


_SEVERITIES = ((9.0, "Critical"), (7.0, "High"), (4.0, "Medium"), (0.0, "Low"))


class Found(NamedTuple):
    """A flaw on a device: ``place`` is its place among the flaws, ``since`` when the version was seen first."""

    place: int
    version: str
    since: int


@cache
def flaws() -> tuple[Flaw, ...]:
    """Return all there are, one an app."""
    return tuple(_flaw(index) for index in range(_VULNERABLE_APPS))


def _flaw(index: int) -> Flaw:
    number = stable_hash("flaw", index)
    cve = f"CVE-{2023 + number % 3}-{1_000 + index * 137 + number % 100}"
    return Flaw(cve, index, (20 + number // 3 % 80) / 10, CURRENT - number % 12)


class DetectionList(Listing):
    """``GET /vulnerability-management/detections``: by device, then by flaw; a record is a device id with a flaw."""

    def __init__(self, state: TenantState) -> None:
        super().__init__(state)
        self._found = PerDevice(state, self._on)

    def _on(self, device: Device) -> tuple[Found, ...]:
        """Return what is found on a Mac, by name of the CVE's place."""
        if device.collected is None or device.platform != "Mac":
            return ()
        states = self._state.apps.installed(device)
        known = ((place, states.get(flaw.index), flaw) for place, flaw in enumerate(flaws()))
        return tuple(Found(p, s.version, s.updated) for p, s, flaw in known if s and s.version in flaw.versions)

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[tuple[str, Found]]:
        """Return all detections; no query selects."""
        return self._state.remember("detections", self._all)

    def _all(self) -> list[tuple[str, Found]]:
        by_device = self._found.values()
        return [(device, found) for device in sorted(by_device) for found in by_device[device]]

    def row(self, record: tuple[str, Found]) -> Json:
        """See :class:`Listing`."""
        device, flaw = self._state.devices[record[0]], flaws()[record[1].place]
        return {
            **about(device),
            "device_model": device.model.title,
            "device_os_version": device.release.version,
            "name": flaw.app.name,
            "version": record[1].version,
            "path": flaw.app.bundles[0].path,
            "bundle_id": flaw.app.bundle_id,
            "cve_id": flaw.cve_id,
            "cve_description": f"{flaw.app.name} before {flaw.app.release(flaw.mended)} mishandles crafted input.",
            "cve_link": f"{_LINK}/{flaw.cve_id}",
            "cvss_score": flaw.score,
            "cvss_severity": flaw.severity,
            "first_detection_date": spaced(record[1].since)[:26],
            "latest_detection_date": spaced(max(record[1].since, device.collected or 0))[:26],
        }

    def position(self, record: tuple[str, Found]) -> str:
        """See :class:`Listing`."""
        return f"{record[0]} {record[1].place:04d}"


def vulnerabilities(detections: Listing) -> list[Json]:
    """Return those found on any device."""
    by_flaw: dict[int, list[int]] = {}
    for _, found in detections.records({}, {}) or ():
        by_flaw.setdefault(found.place, []).append(found.since)
    return [_vulnerability(flaws()[place], by_flaw[place]) for place in sorted(by_flaw)]


def _vulnerability(flaw: Flaw, since: list[int]) -> Json:
    return {
        "cve_id": flaw.cve_id,
        "severity": flaw.severity,
        "cvss_score": flaw.score,
        "kev_score": int(flaw.score >= 9.5),
        "cve_link": f"{_LINK}/{flaw.cve_id}",
        "first_detection_date": zulu(min(since)),
        "latest_detection_date": zulu(max(since)),
        "device_count": len(since),
        "software": [flaw.app.name],
        "status": "Active",
    }


MAKERS: Makers = {
    "vulnerability_detections": lambda tables: DetectionList(tables.state),
    "vulnerabilities": lambda tables: RowList(
        tables.state, lambda: vulnerabilities(tables.listing("vulnerability_detections")), key="cve_id"
    ),
}
