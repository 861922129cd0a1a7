"""The driver of a campaign: submits the shards of each generation, stores each result, tries lost ones again, and merges by number.

The merged result depends on which shards were performed, not on who performed them or in which order they ended.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from time import monotonic

from radixcheck.verification.campaign.campaign_store import Store
from radixcheck.verification.campaign.executors import NodeLost, ShardExecutor
from radixcheck.verification.campaign.perform import message
from radixcheck.verification.campaign.plan_shards import guided
from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.campaign.shard_result import Row, ShardResult, result_of
from radixcheck.verification.checker.coverage import Coverage
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.envelope import Envelope
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.printable import error_text
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import WorkerLost, workers
from radixcheck.verification.search.lost import of_lost
from radixcheck.verification.search.run import replay
from radixcheck.verification.subjects.registry import resolve

LOSSES = 3  # of the processes that perform one shard: the last one is a finding
NODES_MAX = 50  # machines that may be lost under one shard
AHEAD = 2  # shards that are submitted for each worker
POLL_SECONDS = 0.5

Tell = Callable[["Drive"], None]


@dataclass(slots=True)
class Merged:
    """The results of the shards that were performed, merged by number."""

    result: RunResult = field(default_factory=RunResult)
    machine: RunResult = field(default_factory=RunResult)  # of the state machine alone
    shards: Counter[str] = field(default_factory=Counter)  # by kind
    lost: dict[int, str] = field(default_factory=dict)  # shards whose processes were lost, each with how
    rows: list[Row] = field(default_factory=list)
    seconds: float = field(default=0.0, compare=False)  # of work

    @classmethod
    def of(cls, results: Iterable[ShardResult]) -> "Merged":
        """Return merged results."""
        merged = cls()
        for result in sorted(results, key=lambda result: result.number):
            merged.add(result)
        return merged

    def add(self, part: ShardResult) -> None:
        """Add the result of a shard with a higher number than those before."""
        self.result.merge(part.result)
        if part.kind == Kind.MACHINE:
            self.machine.merge(part.result)
        self.shards[part.kind] += 1
        self.rows += part.rows
        self.seconds += part.seconds
        if part.lost:
            self.lost[part.number] = part.lost


@dataclass(slots=True)
class Drive:
    """One run of a driver over a store. What an earlier run stored is not performed again."""

    store: Store
    plan: Sequence[Sequence[Shard]]
    executor: ShardExecutor
    deadline: Deadline
    tell: Tell
    done: dict[int, ShardResult] = field(default_factory=dict)
    resumed: int = 0  # results that were there
    operations: int = 0  # of this run
    found: set[str] = field(default_factory=set)  # properties that are refuted
    envelope: Envelope = field(default_factory=Envelope)  # how far the runs went so far
    nodes_lost: int = 0
    ended: str = ""  # why not all shards were performed; empty: they were
    started: float = field(default_factory=monotonic)
    _losses: Counter[int] = field(default_factory=Counter)
    _nodes: Counter[int] = field(default_factory=Counter)

    def run(self) -> Merged:
        """Perform the shards that are missing, until the end of the plan, the deadline, an interrupt, or a generation with a loss."""
        for result in self.store.results(self.plan):
            self._note(result)
        self.resumed = len(self.done)
        try:
            for number, shards in enumerate(self.plan):
                reached = self._reached(shards)
                self._generation([guided(shard, reached) for shard in shards if shard.number not in self.done])
                if self.ended:
                    break
                if number + 1 < len(self.plan) and any(self.done[shard.number].lost for shard in shards):
                    self.ended = "a shard lost its process again and again, as the others would: no further generation was begun"
                    break
        except KeyboardInterrupt:
            self.ended = "it was interrupted"
        return Merged.of(self.done.values())

    @property
    def shards(self) -> int:
        """How many shards are planned."""
        return sum(map(len, self.plan))

    @property
    def missing(self) -> list[Shard]:
        """The shards without a result."""
        return [shard for shards in self.plan for shard in shards if shard.number not in self.done]

    @property
    def rate(self) -> float:
        """Operations a second, of this run."""
        return self.operations / max(monotonic() - self.started, 1e-3)

    @property
    def seconds_left(self) -> float:
        """A guess of how long the missing shards take, at the speed of this run."""
        new = len(self.done) - self.resumed
        return (monotonic() - self.started) / new * len(self.missing) if new else 0.0

    def _reached(self, shards: Sequence[Shard]) -> Coverage:
        """Return what the generations before these shards reached, if they need it."""
        if not any(shard.kind == Kind.GUIDED for shard in shards):
            return Coverage()
        first = min(shard.number for shard in shards)
        return Merged.of(result for number, result in self.done.items() if number < first).result.coverage

    def _generation(self, shards: Sequence[Shard]) -> None:
        due, waiting = list(shards)[::-1], dict[Future[str], Shard]()
        while (due or waiting) and not self.ended:
            if self.deadline.passed:
                self.ended = "the time was over"
                return
            while due and len(waiting) < AHEAD * max(1, self.executor.workers):
                self._submit(due.pop(), waiting)
            for future in wait(waiting, timeout=min(POLL_SECONDS, self.deadline.left), return_when=FIRST_COMPLETED).done:
                if again := self._take(future, waiting.pop(future)):
                    due.append(again)
            self.tell(self)

    def _submit(self, shard: Shard, waiting: "dict[Future[str], Shard]") -> None:
        waiting[self.executor.submit(message(self.store.header.campaign, self.store.header.cache, shard))] = shard

    def _take(self, future: "Future[str]", shard: Shard) -> Shard | None:
        """Store the result of a shard; return the shard if it must be performed again."""
        try:
            text = future.result()
        except NodeLost as lost:
            self.nodes_lost += 1
            self._nodes[shard.number] += 1
            if self._nodes[shard.number] > NODES_MAX:
                self.ended = f"shard {shard.number} ({shard.title}): {lost}, {NODES_MAX} times"
            return shard
        except WorkerLost as lost:
            self._losses[shard.number] += 1
            if self._losses[shard.number] < LOSSES:
                return shard
            text = lost_result(self.store.header.campaign, shard, lost).to_text()
        except UsageError as wrong:  # raised while a cache was made: what was found before counts all the same
            if not self.found:
                raise
            self.ended = f"shard {shard.number} ({shard.title}) could not be performed: {wrong}"
            return None
        except Exception as error:  # of the checker, as one that ran out of memory
            self.ended = f"shard {shard.number} ({shard.title}) could not be performed: {error_text(error)}"
            return None
        result = ShardResult.from_text(text)
        assert (result.number, result.task) == (shard.number, shard.digest)
        self.store.add(shard.number, text)
        self.operations += result.result.steps
        self._note(result)
        return None

    def _note(self, result: ShardResult) -> None:
        self.done[result.number] = result
        self.found |= result.result.found.keys()
        self.envelope = self.envelope.merge(result.result.envelope)


def lost_result(campaign: Campaign, shard: Shard, lost: WorkerLost) -> ShardResult:
    """Return the result of a shard whose process was lost for the last time.

    It is a finding if the operations of the subject that was called last lose the process again. Else the shard is undecided: the system
    may have ended the process, for want of memory.
    """
    found, result = of_lost(lost), RunResult()
    if found is not None and lost.last is not None and lost.last.subject == campaign.subject and _again(campaign, found):
        result = RunResult(runs=1, steps=len(found.trace), found={found.violation.property: found})
    return result_of(shard, result, lost=f"{lost.where}: {lost}")


def _again(campaign: Campaign, found: Found) -> bool:
    """Return whether the operations of a lost process lose another one."""
    with workers(1) as pool:
        try:
            pool.submit(replay, resolve(campaign.subject, campaign.bounds.device), found.config, found.trace).result()
        except WorkerLost:
            return True
    return False
