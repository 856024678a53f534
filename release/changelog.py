"""The texts that a release changes: the version in ``pyproject.toml``, and the changelog's section of it."""

import re
from datetime import UTC, date, datetime

from running import Failed

VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_STANDS = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
_RELEASED = re.compile(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", re.MULTILINE)
_UNRELEASED = "## Unreleased\n"


def checked_version(text: str, changelog: str) -> str:
    """Return a version of three numbers that is newer than every one of the changelog; :class:`Failed` otherwise."""
    if not VERSION.fullmatch(text):
        raise Failed(f"{text!r} is no version: three numbers, such as 0.2.0.")
    newest = max((found for found, _ in _RELEASED.findall(changelog)), key=_key, default="0.0.0")
    if _key(text) <= _key(newest):
        raise Failed(f"{text} is not newer than {newest}, which the changelog has. Choose a higher one.")
    return text


def _key(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def with_version(pyproject: str, version: str) -> str:
    """Return the text of ``pyproject.toml`` with another version, which stands there once and nowhere else."""
    if len(_STANDS.findall(pyproject)) != 1:
        raise Failed('pyproject.toml must have one line: version = "..."')
    return _STANDS.sub(f'version = "{version}"', pyproject)


def with_section(changelog: str, version: str, day: date) -> str:
    """Return the changelog with what is unreleased under the version and day, and an empty section for what comes."""
    if not section(changelog, "Unreleased"):
        raise Failed("CHANGELOG.md has nothing under Unreleased, so nobody would notice this release.")
    return changelog.replace(_UNRELEASED, f"{_UNRELEASED}\n## {version} - {day.isoformat()}\n", 1)


def section(changelog: str, title: str) -> str:
    """Return what stands under the first heading that begins with a title; empty where there is none."""
    found = re.search(rf"^## {re.escape(title)}\b[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found.group(1).strip() if found else ""


def moment(changelog: str, version: str) -> str:
    """Return the seconds since 1970 of a release's day, from which all its files are dated (SOURCE_DATE_EPOCH)."""
    days = dict(_RELEASED.findall(changelog))
    return str(int(datetime.fromisoformat(days[version]).replace(tzinfo=UTC).timestamp()))
