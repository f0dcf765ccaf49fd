"""Prometheus figures of one gateway: answers, latencies, corrections, swaps."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """Owns its registry, so that two gateways in one test process do not share figures."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        seconds = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)
        self._answers = Counter(
            "errata_answers", "Answers by route and end", ["route", "finish"], registry=self.registry
        )
        self._first = Histogram(
            "errata_first_token_seconds", "Time to first token", ["route"], buckets=seconds, registry=self.registry
        )
        self._whole = Histogram(
            "errata_answer_seconds", "Time of a whole answer", ["route"], buckets=seconds, registry=self.registry
        )
        self._swaps = Counter("errata_swaps", "Weight swaps by outcome", ["outcome"], registry=self.registry)
        self._pause = Histogram(
            "errata_swap_pause_seconds",
            "Pause of generation during a swap",
            buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5),
            registry=self.registry,
        )
        self._corrections = Gauge("errata_corrections", "Corrections by status", ["status"], registry=self.registry)
        self._edits = Gauge("errata_active_edits", "Edits in the served weights", registry=self.registry)

    def first_token(self, route: str, seconds: float) -> None:
        self._first.labels(route).observe(seconds)

    def answered(self, route: str, finish: str, seconds: float) -> None:
        self._answers.labels(route, finish).inc()
        self._whole.labels(route).observe(seconds)

    def swapped(self, outcome: str, pause_s: float | None = None) -> None:
        self._swaps.labels(outcome).inc()
        if pause_s is not None:
            self._pause.observe(pause_s)

    def render(self, *, corrections: dict[str, int], active_edits: int) -> bytes:
        """The text format of Prometheus; counts of corrections come from the database at the time of asking."""
        for status, count in corrections.items():
            self._corrections.labels(status).set(count)
        self._edits.set(active_edits)
        return generate_latest(self.registry)
