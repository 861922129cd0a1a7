"""The candidates of evictions on both tiers, of which only those of changed nodes are computed again."""

from collections.abc import Callable
from typing import Any

from radixcheck.spec.host.host_signature import device_candidate, host_candidate
from radixcheck.spec.logic import Term, var
from radixcheck.spec.policies import Policy
from radixcheck.spec.run.host_machine import HostMachine
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.reader import holds, row_of
from radixcheck.spec.signature import POS
from radixcheck.verification.checker.incremental.agreement import Journal, Parents

OF_NODES = ("lock", "time", "creation", "hits", "priority", "pins")


class JournalSet(set[int]):
    """A set that records which elements come and go. Change it by `add` and `discard` only, as transitions do."""

    def __init__(self, *changed: set[int]) -> None:
        super().__init__()
        self._changed = changed

    def add(self, element: int) -> None:
        """Add an element."""
        for each in self._changed:
            each.add(element)
        super().add(element)

    def discard(self, element: object) -> None:
        """Remove an element."""
        if isinstance(element, int):
            for each in self._changed:
                each.add(element)
        super().discard(element)


class TieredRanking:
    """Returns a row for each candidate of one tier, its key and then its position, in no order."""

    def __init__(self, policy: Policy, candidate: Callable[[Term], Term], nodes: set[int], positions: set[int]) -> None:
        n = var("n", POS)
        self._is_candidate: Callable[..., bool] = holds(candidate(n), (n,))
        self._row: Callable[[HostState, int], Any] = row_of(n, (*policy.key(n), n))
        self._nodes, self._positions = nodes, positions  # changed since the last call
        self._rows: dict[int, Any] = {}

    def __call__(self, state: HostState) -> list[Any]:
        """Return a new list of the rows."""
        for n in self._nodes | self._near(state):
            if n in state.node and self._is_candidate(state, None, n):
                self._rows[n] = self._row(state, n)
            else:
                self._rows.pop(n, None)
        self._nodes.clear()
        self._positions.clear()
        return list(self._rows.values())

    def _near(self, state: HostState) -> set[int]:
        """Return the nodes at positions that have come to a tier or left one, and their parents: these may be leaves now."""
        ends = {state.end[q] for q in self._positions if q in state.end}
        return ends | {state.up[n] for n in ends if n in state.up}


def rank_incrementally(model: HostMachine, policy: Policy) -> None:
    """Let an empty machine rank the candidates of both tiers like that."""
    nodes, positions = (set[int](), set[int]()), (set[int](), set[int]())
    s = model.state
    for name in OF_NODES:
        setattr(s, name, Journal(*nodes))
    s.up, s.resident = Parents(*nodes), JournalSet(*positions)
    model.device_ranked = TieredRanking(policy, device_candidate, nodes[0], positions[0])
    model.host_ranked = TieredRanking(policy, host_candidate, nodes[1], positions[1])
