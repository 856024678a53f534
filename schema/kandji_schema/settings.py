"""Every setting, one record each; parsing, `kandji-mirror settings`, `.env.example` and the docs read it.

A value is taken from the environment, else from ``.env`` in the working directory, else from ``config.toml`` in the
user's configuration folder (keys are the names in lower case without ``KANDJI_``), else it is the default.
pydantic-settings would do the same for 113 ms of import, more than a SQL query may cost on top of DuckDB itself.
"""

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from kandji_schema.errors import ConfigurationError
from kandji_schema.privacy import Privacy

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off"}


@dataclass(frozen=True)
class Setting:
    """One setting. ``default`` also tells its type; ``low`` and ``high`` bound a number, ``choices`` a text."""

    name: str
    default: str | int | float | bool
    help: str
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = float("inf")
    secret: bool = False

    @property
    def key(self) -> str:
        """Attribute of :class:`Settings` and key of ``config.toml``: ``KANDJI_MIRROR_HOME`` -> ``mirror_home``."""
        return self.name.removeprefix("KANDJI_").lower()

    def parse(self, raw: object) -> Any:
        """The value in the setting's type; :class:`ConfigurationError` names value, rule and remedy."""
        if isinstance(self.default, bool):
            return self._flag(raw)
        if isinstance(self.default, int | float):
            return self._number(raw)
        value = str(raw).strip()
        if self.choices and value not in self.choices:
            raise self._wrong(raw, f"one of {', '.join(self.choices)}")
        return value

    def _flag(self, raw: object) -> bool:
        word = str(raw).strip().lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise self._wrong(raw, "on or off")
        return word in TRUE_WORDS

    def _number(self, raw: object) -> int | float:
        rule = f"a {'whole ' if isinstance(self.default, int) else ''}number from {self.low:g} to {self.high:g}"
        try:
            value = int(str(raw)) if isinstance(self.default, int) else float(str(raw))
        except ValueError as error:
            raise self._wrong(raw, rule) from error
        if not self.low <= value <= self.high:
            raise self._wrong(raw, rule)
        return value

    def _wrong(self, raw: object, rule: str) -> ConfigurationError:
        shown = "its value" if self.secret else repr(str(raw))
        return ConfigurationError(f"{self.name} is {shown}; it must be {rule}. Change or remove it.")


def _setting(default: Any, help: str, **facts: Any) -> Any:  # noqa: A002  # the word users see
    return field(default=default, metadata={"help": help, **facts})


@dataclass(frozen=True, repr=False)
class Settings:
    """All settings. A field is a setting; its environment variable is ``KANDJI_`` and the name in capitals."""

    subdomain: str = _setting("", "Your tenant: the first part of https://<subdomain>.api.kandji.io.")
    region: str = _setting("us", "Where the tenant lives.", choices=("us", "eu"))
    api_url: str = _setting("", "Full base URL instead of subdomain and region; plain http for loopback only.")
    api_token: str = _setting(
        "",
        "API token. Without it the file `token` (mode 0600) in the configuration folder, then the OS keychain where "
        "the `keyring` extra is installed.",
        secret=True,
    )
    mirror_home: str = _setting("", "Data directory; by default the user's data folder of this system.")
    mirror_budget_dir: str = _setting(
        "",
        "Folder where the requests of all homes of this user are counted, so that together they keep the limits; by "
        "default the user's state folder of this system.",
    )
    mirror_privacy: str = _setting(
        "off",
        "Personal data: `off` shows it to all, `agents` masks it for AI clients alone, `on` never writes it to disk.",
        choices=("off", "agents", "on"),
    )
    mirror_requests_per_second: int = _setting(
        45, "Requests a second, all our processes together; the provider allows a tenant 50.", low=1, high=50
    )
    mirror_requests_per_hour: int = _setting(
        9_000,
        "Requests an hour, all our processes together; the provider allows a tenant 10,000, all tokens together.",
        low=1,
        high=10_000,
    )
    mirror_background: bool = _setting(
        True, "Whether `mcp` syncs in the background, where a token is set and no other process does already."
    )
    mirror_background_share: int = _setting(
        30,
        "Share of the provider's 10,000 requests an hour that syncing in the background may use, in percent.",
        low=1,
        high=100,
    )
    mirror_sweep_requests: int = _setting(
        40,
        "Most requests one `sync` spends on tables that cost a request a device, unless they are named.",
        low=0,
        high=10_000,
    )
    mirror_ttl: str = _setting(
        "", "Other times after which tables are due, such as `devices=10m,apps=2h` (s, m, h, d)."
    )
    mirror_history_days: int = _setting(400, "Days for which changes are kept; 0 keeps no history.", low=0, high=36_500)
    mirror_compliance_file: str = _setting(
        "", "TOML file of compliance rules; by default `compliance.toml` in the data directory, else the built-in ones."
    )
    mirror_read_timeout: float = _setting(
        60.0, "Seconds without a byte after which a request is given up.", low=0.1, high=600
    )
    mirror_ca_file: str = _setting("", "PEM file of extra certificate authorities, for a company proxy.")
    mirror_export_dir: str = _setting(
        "", "Folder for files that AI assistants have written; by default `exports` in the data directory."
    )
    mirror_query_seconds: float = _setting(30.0, "Time limit of one SQL statement.", low=0.1, high=3_600)
    mirror_query_memory_mb: int = _setting(1_024, "Memory limit of one SQL statement.", low=64, high=1_048_576)
    mirror_query_rows: int = _setting(
        1_000_000, "Most rows of one answer on the command line.", low=1, high=1_000_000_000
    )
    mirror_mcp_rows: int = _setting(500, "Most rows of one MCP answer.", low=1, high=100_000)
    mirror_mcp_bytes: int = _setting(
        32_000, "Most bytes of one MCP answer; clients warn from 10,000 tokens on.", low=1_000, high=10_000_000
    )
    mirror_http_host: str = _setting(
        "127.0.0.1",
        "Address `serve` listens on. Beyond loopback it needs KANDJI_MIRROR_HTTP_TOKEN and "
        "KANDJI_MIRROR_HTTP_ALLOWED_HOSTS.",
    )
    mirror_http_port: int = _setting(8_765, "Port `serve` listens on; 0 takes a free one.", low=0, high=65_535)
    mirror_http_token: str = _setting(
        "",
        "Bearer token MCP clients of `serve` must send, 24 characters or more. Without it the file `http_token` "
        "(mode 0600) in the configuration folder.",
        secret=True,
    )
    mirror_http_allowed_hosts: str = _setting(
        "",
        "Names by which clients may reach `serve`, besides those of loopback: `mirror.example.com,10.0.0.5:8765`.",
    )
    mirror_http_allowed_origins: str = _setting(
        "", "Web pages that may ask `serve`, besides those of loopback: `https://portal.example.com`."
    )
    mirror_actions: str = _setting(
        "off", "Whether live actions on devices (lock, erase, ...) and secrets exist at all.", choices=("off", "on")
    )
    mirror_confirm: str = _setting(
        "human",
        "Who may confirm a live action: only a human, or also an AI client or a script with serial number and token.",
        choices=("human", "agent"),
    )
    mirror_action_devices: int = _setting(1, "Most devices of one live action.", low=1, high=1_000)

    @property
    def privacy(self) -> Privacy:
        """Who sees personal data."""
        return Privacy(self.mirror_privacy)

    @property
    def home(self) -> Path:
        """The data directory."""
        if self.mirror_home:
            return Path(self.mirror_home).expanduser()
        from platformdirs import user_data_path  # only needed without an explicit home

        return user_data_path("kandji-mirror")

    @property
    def export_folder(self) -> Path:
        """Where exports of assistants go."""
        return Path(self.mirror_export_dir).expanduser() if self.mirror_export_dir else self.home / "exports"

    @property
    def budget_dir(self) -> Path:
        """Where the requests of all homes are counted."""
        if self.mirror_budget_dir:
            return Path(self.mirror_budget_dir).expanduser()
        from platformdirs import user_state_path  # only those who send need it

        return user_state_path("kandji-mirror") / "budget"

    def __repr__(self) -> str:
        """Without the values: one of them is the token."""
        return "Settings(...)"


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(name=f"KANDJI_{f.name.upper()}", **{"default": f.default, **f.metadata}) for f in fields(Settings)
)
"""One record a setting, in the order of the class."""


def config_dir() -> Path:
    """Folder of ``config.toml`` and ``token``."""
    from platformdirs import user_config_path  # keeps it out of the start of a SQL query with a home set

    return user_config_path("kandji-mirror")


def load(
    environ: Mapping[str, str] | None = None, *, folder: Path | None = None, config: Path | None = None
) -> Settings:
    """Read every setting. ``environ``, the ``folder`` of ``.env`` and the ``config`` file default to the user's own."""
    sources = (
        _from_environment(os.environ if environ is None else environ),
        _from_dotenv(folder or Path.cwd()),
        _from_toml(config or config_dir() / "config.toml"),
    )
    return Settings(**{s.key: _first(s, sources) for s in SETTINGS})


Source = Callable[[Setting], object]


def _first(setting: Setting, sources: tuple[Source, ...]) -> Any:
    for source in sources:
        raw = source(setting)
        if raw is not None and str(raw).strip():
            return setting.parse(raw)
    return setting.default


def _from_environment(environ: Mapping[str, str]) -> Source:
    return lambda setting: environ.get(setting.name)


def _from_dotenv(folder: Path) -> Source:
    path = folder / ".env"
    if not path.is_file():
        return lambda setting: None
    from dotenv import dotenv_values  # only where there is a file

    try:
        values = dotenv_values(path, interpolate=False)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as text: {error}. Correct it or remove it.") from error
    return lambda setting: values.get(setting.name)


def _from_toml(path: Path) -> Source:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return lambda setting: None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as TOML: {error}. Correct it or remove it.") from error
    unknown = sorted(set(values) - {s.key for s in SETTINGS})
    if unknown:
        raise ConfigurationError(
            f"{path} has no setting {', '.join(unknown)}. `kandji-mirror settings` lists them all."
        )
    return lambda setting: values.get(setting.key)
