"""What parent and child say to each other: JSON, of which the connection tells the length.

JSON and not pickle, because the parent must not trust what a child that runs anyone's SQL sends; and Python's own,
because sums of whole numbers pass 64 bits and others round them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kandji_queries.limits import Limits
from kandji_queries.result import Column, Result
from kandji_queries.values import compact, moment
from kandji_schema.errors import MirrorError, UsageError

STOP = b"stop"
"""To a child: nobody waits any longer for the statement that runs. Between statements it means nothing."""

READY = b"ready"
"""From a child: it has its limits and waits for statements."""

LARGEST = 256 * 1024**2
"""Most bytes of one message."""


@dataclass(frozen=True)
class Start:
    """The first message to a child: what its reader opens, and ``options`` more for :class:`Reader`."""

    home: Path
    limits: Limits
    options: Mapping[str, Any]

    def encoded(self) -> bytes:
        """The message."""
        return _encoded({"home": str(self.home), "limits": asdict(self.limits), "options": dict(self.options)})

    @classmethod
    def decoded(cls, message: bytes) -> "Start":
        """What the message says."""
        found = json.loads(message)
        return cls(Path(found["home"]), Limits(**found["limits"]), found["options"])


@dataclass(frozen=True)
class Request:
    """One statement; ``now``, aware, is the caller's time, from which ages are told."""

    sql: str
    params: Mapping[str, Any]
    limits: Limits
    now: datetime

    def encoded(self) -> bytes:
        """The message; :class:`UsageError` names a parameter that is no JSON value."""
        params = {name: _sendable(name, value) for name, value in self.params.items()}
        limits = asdict(self.limits)
        return _encoded({"sql": self.sql, "params": params, "limits": limits, "now": self.now.isoformat()})

    @classmethod
    def decoded(cls, message: bytes) -> "Request":
        """What the message says."""
        found = json.loads(message)
        now = datetime.fromisoformat(found["now"])
        return cls(found["sql"], found["params"], Limits(**found["limits"]), now)


def result_message(result: Result) -> bytes:
    """A result, with cells as JSON knows them."""
    found = {**result.to_json(), "notes": result.notes, "elapsed_ms": result.elapsed_ms}
    return _encoded({"result": found})


def error_message(error: MirrorError) -> bytes:
    """An error of ours."""
    return _encoded({"error": error.to_dict()})


def fault_message(place: str) -> bytes:
    """An error that is a fault of the program; ``place`` tells where, not with which values."""
    return _encoded({"fault": place})


def answer(message: bytes) -> Result:
    """The result a child sent, or its error raised; :class:`RuntimeError` for a fault of the program."""
    found = json.loads(message)
    if "fault" in found:
        raise RuntimeError(f"In the process that runs SQL: {found['fault']}")
    if "error" in found:
        raise MirrorError.from_dict(found["error"])
    return _result(found["result"])


def _result(found: dict[str, Any]) -> Result:
    columns = tuple(Column(column["name"], column["type"]) for column in found.pop("columns"))
    rows = [tuple(row) for row in found.pop("rows")]
    return Result(columns=columns, rows=rows, json_ready=True, **found)


def _sendable(name: str, value: object) -> Any:
    try:
        return json.loads(json.dumps(value, default=_text, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"The parameter {name} is {str(value)[:80]!r}; it must be a JSON value, a date or a time."
        ) from error


def _text(value: object) -> str:
    """Moments as texts, which the engine compares with its timestamps; :class:`TypeError` for all else."""
    if not isinstance(value, date):
        raise TypeError(value)
    return moment(value) if isinstance(value, datetime) else value.isoformat()


def _encoded(message: Mapping[str, Any]) -> bytes:
    return compact(message).encode("utf-8", "surrogatepass")
