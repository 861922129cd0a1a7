"""A second cache, given the same operations: it must answer alike and choose the same victims in the same order."""

from typing import Any

from radixcheck.spec.postconditions import EVICTING
from radixcheck.verification.model.positions import EPS
from radixcheck.verification.operations import Op
from radixcheck.verification.refinement.checker import Violation
from radixcheck.verification.refinement.engine import Engine
from radixcheck.verification.replay.incremental import IncrementalChecker


class Companion:
    """Another cache on a pool of its own. Pages have other numbers there, so what stood in them is compared."""

    def __init__(self, factory: Any, leader: IncrementalChecker, pool: int) -> None:
        self._leader = leader
        self._positions = leader.oracle.positions
        self._engine = Engine(factory, leader.policy, leader.engine.page_size, pool)
        self._content: dict[int, int] = {}  # page -> the position whose last page of tokens stands there
        self.victims = 0  # compared

    def step(self, op: Op) -> list[Violation]:
        """Perform an operation that the leader has just performed without a finding, and compare."""
        answer, expected = self._engine.perform(op), self._leader.answer
        if type(answer.error) is not type(expected.error):
            return self._differs(op, "answers", answer.error, expected.error)
        if answer.length != expected.length:
            return self._differs(op, "answers length", answer.length, expected.length)
        gone = tuple(self._content.get(page, EPS) for page in self._engine.pool.freed)
        theirs = self._leader.gone
        if op.name not in EVICTING:
            gone, theirs = tuple(sorted(gone)), tuple(sorted(theirs))
        if gone != theirs:
            return self._differs(op, "freed positions", gone, theirs)
        if answer.error is None:
            self.victims += len(self._leader.oracle.call.victims)
            self._write(op, answer.slots or ())
        return []

    def _differs(self, op: Op, what: str, second: object, first: object) -> list[Violation]:
        return [Violation("DETERMINISM", f"{op.name}: the second cache {what} {second!r}, the first {first!r}")]

    def _write(self, op: Op, slots: tuple[int, ...]) -> None:
        """Note what the engine writes into the pages that a request was given."""
        if op.name not in ("start", "decode"):
            return
        tok, size = self._leader.oracle.model.state.tok[op.holder], self._engine.page_size
        path = (tok,) if op.name == "decode" else self._positions.path(tok)
        self._content.update(zip((slot // size for slot in slots[::size]), path, strict=True))
