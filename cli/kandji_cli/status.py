"""``kandji-mirror status``: read from the manifest and small files beside it, never from DuckDB or the tenant."""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from kandji_cli.feed_words import by_name, in_short
from kandji_cli.home_to_read import settings_to_read
from kandji_cli.output import print_rows, say, say_document, tell, warn, warn_of_foreign_home
from kandji_mirror.api.usage import Usage, tenant_remaining, usage
from kandji_mirror.store.lock import Holder, holder
from kandji_queries.results.text_table import broken_text
from kandji_schema.durations import age, ago, in_future, in_words, seconds_since
from kandji_schema.errors import ConfigurationError
from kandji_schema.folders import CHECKS_FILE, METRICS_TOKEN_FILE, config_dir, http_token_file, token_file
from kandji_schema.manifest import Drift, Manifest, Segment, TableState, newest_whole
from kandji_schema.privacy import Privacy
from kandji_schema.setting import Setting
from kandji_schema.settings import SETTINGS, Settings, load
from kandji_schema.text import counted, escaped, size
from kandji_schema.utc import in_seconds

if TYPE_CHECKING:
    from kandji_watch.standing import Overview

HEAD = ("table", "state", "rows", "age", "due after", "checked", "tried", "requests", "method")

NARROW = HEAD[:5]
"""Columns for a terminal that has no room for all."""

ROOM = 110
"""What all columns take."""

NAMED = 5
"""Fields that are named in one remark; of more there is the number."""


def show_status(*, as_json: bool) -> None:
    """Print the state of every table, the newest whole manifest's, then what the syncing costs and who does it."""
    settings, now = settings_to_read(), datetime.now(UTC)
    _ = settings.disk  # what is no size is told before anything is printed
    warn_of_foreign_home(settings)
    manifest, warnings = newest_whole(settings.home)
    if as_json:
        say_document(_document(settings, manifest, warnings, now))
        return
    warn(warnings)
    states = manifest.tables.values()
    heads = NARROW if sys.stdout.isatty() and shutil.get_terminal_size().columns < ROOM else HEAD
    print_rows(heads, (row[: len(heads)] for row in _columns(states, now)), "table")
    _say_remarks(states, now)
    say()
    for head, text in _facts(settings, manifest, now):
        room = shutil.get_terminal_size().columns - 10 if sys.stdout.isatty() else len(text)
        say(f"{head:<9} " + f"\n{'':<10}".join(broken_text(text, room, whole_words=True)))
    if heads is NARROW:
        tell(f"A wider terminal and --json tell more of each table: {', '.join(HEAD[len(NARROW) :])}.")


def _columns(states: Iterable[TableState], now: datetime) -> Iterator[tuple[str, ...]]:
    """Make one line a table; numbers are padded to stand under each other."""
    listed = list(states)
    rows = _right("rows", (state.rows for state in listed))
    requests = _right("requests", (state.requests for state in listed))
    for state, row_count, request_count in zip(listed, rows, requests, strict=True):
        yield (
            state.name,
            state.state_word,
            row_count,
            age(state.synced_at, now),
            in_words(state.ttl_seconds) + ("*" if state.ttl_reason else ""),
            age(state.checked_at, now) if state.checked_at else "",
            age(state.attempted_at, now),
            request_count,
            state.method or "",
        )


def _right(head: str, numbers: Iterable[int]) -> list[str]:
    texts = [f"{number:,}" for number in numbers]
    width = max(map(len, [head, *texts]))
    return [text.rjust(width) for text in texts]


def _say_remarks(states: Iterable[TableState], now: datetime) -> None:
    width = max(60, shutil.get_terminal_size((120, 24)).columns)
    remarks = [f"{state.name}: {escaped(remark)}" for state in states for remark in _remarks(state, now)]
    for line in ["", *remarks] if remarks else ():
        say("\n".join(wrap(line, width, subsequent_indent="    ")))


def _remarks(state: TableState, now: datetime) -> Iterator[str]:
    """Say what there is to say of a table beyond its line, each a sentence."""
    if in_future(state.synced_at, now) or in_future(state.attempted_at, now):
        yield f"last read at {state.attempted_at:%Y-%m-%d %H:%M} UTC, in the future: a clock is or was wrong; it is due"
    if state.error:
        yield state.error
    if state.note:
        yield state.note
    if state.ttl_reason:
        yield f"* due after {in_words(state.ttl_seconds)}, stretched: {state.ttl_reason}"
    if drift := "; ".join(_drift(state.drift)):
        yield drift


def _drift(drift: Drift) -> Iterator[str]:
    if drift.unknown:
        yield f"unknown fields: {_counted(drift.unknown)}"
    if drift.odd:
        yield f"odd values: {_counted(drift.odd)}"
    if drift.missing:
        yield f"missing fields: {_some(drift.missing)}"


def _counted(counts: Mapping[str, int]) -> str:
    """List fields with the number of rows, the most frequent first."""
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return _some([f"{name} ({count:,})" for name, count in frequent])


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more


def _facts(settings: Settings, manifest: Manifest, now: datetime) -> Iterator[tuple[str, str]]:
    yield "Requests", _spent(usage(settings.home, now), settings)
    left = tenant_remaining(settings.home)
    if left is not None:
        yield "Tenant", f"{counted(left, 'request')} left in its hour when the provider last said so"
    yield "History", _history(manifest.history, now)
    if reached := settings.disk.reached(settings.home):
        yield "Disk", reached
    yield "Privacy", _privacy(settings, manifest)
    if checks := _checks(settings, now):
        yield "Checks", checks.sentence(now) or "none is on"
    yield "Feeds", in_short(settings, now)
    yield "Syncing", _syncing(holder(settings.home), now)
    published = f"published {ago(manifest.published_at, now)}"
    if settings.mirror_tenant:
        yield "Profile", f"{settings.mirror_tenant}, of {counted(len(settings.provenance.profiles), 'tenant')} here"
    yield "Mirror", f"tenant {manifest.tenant}, manifest {manifest.generation}, {published}, in {settings.home}"


def _spent(spent: Usage | None, settings: Settings) -> str:
    if spent is None:
        return "none counted yet"
    return (
        f"{spent.requests:,} of {settings.mirror_requests_per_hour:,} in the last hour by all our processes, "
        f"{spent.background:,} of them in the background (its share: {settings.mirror_background_share} %)"
    )


_MODES = {
    Privacy.OFF: "off, personal data is shown to everyone",
    Privacy.AGENTS: "agents, AI clients see pseudonyms in place of personal data",
    Privacy.ON: "on, personal data is never written to disk",
}


def _privacy(settings: Settings, manifest: Manifest) -> str:
    waiting = manifest.unlike(settings.privacy)
    rest = f"; {counted(len(waiting), 'table')} not yet: the next sync does it" if waiting else ""
    return f"{_MODES[settings.privacy]}{rest}"


def _history(segments: tuple[Segment, ...], now: datetime) -> str:
    if not segments:
        return "no changes yet"
    facts = _history_facts(segments)
    since = min(segment.since for segment in segments)
    return (
        f"{counted(facts['events'], 'change')} since {since:%Y-%m-%d} ({age(since, now)}), "
        f"{counted(facts['files'], 'file')}, {size(facts['bytes'])}"
    )


def _syncing(found: Holder | None, now: datetime) -> str:
    return f"process {found.pid}, for {age(found.since, now)}" if found else "no process at this moment"


def _document(settings: Settings, manifest: Manifest, warnings: list[str], now: datetime) -> dict[str, Any]:
    home: Path = settings.home
    spent, syncing = usage(home, now), holder(home)
    return {
        "home": str(home),
        "profile": settings.mirror_tenant or None,
        "tenant": manifest.tenant,
        "generation": manifest.generation,
        "published_at": in_seconds(manifest.published_at),
        "tables": {name: _entry(state, now) for name, state in manifest.tables.items()},
        "budget": {
            "requests_last_hour": spent and spent.requests,
            "requests_per_hour": settings.mirror_requests_per_hour,
            "background_last_hour": spent and spent.background,
            "background_share_percent": settings.mirror_background_share,
            "tenant_remaining": tenant_remaining(home),
        },
        "history": _history_facts(manifest.history),
        "disk": {"limit": settings.disk.limit, "free": settings.disk.free, "reached": settings.disk.reached(home)},
        "privacy": {"mode": settings.privacy, "not_yet": manifest.unlike(settings.privacy)},
        "checks": _check_facts(_checks(settings, now), now),
        "feeds": by_name(settings),
        "syncing": syncing and {"pid": syncing.pid, "since": in_seconds(syncing.since)},
        "warnings": warnings,
    }


def _checks(settings: Settings, now: datetime) -> "Overview | None":
    """Return how the checks stand; None where there is no file of them."""
    if not (settings.home / CHECKS_FILE).exists():
        return None
    from kandji_watch.standing import overview  # only where there are checks

    return overview(settings.home, settings.privacy, now)


def _check_facts(found: "Overview | None", now: datetime) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "exit_code": found.exit_code,
        "words": found.sentence(now),
        "on": len(found.on),
        "findings": sum(line.found for line in found.on),
        "waiting": len(found.waiting),
        "failed": len(found.failed),
    }


def _history_facts(segments: tuple[Segment, ...]) -> dict[str, Any]:
    return {
        "since": in_seconds(min((segment.since for segment in segments), default=None)),
        "until": in_seconds(max((segment.until for segment in segments), default=None)),
        "files": len(segments),
        "bytes": sum(segment.bytes for segment in segments),
        "events": sum(sum(segment.tables.values()) for segment in segments),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _entry(state: TableState, now: datetime) -> dict[str, Any]:
    return {
        "state": state.state_word,
        "rows": state.rows,
        "synced_at": in_seconds(state.synced_at),
        "age_seconds": _rounded(seconds_since(state.synced_at, now)),
        "ttl_seconds": state.ttl_seconds,
        "ttl_reason": state.ttl_reason,
        "method": state.method,
        "requests": state.requests,
        "whole_at": in_seconds(state.whole_at),
        "checked_at": in_seconds(state.checked_at),
        "drift": asdict(state.drift),
        "attempted_at": in_seconds(state.attempted_at),
        "error": state.error,
        "note": state.note,
    }


_IN_USE: dict[str, Callable[[Settings], object]] = {
    "mirror_home": lambda settings: settings.home,
    "mirror_budget_dir": lambda settings: settings.budget_dir,
    "mirror_export_dir": lambda settings: settings.export_folder,
}
"""Settings whose default depends on the machine: what is used."""


def show_settings(form: str) -> None:
    """Print every setting with its value and where that comes from; of a secret only whether it is set."""
    values = load(doubtful=True)
    rows = [(s.name, _shown(s, values), _source(s, values), str(s.default) or "-", s.meaning) for s in SETTINGS]
    if form == "table" and sys.stdout.isatty():
        print_rows(("setting", "value, and what it means"), [line for row in rows for line in _two_lines(*row)], form)
    else:
        print_rows(("setting", "value", "source", "default", "meaning"), rows, form)


def _two_lines(name: str, value: str, source: str, default: str, meaning: str) -> Iterator[tuple[str, str]]:
    """Give a setting as people read it: its value with where that comes from, below it what it means."""
    usual = f", default {default}" if default not in {value, "-"} and source != "default" else ""
    yield name, f"{value} ({source}{usual})"
    yield "", meaning


def _shown(setting: Setting, values: Settings) -> str:
    """Return the present value as text that may be seen by anyone."""
    value = getattr(values, setting.key)
    if setting.secret:
        return "set" if value or _stored(setting, values) else "not set"
    try:
        used = _IN_USE[setting.key](values) if setting.key in _IN_USE else value
        return str(used) or "-"
    except ConfigurationError:
        return "-"  # there is no such folder, which doctor tells


def _source(setting: Setting, values: Settings) -> str:
    """Tell where the present value comes from: the environment, a file, or nowhere."""
    if setting.secret and not getattr(values, setting.key):
        return _stored(setting, values) or values.origin(setting.key).place
    return values.origin(setting.key).place


_SECRET_FILES: dict[str, Callable[[str], Path]] = {
    "api_token": token_file,
    "mirror_http_token": http_token_file,
    "mirror_metrics_token": lambda _: Path(METRICS_TOKEN_FILE),
}
"""Secrets that may stand in a file of the configuration folder instead, and where a tenant has it there."""


def _stored(setting: Setting, values: Settings) -> str | None:
    """Return the file of a secret in the configuration folder, where there is one."""
    file = _SECRET_FILES.get(setting.key)
    if file is None:
        return None
    try:
        path = config_dir() / file(values.mirror_tenant)
    except ConfigurationError:
        return None
    return str(path) if path.is_file() else None
