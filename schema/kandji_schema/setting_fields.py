"""Every setting, one field each; parsing, `kandji-mirror settings`, `.env.example` and the docs read it.

pydantic-settings would do the same for 113 ms of import, more than a SQL query may cost on top of DuckDB itself.
"""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from kandji_schema.disk import FREE, LIMIT, DiskBounds, parse_size
from kandji_schema.folders import TENANTS_FOLDER, data_dir, expanded, state_dir
from kandji_schema.privacy import Privacy
from kandji_schema.provider import REQUESTS_PER_HOUR, REQUESTS_PER_SECOND
from kandji_schema.setting import Setting, Trust
from kandji_schema.sources import PROGRAM, Origin, Provenance
from kandji_schema.trust import TENANT_KEYS


def _setting(default: Any, help: str, **facts: Any) -> Any:  # noqa: A002  # the word users see
    return field(default=default, metadata={"help": help, **facts})


@dataclass(frozen=True, repr=False)
class Settings:
    """All settings. A field is a setting; its environment variable is ``KANDJI_`` and the name in capitals."""

    subdomain: str = _setting(
        "", "Your tenant: the first part of https://<subdomain>.api.kandji.io.", trust=Trust.FOLDER
    )
    region: str = _setting("us", "Where the tenant lives.", choices=("us", "eu"), trust=Trust.FOLDER)
    api_url: str = _setting(
        "", "Full base URL instead of subdomain and region; plain http for loopback only.", trust=Trust.FOLDER
    )
    api_token: str = _setting(
        "",
        "API token. Without it the file `token` (mode 0600) in the configuration folder, then the OS keychain where "
        "the `keyring` extra is installed.",
        secret=True,
        trust=Trust.FOLDER,
    )
    mirror_tenant: str = _setting(
        "", "Name of one of several tenants, of a table `[tenants.NAME]` in `config.toml`; as `--tenant NAME`."
    )
    mirror_home: str = _setting(
        "",
        "Data directory; by default the user's data folder of this system. Of a tenant with a name `tenants/NAME` "
        "there, unless its own table says otherwise.",
        path=True,
    )
    mirror_budget_dir: str = _setting(
        "",
        "Folder where the requests of all homes of this user are counted, each tenant's by themselves, so that "
        "together they keep its limits; by default the user's state folder of this system.",
        path=True,
    )
    mirror_privacy: str = _setting(
        "off",
        "Personal data: `off` shows it to all, `agents` masks it for AI clients alone, `on` never writes it to disk.",
        choices=("off", "agents", "on"),
    )
    mirror_requests_per_second: int = _setting(
        45,
        f"Requests a second, all our processes together; the provider allows a tenant {REQUESTS_PER_SECOND}.",
        low=1,
        high=REQUESTS_PER_SECOND,
    )
    mirror_requests_per_hour: int = _setting(
        9_000,
        "Requests an hour, all our processes together; the provider allows a tenant "
        f"{REQUESTS_PER_HOUR:,}, all tokens together.",
        low=1,
        high=REQUESTS_PER_HOUR,
    )
    mirror_background: bool = _setting(
        True, "Whether `mcp` syncs in the background, where a token is set and no other process does already."
    )
    mirror_background_share: int = _setting(
        30,
        f"Share of the provider's {REQUESTS_PER_HOUR:,} requests an hour that syncing in the background may use, in "
        "percent.",
        low=1,
        high=100,
    )
    mirror_sweep_requests: int = _setting(
        40,
        "Most requests one `sync` spends on tables that cost a request a device, unless they are named.",
        low=0,
        high=REQUESTS_PER_HOUR,
    )
    mirror_ttl: str = _setting(
        "", "Other times after which tables are due, such as `devices=10m,apps=2h` (s, m, h, d)."
    )
    mirror_history_days: int = _setting(400, "Days for which changes are kept; 0 keeps no history.", low=0, high=36_500)
    mirror_disk_limit: str = _setting(
        "",
        "Most that the data directory should take, such as `20GB`. Beyond it history grows no more: the oldest goes "
        "for what is new. Current rows are never bounded. Empty: no bound.",
    )
    mirror_disk_free: str = _setting(
        "200MB", "What should stay free on its disk; below it history grows no more, likewise. `0`: no bound."
    )
    mirror_compliance_file: str = _setting(
        "",
        "TOML file of compliance rules; by default `compliance.toml` in the data directory, else the built-in ones.",
        path=True,
    )
    mirror_read_timeout: float = _setting(
        60.0, "Seconds without a byte after which a request is given up.", low=0.1, high=600
    )
    mirror_ca_file: str = _setting("", "PEM file of extra certificate authorities, for a company proxy.", path=True)
    mirror_feeds: str = _setting(
        "",
        "Public feeds that are read into tables of their own: `sofa` (releases of macOS and iOS), `kev` (known "
        "exploited vulnerabilities), or `sofa,kev`. Nothing of the tenant is sent to them. Empty: none.",
    )
    mirror_feed_sofa_url: str = _setting(
        "",
        "Where the documents of `sofa` lie, instead of https://sofafeed.macadmins.io/v2; https, or http on this "
        "machine.",
    )
    mirror_feed_kev_url: str = _setting(
        "",
        "Where the document of `kev` lies, instead of https://www.cisa.gov/sites/default/files/feeds; https, or http "
        "on this machine.",
    )
    mirror_export_dir: str = _setting(
        "",
        "Folder for files that AI assistants have written; by default `exports` in the data directory.",
        path=True,
    )
    mirror_query_seconds: float = _setting(
        30.0, "Time limit of one SQL statement.", low=0.1, high=3_600, trust=Trust.FOLDER
    )
    mirror_query_memory_mb: int = _setting(1_024, "Memory limit of one SQL statement.", low=64, high=1_048_576)
    mirror_query_rows: int = _setting(
        1_000_000, "Most rows of one answer on the command line.", low=1, high=1_000_000_000, trust=Trust.FOLDER
    )
    mirror_pager: str = _setting(
        "", "Command that shows what is longer than the terminal; by default PAGER, else less. `cat` is none."
    )
    mirror_mcp_rows: int = _setting(500, "Most rows of one MCP answer.", low=1, high=100_000, trust=Trust.FOLDER)
    mirror_mcp_bytes: int = _setting(
        32_000,
        "Most bytes of one MCP answer; clients warn from 10,000 tokens on.",
        low=1_000,
        high=10_000_000,
        trust=Trust.FOLDER,
    )
    mirror_http_host: str = _setting(
        "127.0.0.1",
        "Address `serve` listens on. Beyond loopback it needs a token and KANDJI_MIRROR_HTTP_ALLOWED_HOSTS.",
    )
    mirror_http_port: int = _setting(8_765, "Port `serve` listens on; 0 takes a free one.", low=0, high=65_535)
    mirror_http_token: str = _setting(
        "",
        "Bearer token MCP clients of `serve` must send, 24 characters or more. Without it the file `http_token` "
        "(mode 0600) in the configuration folder, which the first start on loopback makes.",
        secret=True,
    )
    mirror_metrics_token: str = _setting(
        "",
        "Bearer token that opens `/metrics` of `serve` and nothing else, 24 characters or more. Without it the file "
        "`metrics_token` (mode 0600) in the configuration folder; the server's own token opens it too.",
        secret=True,
    )
    mirror_ready_hours: int = _setting(
        24, "Age of the device list in hours from which `/readyz` of `serve` says `too old`.", low=1, high=8_760
    )
    mirror_http_allowed_hosts: str = _setting(
        "",
        "Names by which clients may reach `serve`, besides those of loopback: `mirror.example.com,10.0.0.5:8765`.",
    )
    mirror_http_allowed_origins: str = _setting(
        "", "Web pages that may ask `serve`, besides those of loopback: `https://portal.example.com`."
    )
    mirror_oauth_issuer: str = _setting(
        "",
        "Identity provider (OAuth 2.1) at which people sign in to use `serve`, exactly as its tokens name it: "
        "`https://login.example.com`.",
    )
    mirror_oauth_resource: str = _setting(
        "", "URL by which people's clients reach `serve`: `https://mirror.example.com/mcp`."
    )
    mirror_oauth_audience: str = _setting(
        "", "What tokens for `serve` have as `aud`, where that is not KANDJI_MIRROR_OAUTH_RESOURCE."
    )
    mirror_oauth_person: str = _setting(
        "sub", "Claim of the token that names the person in the audit log, such as `email` or `upn`."
    )
    mirror_oauth_scope_claim: str = _setting(
        "scope",
        "Claim that says what a person may: `scope` (also as `scp`), `roles`, `groups`, or a path such as "
        "`realm_access.roles` or `resource_access.my-client.roles`.",
    )
    mirror_oauth_read: str = _setting("mirror:read", "Scope (or role, or group) without which nothing is answered.")
    mirror_oauth_personal: str = _setting(
        "mirror:personal", "Scope with which personal data is not masked in the privacy mode `agents`; empty: nobody's."
    )
    mirror_oauth_act: str = _setting(
        "mirror:act", "Scope with which there are live actions, where these are on; empty: nobody's."
    )
    mirror_actions: str = _setting(
        "off", "Whether live actions on devices (lock, erase, ...) and secrets exist at all.", choices=("off", "on")
    )
    mirror_confirm: str = _setting(
        "human",
        "Who may confirm a live action: only a human, or also an AI client or a script with serial number and token.",
        choices=("human", "agent"),
        trust=Trust.OWNER,
    )
    mirror_action_devices: int = _setting(1, "Most devices of one live action.", low=1, high=1_000)
    mirror_confirm_code_url: str = _setting(
        "",
        "Webhook (https) that brings a person the one-time code without which no live action is confirmed; what is "
        "posted is JSON with `text` and `code`.",
        secret=True,
        trust=Trust.OWNER,
    )
    mirror_confirm_code_command: str = _setting(
        "",
        "Command that brings it instead, read from stdin: `/usr/bin/mail -s code it@example.com`.",
        trust=Trust.OWNER,
    )
    mirror_audit_syslog: str = _setting(
        "",
        "Where syslog gets the head of the audit log after each record: `local`, a socket, or `host:port` (UDP).",
        trust=Trust.OWNER,
    )
    mirror_audit_url: str = _setting(
        "",
        "Webhook (https) that gets it; what is posted is JSON with `seq`, `hash` and `text`.",
        secret=True,
        trust=Trust.OWNER,
    )
    mirror_audit_command: str = _setting("", "Command that gets it, on its stdin.", trust=Trust.OWNER)
    mirror_audit_keychain: bool = _setting(
        False,
        "Whether it is signed by a key in the OS keychain, which also keeps the newest one; needs the `keyring` extra.",
        trust=Trust.OWNER,
    )

    mirror_log_level: str = _setting(
        "auto",
        "From which level on the log is written; `auto` is info for `serve`, and warning for `mcp`, whose log an AI "
        "client keeps.",
        choices=("auto", "debug", "info", "warning", "error"),
    )
    mirror_log_form: str = _setting(
        "auto",
        "Lines of that log: `text` for people, `json` for programs, `auto` text on a terminal and JSON elsewhere.",
        choices=("auto", "text", "json"),
    )

    provenance: Provenance = field(default=Provenance(), compare=False)

    @property
    def privacy(self) -> Privacy:
        """Who sees personal data."""
        return Privacy(self.mirror_privacy)

    @property
    def home(self) -> Path:
        """The data directory."""
        if self.mirror_home:
            return expanded(self.mirror_home)
        return data_dir() / TENANTS_FOLDER / self.mirror_tenant if self.mirror_tenant else data_dir()

    @property
    def export_folder(self) -> Path:
        """Where exports of assistants go."""
        return expanded(self.mirror_export_dir) if self.mirror_export_dir else self.home / "exports"

    @property
    def disk(self) -> DiskBounds:
        """What bounds the growth of history; :class:`ConfigurationError` for what is no size."""
        return DiskBounds(parse_size(self.mirror_disk_limit, LIMIT), parse_size(self.mirror_disk_free, FREE))

    @property
    def budget_dir(self) -> Path:
        """Where the requests of all homes are counted."""
        return expanded(self.mirror_budget_dir) if self.mirror_budget_dir else state_dir() / "budget"

    def origin(self, key: str) -> Origin:
        """Return where the value of that key comes from."""
        return self.provenance.origins.get(key, PROGRAM)

    def given(self, **values: Any) -> "Settings":
        """Return the same with values that the program, or the person on the command line, gives.

        A token that was found for the tenant named before does not go along to another.
        """
        if values.keys() & set(TENANT_KEYS):
            values.setdefault("api_token", self.api_token if self.origin("api_token") is PROGRAM else "")
        origins = {key: origin for key, origin in self.provenance.origins.items() if key not in values}
        return replace(self, **values, provenance=replace(self.provenance, origins=origins))

    def __repr__(self) -> str:
        """Without the values: one of them is the token."""
        return "Settings(...)"


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(name=f"KANDJI_{f.name.upper()}", **{"default": f.default, **f.metadata})
    for f in fields(Settings)
    if f.metadata
)
"""One record a setting, in the order of the class."""
