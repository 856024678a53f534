"""What a service is to run: the program that runs now, the folders it needs, and settings that are no secret."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kandji_mirror.api.credentials import token
from kandji_mirror.api.endpoint import base_url
from kandji_schema.errors import ConfigurationError, UsageError
from kandji_schema.folders import APP, config_dir
from kandji_schema.settings import SETTINGS, Settings, load
from kandji_schema.sources import Kind

NAME = APP
"""What the service is called; that of a tenant's profile has ``@`` and its name behind it."""

FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
"""Variables that say where a user's folders are; a service manager does not know them."""

NETWORK = ("HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "https_proxy", "no_proxy")
"""Variables by which the tenant is reached from a company's network."""

WORKERS = 4
"""Statements that run at one time, each with memory of its own."""

OWN_MB = 1_024
"""Megabytes for syncing, pages and whatever else is no statement."""

_NO_FOLDER = Path(os.devnull)  # in place of the working directory, whose .env no service reads

_CACHE = "CACHEDIR.TAG"  # marks a folder that may be emptied at any time, uv's for one


@dataclass(frozen=True)
class Plan:
    """One service: ``command`` with absolute paths, its ``environment``, and ``folders`` that it writes into.

    ``user`` is whose it is, empty for the one who installs it. ``memory_mb`` is what it may use with its children.
    ``notes`` are what a person is told.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folders: tuple[Path, ...]
    memory_mb: int
    user: str = ""
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def system(self) -> bool:
        """Whether it is a service of the machine, and not of a user who is signed in."""
        return bool(self.user)


def service_name(tenant: str = "") -> str:
    """Return what the service of a tenant's profile is called; of none that of the only one."""
    return f"{NAME}@{tenant}" if tenant else NAME


def program(prefix: Path | None = None, executable: str = "") -> tuple[str, ...]:
    """Return how this very installation is started from anywhere; :class:`UsageError` where it is a throw-away one.

    ``prefix`` and ``executable`` are those of this interpreter unless given.
    """
    folder, python = prefix or Path(sys.prefix), Path(executable or sys.executable)
    if thrown_away(folder):
        raise UsageError(
            f"This program runs from a cache ({folder}), as uvx and `pipx run` make one, which may be emptied at any "
            f"time. Install it first: `uv tool install {NAME}` or `pipx install {NAME}`, then `{NAME} service install`."
        )
    script = python.absolute().with_name(NAME)
    return (str(script),) if script.is_file() else (str(python.absolute()), "-m", "kandji_cli")


def thrown_away(prefix: Path) -> bool:
    """Tell whether an environment lies in a cache. One may carry that mark itself: uv marks all it makes."""
    above = prefix.absolute().parents
    return any((folder / _CACHE).is_file() for folder in above) or {"pipx", ".cache"} <= {*prefix.parts}


def plan_for_user(*, looking: bool = False) -> Plan:
    """Plan the service of who runs this; :class:`ConfigurationError` where it would not find tenant or token.

    Of several tenants it serves all, unless one is named. ``looking``: nothing is installed, and that is a note.
    """
    tenants = _tenants(None)
    given, notes = _given(tenants.common, _stored(tenants.common, None))
    notes += _without_token(tenants.each, looking=looking)
    folders = [folder for each in tenants.each for folder in (each.home, each.budget_dir, each.export_folder)]
    home = {} if tenants.named else {"KANDJI_MIRROR_HOME": str(tenants.common.home.absolute())}
    return Plan(
        service_name(tenants.chosen),
        (*program(), "serve"),
        {**_variables(FOLDERS, notes), **_variables(NETWORK, notes), **given, **home, **tenants.environment},
        _outermost((*folders, config_dir())),
        memory_mb(tenants.each),
        notes=tuple(notes),
    )


def plan_for_system(user: str) -> Plan:
    """Plan the service of the machine that runs as ``user``, who signs in with `login` and has the usual folders."""
    home = _home_of(user)
    own = home / ".config" / APP / "config.toml"
    tenants = _tenants(own)
    given, notes = _given(tenants.common, _stored(tenants.common, own))
    usual, budget = home / ".local" / "share" / APP, home / ".local" / "state" / APP / "budget"
    data = [each.home.absolute() if each.mirror_home else usual for each in tenants.each]
    budgets = [each.budget_dir if each.mirror_budget_dir else budget for each in tenants.each]
    return Plan(
        service_name(tenants.chosen),
        (*program(), "serve"),
        {
            **_variables(NETWORK, notes),
            **given,
            **({} if tenants.named else {"KANDJI_MIRROR_HOME": str(data[0])}),
            **tenants.environment,
        },
        _outermost((*data, *budgets, home / ".config" / APP)),
        memory_mb(tenants.each),
        user=user,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Tenants:
    """Which tenants a service serves. ``chosen`` is the one that is named, ``common`` what holds for all."""

    chosen: str
    common: Settings
    each: Sequence[Settings]

    @property
    def named(self) -> bool:
        """Whether they have names, and homes by these."""
        return bool(self.each[0].mirror_tenant)

    @property
    def environment(self) -> dict[str, str]:
        """What names the one that is chosen."""
        return {"KANDJI_MIRROR_TENANT": self.chosen} if self.chosen else {}


def _tenants(config: Path | None) -> _Tenants:
    """Read the settings of the tenant that is named, else of all there are, from a ``config`` or from one's own."""
    chosen = chosen_tenant(config)
    names = () if chosen else load(config=config, doubtful=True).provenance.profiles
    if names:
        return _Tenants("", load(config=config, tenant=""), [load(config=config, tenant=name) for name in names])
    settings = load(config=config)
    return _Tenants(chosen, settings, [settings])


def chosen_tenant(config: Path | None = None) -> str:
    """Return the tenant that the command line or the environment names; "" where none is."""
    found = load(config=config, doubtful=True)
    return found.mirror_tenant if found.origin("mirror_tenant").kind is Kind.ENVIRONMENT else ""


def _stored(settings: Settings, config: Path | None) -> Settings:
    """Return the settings that the service finds by itself."""
    return load({}, folder=_NO_FOLDER, config=config, tenant=settings.mirror_tenant)


def _without_token(each: Sequence[Settings], *, looking: bool) -> list[str]:
    """Say which tenants have no stored token; refuse where none has one, unless somebody only looks."""
    notes: list[str] = []
    for settings in each:
        try:
            _refuse_without_token(settings, _stored(settings, None))
        except ConfigurationError as error:
            if len(each) == 1 and not looking:
                raise
            notes.append(f"warning: {settings.mirror_tenant}{': ' if settings.mirror_tenant else ''}{error}")
    if len(notes) == len(each) > 1 and not looking:
        raise ConfigurationError("None of the tenants has a stored token. `login --tenant NAME` stores one.")
    return notes


def memory_mb(tenants: Sequence[Settings], physical: int | None = None) -> int:
    """Return the megabytes that the service may use: its own and a statement's for each that runs at one time.

    That for each tenant, and never more than four fifths of the machine's ``physical`` ones.
    """
    wanted = sum(OWN_MB + WORKERS * each.mirror_query_memory_mb for each in tenants)
    there = physical or _physical_mb()
    return min(wanted, there * 4 // 5) if there else wanted


def _physical_mb() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1_048_576
    except (OSError, ValueError, AttributeError):  # not on every system
        return 0


def _home_of(user: str) -> Path:
    import pwd  # not on Windows

    try:
        return Path(pwd.getpwnam(user).pw_dir)
    except KeyError:
        raise ConfigurationError(
            f"There is no user {user!r} on this machine. Make it: `useradd --system --create-home --home-dir "
            f"/var/lib/{NAME} --shell /usr/sbin/nologin {user}`, or name another one with --user."
        ) from None


def _given(settings: Settings, stored: Settings) -> tuple[dict[str, str], list[str]]:
    """Return the settings of the environment and of ``.env``, which a service does not see, without secrets.

    ``stored`` are those that it finds by itself.
    """
    given: dict[str, str] = {}
    notes: list[str] = []
    for setting in SETTINGS:
        origin = settings.origin(setting.key)
        if origin.kind not in {Kind.ENVIRONMENT, Kind.FOLDER} or setting.key == "mirror_tenant":
            continue
        if setting.secret:
            notes.append(f"{setting.name} of {origin.place} is a secret and is not written into the service.")
            continue
        value = getattr(settings, setting.key)
        if value == getattr(stored, setting.key):
            continue
        text = str(Path(value).expanduser().absolute()) if setting.path and value else str(value)
        given[setting.name] = text
        notes.append(f"{setting.name}={text} of {origin.place} is written into the service.")
    return given, notes


def _variables(names: tuple[str, ...], notes: list[str]) -> dict[str, str]:
    """Return variables of this process that the service needs too; one with a password in it is left out and told."""
    found: dict[str, str] = {}
    for name in names:
        value = os.environ.get(name, "")
        if "@" in value and name.lower().endswith("proxy"):
            notes.append(f"{name} may have a password in it and is not written into the service.")
        elif value:
            found[name] = value
    return found


def _refuse_without_token(settings: Settings, stored: Settings) -> None:
    """Refuse where only the environment knows the token."""
    base_url(settings)
    kept = settings.given(api_token="") if settings.api_token else settings  # a service has no secret of ours
    try:
        token(kept if not stored.api_token else stored)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"The service would not find a token: none is stored for this tenant, and secrets are written into no "
            f"service. `{NAME} login` stores it. ({error})"
        ) from None


def _outermost(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the folders that lie in no other one of them, each once."""
    whole = list(dict.fromkeys(folder.absolute() for folder in folders))
    return tuple(folder for folder in whole if not any(other in folder.parents for other in whole))
