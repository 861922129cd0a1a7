"""Counts of a watch as Prometheus metrics, if `prometheus_client` is there.

A server of SGLang with `--enable-metrics` sets PROMETHEUS_MULTIPROC_DIR before it starts its processes. Each process then writes its
samples into files of that folder, and the server's own `/metrics` has those of all: nothing else is needed. Without it, `--metrics-port`
serves the metrics of this process at 127.0.0.1.
"""

import logging
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from radixcheck.verification.watch.watch_results import WatchedCache

SHARED = "PROMETHEUS_MULTIPROC_DIR"
HOST = "127.0.0.1"
PREFIX = "radixcheck_watch_"
COUNTERS = {  # name -> (what is counted, the label beside `cache`)
    "findings": ("Findings of the watch.", "property"),
    "departures": ("Accepted departures that the watch saw.", "property"),
    "calls": ("Calls of the cache that were watched.", "verb"),
    "seconds": ("Seconds of the watch within calls of the server.", ""),
    "skipped": ("Checks that the budget of their call did not allow.", ""),
}
GAUGES = {"nodes": "Nodes of the tree.", "longest_seconds": "The longest time of the watch in one call."}

log = logging.getLogger("radixcheck")


class WatchMetrics:
    """The metrics of one watched cache. `shared`: those of its process, which every cache in it adds to."""

    def __init__(self, shared: "ProcessMetrics", name: str) -> None:
        self._shared, self._name = shared, name
        self._before: dict[tuple[str, str], float] = {}

    def update(self, seen: WatchedCache) -> None:
        """Add what was counted since the last update."""
        for name, counts in (("findings", seen.found), ("departures", seen.departures), ("calls", seen.calls)):
            for label, value in counts.items():
                self._add(name, label, value)
        self._add("seconds", "", seen.nanoseconds / 1e9)
        self._add("skipped", "", seen.skipped)
        self._shared.gauges["nodes"].labels(cache=self._name).set(seen.nodes)
        self._shared.gauges["longest_seconds"].labels(cache=self._name).set(seen.longest / 1e9)

    def _add(self, name: str, label: str, value: float) -> None:
        more = value - self._before.get((name, label), 0)
        if more > 0:
            other = COUNTERS[name][1]
            self._shared.counters[name].labels(cache=self._name, **({other: label} if other else {})).inc(more)
            self._before[name, label] = value


class ProcessMetrics:
    """The metrics of one process. `client`: the module `prometheus_client`."""

    def __init__(self, client: Any) -> None:
        self.registry = client.CollectorRegistry()
        self.counters = {
            name: client.Counter(PREFIX + name, text, ["cache", *filter(None, [label])], registry=self.registry)
            for name, (text, label) in COUNTERS.items()
        }
        self.gauges = {
            name: client.Gauge(PREFIX + name, text, ["cache"], registry=self.registry, multiprocess_mode="liveall")
            for name, text in GAUGES.items()
        }

    def serve(self, client: Any, port: int) -> None:
        """Serve them at this port. If another process has it, log so."""
        try:
            client.start_http_server(port, HOST, registry=self.registry)
        except OSError as error:
            log.error("the metrics of the watch are not served at port %d: %s", port, error.strerror)


@cache
def process_metrics(client: Any) -> ProcessMetrics:
    """Return the metrics of this process, which are made once."""
    return ProcessMetrics(client)


def metrics_of(
    cache_name: str, port: int | None, environment: Mapping[str, str], package: str = "prometheus_client"
) -> WatchMetrics | None:
    """Return the metrics of a cache; None if there is no place for them, or no such package, which is logged if a port is wanted."""
    if port is None and not environment.get(SHARED):
        return None
    try:
        client = import_module(package)
    except ImportError:
        if port is not None:
            log.error("the watch has no metrics: %s is not installed for this Python", package)
        return None
    shared = process_metrics(client)
    if port is not None and not environment.get(SHARED):
        shared.serve(client, port)
    return WatchMetrics(shared, cache_name)
