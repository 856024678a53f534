"""What the fleet is shown by: sections with their pictures, each the answer of a named query, and the key numbers.

The report and the overview page have the same ones, in this order. A picture more is a line here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kandji_schema.errors import UnknownName
from kandji_schema.sql import fold_name


@dataclass(frozen=True)
class Shown:
    """One picture: the named ``query`` whose answer it is, with its parameters; ``title`` in place of the query's."""

    query: str
    params: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True)
class Section:
    """Pictures of one subject, under a title; ``name`` is how a person asks for it.

    Where it ``needs`` a table that was never read, what is said ``otherwise`` stands in place of its pictures.
    """

    name: str
    title: str
    pictures: tuple[Shown, ...]
    needs: str = ""
    otherwise: str = ""


BUDGET = "mirror"
"""The section that tells how fresh the mirror is, and what is left of its budget of requests."""


@dataclass(frozen=True)
class KeyNumber:
    """A number of :func:`kandji_queries.overview.read_overview`, by section and fact, under a title of its own."""

    section: str
    fact: str
    title: str


SECTIONS: tuple[Section, ...] = (
    Section(
        "fleet",
        "The fleet",
        (
            Shown("devices_by", {"attribute": "platform"}, "Devices by platform"),
            Shown("devices_by_range", {"attribute": "last_check_in"}, "Devices by their last contact"),
            Shown("devices_by_range", {"attribute": "years_enrolled"}, "Devices by the time since their enrolment"),
            Shown("devices_by", {"attribute": "os"}, "Devices by operating system"),
            Shown("devices_by_range", {"attribute": "disk_used"}, "Devices by how full their disk is"),
        ),
    ),
    Section(
        "systems",
        "Operating systems",
        (
            Shown("devices_by_os_version", {"platform": "Mac"}, "Versions of macOS"),
            Shown("os_adoption", {"platform": "Mac"}, "macOS day by day"),
        ),
    ),
    Section(
        "patches",
        "Patches",
        (
            Shown("patch_report"),
            Shown("exploited_unfixed"),
            Shown("release_adoption", {"os": "macOS"}, "The newest macOS day by day"),
        ),
        needs="os_releases",
        otherwise="Whether devices are patched is not known without the public feed of releases: "
        "KANDJI_MIRROR_FEEDS=sofa,kev switches it on, `kandji-mirror feed load FILE` takes it from a file.",
    ),
    Section(
        "posture",
        "Security posture",
        (Shown("posture_now"), Shown("posture_trend"), Shown("encryption_by_blueprint")),
    ),
    Section("compliance", "Compliance", (Shown("compliance_rate"), Shown("compliance_by_blueprint"))),
    Section("apps", "Apps", (Shown("app_version_spread"), Shown("apps_by_developer"))),
    Section(
        "vulnerabilities",
        "Vulnerabilities",
        (
            Shown("vulnerability_summary", {"with_remediated": True}),  # as the key numbers and the list count them
            Shown("vulnerabilities_in_fleet", {"exploited_only": True}, "Vulnerabilities known to be exploited"),
        ),
    ),
    Section("library", "Library items", (Shown("library_item_status"), Shown("failing_parameters"))),
    Section("changes", "What changed", (Shown("changes_by_day"),)),
    Section("licences", "Licences", (Shown("licence_usage"),)),
    Section("expiry", "What runs out", (Shown("expiries"),)),
    Section(BUDGET, "The mirror", (Shown("mirror_ages"),)),
)
"""All sections, in the order in which they are shown."""

KEY_NUMBERS: tuple[KeyNumber, ...] = (
    KeyNumber("devices", "All", "Devices"),
    KeyNumber("devices", "no contact for 14 days", "No contact for 14 days"),
    KeyNumber("compliance", "Pass every rule", "Pass every rule"),
    KeyNumber("posture", "FileVault on", "FileVault on"),
    KeyNumber("posture", "Firewall on", "Firewall on"),
    KeyNumber("trouble", "critical vulnerabilities", "Critical vulnerabilities"),
    KeyNumber("trouble", "known to be exploited", "Known to be exploited"),
    KeyNumber("trouble", "devices with failed items", "Devices with failed items"),
)
"""The numbers at the top."""


def chosen(names: Sequence[str]) -> tuple[Section, ...]:
    """Return the sections of these names in their own order, all without a name; :class:`UnknownName` for others."""
    known = {section.name: section for section in SECTIONS}
    wanted = [_known(name, known) for name in names]
    return tuple(section for section in SECTIONS if section.name in wanted) if wanted else SECTIONS


def _known(name: str, known: Iterable[str]) -> str:
    folded = fold_name(name.strip())
    if folded not in known:
        raise UnknownName("section", name, known)
    return folded
