"""The eviction order of the specification's leaves, kept from one eviction to the next; and the order of times.

If a subject is observed too rarely to know which operation read its clock, its times are compared by their order.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from radixcheck.spec.logic import var
from radixcheck.spec.policies import Policy
from radixcheck.spec.run.reader import holds, row_of
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import POS, candidate
from radixcheck.verification.checker.abstraction import Clock
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


def by_rank(clock: Clock, seen: Observation, spec: State) -> None:
    """Map the subject's clock readings, in their order, to the specification's times, in theirs.

    A reading that is in the heap but on no node is mapped to a time between its neighbours. If the number of readings on nodes is not
    the number of times, some node's time is wrong and the states will differ.
    """
    readings = sorted({reading for n in seen.nodes for reading in (n.time, n.creation)})
    times = sorted({*spec.time.values(), *spec.creation.values()})
    clock.known = dict(zip(readings, times, strict=False))
    others = {reading for e in seen.heap or () for key in e.key for reading in (key, -key)} - clock.known.keys()
    for reading in others:
        rank = bisect_right(readings, reading)
        clock.known[reading] = clock.known.get(readings[rank - 1], 0) + 0.5 if rank else -1
