"""Configuration profiles on devices: a Prism category with several rows a device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from kandji_simulator.chance import lot, uuid_from
from kandji_simulator.facts import ITEM_KINDS
from kandji_simulator.records import Device

Columns = dict[str, Any]


@dataclass(frozen=True)
class InstalledProfiles:
    """Configuration profiles: the management's own, then those of the ``library`` (identifier by name)."""

    library: dict[str, str]
    per_device: ClassVar[float] = 20.0
    always: ClassVar[int] = 2

    @cached_property
    def _names(self) -> tuple[str, ...]:
        profiles = (n for n in self.library if ITEM_KINDS.get(n, "automatic-app") not in {"custom-script", "setup"})
        return ("MDM Profile", "Kandji Agent Settings", *sorted(profiles))

    @property
    def size(self) -> int:
        """See :class:`Recipe`."""
        return len(self._names)

    def columns(self, place: int, device: Device, number: int) -> Columns:
        """See :class:`Recipe`."""
        name = self._names[place]
        identifier = self._identifier(name)
        return {
            "profile_display_name": name if place < 2 else f"{name} Settings",
            "payload_identifier": identifier,
            "payload_uuid": uuid_from(lot("profile", identifier)),
            "removal_passcode": False,
            "encrypted": False,
            "managed": number % 50 > 0,
            "profile_description": None if place % 3 else f"Settings of {name}.",
            "organization": "Kandji, Inc." if place % 4 else "acme",
            "removable": number % 50 == 0,
            "signed": number % 20 > 0,
            "profile_data": [self._payload(identifier, n) for n in range(1 + place % 3)],
        }

    def _identifier(self, name: str) -> str:
        kind = "custom" if ITEM_KINDS.get(name) == "custom-profile" else "autoapp"
        known = {"MDM Profile": "mdmprofile", "Kandji Agent Settings": "pppc"}
        return f"com.kandji.profile.{known[name] if name in known else f'{kind}.{self.library[name]}'}"

    def _payload(self, identifier: str, number: int) -> Columns:
        kind = ("com.apple.servicemanagement", "com.apple.TCC.configuration-profile-policy", "com.apple.mdm")[number]
        uuid = uuid_from(lot("payload", identifier, number))
        return {
            "type": kind,
            "uuid": uuid,
            "version": 1,
            "identifier": f"{identifier}.{kind}.{uuid}",
            "display_name": kind.rpartition(".")[2].replace("-", " ").title(),
            "organization": "Kandji, Inc.",
        }
