"""What the record of runs tells, counted since this process began; and what is left of the request budget.

Every process of the home writes into that record, so runs of a ``sync`` that cron starts count too.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from kandji_mcp_server.monitoring.samples import Sample, Watched
from kandji_mirror.api.usage import tenant_remaining, usage
from kandji_mirror.run_log import PassRecord, last_good_run, passes_after
from kandji_schema.manifest import State

OTHER = "other"
"""Kind of an error of which none is written down, as by an earlier version."""

OUTCOMES = ("ok", "partial", "failed")
"""How a run ends: no table failed, some did, all did."""


class RunCounts:
    """Counts what was written down since this process began, each time it is asked."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._seen = watched.since
        self._good = last_good_run(watched.home)
        self._runs: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._passes: Counter[tuple[str, str]] = Counter()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._errors: Counter[str] = Counter()

    def samples(self) -> Iterator[Sample]:
        """Take in what is new, and give all of it."""
        for began, passes in groupby(passes_after(self._watched.home, self._seen), key=lambda each: each.started_at):
            self._take_in(began, list(passes))
        yield Sample("last_success_timestamp_seconds", self._good.timestamp() if self._good else 0)
        yield from (Sample("runs_total", count, (outcome,)) for outcome, count in self._runs.items())
        yield from (Sample("passes_total", count, labels) for labels, count in self._passes.items())
        yield from (Sample("requests_total", count, labels) for labels, count in self._requests.items())
        yield from (Sample("errors_total", count, (kind,)) for kind, count in self._errors.items())

    def _take_in(self, began: datetime, passes: Sequence[PassRecord]) -> None:
        failed = 0
        for each in passes:
            labels = (each.table, each.outcome)
            self._passes[labels] += 1
            self._requests[labels] += each.requests
            failed += each.outcome == State.FAILED.value
            if each.error_kind or each.outcome == State.FAILED.value:
                self._errors[each.error_kind or OTHER] += 1
        self._seen = passes[-1].id
        self._runs["ok" if not failed else "failed" if failed == len(passes) else "partial"] += 1
        if not failed:
            self._good = max(began, self._good or began)


def budget_samples(watched: Watched) -> Iterator[Sample]:
    """Read what is left of the hour."""
    allowed = watched.context.settings.mirror_requests_per_hour
    spent = usage(watched.home, watched.now())
    yield Sample("budget_requests_per_hour", allowed)
    yield Sample("budget_requests_left", max(0, allowed - (spent.requests if spent else 0)))
    left = tenant_remaining(watched.home)
    if left is not None:
        yield Sample("provider_requests_left", left)
