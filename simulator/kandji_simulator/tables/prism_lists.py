"""What stands in the Prism categories with several rows a device. Keys follow from place and device alone.

Only what tells the rows of one device apart, and what other tables know too, is here; the rest of the columns is drawn
from their samples.
"""

from functools import partial
from typing import ClassVar

from kandji_schema.resource import Resource
from kandji_simulator.tables.prism import Json, RowGenerator
from kandji_simulator.tables.registry import Makers, Tables
from kandji_simulator.world.catalogue import App, catalogue
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import stable_hash, uuid_from
from kandji_simulator.world.seed_data import FACTS, ITEM_KINDS
from kandji_simulator.world.time import DAY, offset

_PEOPLE = 3
"""Places of accounts that people use: the device's own, the help desk's, one more."""


class LocalUsers(RowGenerator):
    """Accounts: a few of people, then the system's, as every Mac has them."""

    size = _PEOPLE + len(FACTS["system_accounts"])
    per_device = 100.0
    always = 1

    def given(self, place: int, device: Device, number: int) -> Json:
        """See :class:`RowGenerator`."""
        return self._person(place, device, number) if place < _PEOPLE else self._system(place - _PEOPLE)

    def _person(self, place: int, device: Device, number: int) -> Json:
        name = (device.account, f"{device.account}-admin", "kiosk")[place]
        made = device.first_collected - 400 * DAY + place * DAY
        return {
            "uid": 501 + place,
            "username": name,
            "full_name": (device.user.name if device.user else device.account, "Help Desk", "Kiosk")[place],
            "generated_uid": uuid_from(stable_hash("account", device.id, place)).upper(),
            "home_directory": f"/Users/{name}",
            "user_created_at": offset(made),
            "password_last_set": offset(made + number % (300 * DAY)),
            "hidden_user": place == 1,
            "filevault_user": place == 0,
            "logged_in_time": offset(device.drawn_until - number % (3 * DAY)) if place == 0 else None,
        }

    def _system(self, index: int) -> Json:
        name = FACTS["system_accounts"][index]
        never = ("user_created_at", "failed_logins", "failed_login_time", "password_last_set", "logged_in_time")
        no = ("hidden_user", "filevault_user", "volume_owner", "logged_in", "mobile_account", "home_folder_secure")
        return {
            **dict.fromkeys((*never, "secure_token")),
            **dict.fromkeys(no, False),
            "uid": index - 2 if name == "nobody" else index,
            "username": name,
            "full_name": name.strip("_").replace("_", " ").title(),
            "generated_uid": f"FFFFEEEE-DDDD-CCCC-BBBB-AAAA{index:08X}",
            "home_directory": "/var/root" if index < 2 else "/var/empty",
            "shell": "/bin/sh" if name == "root" else "/usr/bin/false",
            "type": "Standard",
        }


class FactRows(RowGenerator):
    """A category of which ``facts.toml`` has the rows."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self._rows: list[Json] = FACTS[str(resource.category)]
        self.size = len(self._rows)

    def given(self, place: int, device: Device, number: int) -> Json:
        """See :class:`RowGenerator`."""
        return self._rows[place]


class Certificates(FactRows):
    """Certificates, some of them more than once on one device: rows that differ in nothing but their times."""

    per_device = 10.0
    always = 4


class SystemExtensions(FactRows):
    """System extensions, of one of them two versions."""

    per_device = 4.0
    always = 1

    def given(self, place: int, device: Device, number: int) -> Json:
        """See :class:`RowGenerator`."""
        known = super().given(place, device, number)
        folder = uuid_from(stable_hash("extension", device.id, place)).upper()
        return {**known, "path": f"/Library/SystemExtensions/{folder}/{known['identifier']}.systemextension"}


class KernelExtensions(FactRows):
    """Kernel extensions: hardly any Mac has one."""

    per_device = 0.2

    def given(self, place: int, device: Device, number: int) -> Json:
        """See :class:`RowGenerator`."""
        known = super().given(place, device, number)
        return {**known, "version": f"{known['version']}.{number % 5}" if number % 5 else known["version"]}


class TransparencyDatabase(RowGenerator):
    """What apps may do: each service with each of the most usual apps."""

    _apps: ClassVar[list[App]] = [app for app in catalogue("Mac").apps if app.share >= 40][:12]
    size = len(FACTS["services"]) * len(_apps)
    per_device = 30.0

    def given(self, place: int, device: Device, number: int) -> Json:
        """See :class:`RowGenerator`."""
        app, service = divmod(place, len(FACTS["services"]))
        by_path = place % 7 == 6
        name = FACTS["services"][service]
        return {
            "service": name,
            "application": self._apps[app].bundles[0].path if by_path else self._apps[app].bundle_id,
            "client_type": "Absolute Path" if by_path else "Bundle Identifier",
            "last_modified": offset(device.first_collected - number % (90 * DAY)),
            "local_user": None if name in {"SystemPolicyAllFiles", "Accessibility"} else device.account,
        }


class LaunchAgents(RowGenerator):
    """Launch agents and daemons of the apps of the catalogue; every ninth is a person's own."""

    _apps: ClassVar[list[App]] = [app for app in catalogue("Mac").apps if app.flavour != "system"][:90]
    size = len(_apps)
    per_device = 60.0

    def given(self, place: int, device: Device, number: int) -> Json:
        """See :class:`RowGenerator`."""
        label = f"{self._apps[place].bundle_id}.{('agent', 'daemon')[place % 2]}"
        own = device.account if place % 9 == 4 else None
        folder = f"/Users/{own}/Library/LaunchAgents" if own else f"/Library/Launch{('Agents', 'Daemons')[place % 2]}"
        loaded = {"loaded_users": [{"uid": 501.0, "username": device.account}], "disabled_users": []}
        return {
            "path": f"{folder}/{label}.plist",
            "file_name": f"{label}.plist",
            "label": label,
            "program_arguments": f"{self._apps[place].bundles[0].path}/Contents/MacOS/helper, --launchByAgent",
            "domain": {"user_agent" if own else ("system_agent", "system_daemon")[place % 2]: loaded},
            "service_domain": "User Agent" if own else ("System Agent", "System Daemon")[place % 2],
            "is_loaded": number % 13 > 0,
            "is_disabled": number % 13 == 0,
            "user_agent_local_user": own,
            "user_agent_local_user_id": "501" if own else None,
        }


class InstalledProfiles(RowGenerator):
    """Configuration profiles: the management's own, then those of the ``library`` (identifier by name)."""

    per_device = 20.0
    always = 2

    def __init__(self, resource: Resource, library: dict[str, str]) -> None:
        super().__init__(resource)
        profiles = (n for n in library if ITEM_KINDS.get(n, "automatic-app") not in {"custom-script", "setup"})
        self._names = ("MDM Profile", "Kandji Agent Settings", *sorted(profiles))
        self._library = library
        self.size = len(self._names)

    def given(self, place: int, device: Device, number: int) -> Json:
        """See :class:`RowGenerator`."""
        name = self._names[place]
        identifier = self._identifier(name)
        return {
            "profile_display_name": name if place < 2 else f"{name} Settings",
            "payload_identifier": identifier,
            "payload_uuid": uuid_from(stable_hash("profile", identifier)),
            "profile_data": [_payload(identifier, n) for n in range(1 + place % 3)],
        }

    def _identifier(self, name: str) -> str:
        kind = "custom" if ITEM_KINDS.get(name) == "custom-profile" else "autoapp"
        known = {"MDM Profile": "mdmprofile", "Kandji Agent Settings": "pppc"}
        return f"com.kandji.profile.{known[name] if name in known else f'{kind}.{self._library[name]}'}"


def _payload(identifier: str, number: int) -> Json:
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


_KINDS: dict[str, type[RowGenerator]] = {
    "prism_certificates": Certificates,
    "prism_kernel_extensions": KernelExtensions,
    "prism_launch_agents_and_daemons": LaunchAgents,
    "prism_local_users": LocalUsers,
    "prism_system_extensions": SystemExtensions,
    "prism_transparency_database": TransparencyDatabase,
}


def _generator(table: str, tables: Tables) -> RowGenerator:
    return _KINDS[table](tables.named(table))


MAKERS: Makers = {
    **{table: partial(_generator, table) for table in _KINDS},
    "prism_installed_profiles": lambda tables: InstalledProfiles(
        tables.named("prism_installed_profiles"), tables.state.generator.library
    ),
}
