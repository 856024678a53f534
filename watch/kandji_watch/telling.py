"""Telling: what was found becomes texts in the outbox, in the same step in which it counts as told."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from kandji_watch import findings, outbox
from kandji_watch.definition import Check
from kandji_watch.findings import ROW, TROUBLE, Finding
from kandji_watch.state import DAMAGED, fact
from kandji_watch.texts import plain_document, telling

SAME = 2
"""So many checks with the same trouble are told in one text: a mirror that cannot be read is one thing."""

NAMED = 5
"""Checks that are named in such a text."""


def is_quiet(check: Check, now: datetime) -> bool:
    """Tell whether nobody is told of a check now."""
    return check.quiet is not None and check.quiet.holds(now)


def tell_one(connection: sqlite3.Connection, check: Check, pages: str, now: datetime) -> int:
    """Write the text of one check, where there is something to tell; return how many texts that are."""
    began, ended = _wanted(connection, check)
    baseline, anew = (fact(connection, f"{name} {check.name}") for name in ("baseline of", "anew"))
    if not began and not ended and baseline is None:
        return 0
    kept = connection.execute("SELECT as_of, notes FROM checks WHERE name = ?", (check.name,)).fetchone()
    unknown = any(each.kind == TROUBLE and not each.ended_at for each in began)
    document = telling(
        check,
        began,
        ended,
        telling_id=outbox.new_id(),
        total=findings.open_count(connection, check.name),
        baseline=baseline,
        as_of={} if unknown else json.loads(kept["as_of"]),  # of an earlier answer
        notes=[
            *(["The check was changed: all that it finds is told anew."] if anew else ()),
            *([] if unknown else json.loads(kept["notes"])),
        ],
        pages=pages,
        now=now,
    )
    outbox.put(connection, document, check.tell, unsure=_is_lost(connection, check))
    findings.note_told(connection, began, ended, document["id"])
    connection.execute("DELETE FROM facts WHERE name IN (?, ?)", (f"baseline of {check.name}", f"anew {check.name}"))
    return 1


def tell_common_troubles(connection: sqlite3.Connection, checks: Iterable[Check], now: datetime) -> int:
    """Write one text for the same trouble of several checks, and one for those that have an answer again."""
    groups: dict[tuple[str, tuple[str, ...]], list[tuple[Check, Finding]]] = {}
    for check in checks:
        began, ended = _wanted(connection, check)
        for finding in (*began, *ended):
            if finding.kind == TROUBLE:
                words = "" if finding.ended_at else str(finding.row["trouble"])
                groups.setdefault((words, check.tell), []).append((check, finding))
    return sum(
        _tell_trouble(connection, words, tell, found, now)
        for (words, tell), found in groups.items()
        if len(found) >= SAME
    )


def _tell_trouble(
    connection: sqlite3.Connection,
    words: str,
    tell: Sequence[str],
    found: Sequence[tuple[Check, Finding]],
    now: datetime,
) -> int:
    names = [check.name for check, _ in found]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    listed = f"{', '.join(names[:NAMED])}{more}"
    title = f"{len(names)} checks {'cannot be answered' if words else 'can be answered again'}"
    document = plain_document(title, f"{words} Checks: {listed}.".strip(), outbox.new_id(), now)
    outbox.put(connection, document, tell)
    events = [finding for _, finding in found]
    ended = [finding for finding in events if finding.ended_at]
    findings.note_told(connection, [each for each in events if not each.ended_at], ended, document["id"])
    return 1


def _wanted(connection: sqlite3.Connection, check: Check) -> tuple[list[Finding], list[Finding]]:
    """Return what is to be told of a check; what nobody wants to know is noted as not told."""
    began, ended = findings.untold(connection, check.name)
    passing = [each for each in began if each.kind == TROUBLE and each.ended_at]
    unwanted = [] if check.ended else [each for each in ended if each.kind == ROW]
    findings.note_told(connection, passing, unwanted, findings.NOT_TOLD)
    return [each for each in began if each not in passing], [each for each in ended if each not in unwanted]


def _is_lost(connection: sqlite3.Connection, check: Check) -> bool:
    """Tell whether nobody knows what was told of a check before, as the file that knew it was damaged."""
    earlier = connection.execute("SELECT 1 FROM tellings WHERE check_name = ?", (check.name,)).fetchone()
    return earlier is None and fact(connection, DAMAGED) is not None
