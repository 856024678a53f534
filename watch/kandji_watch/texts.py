"""Texts: what somebody is told, as a document, and as lines for eyes: what, how many, since when, where to look.

A document is JSON: ``id``, ``check``, ``title``, ``severity``, ``headline``, ``new`` and ``ended`` (the first rows,
each with ``label``, ``since`` and ``row``), ``new_count``, ``ended_count``, ``total`` (found now), ``trouble`` (why the
check cannot be answered), ``as_of`` by table, ``notes``, ``link``, ``command``, ``made_at``, ``test``. When it is sent
``may_have_been_told_before`` is added.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from kandji_queries.results.dates import date_line
from kandji_schema.durations import age
from kandji_schema.manifest import State
from kandji_schema.text import one_line
from kandji_schema.utc import in_seconds
from kandji_watch.conditions import Number, Older, Question, Rows, Silent
from kandji_watch.definition import Check
from kandji_watch.findings import ROW, TROUBLE, Finding

FORMAT = 1
"""Version of the document."""

LONGEST_LABEL = 160
LONGEST_CELL = 60
LONGEST_NOTE = 300
MOST_NOTES = 3
MOST_CELLS = 4
"""Columns of a row that are told where the check names none."""

REPEATED = "May have been told before: nobody knows whether it arrived."
TEST = "This is a test; nothing was found."

_NOT_TOLD = (
    "device_id",
    "blueprint_id",
    "user_id",
    "item_id",
    "library_item_id",
    "token_id",
    "id",
    "path",
    "file_hash",
)
"""Columns that tell people little, left out where others are there."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")

Document = dict[str, Any]


def telling(
    check: Check,
    began: Sequence[Finding],
    ended: Sequence[Finding],
    *,
    telling_id: str,
    total: int,
    baseline: int | None,
    as_of: Mapping[str, str | None],
    notes: Sequence[str],
    pages: str,
    now: datetime,
) -> Document:
    """Return the document of what is new and what ended; ``baseline`` is how many were there at the first look."""
    new = [each for each in began if each.kind == ROW]
    over = [each for each in ended if each.kind == ROW]
    trouble = next((str(each.row["trouble"]) for each in began if each.kind == TROUBLE and not each.ended_at), "")
    answered = any(each.kind == TROUBLE for each in ended)
    return {
        "format": FORMAT,
        "id": telling_id,
        "check": check.name,
        "title": check.title,
        "severity": check.severity,
        "headline": _headline(check, new, over, total, trouble, answered, baseline),
        "new_count": len(new),
        "ended_count": len(over),
        "total": total,
        "trouble": trouble or None,
        "new": [_entry(check, each, "over after ") for each in new[: check.rows]],
        "ended": [_entry(check, each) for each in over[: check.rows]],
        "as_of": dict(as_of),
        "dated": date_line(as_of, now),
        "notes": [cut(note, LONGEST_NOTE) for note in notes[:MOST_NOTES]],
        "link": _link(check, pages),
        "command": _command(check),
        "made_at": in_seconds(now),
        "test": False,
    }


def test_document(check: Check, telling_id: str, pages: str, now: datetime) -> Document:
    """Return a document that says of itself that it is a test."""
    empty = telling(
        check, (), (), telling_id=telling_id, total=0, baseline=None, as_of={}, notes=(), pages=pages, now=now
    )
    return {**empty, "test": True, "headline": f"TEST of {check.title}", "notes": [TEST]}


def plain_document(title: str, words: str, telling_id: str, now: datetime) -> Document:
    """Return the document of something that no check found, such as that what was remembered is damaged."""
    lists: Document = {"new": [], "ended": [], "as_of": {}, "new_count": 0, "ended_count": 0, "total": 0}
    return {
        **lists,
        "format": FORMAT,
        "id": telling_id,
        "check": "",
        "title": title,
        "severity": "warning",
        "headline": title,
        "trouble": words,
        "dated": "",
        "notes": [],
        "link": "",
        "command": "kandji-mirror check list",
        "made_at": in_seconds(now),
        "test": False,
    }


def headline(document: Document) -> str:
    """Return the first line: severity, title and numbers."""
    return cut(f"[{document['severity']}] {document['headline']}", 200)


def lines(document: Document, *, repeated: bool) -> Iterator[str]:
    """Yield the other lines for eyes; ``repeated``: it may have been told before."""
    if document["trouble"]:
        yield cut(document["trouble"], 500)
    yield from _listed("New", document["new"], document["new_count"])
    yield from _listed("Ended", document["ended"], document["ended_count"])
    yield from document["notes"]
    if document["dated"]:
        yield document["dated"]
    if document["link"]:
        yield f"Look: {document['link']}"
    elif document["command"]:
        yield f"Look: {document['command']}"
    made = f"{document['made_at'][:16].replace('T', ' ')} UTC"  # ages above are of then: it may arrive days later
    yield f"Id {document['id']}, {made}.{f' {REPEATED}' if repeated else ''}"


def label(check: Check, finding: Finding) -> str:
    """Return a thing in a line: what its columns say."""
    return row_label(check, finding.row)


def row_label(check: Check, row: Mapping[str, Any]) -> str:
    """Return a row in a line: the columns of the check, else the first few that tell people something."""
    if isinstance(check.condition, Number) and "number" in row:
        return f"{row['number']:,g}, {row['rule']}"
    if isinstance(check.condition, Older) and not check.columns:
        return _late_table(row)
    names = check.columns or [*_telling(row)][:MOST_CELLS]
    cells = [_cell(name, row[name]) for name in names if name in row and row[name] is not None]
    return cut(", ".join(cells) or "(no values)", LONGEST_LABEL)


def _late_table(row: Mapping[str, Any]) -> str:
    """Say how late a table is: ``devices, read 2026-11-20 12:00 UTC, due after 5 min``; its state where that is new."""
    state = row["state"] if row["state"] not in {row["read"], State.OK.value} else None
    return ", ".join(filter(None, [row["table"], _cell("read", row["read"]), f"due after {row['due_after']}", state]))


def cut(text: str, most: int) -> str:
    """Return a text on one line, with at most so many characters."""
    plain = one_line(text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _headline(
    check: Check,
    new: Sequence[Finding],
    over: Sequence[Finding],
    total: int,
    trouble: str,
    answered: bool,
    baseline: int | None,
) -> str:
    if trouble:
        return f"{check.title}: cannot be answered"
    words = []
    if baseline is not None:
        words.append(f"{baseline:,} are there at the first look, from now on new ones are told")
    if isinstance(check.condition, Number | Silent):
        words += [label(check, each) for each in new] + ["it is over"] * bool(over)
    else:
        words += [f"{len(new):,} new"] * bool(new) + [f"{len(over):,} ended"] * bool(over)
        words += [f"{total:,} in all"] * bool(new or over)
    if answered and not words:
        words.append(f"can be answered again, {total:,} in all" if total else "can be answered again")
    return f"{check.title}: {', '.join(words)}" if words else check.title


def _entry(check: Check, finding: Finding, gone: str = "") -> dict[str, Any]:
    """Return a finding as it is listed; ``gone`` are the words before how long one lasted that is over."""
    words = label(check, finding)
    if finding.ended_at:
        words = f"{words} ({gone}{age(finding.began_at, finding.ended_at)})"
    since = in_seconds(finding.began_at)
    return {"label": words, "since": since, "ended": in_seconds(finding.ended_at), "row": dict(finding.row)}


def _listed(head: str, entries: Sequence[Mapping[str, Any]], count: int) -> Iterator[str]:
    if not entries:
        return
    moments = sorted({entry["since" if head == "New" else "ended"] or "" for entry in entries})
    when = f" since {moments[0][:16].replace('T', ' ')} UTC" if head == "New" and moments[0] else ""
    yield f"{head}{when}:"
    yield from (f"- {entry['label']}" for entry in entries)
    if count > len(entries):
        yield f"- and {count - len(entries):,} more"


def _telling(row: Mapping[str, Any]) -> Iterable[str]:
    seen = [name for name in row if name not in _NOT_TOLD]
    return seen or row


def _cell(name: str, value: object) -> str:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return f"{name} {value[:16].replace('T', ' ')} UTC"
    if isinstance(value, str):
        return cut(value, LONGEST_CELL)
    if isinstance(value, bool):
        return f"{name} {'yes' if value else 'no'}"
    return cut(f"{name} {value:,g}" if isinstance(value, float) else f"{name} {value}", LONGEST_CELL)


def _link(check: Check, pages: str) -> str:
    """Return the page that shows the same, where the pages have an address."""
    if not pages:
        return ""
    question = _question(check)
    if question is None:
        return f"{pages}/status"
    if question.query:
        params = {name: _param(value) for name, value in question.params.items()}
        return f"{pages}/queries/{question.query}{f'?{urlencode(params)}' if params else ''}"
    return f"{pages}/status#checks"


def _command(check: Check) -> str:
    """Return the command that shows the same."""
    question = _question(check)
    if question is None:
        return "kandji-mirror status"
    if question.query:
        params = "".join(f" -p {name}={_param(value)}" for name, value in question.params.items())
        return f"kandji-mirror query {question.query}{params}"
    return f"kandji-mirror check history {check.name}"


def _question(check: Check) -> Question | None:
    return check.condition.question if isinstance(check.condition, Rows | Number) else None


def _param(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
