"""What parent and child say to each other: JSON, of which the connection tells the length.

An answer is a line of what is known of it and a line for each row: the child writes a row once, and whoever passes it
on as JSON neither reads nor writes it again. JSON and not pickle, because the parent must not trust what a child that
runs anyone's SQL sends; and Python's own, because sums of whole numbers pass 64 bits and others round them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kandji_queries.engine.limits import QueryLimits
from kandji_queries.results.result import JsonResult
from kandji_queries.results.values import ResultColumn, compact
from kandji_schema.errors import MirrorError, UsageError
from kandji_schema.utc import iso_utc

STOP = b"stop"
"""To a child: nobody waits any longer for the statement that runs. Between statements it means nothing."""

READY = b"ready"
"""From a child: it has its limits and waits for statements."""

LARGEST = 256 * 1024**2
"""Most bytes of one message."""


@dataclass(frozen=True)
class WorkerStart:
    """The first message to a child: what its reader opens, and ``options`` more for :class:`Reader`."""

    home: Path
    limits: QueryLimits
    options: Mapping[str, Any]

    def encoded(self) -> bytes:
        """Return the message."""
        return _encoded({"home": str(self.home), "limits": asdict(self.limits), "options": dict(self.options)})

    @classmethod
    def decoded(cls, message: bytes) -> "WorkerStart":
        """Read the message."""
        found = json.loads(message)
        return cls(Path(found["home"]), QueryLimits(**found["limits"]), found["options"])


@dataclass(frozen=True)
class StatementRequest:
    """One statement; ``now``, aware, is the caller's time, from which ages are told.

    ``remedy`` is what reads from the tenant, as notes call it to this caller; empty for that of the reader.
    """

    sql: str
    params: Mapping[str, Any]
    limits: QueryLimits
    now: datetime
    remedy: str = ""

    def encoded(self) -> bytes:
        """Return the message; :class:`UsageError` names a parameter that is no JSON value."""
        params = {name: _sendable(name, value) for name, value in self.params.items()}
        facts = {"limits": asdict(self.limits), "now": self.now.isoformat(), "remedy": self.remedy}
        return _encoded({"sql": self.sql, "params": params, **facts})

    @classmethod
    def decoded(cls, message: bytes) -> "StatementRequest":
        """Read the message."""
        found = json.loads(message)
        now = datetime.fromisoformat(found["now"])
        return cls(found["sql"], found["params"], QueryLimits(**found["limits"]), now, found["remedy"])


def result_message(result: JsonResult) -> bytes:
    """Return the message of a result."""
    head = {"columns": result.columns, **result.facts(), "notes": result.notes}
    return b"\n".join([_encoded({"result": head}), *result.lines])


def error_message(error: MirrorError) -> bytes:
    """Return the message of an error of ours."""
    return _encoded({"error": error.to_dict()})


def fault_message(place: str) -> bytes:
    """Return the message of an error that is a fault of the program; ``place`` tells where, not with which values."""
    return _encoded({"fault": place})


def answer(message: bytes) -> JsonResult:
    """Return the result a child sent, or raise its error; :class:`RuntimeError` for a fault of the program."""
    head, *lines = message.split(b"\n")
    found = json.loads(head)
    if "fault" in found:
        raise RuntimeError(f"In the process that runs SQL: {found['fault']}")
    if "error" in found:
        raise MirrorError.from_dict(found["error"])
    columns = tuple(ResultColumn(*column) for column in found["result"].pop("columns"))
    return JsonResult(columns=columns, lines=lines, **found["result"])


def _sendable(name: str, value: object) -> Any:
    try:
        return json.loads(json.dumps(value, default=_text, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"The parameter {name} is {str(value)[:80]!r}; it must be a JSON value, a date or a time."
        ) from error


def _text(value: object) -> str:
    """Return a moment as the text that the engine compares with its timestamps; :class:`TypeError` for all else."""
    if not isinstance(value, date):
        raise TypeError(value)
    return iso_utc(value) if isinstance(value, datetime) else value.isoformat()


def _encoded(message: Mapping[str, Any]) -> bytes:
    return compact(message).encode("utf-8", "surrogatepass")
