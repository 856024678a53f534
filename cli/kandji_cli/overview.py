"""``kandji-mirror overview``: the fleet in numbers, each with the command that lists what is behind it."""

import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from kandji_cli import page
from kandji_cli.home_to_read import settings_to_read
from kandji_cli.output import say, say_document, tell
from kandji_cli.reads import open_reader
from kandji_mirror.api.usage import Usage, usage
from kandji_queries.overview import Behind, Line, Overview, Section, read_overview
from kandji_queries.results.text_table import width
from kandji_queries.results.wording import UNKNOWN, read_ages
from kandji_schema.manifest import newest_whole
from kandji_schema.settings import Settings
from kandji_schema.text import counted, escaped

BAR = 10
"""Columns of a bar; a page that has no room for it has none."""

WIDE = 100
"""Columns of a page from which on it has bars."""


def show_overview(*, as_json: bool) -> None:
    """Print the fleet in numbers: :class:`NothingMirrored` before the first sync."""
    settings, now = settings_to_read(told=True), datetime.now(UTC)
    with open_reader(lazy=False) as reader:
        found = read_overview(reader)
    spent = usage(settings.home, now)
    if as_json:
        say_document(_document(found, spent, settings))
        return
    for line in _page(found, spent, settings, now):
        say(line)
    for note in found.notes:
        tell(note)


def command(behind: Behind | None) -> str:
    """Return the arguments of the command that lists what is behind a number."""
    if behind is None:
        return ""
    if behind.sql:
        return f'sql "{behind.sql}"'
    if not behind.query:
        return "status"
    params = (f"-p {shlex.quote(f'{name}={value}')}" for name, value in (behind.params or {}).items())
    return " ".join(["query", behind.query, *params])


def _document(found: Overview, spent: Usage | None, settings: Settings) -> dict[str, Any]:
    return {
        "sections": {section.name: [_entry(line) for line in section.lines] for section in found.sections},
        "budget": {
            "requests_last_hour": spent and spent.requests,
            "requests_per_hour": settings.mirror_requests_per_hour,
        },
        "as_of": dict(found.as_of),
        "notes": list(found.notes),
    }


def _entry(line: Line) -> dict[str, object]:
    share = {"of": line.whole, "unknown": line.unknown} if line.whole is not None else {}
    return {"fact": line.fact, "n": line.n, **share, "command": f"kandji-mirror {command(line.behind)}"}


def _page(found: Overview, spent: Usage | None, settings: Settings, now: datetime) -> Iterator[str]:
    manifest, _ = newest_whole(settings.home)
    yield f"The fleet of {escaped(manifest.tenant)}"
    yield from page.paragraph(f"{read_ages(found.as_of, now)} {_budget(spent, settings)}", indent="")
    told = [(section, list(_numbers(section))) for section in found.sections if section.lines]
    column = max((width(left) for _, lines in told for left in lines), default=0)
    for section, lines in told:
        yield page.heading(section.title)
        before: Behind | None = None
        for line, left in zip(section.lines, lines, strict=True):
            again = _lists_too(before, line.behind)
            yield from _beside(left, "" if again else _listed(line.behind), column)
            before = before if again else line.behind
    yield ""
    yield from page.paragraph(
        "On the right: the query that lists it, also for the lines below (`kandji-mirror query NAME`), or the command.",
        indent="",
    )


def _listed(behind: Behind | None) -> str:
    """Return what lists it: a command, that of a named query without its first word, which all would have."""
    return command(behind).removeprefix("query ")


def _lists_too(before: Behind | None, behind: Behind | None) -> bool:
    """Tell whether what was named last lists this one too: the same, or the query for all of them."""
    if before is None or behind is None:
        return False
    return before == behind or (before.query != "" and before.query == behind.query and not before.params)


def _numbers(section: Section) -> Iterator[str]:
    """Yield what is known of each line, in columns."""
    facts = [escaped(line.fact) for line in section.lines]
    numbers = [UNKNOWN if line.n is None else f"{line.n:,}" for line in section.lines]
    wholes = ["" if line.whole is None else f"/{line.whole:,}" for line in section.lines]
    shares = ["" if line.percent is None else _percent(line.percent) for line in section.lines]
    label, number, whole, share = (max(map(width, cells)) for cells in (facts, numbers, wholes, shares))
    bars = page.page_width() >= WIDE
    for line, fact, n, of, part in zip(section.lines, facts, numbers, wholes, shares, strict=True):
        told = f"{fact}{' ' * (label - width(fact))}  {n:>{number}}{of:<{whole}}"
        told += _bar(line) if bars else ""
        told += f"  {part:>{share}}" if part else ""
        yield told.rstrip() + (f", {line.unknown:,} unknown" if line.unknown else "")


def _beside(left: str, right: str, column: int) -> Iterator[str]:
    """Yield what is known and what lists it beside each other, or below where there is no room."""
    room = page.page_width() - len(page.INDENT)
    start = min(column + len(page.GAP), room - width(right))
    if start >= width(left) + len(page.GAP):
        yield f"{page.INDENT}{left}{' ' * (start - width(left))}{right}".rstrip()
    else:
        yield f"{page.INDENT}{left}".rstrip()
        yield from ([f"{page.INDENT}{right:>{room}}"] if right else [])


def _percent(share: float) -> str:
    """Write a share so that what is not all never reads as all."""
    if 99.5 <= share < 100:
        return "> 99 %"
    return "< 1 %" if 0 < share < 0.5 else f"{share:.0f} %"


def _bar(line: Line) -> str:
    if line.percent is None:
        return ""
    full = int(line.percent * BAR / 100)
    return f"  {'█' * full}{'░' * (BAR - full)}"


def _budget(spent: Usage | None, settings: Settings) -> str:
    if spent is None:
        return ""
    return f"{counted(spent.requests, 'request')} of {settings.mirror_requests_per_hour:,} in the last hour."
