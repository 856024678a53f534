"""The target that a text means: one device or tag, there at this moment, or none at all.

Serial number or exact name are looked up live, and in the mirror for names that were true once; what is found is read
once more from the tenant and compared. The provider's filters mean "contains": every row is looked at.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kandji_mirror.api.client import Client
from kandji_mirror.api.device_lookup import find_listed
from kandji_mirror.api.endpoint import quote_segment
from kandji_mirror.api.lenient_json import parse
from kandji_mirror.api.responses import tidy
from kandji_schema.actions.arguments import is_uuid
from kandji_schema.actions.record import TargetKind
from kandji_schema.device_lookup import KnownDevice, known, listed, mirrored, near, newest_first, other_number
from kandji_schema.errors import MirrorError, NotFound, ServerFault, TargetRefused
from kandji_schema.provider import PAGE_ROWS
from kandji_schema.text import escaped, has_unseen

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A device or a tag. ``row`` is the provider's; texts are on one line, for eyes. A tenant has no id."""

    kind: TargetKind
    id: str = ""
    name: str = ""
    serial: str = ""
    platform: str = ""
    row: Row | None = None

    @property
    def proof(self) -> str:
        """What somebody types to confirm: the serial number, or what comes nearest to one."""
        return self.serial or (self.id if self.kind is TargetKind.DEVICE else self.name)

    @property
    def proof_name(self) -> str:
        """What that is called."""
        return "serial number" if self.serial else "identifier" if self.kind is TargetKind.DEVICE else "name"

    def same_as(self, other: "Target") -> bool:
        """Whether both are one thing, and still what was shown."""
        return (self.id, self.serial, self.platform) == (other.id, other.serial, other.platform)

    def words(self, *, named: bool = True, moving: bool = True) -> str:
        """Return the target in one line.

        Without what may tell a person's name where not ``named``, without its last contact where not ``moving``.
        """
        if self.kind is TargetKind.TENANT:
            return f"tag {self.name!r}, for the whole tenant"
        if self.kind is TargetKind.TAG:
            return f"tag {self.name!r} ({self.id})"
        row = self.row or {}
        facts = [
            repr(self.name) if named else "",
            f"serial number {self.serial}" if self.serial else "without a serial number",
            shown(row.get("model")),
            f"{self.platform or 'unknown platform'} {shown(row.get('os_version'))}".strip(),
            f"id {self.id}",
            f"last seen {shown(row.get('last_check_in')) or 'never'}" if moving else "",
            f"user {shown(_user(row))}" if named and _user(row) else "",
            "counted as missing" if row.get("is_missing") is True else "",
        ]
        return ", ".join(filter(None, facts))


def device(row: Row) -> Target:
    """Return the target of a row of the device list; :class:`ServerFault` where it has no plain identifier."""
    if not is_uuid(row.get("device_id")):
        raise ServerFault("The provider sent a device without an identifier. Nothing was sent.", status=200)
    return Target(
        kind=TargetKind.DEVICE,
        id=str(row["device_id"]).lower(),
        name=shown(row.get("device_name")),
        serial=shown(row.get("serial_number")),
        platform=shown(row.get("platform")),
        row=row,
    )


def shown(value: object) -> str:
    """Return a value of the provider for eyes: one line without control characters."""
    return tidy(value) if isinstance(value, str) else ""


def _user(row: Row) -> object:
    user = row.get("user")
    return (user.get("email") or user.get("name")) if isinstance(user, dict) else row.get("user_email")


LONGEST = 255
_PATH_LIKE = re.compile(r"[/\\]|\.\.|%[0-9A-Fa-f]{2}")
_DEVICES = "/api/v1/devices"
_TAGS = "/api/v1/tags"
_PAGE = ("limit", str(PAGE_ROWS))


def resolve(client: Client, home: Path, kind: TargetKind, reference: str, values: Mapping[str, Any]) -> Target:
    """Return what an action of that kind is done to; a tenant's is told by its arguments, without a ``reference``."""
    if kind is TargetKind.DEVICE:
        return resolve_device(client, home, reference)
    if kind is TargetKind.TAG:
        return resolve_tag(client, reference)
    return Target(TargetKind.TENANT, name=str(values.get("name", "")))


def resolve_by_number(
    client: Client, home: Path, kind: TargetKind, reference: str, values: Mapping[str, Any]
) -> Target:
    """Do as :func:`resolve` for an identifier or serial number only.

    There is one and the same answer for a name that exists, one that does not, and several.
    """
    if kind is TargetKind.TENANT or is_uuid(reference.strip()):
        return resolve(client, home, kind, reference, values)
    refused = _refused(
        f"No {kind.name.lower()} has that identifier or serial number. In this mode of privacy targets of AI clients "
        "are named by these alone; they are in the tables devices and tags"
    )
    try:
        target = resolve(client, home, kind, reference, values)
    except TargetRefused:
        raise refused from None
    if not target.serial or reference.strip().casefold() != target.serial.casefold():
        raise refused
    return target


def resolve_device(client: Client, home: Path, reference: str) -> Target:
    """Return the one device meant, read from the tenant; :class:`TargetRefused` says why it is not one."""
    wanted = _checked(reference, "device")
    target = read_device(client, wanted.lower() if is_uuid(wanted) else _identifier(client, home, wanted))
    if wanted.lower() != target.id and not _is_called(known(target.row or {}), wanted):
        raise TargetRefused(
            f"The mirror is out of date: the device it calls {wanted!r} is now {target.words(named=False)}. "
            "Run `kandji-mirror sync devices` and look again. Nothing was sent."
        )
    return target


def read_device(client: Client, device_id: str) -> Target:
    """Read a device as the tenant shows it now; :class:`TargetRefused` where it is gone."""
    try:
        row = _json(client.get(f"{_DEVICES}/{quote_segment(device_id)}").body)
    except NotFound:
        raise _refused(f"There is no device {device_id} in the tenant: it was removed, or never there") from None
    if not isinstance(row, dict):
        raise ServerFault(f"GET {_DEVICES}/{device_id} answered 200, but not with a device.", status=200)
    target = device(row)
    if target.id != device_id:
        raise ServerFault(f"The provider sent device {target.id} where {device_id} was asked for.", status=200)
    if row.get("is_removed") is True:
        raise _refused(f"The device {target.words(named=False)} was removed from management")
    return target


def resolve_tag(client: Client, reference: str) -> Target:
    """Return the one tag of that name or identifier, read from the tenant."""
    wanted = _checked(reference, "tag")
    search = () if is_uuid(wanted) else (("search", wanted),)
    answer = _json(client.get(_TAGS, (*search, _PAGE)).body)
    rows = answer.get("results", []) if isinstance(answer, dict) else answer
    found = [r for r in _objects(rows) if wanted.lower() == str(r.get("id")).lower() or wanted == r.get("name")]
    if len(found) != 1 or not is_uuid(found[0].get("id")):
        raise _refused(f'{len(found) or "No"} tags are called {wanted!r}; `kandji-mirror sql "FROM tags"` lists them')
    return Target(TargetKind.TAG, id=str(found[0]["id"]).lower(), name=shown(found[0]["name"]), row=found[0])


def _checked(reference: str, what: str) -> str:
    wanted = reference.strip()
    if not wanted or len(wanted) > LONGEST:
        raise _refused(f"A {what} is named by 1 to {LONGEST} characters, not {len(wanted):,}")
    if _PATH_LIKE.search(wanted):
        raise _refused(
            f"{escaped(wanted[:80])!r} looks like a path, not like a {what}. Name it by its serial number or identifier"
        )
    if has_unseen(wanted):
        raise _refused(
            f"'{escaped(wanted[:80])}' has characters in it that nobody sees. Type the name, or give its serial number "
            "or identifier"
        )
    return wanted


def _identifier(client: Client, home: Path, wanted: str) -> str:
    """Return the identifier of the one device with that serial number or exact name."""
    called = find_listed(client, wanted, lambda device: _is_called(device, wanted))
    here: list[KnownDevice] = []
    with suppress(MirrorError):  # without a mirror the tenant alone is believed
        here = [] if called else mirrored(home)
    called = called or [device for device in here if _is_called(device, wanted)]
    there = newest_first(device for device in called if not device.is_removed) or newest_first(called)
    if not there:
        # a search's folding only finds them: an action wants to be told which
        alike = near(here, wanted)
        number = other_number(wanted).rstrip(".")
        nearly = f". Nearly so is called: {listed(alike, named=False)}" if alike else f".{number}" if number else ""
        raise _refused(f"No device has the identifier, serial number or exact name {wanted!r}{nearly}")
    if len(there) > 1:
        raise _refused(
            f"{wanted!r} means {len(there)} devices, newest contact first: {listed(there, named=False)}. Name one by "
            "its identifier"
        )
    return there[0].device_id.lower()


def _is_called(device: KnownDevice, wanted: str) -> bool:
    return is_uuid(device.device_id) and (wanted == device.device_name or device.has_serial(wanted))


def _json(body: bytes) -> Any:
    try:
        return parse(body).value
    except ValueError:
        raise ServerFault("The provider's answer is not JSON, so nothing was sent.", status=200) from None


def _objects(rows: Any) -> list[Row]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _refused(reason: str) -> TargetRefused:
    return TargetRefused(f"{reason}. Nothing was sent.")
