"""Every metric of ``serve``: its name after Prometheus' conventions, its kind, its labels and what it means.

All but those of the process itself have the label ``tenant``. Labels are names of tables, of states, of kinds: there is
never a device, a person, a statement or a secret in one, and never more of them than are listed here.
"""

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """Kinds of metrics, as Prometheus calls them."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """One metric. ``labels`` are those besides ``tenant``; ``whole`` ones are of the process and have none."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    whole: bool = False

    @property
    def all_labels(self) -> tuple[str, ...]:
        """Every label, in order."""
        return self.labels if self.whole else ("tenant", *self.labels)


PREFIX = "kandji_mirror_"


def _gauge(name: str, text: str, *labels: str, whole: bool = False) -> Metric:
    return Metric(f"{PREFIX}{name}", MetricKind.GAUGE, text, labels, whole)


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(f"{PREFIX}{name}_total", MetricKind.COUNTER, text, labels)


METRICS: dict[str, Metric] = {
    metric.name.removeprefix(PREFIX): metric
    for metric in (
        _gauge("build_info", "Always 1; its labels are versions.", "version", "duckdb", "python", whole=True),
        _gauge("readable", "1 where the mirror's files can be read, 0 where there are none or they are damaged."),
        _gauge("ready", "1 where /readyz would say ok as far as files tell: readable, and not too old."),
        _gauge("table_age_seconds", "Time since the rows of a table were read from the provider.", "table"),
        _gauge("table_ttl_seconds", "Age from which a table is due; twice that is overdue.", "table"),
        _gauge("table_rows", "Rows of a table.", "table"),
        _gauge("table_state", "1 for how the last attempt to read a table ended, 0 for the others.", "table", "state"),
        _gauge("tables_overdue", "Tables whose rows are older than twice their time to live."),
        _gauge("generation", "Number of the published state that answers."),
        _gauge("generation_timestamp_seconds", "When it was published."),
        _gauge("history_seconds", "From the oldest change that is kept until now; 0 without any."),
        _gauge("history_retention_seconds", "For how long changes are kept (KANDJI_MIRROR_HISTORY_DAYS)."),
        _gauge("history_changes", "Changes that are kept."),
        _gauge("syncing", "1 while a process holds the writer's lock: this one or another."),
        _gauge("sync_resting", "1 while syncing rests as a whole: a rejected token, an outage, a full disk."),
        _gauge("sync_alive", "1 where the threads that sync go on, or nothing is synced by this process; as /healthz."),
        _gauge("last_success_timestamp_seconds", "When the newest run began in which no table failed; 0 if never."),
        _counter("runs", "Runs since this process began, by all processes of the home.", "outcome"),
        _counter("passes", "Tables read in them, by how that ended.", "table", "outcome"),
        _counter("errors", "Passes that ended with an error, by its kind.", "kind"),
        _counter("requests", "Requests sent to the provider for a table, by how its pass ended.", "table", "outcome"),
        _gauge("budget_requests_per_hour", "Requests an hour that all our processes may send together."),
        _gauge("budget_requests_left", "How many of them are left in this hour."),
        _gauge("provider_requests_left", "What the provider said last is left to the tenant in its hour, all tokens."),
        _counter(
            "queries",
            "Questions since this process began: by face, kind and how they ended.",
            "face",
            "kind",
            "outcome",
        ),
        Metric(
            f"{PREFIX}query_duration_seconds",
            MetricKind.HISTOGRAM,
            "How long questions took, waiting included.",
            ("face",),
        ),
        _gauge("workers_busy", "Processes that run somebody's statement."),
        _gauge("workers_ready", "Processes that wait for one."),
        _gauge("statements_waiting", "Statements that wait for a process."),
        _gauge("mcp_sessions", "Sessions of older AI clients that are open.", whole=True),
        _gauge("disk_used_bytes", "What a part of the data directory takes.", "part"),
        _gauge("disk_free_bytes", "What the file system of the data directory has left."),
        _gauge("disk_size_bytes", "Size of that file system."),
        _counter("audit_records", "Records of the audit log by their event; `refused` are refusals.", "event"),
        _gauge("audit_chain_ok", "1 where the audit log is whole, 0 where it is not; looked at every ten minutes."),
        _gauge("checks_on", "Checks that are switched on."),
        _gauge("checks_without_answer", "Checks that could not be asked, or are written wrongly."),
        _gauge("check_findings", "What checks find now."),
        _gauge("check_deliveries_waiting", "Messages of checks that are still on their way."),
        _gauge("check_deliveries_failed", "Messages of the last day that were refused or given up."),
        _gauge("scrape_part_ok", "1 where a part of these metrics could be read, 0 where its metrics lack.", "part"),
    )
}
"""By name without the prefix."""
