"""The hash chain: every record's hash covers the record and the hash before it, so none can change unseen."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from kandji_schema.audit import COLUMNS

START = "0" * 64
"""What the first record names as the hash before it."""

_HASHED = tuple(column.name for column in COLUMNS if column.name != "hash")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Head:
    """The newest record, as it was noted beside the log: whoever cuts the log's end has to know of the note."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Verdict:
    """What a check of the whole log found. ``seq`` is the first bad record, None where the file itself is bad.

    ``anchored`` is the newest record that a head saved elsewhere stands for, 0 where none was given.
    """

    records: int
    trouble: str | None = None
    seq: int | None = None
    anchored: int = 0

    @property
    def green(self) -> bool:
        """Whether every record is what it was when it was written, and none is missing."""
        return self.trouble is None


def hash_of(row: Row) -> str:
    """Return the hash of a record with all columns but its own hash."""
    text = json.dumps([row[name] for name in _HASHED], ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def compare(hashes: Mapping[int, str], heads: Iterable[Head]) -> Verdict:
    """Compare a log that is whole in itself, ``hashes`` by number, with heads that were saved elsewhere."""
    heads, count = sorted(set(heads), key=lambda head: head.seq), len(hashes)
    missing = [head.seq for head in heads if head.seq not in hashes]
    other = [head.seq for head in heads if head.seq in hashes and hashes[head.seq] != head.hash]
    matched = [head.seq for head in heads if hashes.get(head.seq) == head.hash]
    if not (missing or other):
        return Verdict(count, anchored=max(matched, default=0))
    told = [
        f"Of {len(heads)} saved heads {len(matched)} match{_listed(matched)}.",
        f"Other records stand in the place of{_listed(other)}: the chain was rebuilt, or they are of another log."
        if other
        else "",
        f"Missing:{_listed(missing)}. The log ends at {count}: it was cut, or moved away and begun anew."
        if missing
        else "",
    ]
    return Verdict(count, " ".join(filter(None, told)), min([*missing, *other]), max(matched, default=0))


def _listed(numbers: Sequence[int], most: int = 10) -> str:
    more = f" and {len(numbers) - most} more" if len(numbers) > most else ""
    return f" {', '.join(map(str, numbers[:most]))}{more}" if numbers else ""


def check(rows: Iterable[Row], head: Head | None) -> Verdict:
    """Follow the chain from the first record to the noted ``head`` and beyond."""
    before, count, seen = START, 0, head is None
    for count, row in enumerate(rows, start=1):  # the count is told
        trouble = _trouble(row, count, before)
        if trouble is None and head and row["seq"] == head.seq and row["hash"] != head.hash:
            trouble = "it is not the record that was noted when it was written"
        if trouble:
            return Verdict(count - 1, f"Record {count} is not what was written: {trouble}.", count)
        seen = seen or (head is not None and row["seq"] == head.seq)
        before = row["hash"]
    if not seen and head is not None:
        return Verdict(count, f"Records are missing at the end: {head.seq} were written, {count} are there.", count + 1)
    return Verdict(count)


def _trouble(row: Row, seq: int, before: str) -> str | None:
    if row["seq"] != seq:
        return f"its number is {row['seq']}, so records before it are missing"
    if row["previous_hash"] != before:
        return "it does not follow the record before it"
    if row["hash"] != hash_of(row):
        return "its content and its hash do not belong together"
    return None
