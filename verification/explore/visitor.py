"""Takes every transition of a state: a checker whose checks are divided between states and transitions.

Per transition: the pool's audit, the answer and each slot in it, the refusal, the abstraction and all that it finds, every function of
the abstract state against the specification's (the refinement step), the indices (HEAP_ORDER, HEAP_BOUND, LEAFSET), the handle of a
match, every postcondition of the operation, and NO_ALIAS. Per canonical state, when it is first seen: every state formula. Wherever a
transition breaks something, the state formulas are evaluated as well. Not checked: MISUSE, and what needs long runs (costs, memory).
A state is reached again, by the same operations, before it is left: another state then is a broken DETERMINISM.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
class Once(Tally):
    """A tally that evaluates a witness until it holds once, and counts nothing else."""

    def evaluate(self, ready: Compiled, *arguments: Any) -> dict[str, int] | None:
        """Return None if the formula holds, else where it fails."""
        id_ = ready.property.id
        try:
            if not self.exercised[id_] and ready.witness(*arguments):
                self.exercised[id_] = 1
            return ready.check(*arguments)
        except (KeyError, TypeError, IndexError):
            return None


class Visitor(Checker):
    """A checker with a scope: it knows the possible operations, and the canonical form of the present state."""

    def __init__(self, factory: Any, scope: Scope, policy: str, page_size: int) -> None:
        super().__init__(factory, policy, page_size, scope.pool * page_size)
        self.alphabet = scope.alphabet(page_size, policy)
        self.universe = Universe(scope, self.oracle.positions)
        self.tally = Once()
        self.judged: set[bytes] = set()  # canonical states whose formulas were evaluated
        self.handle: Key | None = None  # the key of the last match: a caller keeps no other handle
        self.refused: Key | None = None  # of the last start that was: no other one waits to be tried again
        self._holders = range(1, scope.holders + 1)
        self._canon = Canon(self.universe, policy)
        self.canonical = self._canonical()

    @property
    def shown(self) -> bool:
        """Whether the subject shows everything of which the canonical form is made."""
        return self.transparent and self.hidden.isdisjoint(self._canon.reads)

    def take(self, op: Op) -> list[Violation]:
        """Take a transition with its checks. Unless `stopped`, the run can continue from the present state, `canonical`."""
        if op.name == "match":
            self.handle = op.key
        self.answers.clear()
        self.canonical = UNKNOWN
        broken = self.step(op)
        adopted = self.tainted != self.hidden  # times and ranks were taken over after the formulas
        waiting, self.refused = self.refused, self._waiting(op)
        if not self.stopped and (broken or adopted or self.canonical is UNKNOWN or waiting != self.refused):
            self.canonical = self._canonical()
        return broken

    def _waiting(self, op: Op) -> Key | None:
        if op.name == "reset" or (op.name == "start" and op.key == self.refused):
            self.refused = None
        return op.key if op.name == "start" and op.holder not in self.oracle.model.state.held else self.refused

    def again(self, op: Op) -> None:
        """Take a transition that was taken before: compare its answer and the new state, but evaluate no formula."""
        self.stride = NEVER
        self.take(op)
        self.stride = 1

    def offered(self) -> list[int]:
        """Return the operations that a caller can make now, as places in the alphabet; one of those that differ in names only."""
        idle = next((h for h in self._holders if h not in self.oracle.model.state.held), 0)
        leading = self._leading()
        return [i for i, op in enumerate(self.alphabet) if self._offers(op, idle, leading)]

    def _offers(self, op: Op, idle: int, leading: set[int]) -> bool:
        match op.name:
            case "evict" | "reset":
                return True
            case "lock":
                return op.holder == idle and op.key == self.handle and op.key in self.oracle.matched
            case "insert":
                return self._apart(self.oracle.positions.of(op.key)) and self.allowed(op)
            case "start":
                return op.holder == idle and self._apart(self.oracle.positions.of(op.key))
            case "match" | "peek":
                return self._apart(self.oracle.positions.of(op.key))
            case "decode":
                after = self.universe.decoded(self.oracle.model.state.tok[op.holder], op.amount) if op.holder in leading else None
                return after is not None and self._apart(after)
        return op.holder in leading  # unlock, chunk, finish, abort

    def _apart(self, position: int) -> bool:
        """Return whether no equal sibling replaces this position, or one above it."""
        return self.canonical.twins.isdisjoint(self.oracle.positions.path(position))

    def _leading(self) -> set[int]:
        """Return the first of the holders in equal states, without those whose position an equal sibling replaces."""
        s = self.oracle.model.state
        stands = {(s.at[h], s.tok[h], s.request_priority[h]): h for h in sorted(s.held, reverse=True)}
        return {h for (_, tok, _), h in stands.items() if self._apart(tok)}

    def _canonical(self) -> Canonical:
        return self._canon(
            self,
            None if self.handle is None else self.oracle.matched.get(self.handle),
            None if self.refused is None else self.oracle.positions.of(self.refused),
        )

    def _judge_state_formulas(self, deviating: Mapping[str, str]) -> list[Violation]:
        """Evaluate once for each canonical state; a state too broken to have a canonical form is evaluated each time."""
        try:
            self.canonical = self._canonical()
        except (KeyError, ValueError, TypeError):
            return super()._judge_state_formulas(deviating)
        if self.canonical.form in self.judged:
            return []
        self.judged.add(self.canonical.form)
        return super()._judge_state_formulas(deviating)

    def snapshot(self) -> Callable[[], None]:
        """Return a function that restores the present state. Raise Opaque if the state cannot be saved."""
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
