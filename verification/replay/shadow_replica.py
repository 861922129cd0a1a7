"""A second cache, given the same operations: it must answer alike and choose the same victims in the same order.

It runs in a process of its own, a few operations behind. What it needs of the first cache, and of the model, is sent along.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, NamedTuple

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import Key
from radixcheck.verification.checker.engine import Engine
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.workers import workers
from radixcheck.verification.operations import Op
from radixcheck.verification.replay.replay_results import Fault

BATCH = 200  # operations sent at once
AHEAD = 20  # batches on their way, at most


class Done(NamedTuple):
    """An operation that the first cache has performed without a finding, and what is to be compared."""

    op: tuple[str, Key, int, int, int]
    error: type | None
    length: int | None
    gone: tuple[int, ...]  # what stood in the pages that it freed: positions
    written: Sequence[int]  # what the engine writes into the pages handed out: positions
    victims: int
    request: int  # the last one that has arrived
    step: int  # operations so far


class Heard(NamedTuple):
    """What the other process says of a batch."""

    fault: Fault | None
    victims: int  # compared so far


class Second:
    """The cache itself, on a pool of its own. Pages have other numbers there, so what stood in them is compared."""

    def __init__(self, factory: Any, policy: str, page_size: int, pool: int) -> None:
        self._engine = Engine(factory, policy, page_size, pool)
        self._content: dict[int, int] = {}  # page -> the position whose last page of tokens stands there
        self.victims = 0  # compared

    def step(self, done: Done) -> Violation | None:
        """Perform the operation, and compare."""
        op = Op(*done.op)
        answer = self._engine.perform(op)
        if (type(answer.error) if answer.error else None) is not done.error:
            return _differs(op, "answers", answer.error, done.error)
        if answer.length != done.length:
            return _differs(op, "answers length", answer.length, done.length)
        gone = tuple(sorted(self._content.get(page, EPS) for page in self._engine.pool.freed))
        if gone != done.gone:
            return _differs(op, "freed positions", gone, done.gone)
        self.victims += done.victims
        slots, size = answer.slots or (), self._engine.page_size
        if done.written:
            self._content.update(zip((slot // size for slot in slots[::size]), done.written, strict=True))
        return None


def _differs(op: Op, what: str, second: object, first: object) -> Violation:
    return Violation("DETERMINISM", f"{op.name}: the second cache {what} {second!r}, the first {first!r}")


class Companion:
    """The first cache's side: what it has done is collected, sent, and answered some time later. Use as a context."""

    def __init__(self, factory: Any, leader: IncrementalChecker, pool: int) -> None:
        self._leader = leader
        self._batch: list[Done] = []
        self._sent: deque[Future[Heard]] = deque()
        self._steps = 0  # passed on
        self._open = ExitStack()
        self._process = self._open.enter_context(workers(1))
        self._process.submit(_begin, factory, leader.policy, leader.engine.page_size, pool)
        self.victims = 0  # compared
        self.fault: Fault | None = None

    def close(self) -> None:
        """Let the process end."""
        self._open.close()

    def step(self, op: Op, request: int) -> Fault | None:
        """Pass on what the leader has just performed without a finding. What differs is heard of some operations later."""
        leader = self._leader
        self._steps += 1
        answer, victims = leader.answer, len(leader.oracle.call.victims)
        written = () if answer.error else self._written(op)
        error = type(answer.error) if answer.error else None
        done = (op.name, op.key, op.holder, op.amount, op.priority)
        victims = 0 if error else victims
        self._batch.append(Done(done, error, answer.length, leader.gone, written, victims, request, self._steps))
        if len(self._batch) == BATCH:
            self._send()
            self._hear(AHEAD)
        return self.fault

    def finish(self) -> Fault | None:
        """Wait for what is on its way."""
        self._send()
        self._hear(0)
        return self.fault

    def _written(self, op: Op) -> Sequence[int]:
        if op.name not in ("start", "decode"):
            return ()
        tok = self._leader.oracle.model.state.tok[op.holder]
        return (tok,) if op.name == "decode" else self._leader.oracle.positions.path(tok)

    def _send(self) -> None:
        self._sent.append(self._process.submit(_steps, self._batch))
        self._batch = []

    def _hear(self, ahead: int) -> None:
        """Take the answers that are there; wait until at most `ahead` are not."""
        while self._sent and (len(self._sent) > ahead or self._sent[0].done()):
            heard = self._sent.popleft().result()
            if not self.fault:
                self.fault, self.victims = heard


# In the other process.

_second: list[Second] = []  # the one that this process has


def _begin(factory: Any, policy: str, page_size: int, pool: int) -> None:
    _second[:] = [Second(factory, policy, page_size, pool)]


def _steps(batch: Sequence[Done]) -> Heard:
    (second,) = _second
    for done in batch:
        violation = second.step(done)
        if violation:
            name, _, holder, *_ = done.op
            return Heard(Fault(violation, done.request, done.step, f"{name} of request {holder}"), second.victims)
    return Heard(None, second.victims)
