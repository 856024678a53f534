"""How current devices are, worked out once more: plain loops over the documents of the feeds, nothing of ours."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

Version = tuple[int, ...]

NUMBER = re.compile(r"(\d+(?:\.\d+)*)(?: ?\(.*\))?")
HALF_YEAR = 180


@dataclass(frozen=True)
class Release:
    """One release of a document; ``letter`` is empty but for a security response."""

    os: str
    major: str
    version: Version
    text: str
    letter: str
    builds: frozenset[str]
    day: date
    models: frozenset[str] | None
    cves: frozenset[str]
    name: str = ""


@dataclass
class World:
    """What the documents say."""

    releases: list[Release] = field(default_factory=list)
    majors: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    exploited: set[str] = field(default_factory=set)
    made: date = date.max


def read_world(macos: Path, ios: Path, kev: Path) -> World:
    """Read the three documents."""
    world = World()
    for system, path in (("macOS", macos), ("iOS", ios)):
        document = json.loads(path.read_text())
        boards: dict[str, set[str]] = {}
        for board, about in document["Devices"].items():
            boards[board] = {about.get("DeviceID") or board} | {
                model
                for model, other in document.get("Models", {}).items()
                if other.get("MarketingName") == about.get("MarketingName")
            }
        world.made = min(world.made, date.fromisoformat(document["LastCheck"][:10]))
        for major in document["OSVersions"]:
            for raw in major["SecurityReleases"]:
                _add(world, system, major["OSVersion"].split()[-1], raw, boards)
        for number, improvements in document["BackgroundSecurityImprovements"].items():
            for raw in improvements:
                raw = {"ProductVersion": raw["Version"], "ReleaseDate": raw["PostingDate"], **raw}
                _add(world, system, number, raw, boards)
        for model, about in document.get("Models", {}).items():
            world.majors[system, model] = {str(number) for number in about["OSVersions"]}
        for board, about in document["Devices"].items():
            model = about.get("DeviceID") or board
            listed = {r.major for r in world.releases if r.os == system and r.models and model in r.models}
            if listed and (system, model) not in world.majors:
                world.majors[system, model] = listed
    world.exploited |= {entry["cveID"] for entry in json.loads(kev.read_text())["vulnerabilities"]}
    return world


def _add(world: World, system: str, major: str, raw: Mapping[str, Any], boards: Mapping[str, set[str]]) -> None:
    named = raw.get("SupportedDevices") or []
    models = frozenset(model for device in named for model in boards.get(device, {device})) or None
    if system == "macOS" and raw.get("DeviceScope") == "universal":
        models = None  # the boards that it lists are not all
    cves = raw.get("CVEs") or {}
    if isinstance(cves, dict):
        world.exploited |= {c for c, about in cves.items() if about.get("ActivelyExploited") or about.get("InKEV")}
    world.exploited |= set(raw.get("ActivelyExploitedCVEs") or ())
    world.releases.append(
        Release(
            os=system,
            major=major,
            version=_numbers(raw["ProductVersion"]),
            text=raw["ProductVersion"],
            letter=(raw.get("VersionExtra") or "").strip("()"),
            builds=frozenset(filter(None, [raw.get("Build"), *(raw.get("AllBuilds") or ())])),
            day=date.fromisoformat(raw["ReleaseDate"][:10]),
            models=models,
            cves=frozenset(cves),
            name=raw.get("UpdateName") or "",
        )
    )


def _numbers(text: str) -> Version:
    found = [int(part) for part in text.split(".")]
    return tuple([*found, 0, 0, 0, 0][:4])


@dataclass(frozen=True)
class Judged:
    """What is to be said of a device; None is what is not known."""

    currency: str
    newest: str | None = None
    newest_own: str | None = None
    behind: tuple[int, int] | None = None
    behind_own: tuple[int, int] | None = None
    lacked: tuple[int, tuple[str, ...]] | None = None
    lacked_own: tuple[int, tuple[str, ...]] | None = None
    gets_fixes: bool | None = None


def judge(world: World, device: Mapping[str, Any], day: date, *, before: bool = True) -> Judged:
    """Judge a device on a day; ``before`` leaves out what came later."""
    system = {"Mac": "macOS", "iPhone": "iOS", "iPad": "iOS"}.get(device["platform"])
    model = device["model_id"]
    majors = world.majors.get((system or "", model or ""))
    read = NUMBER.fullmatch(device["os_version"] or "")
    if system is None or model is None or majors is None:
        return Judged("unknown")
    known = [r for r in world.releases if r.os == system and (r.day <= day or not before)]
    version = _numbers(read[1]) if read else None
    own = str(version[0]) if version else None
    if own and int(own) < max(map(int, majors)):
        majors = majors | {own}
    mine = [r for r in known if (model in r.models if r.models else r.major in majors and _is_for(r, model))]
    versions = [r for r in mine if not r.letter]
    if not versions:
        return Judged("unknown")
    newest = max(versions, key=lambda r: r.version)
    if version is None:
        return Judged("unknown", newest.text)
    owns = [r for r in versions if r.major == own]
    newest_own = max(owns, key=lambda r: r.version) if owns else None
    seed, letter = _reported(known, device, version)
    gets = _gets_fixes(max(r.day for r in mine if r.major == own), day, world.made) if owns else None
    told = (newest.text, newest_own.text if newest_own else None)
    if version > newest.version or (newest_own and version > newest_own.version):
        return Judged("beta" if seed else "newer than the feed", *told, gets_fixes=gets)
    place = (version, -1, "") if seed else (version, 0, letter)
    later = [r for r in mine if (r.version, 0, r.letter) > place]
    had = {cve for r in known if r.major == own and _has(known, r, place) for cve in r.cves}
    return Judged(
        _currency(seed, version, newest, newest_own),
        *told,
        behind=_behind(later, day),
        behind_own=_behind([r for r in later if r.major == own], day) if owns else None,
        lacked=_lacked(world, later, had),
        lacked_own=_lacked(world, [r for r in later if r.major == own], had) if owns else None,
        gets_fixes=gets,
    )


def _is_for(release: Release, model: str) -> bool:
    """Tell whether the name of a release lets it be for a model: some are of iOS alone, or of iPadOS alone."""
    systems = set(release.name.split()) & {"iOS", "iPadOS"}
    return release.os != "iOS" or not systems or ("iPadOS" if model.startswith("iPad") else "iOS") in systems


def _has(known: Sequence[Release], release: Release, place: tuple[Version, int, str]) -> bool:
    """Tell whether what is at a place has a release: a response only where a version came out after it."""
    if (release.version, 0, release.letter) > place:
        return False
    later = [r.version for r in known if (r.os, r.major, r.letter) == (release.os, release.major, "")]
    dated = {r.version for r in known if r.os == release.os and not r.letter and r.day >= release.day}
    after = [version for version in later if version > release.version and version in dated]
    return not release.letter or place[0] == release.version or (bool(after) and (min(after), 0, "") <= place)


def _gets_fixes(last: date, day: date, made: date) -> bool | None:
    """Tell whether half a year has not gone by; that it has is not known from a feed that is older than that."""
    if (day - last).days <= HALF_YEAR:
        return True
    return False if (min(day, made) - last).days > HALF_YEAR else None


def _currency(seed: bool, version: Version, newest: Release, newest_own: Release | None) -> str:
    if seed:
        return "beta"
    if version == newest.version:
        return "current"
    return "current of its major" if newest_own and version == newest_own.version else "behind"


def _reported(known: Sequence[Release], device: Mapping[str, Any], version: Version) -> tuple[bool, str]:
    """Tell whether it runs a beta, and which response it has."""
    text = device["os_version"]
    build = device["build"] or (re.findall(r"\b\d\d[A-Z]\d+[a-z]?\b", text) or [None])[0]
    same = [r for r in known if r.version == version and build in r.builds]
    letter = (device["extra"] or "".join(re.findall(r"\([a-z]\)", text))).strip("()")
    letter = next((r.letter for r in same if r.letter), letter)
    digits = re.findall(r"(\d+)[a-z]$", build or "")
    return bool(digits) and not same and len(digits[0]) < 6, letter


def _behind(later: Sequence[Release], day: date) -> tuple[int, int]:
    """Return how many versions, and for how many days."""
    versions = [r for r in later if not r.letter]
    days = [(day - r.day).days for r in versions]
    return len({r.version for r in versions}), max([*days, 0])


def _lacked(world: World, later: Sequence[Release], had: set[str]) -> tuple[int, tuple[str, ...]]:
    """Return how many fixes, and the exploited ones."""
    cves = {cve for r in later for cve in r.cves} - had
    return len(cves), tuple(sorted(cves & world.exploited))
