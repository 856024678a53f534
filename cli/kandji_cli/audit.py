"""``audit``: the record of every live action, whether it is whole, and files of it."""

import csv
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TextIO

from kandji_cli.output import print_rows, say, say_document, tell
from kandji_mirror.audit.anchors import saved_heads
from kandji_mirror.audit.keychain import FILE, Signed, signed
from kandji_mirror.audit.log import Attempt, AuditLog, Record, actor
from kandji_schema.audit import COLUMNS
from kandji_schema.errors import ConfigurationError, StoreDamaged, UsageError
from kandji_schema.files import is_address
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted

SHOWN = (
    "time",
    "action_id",
    "action",
    "serial_number",
    "outcome",
    "confirmed_by",
    "os_user",
    "client",
    "reason",
    "detail",
)


_BEGINS_FORMULA, _BEGINS_CELL = frozenset("=+-@|%"), frozenset("\t\r\n")


def show(limit: int, form: str) -> None:
    """Print the newest attempts, the newest first."""
    attempts = _log().attempts()
    print_rows(SHOWN, map(_row, reversed(attempts[-limit:])), form)
    if len(attempts) > limit:
        tell(f"The newest {limit} of {len(attempts):,}; --limit shows more.")


def verify(against: str | None = None, *, as_json: bool = False) -> None:
    """Check every record, and compare with heads saved elsewhere and signed; :class:`StoreDamaged` says what is wrong.

    ``against`` names the heads that were saved; those that the keychain knows are looked up.
    """
    settings = load()
    heads = saved_heads(against) if against else []
    kept = _signed(settings)
    verdict = _log().verify([*heads, *(kept.heads if kept else ())])
    trouble = " ".join(filter(None, (verdict.trouble, kept.trouble if kept else None)))
    if as_json:
        facts = {"records": verdict.records, "saved_heads": len(heads), "signed_heads": len(kept.heads) if kept else 0}
        say_document({"whole": not trouble, "trouble": trouble or None, **facts})
    if trouble:
        raise StoreDamaged(f"RED: {trouble} Whole in themselves: {counted(verdict.records, 'record')}.")
    if as_json:
        return
    say(f"GREEN: {counted(verdict.records, 'record')} without a gap, each fits its hash and the record before it.")
    if heads:
        newest, matched = max(head.seq for head in heads), counted(len(heads), "head")
        say(f"What was saved elsewhere matches, {matched}: records 1 to {newest:,} are the first ones.")
    if kept:
        newest = max(head.seq for head in kept.heads)
        say(f"The keychain signed for records 1 to {newest:,}: they are the first ones, unless somebody used its key.")
    if not (heads or kept):
        tell("This alone does not prove that nobody who may write these files made them anew: see --against.")


def _signed(settings: Settings) -> Signed | None:
    """Return what the keychain signed; also where it is not to sign it is asked, as somebody may have changed that."""
    try:
        return signed(settings.home)
    except ConfigurationError:
        if settings.mirror_audit_keychain or (settings.home / FILE).exists():
            raise
        return None


def export(form: str, to: str | None) -> None:
    """Write every record, to stdout or into a new file; ``-`` is stdout, as everywhere."""
    if to is not None and (is_address(to) or not to.strip()):
        rule = "an address, and the records go to a file of this machine" if to.strip() else "no name of a file"
        raise UsageError(f"--to {to!r} is {rule}. Name a new file.")
    records = _log().records()
    if to is None or to == "-":
        _WRITERS[form](records, sys.stdout)
        return
    try:
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # people are in it
    except FileExistsError:
        raise UsageError(f"{to} is there already. Name a new file; nothing was written.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        _WRITERS[form](records, file)
    tell(f"{counted(len(records), 'record')} written to {to}.")


def _log() -> AuditLog:
    return AuditLog(load().home, actor())


def _row(attempt: Attempt) -> tuple[object, ...]:
    first, last = attempt.intent or attempt.records[0], attempt.records[-1]
    return (
        datetime.fromisoformat(str(first["recorded_at"])),
        attempt.action_id,
        first["action"],
        first["serial_number"] or first["device_id"],
        attempt.outcome,
        first["confirmed_by"],
        first["os_user"],
        first["client"],
        first["reason"],
        last["detail"] or ("Nobody recorded how it ended; `action status` asks." if attempt.intent else None),
    )


def _jsonl(records: Iterable[Record], file: TextIO) -> None:
    for record in records:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _csv(records: Iterable[Record], file: TextIO) -> None:
    names = [column.name for column in COLUMNS]
    file.write(",".join(names) + "\n")
    # all in quotes: a lone carriage return, which the library leaves bare, would begin a row of its own
    writer = csv.DictWriter(file, names, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows({name: _harmless(value) for name, value in record.items()} for record in records)


def _harmless(value: object) -> object:
    """With an apostrophe before a text that a spreadsheet would take for a formula, also behind what is not seen."""
    if not isinstance(value, str):
        return value
    seen = "".join(c for c in value if c.isprintable()).lstrip()
    risky = value[:1] in _BEGINS_CELL or unicodedata.normalize("NFKC", seen)[:1] in _BEGINS_FORMULA
    return f"'{value}" if risky and value else value


_WRITERS: Mapping[str, Callable[[Iterable[Record], TextIO], None]] = MappingProxyType({"jsonl": _jsonl, "csv": _csv})
