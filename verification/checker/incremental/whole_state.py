"""Compares the whole state of a subject with the specification, and evaluates formulas in turn.

If a subject is observed too rarely to know which operation read its clock, its times are compared by their order.
"""

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from itertools import chain
from typing import Any

from radixcheck.spec.logic import var
from radixcheck.spec.policies import Policy
from radixcheck.spec.run.reader import holds, row_of
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import POS, candidate
from radixcheck.verification.checker.abstraction import Clock
from radixcheck.verification.checker.blame import READINGS
from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.formulas import Compiled, compiled, index_findings
from radixcheck.verification.checker.incremental.agreement import Agreement
from radixcheck.verification.checker.incremental.memoized_abstraction import MemoizedAbstraction
from radixcheck.verification.checker.judge_state import difference, formula_failed
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Observation


class Ranking:
    """Returns a row for each evictable leaf, its key and then its position, in no order. Only rows of changed nodes are computed again."""

    def __init__(self, policy: Policy, changed: set[int]) -> None:
        n = var("n", POS)
        self._is_candidate: Callable[..., bool] = holds(candidate(n), (n,))
        self._row: Callable[[State, int], Any] = row_of(n, (*policy.key(n), n))
        self._changed = changed
        self._rows: dict[int, Any] = {}

    def __call__(self, state: State) -> list[Any]:
        """Return a new list of the rows."""
        for n in self._changed:
            if n in state.node and self._is_candidate(state, None, n):
                self._rows[n] = self._row(state, n)
            else:
                self._rows.pop(n, None)
        self._changed.clear()
        return list(self._rows.values())


def by_rank(clock: Clock, seen: Observation, spec: State, hidden: Collection[str] = ()) -> None:
    """Map the subject's clock readings, in their order, to the specification's times, in theirs. `hidden`: attributes not shown.

    A reading that is in the heap but on no node is mapped to a time between its neighbours. If the number of readings on nodes is not
    the number of times, some node's time is wrong and the states will differ.
    """
    shown = sorted(READINGS - set(hidden))
    readings = sorted({getattr(n, name) for n in seen.nodes for name in shown})
    times = sorted({time for name in shown for time in getattr(spec, name).values()})
    clock.known = dict(zip(readings, times, strict=False))
    entries = chain(seen.heap or (), seen.host_heap or ())
    others = {reading for e in entries for key in e.key for reading in (key, -key)} - clock.known.keys()
    for reading in others:
        rank = bisect_right(readings, reading)
        clock.known[reading] = clock.known.get(readings[rank - 1], 0) + 0.5 if rank else -1


# Formulas that visit each node, page or holder once, or with the prefixes of each node; the others compare every two.
# (ISOLATION compares every two, but follows here: a position has its namespace, so MATCH_SOUND covers it.)
LINEAR = (
    *("COVER", "LOCK_NONNEG", "PARENT", "LOCK_SPAN", "CHILD_KEY", "TIME_MONO", "MATCH_SOUND", "CLOCK"),
    *("SLOT_PARTITION", "NO_UAF", "LOCK_COUNT", "PAGE_ALIGN", "COUNT", "HEAP_FULL", "HEAP_STALE"),
)
FORMULA_EVERY = 8  # comparisons of the whole. Where nothing differs, a formula has the same value in both states


class WholeState:
    """Comparisons of the whole state. `local`: the subject shows paths, so that each clock reading is seen when it is new."""

    def __init__(self, run: CheckedRun, abstraction: MemoizedAbstraction, agreement: Agreement, looked: Counter[str], local: bool) -> None:
        self._run, self._abstraction, self._agreement, self._looked, self._local = run, abstraction, agreement, looked, local
        ready = {r.property.id: r for r in compiled(run.policy)[0] if not r.reads & run.hidden}
        self._formulas = deque(ready[id_] for id_ in LINEAR if id_ in ready)  # the next one first

    def judge(self, op: Op) -> list[Violation]:
        """Compare every state function; at every `FORMULA_EVERY`-th call evaluate the next formula too."""
        return self._judge(op, int(self._looked["whole states"] % FORMULA_EVERY == 0))

    def judge_all(self) -> list[Violation]:
        """Compare every state function, and evaluate every formula."""
        return self._judge(Op("peek"), len(self._formulas))

    def _judge(self, op: Op, formulas: int) -> list[Violation]:
        run = self._run
        due = [self._formulas[i] for i in range(formulas)]
        self._formulas.rotate(-formulas)
        self._looked["whole states"] += 1
        run.tally.count("REFINEMENT")
        observation = run.engine.observe() if self._local and not run.hidden else None
        if observation and self._agrees(observation):
            return (
                self._evaluate(due, self._abstraction.with_heap(run.oracle.model.state, observation.heap or ()), observation) if due else []
            )
        return self._compare(op, due)

    def _agrees(self, seen: Observation) -> bool:
        """Whether a comparison of what has changed shows that nothing differs. The heap is not the specification's: formulas judge it."""
        if not self._agreement.holds(seen) or index_findings(self._run.oracle.model.state, seen, self._abstraction.places):
            return False
        self._run.count_indices(seen)
        return True

    def _compare(self, op: Op, due: Iterable[Compiled]) -> list[Violation]:
        run = self._run
        if not self._local:
            by_rank(self._abstraction.clock, run.engine.observe(), run.oracle.model.state, run.hidden)
        out = run.observe()
        assert run.observation is not None
        self._abstraction.forget(run.observation)
        different = run.differing(run.hidden)
        out += self._evaluate(self._formulas if different else due, run.seen, run.observation)
        return out or [difference(run, op, name, False) for name in different[:1]]

    def _evaluate(self, due: Iterable[Compiled], state: State, seen: Observation) -> list[Violation]:
        run = self._run
        ready = [formula for formula in due if seen.heap is not None or not formula.property.heap]
        return [v for f in ready for v in formula_failed(run, f.property.id, run.tally.evaluate(f, state), seen=state)]
