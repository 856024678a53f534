"""``kandji-mirror feed``: documents of public feeds into tables, and how old each is."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from kandji_cli.output import say_document, tell, warn
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.feeds.load import load_files
from kandji_mirror.report import Report
from kandji_mirror.state import record_run
from kandji_schema.durations import age
from kandji_schema.errors import StoreError
from kandji_schema.feed_state import ages, documents
from kandji_schema.feeds import FEEDS, feed_of
from kandji_schema.home import mirrored, name_here, refuse_foreign
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted


def load_documents(files: Sequence[Path], name: str | None, *, accept_fewer: bool, as_json: bool) -> None:
    """Load documents from files into the mirror and print what came of them."""
    settings = load()
    report = load_files(
        settings.home,
        tenant_of(settings),
        files,
        feed=FEEDS[name] if name else None,
        accept_fewer=accept_fewer,
        keep_days=settings.mirror_history_days,
        privacy=settings.privacy,
    )
    try:
        record_run(settings.home, report)
    except StoreError as error:
        warn([str(error)])
    if as_json:
        say_document(asdict(report))
    else:
        _summarise(settings.home, report)


def tenant_of(settings: Settings) -> str:
    """Return the tenant of the home: the one mirrored there, else the one that the settings name.

    :class:`ConfigurationError` where the home is another tenant's, and where neither names any.
    """
    refuse_foreign(settings)
    return mirrored(settings.home) or name_here(settings, base_url(settings))


def _summarise(home: Path, report: Report) -> None:
    """Print a line for each feed: how old its documents are, and how many rows its tables have."""
    warn(report.warnings)
    now, known = datetime.now(UTC), documents(home)
    for feed in dict.fromkeys(feed_of(outcome.table) for outcome in report.outcomes):
        if feed is None:
            continue
        parts = [f"{name} {age(moment, now)} old" for name, moment in ages(feed, known).items() if moment]
        rows = [f"{o.table} {counted(o.rows, 'row')}" for o in report.outcomes if o.table in feed.tables]
        tell(f"{feed.name} ({', '.join(parts)}): {', '.join(rows)}.")
    for outcome in report.outcomes:
        if outcome.error:
            tell(f"{outcome.table}: {outcome.error}")
