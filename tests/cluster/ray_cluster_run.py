"""A program for the Python that has Ray: a campaign on two Ray nodes of this machine, of which one may be killed in the middle.

    ray_cluster_run.py SUBJECT STORE OPERATIONS KILL

KILL: after how many shards a node is killed; 0: never. Another one joins then. It prints the result as JSON.
"""

import json
import os
import signal
import sys
from contextlib import redirect_stdout, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import ray
from ray.cluster_utils import Cluster

from radixcheck.verification.campaign.ray_executor import RayExecutor, perform_on_node
from radixcheck.verification.runs.campaign_job import CampaignRequest, run_campaign
from radixcheck.verification.runs.checked_bounds import bounds_for
from radixcheck.verification.subjects.registry import resolve

NODES = 2  # with one CPU each, beside the head, which performs nothing
START_SECONDS = 60.0  # within which a node begins its first shard, also on a busy machine
MEMORY = 80 * 2**20  # bytes of the object store of a node: the least that Ray allows


class KillsNode(RayExecutor):
    """Kills a node after some shards were submitted."""

    def __init__(self, cluster: Cluster, after: int) -> None:
        super().__init__(cluster.address)
        self._cluster, self._left = cluster, after
        here = ray.get_runtime_context().get_node_id()  # a driver ends with its own node
        self._node = next(node for node in cluster.worker_nodes if node.node_id != here)

    def submit(self, text: str):  # type: ignore[no-untyped-def]
        """Submit a shard; kill the node if it is the turn of that."""
        self._left -= 1
        ended = super().submit(text)
        if self._left == 0:
            worker = self._stopped_worker()
            self._cluster.remove_node(self._node, allow_graceful=False)
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)  # what is stopped does not see that its node is gone
            self._cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
        return ended

    def _stopped_worker(self) -> int:
        """Stop a worker of the node while it performs a shard, so that the shard is lost with the node. Return its process."""
        until = monotonic() + START_SECONDS
        while monotonic() < until:
            for worker in filter(performs, children(self._node.all_processes["raylet"][0].process.pid)):
                os.kill(worker, signal.SIGSTOP)
                if performs(worker):
                    return worker
                os.kill(worker, signal.SIGCONT)
            sleep(0.01)
        raise TimeoutError(f"the node that is to be killed began no shard within {START_SECONDS:g} s")


def children(process: int) -> list[int]:
    """The child processes of a process."""
    return [int(child) for file in Path(f"/proc/{process}/task").glob("*/children") for child in file.read_text().split()]


def performs(worker: int) -> bool:
    """Whether a worker of Ray performs a shard now: it names itself after its task."""
    return perform_on_node.__name__.encode() in Path(f"/proc/{worker}/cmdline").read_bytes()


def main(subject: str, store: str, operations: str, kill: str) -> None:
    with redirect_stdout(sys.stderr):  # Ray prints what happens to its nodes
        found = performed(subject, Path(store), int(operations), int(kill))
    print(json.dumps(found))


def performed(subject: str, store: Path, operations: int, kill: int) -> dict[str, Any]:
    """Perform the campaign on a cluster of its own."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": MEMORY, "include_dashboard": False})
    for _ in range(NODES):
        cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    cache = resolve(subject)
    bounds = bounds_for(cache, ("lru",), (1, 2), operations=operations)
    executor = KillsNode(cluster, kill)
    try:
        return run_campaign(CampaignRequest(cache, bounds, store, kinds=("search",)), executor).to_json()
    finally:
        executor.close()
        cluster.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
