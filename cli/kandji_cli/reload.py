"""What ``serve`` takes up of settings that are read again, without being started again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kandji_mirror.sync.planner import parse_ttl_overrides
from kandji_schema.errors import ConfigurationError
from kandji_schema.registry import resources
from kandji_schema.setting import PREFIX
from kandji_schema.settings import SETTINGS, Settings
from kandji_schema.trust import TENANT_KEYS

LOG = frozenset({"mirror_log_level", "mirror_log_form"})
"""Keys of settings that hold at once."""

SYNC = frozenset(
    {
        "api_token",
        "mirror_background_share",
        "mirror_disk_free",
        "mirror_disk_limit",
        "mirror_history_days",
        "mirror_read_timeout",
        "mirror_requests_per_hour",
        "mirror_requests_per_second",
        "mirror_ttl",
    }
)
"""Keys of settings that hold from the next run on: syncing begins anew with them."""

COMMANDS = frozenset({"mirror_background", "mirror_query_rows", "mirror_sweep_requests"})
"""Keys of settings of other commands."""


@dataclass(frozen=True)
class Change:
    """``settings`` hold from now on. ``now`` names those that changed, ``later`` those that need a start for it."""

    settings: Settings
    now: tuple[str, ...]
    later: tuple[str, ...]

    @property
    def concerns_sync(self) -> bool:
        """Whether syncing has to begin anew."""
        return bool({*self.now} & set(_names(SYNC)))

    @property
    def words(self) -> str:
        """Say what became of the settings."""
        told = [f"Now in effect: {', '.join(self.now)}."] if self.now else []
        told += [f"In effect after the next start: {', '.join(self.later)}."] if self.later else []
        return " ".join(["Settings were read again.", *(told or ["None has changed."])])


def compared(held: Settings, read: Settings) -> Change:
    """Return what changes from the settings that hold to those that were read now.

    :class:`ConfigurationError` where one cannot be used; those that hold go on then.
    """
    parse_ttl_overrides(read.mirror_ttl, resources())
    changed = {s.key for s in SETTINGS if getattr(held, s.key) != getattr(read, s.key)} - COMMANDS
    other_tenant = changed & {*TENANT_KEYS} - {"api_token"}
    live = changed & (LOG | SYNC) - ({"api_token"} if other_tenant else set())  # a token goes to its own tenant only
    known = held.provenance if other_tenant else read.provenance
    taken = replace(held, provenance=known, **{key: getattr(read, key) for key in live})
    return Change(taken, _names(live), _names(changed - live))


def refused(error: ConfigurationError) -> str:
    """Say that settings are wrong and nothing of them is taken."""
    return f"Settings were read again and are not used, the former ones hold: {error}"


def _names(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{PREFIX}{key.upper()}" for key in sorted(keys))
