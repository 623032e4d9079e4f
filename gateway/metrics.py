"""Figures of this process for Prometheus; what the database knows is asked there."""

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from gateway.conveyor import Conveyor
    from gateway.feed import Feed


class Metrics:
    """Counters of one gateway, in a registry of its own so that several fit into one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._commands = Counter(
            "passband_commands_total", "Commands by outcome.", ["name", "outcome"], registry=self.registry
        )
        self._batches = Histogram(
            "passband_batch_commands",
            "Commands carried out in one transaction.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 1000),
            registry=self.registry,
        )
        self._requests = Histogram(
            "passband_request_seconds",
            "HTTP requests.",
            ["method", "route", "status"],
            registry=self.registry,
        )

    def watch(self, conveyor: "Conveyor", feed: "Feed") -> None:
        """Show how much waits and where the feed stands."""
        waiting = Gauge("passband_commands_waiting", "Commands on the conveyor.", registry=self.registry)
        waiting.set_function(lambda: conveyor.depth)
        head = Gauge("passband_feed_position", "The highest position given.", registry=self.registry)
        head.set_function(lambda: feed.head)

    def batch(self, outcomes: list[tuple[str, str]]) -> None:
        """Count one batch: (name, "answered", "rejected" or "failed") of each command."""
        self._batches.observe(len(outcomes))
        for name, outcome in outcomes:
            self._commands.labels(name, outcome).inc()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one HTTP request by its route's pattern, never by its path: a path may hold an id."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
