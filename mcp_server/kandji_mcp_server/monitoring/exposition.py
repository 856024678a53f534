"""All metrics in Prometheus' text form, by its own client library, which no other module knows.

The registry is our own and holds nothing but what is read when somebody asks: the library's global one is not used.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from kandji_mcp_server.monitoring.definitions import METRICS, MetricKind
from kandji_mcp_server.monitoring.definitions import Metric as Definition
from kandji_mcp_server.monitoring.files import AuditState, disk_samples
from kandji_mcp_server.monitoring.mirror import mirror_samples
from kandji_mcp_server.monitoring.runs import RunCounts, budget_samples
from kandji_mcp_server.monitoring.samples import Part, Sample, Watched
from kandji_mcp_server.monitoring.service import check_samples, process_samples, query_samples, scheduler_samples
from kandji_mcp_server.tally import BUCKETS, Times

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SELDOM = 30.0
"""Seconds for which sizes of files and states of checks are not looked at again: they cost most and change least."""

log = logging.getLogger(__name__)


@dataclass
class _Source:
    """What reads some metrics of a tenant (empty: of the process), and what it read last."""

    tenant: str
    name: str
    read: Part
    seconds: float = 0.0
    known: list[Sample] = field(default_factory=list)
    read_at: float | None = None
    failing: bool = False

    def samples(self) -> list[Sample]:
        """Return the values; none where they cannot be read, which the log tells once."""
        now = time.monotonic()
        if self.read_at is not None and now - self.read_at < self.seconds:
            return self.known
        try:
            self.known, failing = list(self.read()), False
        except Exception as error:  # whatever it is, the other metrics are told
            if not self.failing:
                log.warning("The metrics of %s cannot be read now: %s.", self.name, type(error).__name__)
            self.known, failing = [], True
        self.failing, self.read_at = failing, now
        return self.known


class Exposition(Collector):
    """What is written when somebody asks. Not thread-safe: one asks at a time."""

    def __init__(self, watched: Sequence[Watched], sessions: Callable[[], int]) -> None:
        """``sessions`` counts those of AI clients. Counting of runs begins now."""
        self._sources = [
            *(source for each in watched for source in _sources(each)),
            _Source("", "process", partial(process_samples, sessions)),
        ]
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Return all metrics as they are now."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Yield every metric that has a value, each once with the values of all tenants."""
        found: dict[str, list[tuple[str, Sample]]] = {name: [] for name in METRICS}
        for source in self._sources:
            for sample in source.samples():
                found[sample.name].append((source.tenant, sample))
            if source.tenant:
                found["scrape_part_ok"].append(
                    (source.tenant, Sample("scrape_part_ok", not source.failing, (source.name,)))
                )
        for name, samples in found.items():
            if samples:
                yield _family(METRICS[name], samples)


def _sources(watched: Watched) -> Iterator[_Source]:
    tenant = watched.tenant
    yield _Source(tenant, "mirror", partial(mirror_samples, watched))
    yield _Source(tenant, "scheduler", partial(scheduler_samples, watched))
    yield _Source(tenant, "runs", RunCounts(watched).samples)
    yield _Source(tenant, "budget", partial(budget_samples, watched))
    yield _Source(tenant, "queries", partial(query_samples, watched))
    yield _Source(tenant, "disk", partial(disk_samples, watched), SELDOM)
    yield _Source(tenant, "audit", AuditState(watched).samples)
    yield _Source(tenant, "checks", partial(check_samples, watched), SELDOM)


def _family(metric: Definition, samples: Iterable[tuple[str, Sample]]) -> Metric:
    if metric.kind is MetricKind.HISTOGRAM:
        return _histogram(metric, samples)
    kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family: CounterMetricFamily | GaugeMetricFamily = kind(metric.name, metric.help, labels=metric.all_labels)
    for tenant, sample in samples:
        if not isinstance(sample.value, Times):
            family.add_metric(_labels(metric, tenant, sample), float(sample.value))
    return family


def _histogram(metric: Definition, samples: Iterable[tuple[str, Sample]]) -> Metric:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.all_labels)
    for tenant, sample in samples:
        if isinstance(sample.value, Times):
            family.add_metric(_labels(metric, tenant, sample), _buckets(sample.value), sample.value.seconds)
    return family


def _buckets(times: Times) -> list[tuple[str, float]]:
    """Return upper bounds with how many took no longer, as Prometheus wants them."""
    total, found = 0, []
    for bound, count in zip((*map(str, BUCKETS), "+Inf"), times.counts, strict=True):
        total += count
        found.append((bound, float(total)))
    return found


def _labels(metric: Definition, tenant: str, sample: Sample) -> tuple[str, ...]:
    return sample.labels if metric.whole else (tenant, *sample.labels)
