"""Who performs shards: a small protocol, and the processes of this machine."""

from concurrent.futures import Future
from typing import Protocol

from radixcheck.verification.campaign.perform import perform_text
from radixcheck.verification.core.workers import workers


class NodeLost(Exception):
    """A node, or a worker of it, was lost while it performed a shard. That says nothing about the shard: it is submitted again."""


class ShardExecutor(Protocol):
    """Performs shards, several at a time."""

    def submit(self, text: str) -> "Future[str]":
        """Perform a shard, both as text (`perform_text`). It raises WorkerLost if the process ends, NodeLost if the machine does."""

    @property
    def workers(self) -> int:
        """How many shards are performed at once now."""

    @property
    def sentence(self) -> str:
        """Who performs them now."""

    def close(self) -> None:
        """End what was started, whatever it is doing."""


class LocalExecutor:
    """Worker processes on this machine."""

    def __init__(self, count: int) -> None:
        self.workers = count
        self._pool = workers(count)

    def submit(self, text: str) -> "Future[str]":
        """Perform a shard in a worker process."""
        return self._pool.submit(perform_text, text)

    @property
    def sentence(self) -> str:
        """The number of processes."""
        return f"{self.workers} process{'es' * (self.workers > 1)} of this machine"

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=False)
