"""The checker of an exploration, with its checks divided between states and transitions.

Per transition: the pool's audit, the answer and each slot in it, the refusal, the abstraction with its findings, every function of the
abstract state against the specification's (the refinement step), the indices (HEAP_ORDER, HEAP_BOUND, LEAFSET), the handle of a match,
every postcondition of the operation, and NO_ALIAS. Per canonical state, when it is first reached: every state formula. If a transition
breaks something, the state formulas are evaluated as well. Not checked: MISUSE, and what needs long runs (costs, memory).
Before a state is expanded it is reached again by the same operations; a different state then breaks DETERMINISM.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from radixcheck.spec.policies import Policy
from radixcheck.spec.run.positions import Positions
from radixcheck.spec.values import Key
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.formulas import Compiled, Tally
from radixcheck.verification.core.found import Violation
from radixcheck.verification.explore.canonical import Canon, Canonical, Universe
from radixcheck.verification.explore.scopes import Scope
from radixcheck.verification.explore.snapshot import Snapshot
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import SeenNode, Setup, Supports

NEVER = 10**9  # a stride


@dataclass(slots=True)
class FirstWitness(Tally):
    """A tally that evaluates each witness until it holds once, and counts nothing else."""

    def evaluate(self, ready: Compiled, *arguments: Any) -> dict[str, int] | None:
        """Return None if the formula holds, else the values of its variables for which it is false."""
        id_ = ready.property.id
        try:
            if not self.exercised[id_] and ready.witness(*arguments):
                self.exercised[id_] = 1
            return ready.check(*arguments)
        except (KeyError, TypeError, IndexError):
            return None


class Visitor(Checker):
    """A checker with a scope: it knows the operations that are possible next, and the canonical form of the present state."""

    emits = False  # what a cache without events does is explored

    def __init__(self, factory: Any, scope: Scope, policy: str, page_size: int) -> None:
        super().__init__(factory, policy, page_size, scope.pool * page_size, tier=scope.tier(page_size))
        self.scope = scope
        self.alphabet = scope.alphabet(page_size, policy)
        self.universe = Universe(scope, self.oracle.positions)
        self.tally = FirstWitness()
        self.judged: set[bytes] = set()  # canonical forms of the states whose formulas were evaluated
        self.handle: Key | None = None  # the key of the last match: a caller keeps no other handle
        self.refused: Key | None = None  # the key of the last start that was refused: a caller repeats no other one
        self._holders = range(1, scope.holders + 1)
        self._canon = Canon(self.universe, policy)
        self.canonical = self._canonical()

    @property
    def shown(self) -> bool:
        """Whether the subject shows all that its canonical form contains; else some of it is taken from the specification."""
        return self.transparent and self.hidden.isdisjoint(self._canon.reads)

    def take(self, op: Op) -> list[Violation]:
        """Take one transition and return its violations. Unless `stopped`, `canonical` is then the form of the state reached."""
        if op.name == "match":
            self.handle = op.key
        self.answers.clear()
        self.canonical = UNKNOWN
        broken = self.step(op)
        return broken + self.guarded(partial(self._settle, op, broken))

    def _settle(self, op: Op, broken: list[Violation]) -> list[Violation]:
        """Determine the form of the state reached."""
        adopted = self.tainted != self.hidden  # times and ranks were adopted after the formulas were evaluated
        before, self.refused = self.refused, self._refused_start(op)
        if not self.stopped and (broken or adopted or self.canonical is UNKNOWN or before != self.refused):
            self.canonical = self._canonical()
        return []

    def _refused_start(self, op: Op) -> Key | None:
        if op.name == "reset" or (op.name == "start" and op.key == self.refused):
            self.refused = None
        return op.key if op.name == "start" and op.holder not in self.oracle.model.state.held else self.refused

    def repeat(self, op: Op) -> None:
        """Repeat a transition that was taken before. Formulas are evaluated only if something differs."""
        self.stride = NEVER
        self.take(op)
        self.stride = 1

    def enabled(self) -> list[int]:
        """Return the operations that a caller can make now, as indices into the alphabet; of those equal but for names, one."""
        idle = next(filter(self.oracle.is_free, self._holders), 0)
        holders = self._representative_holders()
        return [i for i, op in enumerate(self.alphabet) if self._is_enabled(op, idle, holders)]

    def _is_enabled(self, op: Op, idle: int, holders: set[int]) -> bool:
        match op.name:
            case "evict" | "reset" | "evict_host" | "poll":
                return True
            case "complete":
                return self._can_complete(op)
            case "lock":
                return op.holder == idle and op.key == self.handle and (op.key in self.oracle.matched or self._old_handle is not None)
            case "free":
                return self.allowed(op)
            case "unlock" if self.scope.edges and op.holder in self.oracle.old_receipts:
                return self.allowed(op)
            case "insert":
                return self._is_representative(self.oracle.positions.of(op.key)) and self.allowed(op)
            case "start" | "alloc" if op.holder != idle:
                return False
            case "match" | "peek" | "start" | "alloc" | "load_back" | "backup":
                return self._is_representative(self.oracle.positions.of(op.key))
            case "decode":
                return op.holder in holders and self._can_decode(op)
        return op.holder in holders and self.allowed(op)  # unlock, chunk, finish, abort, run

    def _can_decode(self, op: Op) -> bool:
        after = self.universe.decoded(self.oracle.model.state.tok[op.holder], op.amount)
        return after is not None and self._is_representative(after)

    def _can_complete(self, op: Op) -> bool:
        """Whether the copy is in flight; or it is the next one for which the cache waits, which only write-back does, to fail."""
        if self.host is None:
            return False
        copier = self.host.engine.copier
        waits = self.scope.mode == "write_back" and not copier.next_fails
        possible = op.holder < len(copier.in_flight) or (waits and op.holder == len(copier.in_flight) and op.amount == 1)
        return possible and self.allowed(op)

    def _is_representative(self, position: int) -> bool:
        """Whether neither this position nor one above it has a twin that is explored in its place."""
        return self.canonical.twins.isdisjoint(self.oracle.positions.path(position))

    def _representative_holders(self) -> set[int]:
        """Return the first of the holders with equal rows, but for those whose row ends at a position that has a twin."""
        s = self.oracle.model.state
        lent = self.oracle.loans
        first = {(h in lent, s.at[h], s.tok[h], s.request_priority[h]): h for h in sorted(s.held, reverse=True)}
        return {h for (*_, tok, _), h in first.items() if self._is_representative(tok)}

    def _canonical(self) -> Canonical:
        handle = None if self.handle is None else self.oracle.matched.get(self.handle)
        refused = None if self.refused is None else self.oracle.positions.of(self.refused)
        return self._canon(self, handle, refused, self._old_handle)

    @property
    def _old_handle(self) -> int | None:
        """The end of the last match, if it was before the last reset; None also in a scope without edges."""
        return self.oracle.old_handles.get(self.handle) if self.scope.edges and self.handle is not None else None

    def _judge_state_formulas(self, deviating: Mapping[str, str]) -> list[Violation]:
        """Judge each canonical state once; a state too broken to have a canonical form is judged whenever it is reached."""
        try:
            self.canonical = self._canonical()
        except (KeyError, ValueError, TypeError):
            return super()._judge_state_formulas(deviating)
        if self.canonical.form in self.judged:
            return []
        self.judged.add(self.canonical.form)
        return super()._judge_state_formulas(deviating)

    def snapshot(self) -> Callable[[], None]:
        """Return a function that restores the present state. Raise Opaque if there is an object that cannot be restored."""
        roots = (self.engine, self.oracle, self.abstraction.clock, self.freshness)
        held = Snapshot(roots, CONSTANT)
        mine = {name: getattr(self, name) for name in REPLACED}
        places, tainted = self.abstraction.places, set(self.tainted)

        def restore() -> None:
            held.restore()
            vars(self).update(mine)
            self.abstraction.places = places
            self.tainted = set(tainted)

        return restore


UNKNOWN = Canonical(b"", frozenset())
REPLACED = ("handle", "refused", "canonical", "seen", "before", "observation", "steps", "stopped")  # never changed in place
CONSTANT: frozenset[type] = frozenset({Positions, Policy, Key, Op, Supports, Setup, SeenNode})
