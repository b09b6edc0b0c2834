"""Counters, gauges and histograms for Prometheus."""

import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from zypher import __version__
from zypher.clock import elapsed_s
from zypher.prediction import Message, Outcome
from zypher.queue_state import EngineWarning, QueueState, WarningKind
from zypher.telemetry.log_writer import standard_error

_BOUNDS_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3600.0)
_BATCH_BOUNDS_S = (0.0001, 0.0003, *_BOUNDS_S)
_SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)


class Histogram:
    """A histogram.

    Plain integers, since all rooms share one event loop: a counter of prometheus_client costs a
    lock and a label look-up each time, together more than a no-op prediction's way through the queue.
    """

    def __init__(self, bounds: Sequence[float] = _BOUNDS_S) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    @property
    def count(self) -> int:
        return sum(self._counts)

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        bounds = [*map(str, self._bounds), "+Inf"]
        family.add_metric(labels, list(zip(bounds, accumulate(self._counts), strict=True)), self._sum)


class Metrics(Collector):
    """The counters of one process."""

    def __init__(self) -> None:
        self._submitted: Counter[tuple[str, ...]] = Counter()
        self._refused: Counter[tuple[str, ...]] = Counter()
        self._settled: Counter[tuple[str, ...]] = Counter()
        self._lost: Counter[tuple[str, ...]] = Counter()
        self._waiting: defaultdict[tuple[str, ...], Histogram] = defaultdict(Histogram)
        self._running: defaultdict[tuple[str, ...], Histogram] = defaultdict(Histogram)
        self._batches: Counter[tuple[str, ...]] = Counter()
        self._batch_size: defaultdict[tuple[str, ...], Histogram] = defaultdict(partial(Histogram, _SIZES))
        self._batch_waiting: defaultdict[tuple[str, ...], Histogram] = defaultdict(partial(Histogram, _BATCH_BOUNDS_S))
        self._answered: defaultdict[tuple[str, str, int], Histogram] = defaultdict(Histogram)
        self._queues: Mapping[str, QueueState] = {}
        self._oldest_s: Mapping[str, float] = {}
        self._silent_s: Mapping[str, float] = {}
        self._warned: frozenset[WarningKind] | None = None  # None until it is known
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def submitted(self, model: str, *, durable: bool) -> None:
        """A prediction was accepted."""
        self._submitted[model, "true" if durable else "false"] += 1

    def refused(self, reason: str) -> None:
        """A prediction was not accepted, for this reason."""
        self._refused[reason,] += 1

    def received(self, message: Message, now: datetime) -> None:
        """A worker took a prediction out of the queue at `now`."""
        self._waiting[message.model,].observe(elapsed_s(message.submitted_at, now))

    def settled(self, model: str, outcome: Outcome) -> None:
        """A prediction ended, as this outcome says."""
        self._settled[model, outcome.status] += 1
        self._running[model,].observe(outcome.run_s)

    def attempt_lost(self, model: str) -> None:
        """A replica died with an attempt in it."""
        self._lost[model,] += 1

    def batch(self, model: str, size: int, waited_s: float, reason: str) -> None:
        """A batch of so many predictions ended; its oldest one waited for it so long, and it went for this reason."""
        self._batches[model, reason] += 1
        self._batch_size[model,].observe(size)
        self._batch_waiting[model,].observe(waited_s)

    def answered(self, method: str, route: str, status: int, took_s: float) -> None:
        """A request was answered."""
        self._answered[method, route, status].observe(took_s)

    def queues(self, queues: Mapping[str, QueueState], now: datetime) -> None:
        """What each model's queue looks like at this moment."""
        self._queues = queues
        self._oldest_s = {model: queue.waited_s(now) for model, queue in queues.items()}
        self._silent_s = {model: _silent_s(queue, now) for model, queue in queues.items()}

    def warnings(self, warnings: Sequence[EngineWarning]) -> None:
        """What is amiss with the engine at this moment."""
        self._warned = frozenset(warning.kind for warning in warnings)

    def page(self) -> tuple[bytes, str]:
        """The text that Prometheus scrapes, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        """Every figure, as prometheus_client wants them."""
        yield _count("zypher_predictions_submitted", "Predictions accepted.", ["model", "durable"], self._submitted)
        yield _count("zypher_predictions_refused", "Predictions not accepted, by reason.", ["reason"], self._refused)
        yield _count("zypher_predictions_settled", "Predictions ended, by status.", ["model", "status"], self._settled)
        yield _count("zypher_attempts_lost", "Attempts whose replica died.", ["model"], self._lost)
        model = ["model"]
        yield _histogram(
            "zypher_prediction_running_seconds", "Run time of the attempt that counted.", model, self._running
        )
        yield _histogram("zypher_prediction_waiting_seconds", "From acceptance to an attempt.", model, self._waiting)
        yield _count("zypher_batches", "Batches run, by why they went.", ["model", "reason"], self._batches)
        yield _histogram("zypher_batch_size", "Predictions in a batch.", model, self._batch_size)
        yield _histogram(
            "zypher_batch_waiting_seconds",
            "Time the oldest of a batch waited in its replica.",
            model,
            self._batch_waiting,
        )
        yield from self._requests()
        yield _count(
            "zypher_log_lines_dropped",
            "Lines of the log that were not read in time, or more than a replica may write.",
            [],
            {(): standard_error.dropped},
        )
        yield _build_info()
        yield from self._gauges()

    def _requests(self) -> Iterator[Metric]:
        labels = ["method", "route", "status"]
        histograms = {(method, route, str(status)): each for (method, route, status), each in self._answered.items()}
        counts = {key: each.count for key, each in histograms.items()}
        yield _count(
            "zypher_http_requests", "Requests answered; 499 for those whose clients disconnected.", labels, counts
        )
        yield _histogram(
            "zypher_http_request_duration_seconds", "From a request's head to its answer.", labels, histograms
        )

    def _gauges(self) -> Iterator[Metric]:
        depth = _gauge("zypher_queue_depth", "Predictions now, by state.", "state")
        oldest = _gauge("zypher_queue_oldest_seconds", "Time that the oldest queued prediction has waited.")
        workers = _gauge("zypher_workers", "Workers that are alive.")
        silent = _gauge("zypher_workers_silent_seconds", "Time since the last sign of life of the most silent worker.")
        replicas = _gauge("zypher_replicas_ready", "Replicas that can take work.")
        stuck = _gauge("zypher_replicas_stuck", "Replicas that do not answer, or could run nothing.")
        slots = _gauge("zypher_slots", "Predictions that can run at once.")
        used = _gauge("zypher_data_bytes", "Space that is used, as it counts against zypher_data_limit_bytes.")
        limit = _gauge("zypher_data_limit_bytes", "Space that may be used: max_data_mb.")
        for model, queue in self._queues.items():
            for state, count in _states(queue).items():
                depth.add_metric([model, state], count)
            oldest.add_metric([model], self._oldest_s[model])
            workers.add_metric([model], len(queue.workers))
            silent.add_metric([model], self._silent_s[model])
            replicas.add_metric([model], sum(worker.ready_replicas for worker in queue.workers))
            stuck.add_metric([model], sum(len(worker.stuck) for worker in queue.workers))
            slots.add_metric([model], sum(worker.slots for worker in queue.workers))
            used.add_metric([model], queue.data_bytes)
            limit.add_metric([model], queue.data_limit_bytes)
        yield from (depth, oldest, workers, silent, replicas, stuck, slots, used, limit)
        yield self._warnings()

    def _warnings(self) -> Metric:
        family = GaugeMetricFamily(
            "zypher_engine_warnings", "Whether there is such a warning, by kind.", labels=["kind"]
        )
        for kind in WarningKind if self._warned is not None else ():
            family.add_metric([kind], kind in (self._warned or ()))
        return family


def _silent_s(queue: QueueState, now: datetime) -> float:
    """0 without workers."""
    announced = [worker.announced_at for worker in queue.workers if worker.announced_at is not None]
    return elapsed_s(min(announced), now) if announced else 0.0


def _states(queue: QueueState) -> dict[str, int]:
    """Where a model's predictions stand; each is in one state only."""
    return {
        "queued": queue.queued - queue.delayed,
        "running": queue.running,
        "delayed": queue.delayed,
        "dead": queue.dead,
    }


def _gauge(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=["model", *labels])


def _count(name: str, meaning: str, labels: list[str], counts: Mapping[tuple[str, ...], int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, meaning, labels=labels)
    for values, count in counts.items():
        family.add_metric(list(values), count)
    return family


def _histogram(
    name: str, meaning: str, labels: list[str], histograms: Mapping[tuple[str, ...], Histogram]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, meaning, labels=labels)
    for values, each in histograms.items():
        each.add_to(family, values)
    return family


def _build_info() -> InfoMetricFamily:
    python = ".".join(map(str, sys.version_info[:3]))
    return InfoMetricFamily(
        "zypher_build", "Version of the service and of Python.", value={"version": __version__, "python": python}
    )
