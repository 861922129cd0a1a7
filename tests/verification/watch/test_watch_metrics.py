"""Metrics of a watch, with a package in the place of `prometheus_client`."""

import logging
import os
import re
import socket
import subprocess
from collections import Counter, defaultdict
from types import SimpleNamespace
from typing import Any

import pytest
from places import PACKAGE

from radixcheck.verification.watch.watch_metrics import SHARED, ProcessMetrics, WatchMetrics, metrics_of
from radixcheck.verification.watch.watch_results import WatchedCache


class Metric:
    """A counter or a gauge, with its values by labels."""

    def __init__(self, name: str, text: str, labelnames: list[str], registry: Any, multiprocess_mode: str = "") -> None:
        self.names, self.values = labelnames, defaultdict[tuple[tuple[str, str], ...], float](float)
        registry[name] = self

    def labels(self, **labels: str) -> SimpleNamespace:
        assert [*labels] == self.names
        at = tuple(labels.items())
        return SimpleNamespace(
            inc=lambda amount: self.values.__setitem__(at, self.values[at] + amount), set=lambda value: self.values.__setitem__(at, value)
        )


def client(busy: bool = False) -> Any:
    """A package. `busy`: another process has its port."""
    served: list[tuple[int, str]] = []

    def start(port: int, host: str, registry: Any) -> None:
        if busy:
            raise OSError(98, "Address already in use")
        served.append((port, host))

    return SimpleNamespace(CollectorRegistry=dict, Counter=Metric, Gauge=Metric, start_http_server=start, served=served)


def seen(calls: int, found: int, nodes: int = 3) -> WatchedCache:
    counted: dict[str, Any] = {"path_checks": 6, "window_checks": 7, "rounds": 8, "skipped": 9, "nodes": nodes, "raised": 0}
    by: dict[str, Any] = {"calls": Counter({"match": calls}), "departures": Counter({"TIME_MONO": 2}), "found": Counter({"ORDER": found})}
    about: dict[str, Any] = {"name": "1", "cache": "radixcheck", "version": "0.5.23", "python": "python", "budget_us": 50}
    return WatchedCache(**about, **by, **counted, nanoseconds=2_000_000_000, longest=5)


def test_counters_grow_by_what_was_counted_since_and_gauges_are_set() -> None:
    process = ProcessMetrics(client())
    metrics = WatchMetrics(process, "radixcheck")
    metrics.update(seen(10, 0, nodes=5))
    metrics.update(seen(12, 1, nodes=4))
    values = {name: dict(metric.values) for name, metric in process.registry.items()}

    assert values["radixcheck_watch_calls"] == {(("cache", "radixcheck"), ("verb", "match")): 12}
    assert values["radixcheck_watch_findings"] == {(("cache", "radixcheck"), ("property", "ORDER")): 1}
    assert values["radixcheck_watch_departures"] == {(("cache", "radixcheck"), ("property", "TIME_MONO")): 2}
    assert values["radixcheck_watch_seconds"] == {(("cache", "radixcheck"),): 2.0}
    assert values["radixcheck_watch_nodes"] == {(("cache", "radixcheck"),): 4}


def test_two_caches_of_one_process_add_to_the_same_counters() -> None:
    process = ProcessMetrics(client())
    for _ in range(2):
        WatchMetrics(process, "radixcheck").update(seen(10, 1))

    assert sum(process.registry["radixcheck_watch_calls"].values.values()) == 20


def test_metrics_are_served_at_the_port_on_this_machine_only() -> None:
    one = client()
    ProcessMetrics(one).serve(one, 9_000)

    assert one.served == [(9_000, "127.0.0.1")]


def test_a_port_that_another_process_has_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    one = client(busy=True)
    ProcessMetrics(one).serve(one, 9_000)

    assert caplog.messages == ["the metrics of the watch are not served at port 9000: Address already in use"]


SAMPLES = """
import os, sys, tempfile
from pathlib import Path
from urllib.request import urlopen
port = int(sys.argv[1])
if not port:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp()
from radixcheck.verification.watch.departures import Departures
from radixcheck.verification.watch.finding_sink import FindingSink
from radixcheck.verification.watch.watch_counts import WatchCounts
from radixcheck.verification.watch.watch_results import Finding
from radixcheck.verification.watch.watch_settings import WatchSettings
sink = FindingSink(WatchSettings(Path(tempfile.mkdtemp()), metrics_port=port or None), "sglang-classic", "1", Departures())
sink.found(Finding("ORDER", 1, "evict", "x"))
sink.tick(WatchCounts(nodes=7))
sink.flush()
from prometheus_client import CollectorRegistry, generate_latest, multiprocess
registry = CollectorRegistry()
if port:
    print(urlopen(f"http://127.0.0.1:{port}/metrics").read().decode())
else:
    multiprocess.MultiProcessCollector(registry)
    print(generate_latest(registry).decode())
"""


@pytest.mark.live
@pytest.mark.parametrize("served", [False, True])
def test_the_real_package_has_the_samples_at_the_port_and_in_the_folder_that_processes_share(served: bool) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1] if served else 0
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    command = [os.environ["RADIXCHECK_LIVE"], "-c", SAMPLES, str(port)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert 'radixcheck_watch_findings_total{cache="sglang-classic",property="ORDER"} 1.0' in ran.stdout
    assert re.search(r'radixcheck_watch_nodes\{cache="sglang-classic".*\} 7\.0', ran.stdout)


def test_there_are_no_metrics_without_a_place_for_them_or_without_the_package(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "radixcheck"):
        assert metrics_of("radixcheck", None, {}, "absent_package") is None
        assert metrics_of("radixcheck", None, {SHARED: "folder"}, "absent_package") is None
        assert caplog.messages == []
        assert metrics_of("radixcheck", 9_000, {}, "absent_package") is None
        assert caplog.messages == ["the watch has no metrics: absent_package is not installed for this Python"]
