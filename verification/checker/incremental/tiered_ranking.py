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
from radixcheck.verification.checker.incremental.tiered_journal import Changed, TierChanges


class TieredRanking:
    """Returns a row for each candidate of one tier, its key and then its position, in no order."""

    def __init__(self, policy: Policy, candidate: Callable[[Term], Term], changed: Changed) -> None:
        n = var("n", POS)
        self._is_candidate: Callable[..., bool] = holds(candidate(n), (n,))
        self._row: Callable[[HostState, int], Any] = row_of(n, (*policy.key(n), n))
        self._nodes, self._positions = changed  # since the last call
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


class HostOnly:
    """Returns the tokens that evictions can free on the host: of the nodes that only the host has, and behind which nothing is pinned."""

    def __init__(self, changed: Changed) -> None:
        self._nodes, self._positions = changed  # since the last call
        self._only: set[int] = set()  # positions that only the host has
        self._pinned: set[int] = set()  # nodes with pins

    def __call__(self, state: HostState) -> int:
        """Return the number."""
        for q in self._positions:
            (self._only.add if q in state.hosted and q not in state.resident else self._only.discard)(q)
        for n in self._nodes:
            (self._pinned.add if n in state.node and state.pins[n] else self._pinned.discard)(n)
        self._nodes.clear()
        self._positions.clear()
        kept = {q for n in self._pinned if n not in state.resident for q in state.positions.ancestors[n]}
        return (len(self._only) - len(self._only & kept)) * state.positions.page_size


def rank_incrementally(model: HostMachine, policy: Policy, changes: TierChanges) -> None:
    """Let a machine on an empty state rank the candidates of both tiers like that, and count what the host can give."""
    model.device_ranked = TieredRanking(policy, device_candidate, changes.device)
    model.host_ranked = TieredRanking(policy, host_candidate, changes.host)
    model.host_evictable = HostOnly(changes.tokens)
