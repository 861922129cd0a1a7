"""Finds quickly in a state what the specification describes: the longest cached prefix, the nodes on a path, the next position."""

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.values import Namespace


class Positioned:
    """A state and its positions."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.positions: Positions = state.positions
        self.namespaces: dict[int, Namespace] = {}  # of the keys with which requests were started

    def deepest(self, key: int) -> int:
        """The longest cached prefix of a position, by bisection: what is cached is closed under prefixes (NO_ORPHAN, claim BISECT)."""
        path, cached = self.positions.ancestors[key], self.state.cached
        low, high = 0, len(path) - 1  # path[low] is cached or the root; nothing behind path[high] is
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if path[middle] in cached else (low, middle - 1)
        return path[low]

    def nodes_to(self, position: int) -> list[int]:
        """The nodes that lie wholly on the way to a position, from the root down."""
        s, p = self.state, self.positions
        n = s.end.get(self.deepest(position), EPS)
        if not p.le(n, position):
            n = s.up[n]
        nodes = []
        while n != EPS:
            nodes.append(n)
            n = s.up[n]
        return nodes[::-1]

    def next_position(self, h: int, token: int) -> int:
        """Where the tokens of a request end with one more. What follows an empty prompt is in the namespace of the request's key."""
        p, tail = self.positions, self.state.tok[h]
        if p.whole[tail]:
            return p.link(tail, (token,), self.namespaces.get(h, ()) if tail == EPS else p.namespace[tail])
        return p.link(p.prev[tail], (*p.page[tail], token), p.namespace[tail])
