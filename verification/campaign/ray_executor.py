"""Performs shards on the nodes of a Ray cluster.

A Ray worker performs no shard itself: it starts a process for that, as the local executor does. So a cache that ends its process, or from
which it never returns, is noticed on the node where that happens, with its operations so far, and Ray's own processes live on. What ends a
Ray worker or its node is no finding: the shard is submitted again.

Each node needs the same sources of radixcheck, which is checked, and a Python that can import the cache.
"""

import json
import os
from collections.abc import Mapping
from concurrent.futures import Future
from functools import cache
from tempfile import mkdtemp
from typing import Any

from radixcheck.verification.campaign.executors import NodeLost
from radixcheck.verification.campaign.packed import packed, unpacked
from radixcheck.verification.campaign.perform import perform_text
from radixcheck.verification.core.guardian import GUARDIAN
from radixcheck.verification.core.installing import missing
from radixcheck.verification.core.printable import error_text
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import Worker, WorkerLost

DONE, LOST, WRONG, FAILED = "done", "lost", "wrong", "failed"  # how a shard ended, beside its text


class RayExecutor:
    """The nodes of a Ray cluster: one shard for each of its CPUs at a time. Nodes may join and leave meanwhile."""

    def __init__(self, address: str) -> None:
        """Connect to the cluster at this address (`auto`: the one of this machine). Raise UsageError."""
        try:
            import ray
        except ImportError as error:
            raise UsageError(f"--ray: {missing('ray')}") from error
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error", include_dashboard=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise UsageError(f"--ray {address}: there is no cluster ({first}); start one with `ray start --head`") from error
        self._ray = ray
        self._perform = ray.remote(num_cpus=1, max_retries=0)(perform_on_node)

    def submit(self, text: str) -> "Future[str]":
        """Perform a shard on a node that has a free CPU."""
        ended: Future[str] = Future()
        self._perform.remote(text).future().add_done_callback(lambda answer: pass_on(answer, ended))
        return ended

    @property
    def workers(self) -> int:
        """The CPUs of the cluster now; 1 while it has none: a node with some may join."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 0)))

    @property
    def sentence(self) -> str:
        """The nodes and workers now."""
        nodes = sum(bool(node["Alive"]) for node in self._ray.nodes())
        if not self._ray.cluster_resources().get("CPU"):
            return "no worker, until a node with CPUs joins the Ray cluster"
        return f"{self.workers} workers on {nodes} node{'s' * (nodes != 1)} of a Ray cluster"

    def close(self) -> None:
        """Leave the cluster. What it still performs for this driver ends."""
        self._ray.shutdown()


def perform_on_node(text: str) -> str:
    """Perform a shard in a process beside this one, which is a worker of Ray. Return how it ended, as text."""
    try:
        return json.dumps({DONE: _process().perform(text)})
    except WorkerLost as lost:
        return json.dumps({LOST: str(lost), "last": packed(lost.last) if lost.last else None})
    except UsageError as wrong:
        return json.dumps({WRONG: str(wrong)})
    except Exception as error:  # of the checker: it is no loss
        return json.dumps({FAILED: error_text(error)})


class OwnProcess:
    """The process beside a worker of Ray. It performs one shard after the other, until it is lost."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._folder = mkdtemp(prefix="radixcheck-")

    def perform(self, text: str) -> str:
        """Perform a shard. Raise WorkerLost."""
        if self._worker is None:
            self._worker = Worker(os.path.join(self._folder, "record"))
            GUARDIAN.add(self._worker.pid)  # Ray may kill this process at any time
        try:
            result: str = self._worker.call(perform_text, text)
            return result
        except WorkerLost:
            GUARDIAN.remove(self._worker.pid)
            self._worker = None
            raise


@cache
def _process() -> OwnProcess:
    return OwnProcess()


def pass_on(answer: "Future[str]", ended: "Future[str]") -> None:
    """End a shard as its answer says."""
    try:
        ending: dict[str, Any] = json.loads(answer.result())
    except BaseException as error:  # whatever Ray raises: a worker, a node or the cluster is gone, or cannot import this module
        first = (str(error).splitlines() or [""])[0]
        ended.set_exception(NodeLost(f"a worker of Ray was lost ({type(error).__name__}: {first})"))
        return
    try:
        ended.set_result(_result(ending))
    except BaseException as error:
        ended.set_exception(error)


def _result(ending: Mapping[str, Any]) -> str:
    """Return the result of a shard that was performed; raise what it raised there."""
    if LOST in ending:
        raise WorkerLost(ending[LOST], unpacked(ending["last"]) if ending["last"] else None)
    if WRONG in ending:
        raise UsageError(ending[WRONG])
    if FAILED in ending:
        raise RuntimeError(ending[FAILED])
    return str(ending[DONE])
