"""The audit log of live actions: which columns a record has, and where its file lies.

Both sides know it from here: the mirror writes and proves it, queries read it as the view ``audit_log``.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

FILE = "audit.sqlite"


class Event(StrEnum):
    """What a record tells."""

    OFFERED = "offered"
    INTENT = "intent"
    OUTCOME = "outcome"
    REFUSED = "refused"
    DECLINED = "declined"
    EXPIRED = "expired"
    LOOKED = "looked"
    UNANCHORED = "unanchored"


class Outcome(StrEnum):
    """How an attempt ended."""

    QUEUED = "queued"
    DONE = "done"
    PENDING = "already pending"
    REJECTED = "rejected"
    FAILED = "failed"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"


NEVER_HAPPENED = frozenset({Outcome.REJECTED, Outcome.NOT_SENT})
"""Outcomes after which the tenant is what it was before."""


@dataclass(frozen=True)
class AuditColumn:
    """One column; ``kind`` is its type in DuckDB. ``personal`` ones tell of people: who acts, whose devices they are.

    What was typed for a ``target`` may be anybody's name: masked it is left out where it is no identifier.
    """

    name: str
    kind: str
    description: str
    personal: bool = False
    target: bool = False


COLUMNS = (
    AuditColumn("seq", "BIGINT", "Number of the record, without gaps."),
    AuditColumn("recorded_at", "TIMESTAMP", "When it was written, UTC."),
    AuditColumn("action_id", "VARCHAR", "Joins the records of one attempt: what was intended and how it ended."),
    AuditColumn(
        "event",
        "VARCHAR",
        "offered (a preview that waits for a yes), intent (about to be sent), outcome, refused, declined, expired, "
        "looked (the command list was asked afterwards), unanchored (the log's head could not be saved elsewhere).",
    ),
    AuditColumn("action", "VARCHAR", "Name of the action or secret."),
    AuditColumn("device_id", "VARCHAR", "Device (or tag) it is about; joins to devices.device_id.", target=True),
    AuditColumn("serial_number", "VARCHAR", "Serial number of the device."),
    AuditColumn("device_name", "VARCHAR", "Name of the device at that time.", personal=True),
    AuditColumn("reason", "VARCHAR", "Why, in the words of who did it.", personal=True),
    AuditColumn("arguments", "VARCHAR", "Arguments as JSON; secrets are ***.", personal=True),
    AuditColumn("method", "VARCHAR", "HTTP method of the request."),
    AuditColumn("path", "VARCHAR", "Path of the request."),
    AuditColumn("sent_at", "TIMESTAMP", "The provider's time shortly before the request was sent, UTC."),
    AuditColumn("status", "BIGINT", "HTTP status of the answer; NULL where none came."),
    AuditColumn("outcome", "VARCHAR", "queued, done, already pending, rejected, failed, not sent or unknown."),
    AuditColumn("detail", "VARCHAR", "What was answered or found, in words; never a secret.", personal=True),
    AuditColumn(
        "confirmed_by", "VARCHAR", "How somebody said yes: terminal, elicitation, flag or agent, maybe with a code."
    ),
    AuditColumn(
        "os_user",
        "VARCHAR",
        "User of the operating system, or person who signed in to `serve`, and where.",
        personal=True,
    ),
    AuditColumn("host", "VARCHAR", "Name of the machine.", personal=True),
    AuditColumn("client", "VARCHAR", "Program that asked: the command line, or name and version of an AI client."),
    AuditColumn("tenant", "VARCHAR", "Tenant it was sent to."),
    AuditColumn("previous_hash", "VARCHAR", "Hash of the record before."),
    AuditColumn("hash", "VARCHAR", "SHA-256 over the record and the hash before it."),
)


def audit_file(home: Path) -> Path:
    """Where the log lies."""
    return home / FILE
