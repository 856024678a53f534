"""What an action is done to, as the tenant shows it at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kandji_mirror.api.responses import tidy
from kandji_schema.actions.arguments import is_uuid
from kandji_schema.actions.record import Target
from kandji_schema.errors import ServerFault

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Subject:
    """A device or a tag. ``row`` is the provider's; texts are on one line, for eyes. A tenant has no id."""

    kind: Target
    id: str = ""
    name: str = ""
    serial: str = ""
    platform: str = ""
    row: Row | None = None

    @property
    def proof(self) -> str:
        """What somebody types to confirm: the serial number, or what comes nearest to one."""
        return self.serial or (self.id if self.kind is Target.DEVICE else self.name)

    @property
    def proof_name(self) -> str:
        """What that is called."""
        return "serial number" if self.serial else "identifier" if self.kind is Target.DEVICE else "name"

    def same_as(self, other: "Subject") -> bool:
        """Whether both are one thing, and still what was shown."""
        return (self.id, self.serial, self.platform) == (other.id, other.serial, other.platform)

    def words(self, *, named: bool = True, moving: bool = True) -> str:
        """The subject in one line.

        Without what may tell a person's name where not ``named``, without its last contact where not ``moving``.
        """
        if self.kind is Target.TENANT:
            return f"tag {self.name!r}, for the whole tenant"
        if self.kind is Target.TAG:
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


def device(row: Row) -> Subject:
    """The subject of a row of the device list; :class:`ServerFault` where it has no plain identifier."""
    if not is_uuid(row.get("device_id")):
        raise ServerFault("The provider sent a device without an identifier. Nothing was sent.", status=200)
    return Subject(
        kind=Target.DEVICE,
        id=str(row["device_id"]).lower(),
        name=shown(row.get("device_name")),
        serial=shown(row.get("serial_number")),
        platform=shown(row.get("platform")),
        row=row,
    )


def shown(value: object) -> str:
    """A value of the provider for eyes: one line without control characters."""
    return tidy(value) if isinstance(value, str) else ""


def _user(row: Row) -> object:
    user = row.get("user")
    return (user.get("email") or user.get("name")) if isinstance(user, dict) else row.get("user_email")
