"""Whether a leaf that may be evicted has an entry in the heap whose key is not later than the leaf's own."""

from collections import Counter

from radixcheck.spec.logic import var
from radixcheck.spec.policies import POLICIES, less, stored
from radixcheck.spec.run.reader import holds
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import POS, entry
from radixcheck.spec.values import Key
from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.checker.engine import SubjectFailed
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import SeenEntry


class LeafEntries:
    """Looks at one leaf at a time. `shown`: the subject keeps a heap and shows the entries of single leaves."""

    def __init__(self, run: CheckedRun, looked: Counter[str]) -> None:
        self._run, self._looked = run, looked
        self.shown = run.engine.has("observe_entry") and _shows_heap(run)
        n = var("n", POS)
        self._is_early = holds(less(POLICIES[run.policy].key(n), stored(entry(n))), (n,))

    def judge(self, op: Op, q: int, key: Key, of: str = "") -> list[Violation]:
        """Judge the entry of the leaf `q`, at which a key ends. `of` stands before the ids of the properties: HOST_ of a host leaf."""
        self._looked["heap entries"] += 1
        seen = self._run.engine.observe_entry(key)
        if seen is not None and not self._is_early(self._with_entry(q, seen), None, q):
            return []
        leaf = prefix_text(self._run.oracle.positions, q)
        if seen is None:
            return [Violation(f"{of}HEAP_FULL", f"after {op.name}, expected a current heap entry for the leaf {leaf}, found none")]
        text = f"the heap entry of the leaf {leaf} has the key {seen.key}, later than the leaf's own"
        return [Violation(f"{of}HEAP_STALE", f"after {op.name}, {text}")]

    def _with_entry(self, q: int, seen: SeenEntry) -> State:
        """The specification's state, as far as the policy's key reads it, with one entry in the heap: that of node `q`."""
        s, one = self._run.oracle.model.state, State.__new__(State)
        one.positions, one.capacity = s.positions, s.capacity
        one.time, one.creation, one.hits, one.priority = s.time, s.creation, s.hits, s.priority
        first, second = self._run.abstraction.ticks(seen.key)
        one.entry, one.first, one.second = {q: 0}, {0: first}, {0: second}
        return one


def _shows_heap(run: CheckedRun) -> bool:
    """Whether the subject shows a heap now. If it cannot be observed, that is found after the first operation."""
    try:
        return run.engine.observe().heap is not None
    except SubjectFailed:
        return False
