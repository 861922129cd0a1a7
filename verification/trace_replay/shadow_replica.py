"""A second cache, given the same operations: it must answer alike and evict the same victims in the same order.

It runs in a process of its own, a few operations behind. What the comparison needs of the first cache and of the model is sent with each
operation.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, NamedTuple

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import Key
from radixcheck.verification.checker.engine import Answer
from radixcheck.verification.checker.host_engine import HostEngine
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.checker.run_parts import run_parts
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.printable import value_text
from radixcheck.verification.core.workers import workers
from radixcheck.verification.operations import Op
from radixcheck.verification.trace_replay.replay_results import Fault

BATCH = 200  # operations sent at once
AHEAD = 20  # batches without an answer, at most


class Performed(NamedTuple):
    """An operation that the first cache has performed without a finding, and what is to be compared."""

    op: tuple[str, Key, int, int, int]
    error: type | None
    length: int | None
    gone: tuple[int, ...]  # positions: the contents of the pages that it freed
    written: Sequence[int]  # positions: what the engine writes into the allocated pages
    victims: int
    of_tiers: tuple[object, ...]  # of a cache with a host tier: what else it answered, and how many pages it freed on each tier
    request: int  # the last one that has arrived
    step: int  # operations so far


class Reply(NamedTuple):
    """What the other process returns for a batch."""

    fault: Fault | None
    victims: int  # compared so far


class _Replica:
    """The second cache, on a pool of its own. Its pages have other numbers, so the contents of freed pages are compared."""

    def __init__(self, factory: Any, config: Config) -> None:
        parts = run_parts(factory, config)
        self._engine, self._host = parts.engine, parts.host
        self._content: dict[int, int] = {}  # page -> the position of its last token
        self.victims = 0  # compared

    def step(self, performed: Performed) -> Violation | None:
        """Perform the operation, and compare."""
        op = Op(*performed.op)
        answer = self._engine.perform(op)
        if (type(answer.error) if answer.error else None) is not performed.error:
            return _differs(op, "answers", answer.error, performed.error)
        if answer.length != performed.length:
            return _differs(op, "answers length", answer.length, performed.length)
        if self._host:
            return self._judge_tiers(self._host.engine, performed, op, answer)
        gone = tuple(sorted(self._content.get(page, EPS) for page in self._engine.pool.freed))
        if gone != performed.gone:
            return _differs(op, "freed positions", gone, performed.gone)
        self.victims += performed.victims
        slots, size = answer.slots or (), self._engine.page_size
        if performed.written:
            self._content.update(zip((slot // size for slot in slots[::size]), performed.written, strict=True))
        return None

    def _judge_tiers(self, engine: HostEngine, performed: Performed, op: Op, answer: Answer) -> Violation | None:
        """Compare what concerns two tiers. Which tokens left them is not compared: copies move tokens between pages."""
        found = of_tiers(engine, answer)
        self.victims += performed.victims
        return None if found == performed.of_tiers else _differs(op, "answers", found, performed.of_tiers)


def of_tiers(engine: HostEngine, answer: Answer) -> tuple[object, ...]:
    """Return what a cache with a host tier answered besides a length and slots, and how many pages it freed on each tier."""
    return (answer.host_length, answer.moved, answer.tickets, len(engine.pool.freed), len(engine.host_pool.freed))


def _differs(op: Op, what: str, second: object, first: object) -> Violation:
    return Violation("DETERMINISM", f"{op.name}: the second cache {what} {value_text(second)}, the first {value_text(first)}")


class ShadowReplica:
    """The first cache's side: collects operations, sends them in batches, and receives the replies some operations later."""

    def __init__(self, factory: Any, leader: IncrementalChecker, config: Config) -> None:
        self._leader = leader
        self._batch: list[Performed] = []
        self._sent: deque[Future[Reply]] = deque()
        self._steps = 0  # collected
        self._open = ExitStack()
        self._process = self._open.enter_context(workers(1))
        self._process.submit(_begin, factory, config)
        self.victims = 0  # compared
        self.fault: Fault | None = None

    def close(self) -> None:
        """End the process."""
        self._open.close()

    def step(self, op: Op, request: int) -> Fault | None:
        """Pass on the operation that the leader has just performed without a finding. Return the first fault received so far."""
        leader = self._leader
        self._steps += 1
        answer, victims = leader.answer, len(leader.oracle.call.victims)
        written = () if answer.error else self._written(op)
        error = type(answer.error) if answer.error else None
        performed = (op.name, op.key, op.holder, op.amount, op.priority)
        victims = 0 if error else victims
        tiers = of_tiers(leader.host.engine, answer) if leader.host else ()
        self._batch.append(Performed(performed, error, answer.length, leader.gone, written, victims, tiers, request, self._steps))
        if len(self._batch) == BATCH:
            self._send()
            self._receive(AHEAD)
        return self.fault

    def finish(self) -> Fault | None:
        """Send the rest, wait for all replies, and return the first fault."""
        self._send()
        self._receive(0)
        return self.fault

    def _written(self, op: Op) -> Sequence[int]:
        if op.name not in ("start", "decode"):
            return ()
        tok = self._leader.oracle.model.state.tok[op.holder]
        return (tok,) if op.name == "decode" else self._leader.oracle.positions.path(tok)

    def _send(self) -> None:
        self._sent.append(self._process.submit(_steps, self._batch))
        self._batch = []

    def _receive(self, ahead: int) -> None:
        """Take the replies that are there; wait until at most `ahead` are missing."""
        while self._sent and (len(self._sent) > ahead or self._sent[0].done()):
            reply = self._sent.popleft().result()
            if not self.fault:
                self.fault, self.victims = reply


# In the other process.

_replicas: list[_Replica] = []  # the only one of this process


def _begin(factory: Any, config: Config) -> None:
    _replicas[:] = [_Replica(factory, config)]


def _steps(batch: Sequence[Performed]) -> Reply:
    (replica,) = _replicas
    for performed in batch:
        violation = replica.step(performed)
        if violation:
            name, _, holder, *_ = performed.op
            return Reply(Fault(violation, performed.request, performed.step, f"{name} of request {holder}"), replica.victims)
    return Reply(None, replica.victims)
