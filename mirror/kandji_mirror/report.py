"""What a sync tells about itself: progress while it goes on, an outcome a table, and one report at the end.

The scheduler, the command line and the MCP server read these; the words of errors become a table's state here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from http import HTTPStatus
from traceback import extract_tb
from typing import Any, Protocol

from kandji_schema.errors import ApiError, ConfigurationError, MirrorError, PermissionMissing, StoreError, SyncError
from kandji_schema.manifest import Drift, State, TableState
from kandji_schema.resource import Resource
from kandji_schema.utc import iso_utc

INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class Outcome:
    """How one table fared. ``changed`` tells whether a new data file was written; ``seconds`` is wall time.

    ``error_kind`` is the kind of ``error`` in a word, such as ``unreachable``; :data:`INCOMPLETE` where all was
    answered and the rows may still not replace what is mirrored.
    """

    table: str
    state: State
    rows: int
    requests: int
    seconds: float
    changed: bool
    error: str | None = None
    method: str | None = None
    note: str | None = None
    drift: Drift = field(default_factory=Drift)
    error_kind: str | None = None

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "Outcome":
        """Return the outcome that ``asdict`` and JSON took apart."""
        drift = Drift(**{**body["drift"], "missing": tuple(body["drift"]["missing"])})
        return cls(**{**body, "state": State(body["state"]), "drift": drift})


def outcome_of(state: TableState, previous: TableState, seconds: float, error_kind: str | None = None) -> Outcome:
    """Return the outcome of a pass that found ``previous`` and ended in ``state``, by an error of that kind."""
    return Outcome(
        table=state.name,
        state=state.state,
        rows=state.rows,
        requests=state.requests,
        seconds=seconds,
        changed=state.file != previous.file,
        error=state.error,
        method=state.method,
        note=state.note,
        drift=state.drift,
        error_kind=error_kind or (INCOMPLETE if state.state is State.FAILED else None),
    )


@dataclass(frozen=True)
class Report:
    """One run. ``generation`` is the last manifest it published, None where nothing was due.

    ``fresh`` are the tables that were not asked for. ``outage`` says why the run was ended before it had asked for all
    others, None where it was not. ``not_permitted`` are the tables that the token may not read, ``not_offered`` those
    that the tenant does not have, ``partial`` those that are read in part, by this run or an earlier one.
    """

    started_at: datetime
    seconds: float
    outcomes: tuple[Outcome, ...]
    fresh: tuple[str, ...]
    requests: int
    remaining_hour: int | None
    generation: int | None
    warnings: tuple[str, ...] = ()
    outage: str | None = None
    not_permitted: tuple[str, ...] = ()
    not_offered: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The tables that kept their previous rows although they were asked for."""
        return tuple(o for o in self.outcomes if o.state is State.FAILED)

    def to_dict(self) -> dict[str, Any]:
        """Return the report in values that JSON has."""
        return {**asdict(self), "started_at": iso_utc(self.started_at)}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> "Report":
        """Return the report that :meth:`to_dict` and JSON took apart."""
        texts = {name: tuple(body[name]) for name in ("fresh", "warnings", "not_permitted", "not_offered", "partial")}
        outcomes = tuple(map(Outcome.from_dict, body["outcomes"]))
        started_at = datetime.fromisoformat(body["started_at"])
        return cls(**{**body, **texts, "outcomes": outcomes, "started_at": started_at})


class Progress(Protocol):
    """Whoever is told what happens, from any thread."""

    def planned(self, tables: Sequence[str]) -> None:
        """Take note of all tables that are going to be read."""

    def started(self, table: str) -> None:
        """Take note that a table's pass begins."""

    def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
        """Take note of what came until now; ``total`` is what the provider says there is."""

    def finished(self, outcome: Outcome) -> None:
        """Take note that a table's pass ended."""


class NoProgress:
    """A :class:`Progress` nobody watches."""

    def planned(self, tables: Sequence[str]) -> None:
        """Say nothing."""

    def started(self, table: str) -> None:
        """Say nothing."""

    def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None:
        """Say nothing."""

    def finished(self, outcome: Outcome) -> None:
        """Say nothing."""


def state_of(error: MirrorError) -> State:
    """Return how a table fares whose pass ended with the error."""
    if isinstance(error, ApiError) and error.status == HTTPStatus.NOT_FOUND:
        return State.ABSENT
    return State.FORBIDDEN if isinstance(error, PermissionMissing) else State.FAILED


def error_of_table(resource: Resource, error: Exception) -> MirrorError:
    """Return what ended a table's pass as an error of ours; raise it where it concerns the whole run.

    Of one that nobody foresaw the own words are left out, as they may quote rows.
    """
    if isinstance(error, ConfigurationError):
        raise error
    if isinstance(error, ApiError | SyncError | StoreError):
        return error
    frame = extract_tb(error.__traceback__)[-1]
    where = f"{type(error).__name__} in {frame.name}, line {frame.lineno}"
    return SyncError(
        f"{resource.name} could not be taken in ({where}). Its previous rows are kept; please report this."
    )


def forbidden_reason(resource: Resource) -> str:
    """Return what a 403 of a table means, the likelier reason first."""
    return "Not licensed or no permission" if resource.licensed else "No permission or not licensed"
