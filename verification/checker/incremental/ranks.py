"""Ranks: of the leaves of the specification, kept from one eviction to the next; and of times.

The times of a subject that is looked at too rarely to tell which operation read its clock are compared by their order.
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
    """Every evictable leaf behind its key, in no order: worked out again only for nodes that have changed since."""

    def __init__(self, policy: Policy, changed: set[int]) -> None:
        n = var("n", POS)
        self._stands: Callable[..., bool] = holds(candidate(n), (n,))
        self._row: Callable[[State, int], Any] = row_of(n, (*policy.key(n), n))
        self._changed = changed
        self._rows: dict[int, Any] = {}

    def __call__(self, state: State) -> list[Any]:
        """A new list of them."""
        for n in self._changed:
            if n in state.node and self._stands(state, None, n):
                self._rows[n] = self._row(state, n)
            else:
                self._rows.pop(n, None)
        self._changed.clear()
        return list(self._rows.values())


def by_rank(clock: Clock, seen: Observation, spec: State) -> None:
    """Let the subject's readings, in their order, mean the specification's times, in theirs.

    A reading that stands in no node, but in a heap, falls between its neighbours. Where there are more or fewer readings
    on nodes than times, some node's time is wrong and the states will differ.
    """
    readings = sorted({reading for n in seen.nodes for reading in (n.time, n.creation)})
    times = sorted({*spec.time.values(), *spec.creation.values()})
    clock.known = dict(zip(readings, times, strict=False))
    others = {reading for e in seen.heap or () for key in e.key for reading in (key, -key)} - clock.known.keys()
    for reading in others:
        rank = bisect_right(readings, reading)
        clock.known[reading] = clock.known.get(readings[rank - 1], 0) + 0.5 if rank else -1
