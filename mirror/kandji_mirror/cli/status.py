"""``kandji-mirror status``: read from the manifest alone, so it answers also while DuckDB or the tenant do not."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kandji_mirror.cli.output import print_rows, say, warn
from kandji_schema.ages import age
from kandji_schema.manifest import Manifest, TableState, newest_whole
from kandji_schema.settings import load


def show(*, as_json: bool) -> None:
    """Print the state of every table, the newest whole manifest's."""
    home = load().home
    manifest, warnings = newest_whole(home)
    if as_json:
        say(json.dumps(_document(home, manifest, warnings), indent=1))
        return
    warn(warnings)
    now = datetime.now(UTC)
    print_rows(HEAD, (_cells(state, now) for state in manifest.tables.values()), "table")
    say(f"\nTenant {manifest.tenant}, manifest {manifest.generation} in {home}")


HEAD = ("table", "state", "rows", "age", "due after", "last try", "requests", "remarks")


def _cells(state: TableState, now: datetime) -> tuple[str, ...]:
    return (
        state.name,
        state.state.value,
        f"{state.rows:,}",
        age(state.synced_at, now),
        age(now - timedelta(seconds=state.ttl_seconds), now),
        age(state.attempted_at, now),
        str(state.requests),
        state.error or _drift(state),
    )


def _drift(state: TableState) -> str:
    odd = [f"{sum(state.drift.odd.values())} odd values"] if state.drift.odd else []
    unknown = [f"unknown fields {', '.join(state.drift.unknown)}"] if state.drift.unknown else []
    return "; ".join(odd + unknown)


def _document(home: Path, manifest: Manifest, warnings: list[str]) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "home": str(home),
        "tenant": manifest.tenant,
        "generation": manifest.generation,
        "published_at": manifest.published_at.isoformat(),
        "tables": {name: _entry(state, now) for name, state in manifest.tables.items()},
        "warnings": warnings,
    }


def _entry(state: TableState, now: datetime) -> dict[str, Any]:
    return {
        "state": state.state.value,
        "rows": state.rows,
        "synced_at": state.synced_at and state.synced_at.isoformat(),
        "age_seconds": state.synced_at and round((now - state.synced_at).total_seconds(), 1),
        "ttl_seconds": state.ttl_seconds,
        "method": state.method,
        "requests": state.requests,
        "drift": asdict(state.drift),
        "attempted_at": state.attempted_at and state.attempted_at.isoformat(),
        "error": state.error,
    }
