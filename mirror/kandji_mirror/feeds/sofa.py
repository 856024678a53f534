"""SOFA's documents, version 2: releases of macOS or iOS, the CVEs they fix, and the models they run on.

What the feed says is kept as it says it. Only what it leaves to be worked out is: numbers of boards become models, and
for iOS, of which no list of models with their versions is published, these come out of the releases.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kandji_mirror.feeds.rows import FeedRows, Row, list_of, mapping_of, moment_of, texts_of
from kandji_schema.errors import Suspicious

RELEASES, CVES, MODELS = "os_releases", "os_release_cves", "device_models"

BSI = "BSI"
"""What the type of a background security improvement is called here; the feed has a list of its own for them."""

_KNOWN = frozenset(
    {
        *("SchemaVersion", "Version", "UpdateHash", "LastCheck", "OSVersions", "Models", "Devices"),
        *("XProtectPlistConfigData", "XProtectPayloads", "BackgroundSecurityImprovements", "InstallationApps"),
    }
)
_KNOWN_OF_MAJOR = frozenset({"OSVersion", "Latest", "SecurityReleases", "SupportedModels"})
_RENAMED = {"Version": "ProductVersion", "PostingDate": "ReleaseDate"}
_WITH_EXTRA = re.compile(r"(\S+)\s*(\([a-z]\))")
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9})*")
_KEY = ("os", "ProductVersion", "VersionExtra", "Build")


def system_of(document: Mapping[str, Any]) -> str | None:
    """Return macOS or iOS, of which a document of version 2 tells; None for any other document."""
    if not str(document.get("Version", "")).startswith("2"):
        return None
    products = _products(document)
    if products == {"macOS"}:
        return "macOS"
    return "iOS" if products and all(product.startswith(("iOS", "iPadOS")) for product in products) else None


def why_not(document: Mapping[str, Any]) -> str:
    """Say why a document with versions of a system is not taken."""
    if "Version" not in document:
        return "The document is of SOFA's first version, which its makers gave up; this reads version 2 (/v2/)."
    if not str(document["Version"]).startswith("2"):
        return f"The document is of SOFA's version {str(document['Version'])[:20]!r}; this reads version 2."
    if not (products := _products(document)):
        return "The document has no release."
    return f"The document tells of {', '.join(sorted(products))[:60]}; the feed sofa reads macOS and iOS."


def _products(document: Mapping[str, Any]) -> set[str]:
    majors = (mapping_of(major).get("SecurityReleases") for major in list_of(document.get("OSVersions")))
    names = (mapping_of(release).get("ProductName") for major in majors for release in list_of(major))
    return {name for name in names if isinstance(name, str)}


def rows_of(document: Mapping[str, Any], system: str) -> FeedRows:
    """Return the rows of the three tables; :class:`Suspicious` for a document without a release."""
    found = FeedRows({RELEASES: [], CVES: [], MODELS: []}, moment_of(document.get("LastCheck")))
    found.note_unknown(document, _KNOWN)
    boards = _Boards.of(document)
    for major in found.objects(RELEASES, document.get("OSVersions")):
        found.note_unknown(major, _KNOWN_OF_MAJOR)
        named = _Major.of(system, major.get("OSVersion"))
        for release in found.objects(RELEASES, major.get("SecurityReleases")):
            _add(found, named.release(_with_devices(release, major), boards))
    for name, improvements in mapping_of(document.get("BackgroundSecurityImprovements")).items():
        named = _major_named(found, system, name)
        for improvement in found.objects(RELEASES, improvements):
            _add(found, named.improvement(improvement, boards))
    if not found.tables[RELEASES]:
        raise Suspicious("The document has no release.")
    found.tables[MODELS] = list(_models(document, system, found.tables[RELEASES]))
    return found


def _with_devices(release: Row, major: Mapping[str, Any]) -> Row:
    """Return the newest release with the devices that only its other copy names, where it is for these alone."""
    latest = mapping_of(major.get("Latest"))
    same = all(latest.get(name) == release.get(name) for name in ("ProductVersion", "Build"))
    named = latest.get("SupportedDevices")
    if same and not release.get("SupportedDevices") and latest.get("DeviceScope") == "device-specific" and named:
        return {**release, "SupportedDevices": named}
    return release


def _add(found: FeedRows, release: Row) -> None:
    """Take a release in, and a row for each CVE it fixes."""
    cves = release.pop("CVEs", None)
    exploited = frozenset(texts_of(release.get("ActivelyExploitedCVEs")) or ())
    found.tables[RELEASES].append(release)
    key = {name: release.get(name) for name in _KEY}
    if isinstance(cves, dict):
        facts = {cve: mapping_of(about) for cve, about in cves.items()}
    else:
        facts = {cve: {} for cve in texts_of(cves) or ()}
        found.odd[CVES] += cves is not None and texts_of(cves) is None
    for cve, about in facts.items():
        said = about.get("ActivelyExploited")
        known = True if said is None and cve in exploited else said
        found.tables[CVES].append({**about, **key, "cve_id": cve, "ActivelyExploited": known})


@dataclass(frozen=True)
class _Major:
    """A major version of a system: ``26`` and, for macOS, ``Tahoe``."""

    system: str
    number: str | None
    name: str | None

    @classmethod
    def of(cls, system: str, heading: Any) -> "_Major":
        """Return what a heading says, such as ``Tahoe 26`` or ``26``."""
        words = heading.split() if isinstance(heading, str) else []
        return cls(system, words[-1] if words else None, " ".join(words[:-1]) or None)

    def release(self, release: Row, boards: "_Boards") -> Row:
        """Return the row of a release, with its CVEs still in it."""
        row = {**self._facts(release), "SupportedDevices": boards.models(release.get("SupportedDevices"))}
        exploited = texts_of(release.get("ActivelyExploitedCVEs"))
        return {**row, "exploited_count": None if exploited is None else len(exploited)}

    def improvement(self, improvement: Row, boards: "_Boards") -> Row:
        """Return the row of a background security improvement; the feed says nothing of exploits there."""
        row = {_RENAMED.get(name, name): value for name, value in improvement.items()}
        cves = texts_of(row.get("CVEs"))
        words = (self.system, self.name, row.get("ProductVersion"), row.get("VersionExtra"))
        made = {
            "ReleaseType": BSI,
            "UpdateName": " ".join(word for word in words if isinstance(word, str)),
            "UniqueCVEsCount": None if cves is None else len(cves),
        }
        return {**self.release(row, boards), **made}

    def _facts(self, release: Row) -> Row:
        """Return the fields of a release with those that its place in the document tells."""
        return {**release, **_split(release), "os": self.system, "major": self.number, "major_name": self.name}


def _split(release: Row) -> Row:
    """Return the version and what stands after it apart, where the feed has both in one."""
    version = release.get("ProductVersion")
    both = _WITH_EXTRA.fullmatch(version) if isinstance(version, str) else None
    return {"ProductVersion": both[1], "VersionExtra": both[2]} if both else {}


def _major_named(found: FeedRows, system: str, number: str) -> _Major:
    """Return the major version of that number, with the name it has in the releases."""
    names = (r["major_name"] for r in found.tables[RELEASES] if r["major"] == number)
    return _Major(system, number, next(names, None))


@dataclass(frozen=True)
class _Boards:
    """Which models a number of a board stands for.

    The feed gives each board one model, though several of one name share it or have a board that is not listed: all
    models of the same marketing name are meant.
    """

    found: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "_Boards":
        """Read the boards of a document."""
        alike = defaultdict(list)
        for model, about in mapping_of(document.get("Models")).items():
            if isinstance(name := mapping_of(about).get("MarketingName"), str):
                alike[name].append(model)
        found = {}
        for board, about in mapping_of(document.get("Devices")).items():
            facts = mapping_of(about)
            own, name = str(facts.get("DeviceID") or board), facts.get("MarketingName")
            found[board] = tuple(dict.fromkeys([own, *(alike[name] if isinstance(name, str) else ())]))
        return cls(found)

    def models(self, devices: Any) -> Any:
        """Return the models of a list of devices; None for an empty one, and what is no list of texts as it is."""
        listed = texts_of(devices)
        if listed is None:
            return devices
        return list(dict.fromkeys(model for device in listed for model in self.found.get(device, (device,)))) or None


# -- models ------------------------------------------------------------------------------------------------------------


def _models(document: Mapping[str, Any], system: str, releases: Sequence[Row]) -> Iterator[Row]:
    """Yield a row for each model that the document names, by itself or as a device."""
    named: dict[str, Row] = {}
    for board, about in mapping_of(document.get("Devices")).items():
        facts = mapping_of(about)
        named.setdefault(str(facts.get("DeviceID") or board), dict(facts))
    named |= {model: dict(mapping_of(about)) for model, about in mapping_of(document.get("Models")).items()}
    for model, facts in named.items():
        majors = _newest_first(_said(facts) or _shown(model, releases))
        newest = max((r["ProductVersion"] for r in releases if _takes(r, model, majors)), key=_parts, default=None)
        made = {"majors": majors or None, "newest_major": next(iter(majors), None), "newest_version": newest}
        yield {**facts, "model_identifier": model, "os": system, **made}


def _said(facts: Mapping[str, Any]) -> list[str]:
    """Return the major versions that the feed says a model can run."""
    numbers = facts.get("OSVersions")
    if isinstance(numbers, list):
        return [str(number) for number in numbers]
    return [str(name).split()[-1] for name in texts_of(facts.get("SupportedOS")) or () if name.strip()]


def _shown(model: str, releases: Iterable[Row]) -> list[str]:
    """Return the major versions of the releases that are for a model by name."""
    return [r["major"] for r in releases if r["major"] and model in (texts_of(r.get("SupportedDevices")) or ())]


def _newest_first(majors: Iterable[str]) -> list[str]:
    return sorted(dict.fromkeys(majors), key=_parts, reverse=True)


def _takes(release: Row, model: str, majors: Sequence[str]) -> bool:
    """Return whether a model can run a release: it is for it by name, or for all that can run its major version."""
    if release.get("ReleaseType") == BSI or not isinstance(release.get("ProductVersion"), str):
        return False
    devices = texts_of(release.get("SupportedDevices"))
    return release["major"] in majors and _names(release, model) if devices is None else model in devices


def _names(release: Row, model: str) -> bool:
    """Return whether the name of a release allows a model: some are of iOS alone, or of iPadOS alone."""
    name = release.get("UpdateName")
    systems = {"iOS", "iPadOS"}.intersection(name.split()) if isinstance(name, str) else set()
    return not systems or ("iPadOS" if model.startswith("iPad") else "iOS") in systems


def _parts(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for comparing."""
    found = _VERSION.match(version)
    return tuple(map(int, found[0].split("."))) if found else ()
