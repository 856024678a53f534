"""``/status``: how old and how whole every table is, what it costs, who syncs. It answers without data files too."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kandji_mcp_server.context import ServerContext
from kandji_mirror.api.usage import usage
from kandji_mirror.store.lock import holder
from kandji_queries.results.data_notes import is_overdue
from kandji_schema.durations import age, ago, in_words
from kandji_schema.feeds import is_on
from kandji_schema.folders import CHECKS_FILE
from kandji_schema.manifest import Manifest, State, TableState, newest_whole
from kandji_schema.text import counted
from kandji_web.asking import mirror_of
from kandji_web.rendering import page

if TYPE_CHECKING:
    from kandji_watch.standing import CheckLine as CheckStands

CHECK_TONES = {"ok": "good", "findings": "warn", "no answer": "bad", "wrong": "bad"}
TONES = {State.OK: "good", State.FAILED: "bad", State.FORBIDDEN: "warn", State.PARTIAL: "warn"}


@dataclass(frozen=True)
class TableLine:
    """One table: ``tone`` colours its state, ``remarks`` are sentences."""

    name: str
    state: str
    tone: str
    rows: int
    age: str
    due: str
    overdue: bool
    method: str
    remarks: tuple[str, ...]


async def status(request: Request) -> Response:
    """Show the state of the mirror and of every table; those with trouble first."""
    return await to_thread.run_sync(_page, request, mirror_of(request))


def _page(request: Request, mirror: ServerContext) -> Response:
    manifest, warnings = newest_whole(mirror.home)
    now = datetime.now(UTC)
    found = (_line(state, now, mirror.settings.mirror_feeds) for state in manifest.tables.values())
    lines = sorted(found, key=lambda line: not line.remarks)
    return page(
        request,
        "status.html",
        checks=_checks(mirror, now),
        title="Status",
        facts=dict(_facts(mirror, manifest, now)),
        lines=lines,
        warnings=warnings,
        overdue=sum(line.overdue for line in lines),
    )


def _checks(mirror: ServerContext, now: datetime) -> "dict[str, Any] | None":
    """Return the checks as they stand; None where there is no file of them."""
    if not (mirror.home / CHECKS_FILE).exists():
        return None
    from kandji_watch.standing import overview  # only where there are checks

    found = overview(mirror.home, mirror.settings.privacy, now)
    lines = [_check_line(line, now, told=not mirror.masked) for line in found.on]
    return {"words": found.sentence(now) if not mirror.masked else "", "lines": lines}


def _check_line(line: "CheckStands", now: datetime, *, told: bool) -> dict[str, Any]:
    """Return a check as the page has it; ``told``: what is wrong with it, which may repeat a value of the data."""
    return {
        "name": line.name,
        "title": line.title,
        "state": line.state,
        "tone": CHECK_TONES.get(line.state, ""),
        "found": line.found,
        "asked": ago(line.asked_at, now) if line.asked_at else "never",
        "next": in_words((line.next_at - now).total_seconds()) if line.next_at else "",
        "tell": ", ".join(line.tell) or "nobody",
        "words": line.words if told else "",
    }


def _facts(mirror: ServerContext, manifest: Manifest, now: datetime) -> Iterator[tuple[str, str]]:
    settings, syncing = mirror.settings, holder(mirror.home)
    yield "Tenant", manifest.tenant
    yield "Published", f"{ago(manifest.published_at, now)}, state {manifest.generation:,}"
    yield "Syncing now", f"for {age(syncing.since, now)}" if syncing else "no"
    if spent := usage(mirror.home, now):
        limit = settings.mirror_requests_per_hour
        yield "Requests in the last hour", f"{spent.requests:,} of {limit:,}, {spent.background:,} in the background"
    if manifest.history:
        since = min(segment.since for segment in manifest.history)
        changes = sum(sum(segment.tables.values()) for segment in manifest.history)
        yield "History", f"{counted(changes, 'change')} since {since:%Y-%m-%d}"
    if reached := settings.disk.reached(mirror.home):
        yield "Disk", reached
    yield "Privacy", settings.privacy.value


def _line(state: TableState, now: datetime, feeds: str) -> TableLine:
    remarks = (state.error, state.note, state.ttl_reason and f"due later than declared: {state.ttl_reason}")
    return TableLine(
        name=state.name,
        state=state.state_word,
        tone=TONES.get(state.state, ""),
        rows=state.rows,
        age=age(state.synced_at, now),
        due=in_words(state.ttl_seconds),
        overdue=is_on(state.name, feeds) and is_overdue(state.synced_at, state.ttl_seconds, now),
        method=state.method or "",
        remarks=tuple(remark for remark in remarks if remark),
    )


ROUTES = [Route("/status", status)]
