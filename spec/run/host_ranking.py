"""Candidates of each tier in the order of a policy, and what can be evicted, read from a state with a host tier."""

from collections.abc import Callable
from functools import cache
from typing import Any

from radixcheck.spec.logic import Term, lift, var
from radixcheck.spec.policies import Policy
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.reader import row_of, tuples
from radixcheck.spec.signature import POS, evictable_path


@cache
def ranked_by(policy: Policy, candidate: Callable[[Term], Term]) -> Callable[[HostState], list[Any]]:
    """(first key, second key, node) of every node that satisfies `candidate`."""
    n = var("n", POS)
    ranked: Callable[[HostState], list[Any]] = tuples(n, candidate(n), (*policy.key(n), n))
    return ranked


@cache
def evictable_on_path() -> Callable[[HostState, int], Any]:
    """Tokens on the path to a position that are on the device and not locked."""
    n = var("n", POS)
    return row_of(n, (evictable_path(n), lift(0)))


def host_evictable(s: HostState) -> int:
    """Tokens that host evictions can free: of the nodes that only the host has and behind which nothing is pinned."""
    p, pinned = s.positions, set[int]()
    for n in s.node:
        if s.pins[n] and n not in s.resident:
            pinned.update(p.ancestors[n])
    return sum(p.length[n] - p.length[s.up[n]] for n in s.node if n not in s.resident and n not in pinned)
