"""A simulated tenant on loopback and settings that let live actions at it, for the command line and MCP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import make_tenant

from kandji_mirror.audit.log import AuditLog, Record, actor
from kandji_schema.settings import Settings
from kandji_simulator import TOKEN, LoggedRequest, Tenant, serve
from kandji_simulator.world.records import Device


@dataclass(frozen=True)
class Live:
    """One tenant and one home."""

    tenant: Tenant
    home: Path
    url: str

    def device(self, platform: str = "Mac") -> Device:
        """The first device of that platform that is there."""
        found = (d for d in self.tenant.world.devices.values() if d.platform == platform and not d.removed)
        return next(found)

    def settings(self, **facts: Any) -> Settings:
        """Live actions on, unless ``facts`` say otherwise."""
        own = {"api_url": self.url, "api_token": TOKEN, "mirror_home": str(self.home), "mirror_background": False}
        return Settings(**{**own, "mirror_actions": "on", **facts})

    def environment(self, **more: str) -> dict[str, str]:
        """The same for a process."""
        own = {"KANDJI_API_URL": self.url, "KANDJI_API_TOKEN": TOKEN, "KANDJI_MIRROR_ACTIONS": "on"}
        return {**own, **more}

    def writes(self) -> list[LoggedRequest]:
        """Every write and every read of a secret that arrived."""
        return [r for r in self.tenant.requests if r.method != "GET" or "/secrets/" in r.path]

    def records(self) -> list[Record]:
        """What the audit log holds."""
        return AuditLog(self.home, actor()).records()

    def events(self) -> list[tuple[str, str]]:
        """Event and action of every record."""
        return [(r["event"], r["action"]) for r in self.records()]

    def files(self) -> bytes:
        """Every byte in the home."""
        return b"".join(path.read_bytes() for path in self.home.rglob("*") if path.is_file())


@contextmanager
def live(home: Path, devices: int = 20) -> Iterator[Live]:
    """Served until the block ends."""
    tenant = make_tenant(devices)
    with serve(tenant) as server:
        yield Live(tenant, home, server.url)
