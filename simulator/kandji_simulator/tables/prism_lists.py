"""What stands in the Prism categories with several rows a device. Keys follow from place and device alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from kandji_simulator.world.catalogue import App, catalogue
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import pick, stable_hash, uuid_from
from kandji_simulator.world.seed_data import FACTS, ITEM_KINDS
from kandji_simulator.world.time import DAY, offset

Columns = dict[str, Any]
_PEOPLE = 3
"""Places of accounts that people use: the device's own, the help desk's, one more."""


class LocalUsers:
    """Accounts: a few of people, then the system's, as every Mac has them."""

    size = _PEOPLE + len(FACTS["system_accounts"])
    per_device = 100.0
    always = 1

    def columns(self, place: int, device: Device, number: int) -> Columns:
        """See :class:`RowGenerator`."""
        return self._person(place, device, number) if place < _PEOPLE else self._system(place - _PEOPLE)

    def _person(self, place: int, device: Device, number: int) -> Columns:
        name = (device.account, f"{device.account}-admin", "kiosk")[place]
        full = (device.user.name if device.user else device.account, "Help Desk", "Kiosk")[place]
        made = device.first_collected - 400 * DAY + place * DAY
        return {
            "uid": 501 + place,
            "user_created_at": offset(made),
            "failed_logins": number % 4,
            "failed_login_time": offset(device.drawn_until - number % DAY) if number % 4 else None,
            "password_last_set": offset(made + number % (300 * DAY)),
            "generated_uid": uuid_from(stable_hash("account", device.id, place)).upper(),
            "directory": "/Local/Default",
            "home_directory": f"/Users/{name}",
            "shell": pick(number, ("/bin/zsh", "/bin/zsh", "/bin/bash")),
            "type": "Administrator" if place == 1 else pick(number, ("Standard", "Administrator"), 1),
            "hidden_user": place == 1,
            "secure_token": place < 2,
            "filevault_user": place == 0,
            "volume_owner": place == 0,
            "full_name": full,
            "username": name,
            "logged_in": place == 0 and number % 3 > 0,
            "logged_in_time": offset(device.drawn_until - number % (3 * DAY)) if place == 0 else None,
            "mobile_account": number % 11 == 0,
            "home_folder_secure": number % 5 > 0,
        }

    def _system(self, index: int) -> Columns:
        name = FACTS["system_accounts"][index]
        return {
            "uid": index - 2 if name == "nobody" else index,
            "user_created_at": None,
            "failed_logins": None,
            "failed_login_time": None,
            "password_last_set": None,
            "generated_uid": f"FFFFEEEE-DDDD-CCCC-BBBB-AAAA{index:08X}",
            "directory": "/Local/Default",
            "home_directory": "/var/root" if index < 2 else "/var/empty",
            "shell": "/bin/sh" if name == "root" else "/usr/bin/false",
            "type": "Standard",
            "hidden_user": False,
            "secure_token": None,
            "filevault_user": False,
            "volume_owner": False,
            "full_name": name.strip("_").replace("_", " ").title(),
            "username": name,
            "logged_in": False,
            "logged_in_time": None,
            "mobile_account": False,
            "home_folder_secure": False,
        }


class Certificates:
    """Certificates, some of them more than once on one device: rows that differ in nothing but their times."""

    size = len(FACTS["certificates"])
    per_device = 10.0
    always = 4

    def columns(self, place: int, device: Device, number: int) -> Columns:
        """See :class:`RowGenerator`."""
        known = FACTS["certificates"][place]
        return {"common_name": known["name"], "identity_certificate": known["identity"]}


class SystemExtensions:
    """System extensions, of one of them two versions."""

    size = len(FACTS["system_extensions"])
    per_device = 4.0
    always = 1
    _STATES = (*("activated_enabled",) * 6, "activated_waiting_for_user", "terminated_waiting_to_uninstall_on_reboot")

    def columns(self, place: int, device: Device, number: int) -> Columns:
        """See :class:`RowGenerator`."""
        known = FACTS["system_extensions"][place]
        folder = uuid_from(stable_hash("extension", device.id, place)).upper()
        return {
            "path": f"/Library/SystemExtensions/{folder}/{known['identifier']}.systemextension",
            "identifier": known["identifier"],
            "state": pick(number, self._STATES),
            "name": known["name"],
            "short_version": known["version"],
            "bundle_version": known["build"],
            "categories": f"com.apple.system_extension.{known['kind']}",
            "bundle_path": f"/Applications/{known['name']}.app",
            "team_id": known["team"],
            "is_mdm_managed": number % 7 > 0,
        }


class KernelExtensions:
    """Kernel extensions: hardly any Mac has one."""

    size = len(FACTS["kernel_extensions"])
    per_device = 0.2
    always = 0

    def columns(self, place: int, device: Device, number: int) -> Columns:
        """See :class:`RowGenerator`."""
        known = FACTS["kernel_extensions"][place]
        return {**known, "version": f"{known['version']}.{number % 5}" if number % 5 else known["version"]}


class TransparencyDatabase:
    """What apps may do: each service with each of the most usual apps."""

    _APPS: ClassVar[tuple[App, ...]] = tuple(app for app in catalogue("Mac").apps if app.share >= 40)[:12]
    size = len(FACTS["services"]) * len(_APPS)
    per_device = 30.0
    always = 0

    def columns(self, place: int, device: Device, number: int) -> Columns:
        """See :class:`RowGenerator`."""
        app, service = divmod(place, len(FACTS["services"]))
        by_path = place % 7 == 6
        name = FACTS["services"][service]
        return {
            "service": name,
            "application": self._APPS[app].bundles[0].path if by_path else self._APPS[app].bundle_id,
            "client_type": "Absolute Path" if by_path else "Bundle Identifier",
            "status": pick(number, ("Allowed", "Allowed", "Denied", "Limited")),
            "status_reason": pick(number, ("User Consent", "User Consent", "MDM Policy", "System Policy"), 1),
            "last_modified": offset(device.first_collected - number % (90 * DAY)),
            "local_user": None if name in {"SystemPolicyAllFiles", "Accessibility"} else device.account,
        }


class LaunchAgents:
    """Launch agents and daemons of the apps of the catalogue; every ninth is a person's own."""

    _APPS: ClassVar[tuple[App, ...]] = tuple(a for a in catalogue("Mac").apps if a.flavour != "system")[:90]
    size = len(_APPS)
    per_device = 60.0
    always = 0

    def columns(self, place: int, device: Device, number: int) -> Columns:
        """See :class:`RowGenerator`."""
        label = f"{self._APPS[place].bundle_id}.{('agent', 'daemon')[place % 2]}"
        own = device.account if place % 9 == 4 else None
        folder = f"/Users/{own}/Library/LaunchAgents" if own else f"/Library/Launch{('Agents', 'Daemons')[place % 2]}"
        loaded = {"loaded_users": [{"uid": 501.0, "username": device.account}], "disabled_users": []}
        return {
            "path": f"{folder}/{label}.plist",
            "file_name": f"{label}.plist",
            "label": label,
            "program": None,
            "run_at_load": place % 3 > 0,
            "keep_alive": place % 5 == 0,
            "disabled": False,
            "is_disabled": number % 13 == 0,
            "is_loaded": number % 13 > 0,
            "group_name": None,
            "user_name": None,
            "standard_out_path": None,
            "standard_error_path": f"/var/log/{label}.log" if place % 4 == 0 else None,
            "start_interval": (7_200, None, 3_600, None)[number % 4],
            "program_arguments": f"{self._APPS[place].bundles[0].path}/Contents/MacOS/helper, --launchByAgent",
            "watch_paths": None,
            "queue_directories": None,
            "start_on_mount": None,
            "root_directory": None,
            "working_directory": None,
            "process_type": pick(number, (None, "Background", "Interactive"), 1),
            "domain": {"user_agent" if own else ("system_agent", "system_daemon")[place % 2]: loaded},
            "service_domain": "User Agent" if own else ("System Agent", "System Daemon")[place % 2],
            "pid": number % 9_000 + 100 if number % 2 else None,
            "user_agent_local_user": own,
            "user_agent_local_user_id": "501" if own else None,
        }


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
        """See :class:`RowGenerator`."""
        return len(self._names)

    def columns(self, place: int, device: Device, number: int) -> Columns:
        """See :class:`RowGenerator`."""
        name = self._names[place]
        identifier = self._identifier(name)
        return {
            "profile_display_name": name if place < 2 else f"{name} Settings",
            "payload_identifier": identifier,
            "payload_uuid": uuid_from(stable_hash("profile", identifier)),
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
        uuid = uuid_from(stable_hash("payload", identifier, number))
        return {
            "type": kind,
            "uuid": uuid,
            "version": 1,
            "identifier": f"{identifier}.{kind}.{uuid}",
            "display_name": kind.rpartition(".")[2].replace("-", " ").title(),
            "organization": "Kandji, Inc.",
        }
