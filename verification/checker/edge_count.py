"""Counts the edges that a run takes: which of them an operation is follows from the operation and from the state before it."""

from collections import Counter
from collections.abc import Callable, Iterator

from radixcheck.spec.run.positions import EPS
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.operations import Op

RECENT = 64  # ids of requests, from which one that is used again is known


class EdgeCount:
    """The edges of one run, and what it must remember of the operations before."""

    def __init__(self, oracle: Oracle) -> None:
        self.taken: Counter[str] = Counter()  # by the id of the edge
        self._oracle = oracle
        self._last = ""  # the name of the last operation
        self._resets = 0
        self._ended: list[int] = []  # ids of requests, the last ones
        self._refused: list[int] = []  # ids of starts that were refused, the last ones
        self._before_reset: frozenset[int] = frozenset()  # ids that had ended at the last reset
        self._shortened: set[int] = set()  # loans of which a part was given back
        self._namespaces: set[object] = set()  # in which something was cached
        self._edges: dict[str, Callable[[Op], Iterator[str]]] = {
            "match": self._of_key,
            "peek": self._of_key,
            "insert": self._insert,
            "lock": self._lock,
            "unlock": self._unlock,
            "evict": self._evict,
            "alloc": self._alloc,
            "free": self._free,
            "reset": self._reset,
            "start": self._start,
            "decode": self._decode,
            "chunk": self._of_request,
            "finish": self._of_request,
            "abort": self._of_request,
        }

    def before(self, op: Op) -> None:
        """Count the edges of an operation that is made next."""
        self.taken.update(self._edges[op.name](op) if op.name in self._edges else ())
        s, p = self._oracle.model.state, self._oracle.positions
        end = p.of(op.key) if op.name == "insert" else s.tok[op.holder] if op.name in ("chunk", "finish") else EPS
        if p.cut(end) != EPS:
            self._namespaces.add(p.namespace[end])

    def after(self, op: Op, refused: bool) -> None:
        """Remember an operation that was made."""
        self._last = op.name
        if op.name == "start" and refused:
            self._refused = [*self._refused[-RECENT:], op.holder]
        if op.name in ("finish", "abort") and not refused:
            self._ended = [*self._ended[-RECENT:], op.holder]
        if op.name == "free":
            self._shortened = (self._shortened | {op.holder}) if op.amount else self._shortened - {op.holder}
        if op.name == "reset" and not refused:
            self._resets += 1
            self._before_reset = frozenset(self._ended)
            self._ended = []

    def _size_of(self, verb: str, tokens: int) -> Iterator[str]:
        if tokens == 0:
            yield f"empty {verb}"
        elif tokens < self._oracle.positions.page_size:
            yield f"short {verb}"

    def _of_key(self, op: Op) -> Iterator[str]:
        return self._size_of(op.name, len(op.key.tokens))

    def _of_request(self, op: Op) -> Iterator[str]:
        yield from self._size_of(op.name, self._oracle.positions.length[self._oracle.model.state.tok[op.holder]])

    def _more(self, op: Op) -> Iterator[str]:
        if len(op.key.tokens) > self._oracle.model.state.capacity:
            yield f"{op.name} more than everything"

    def _namespace(self, op: Op) -> Iterator[str]:
        s, p, space = self._oracle.model.state, self._oracle.positions, op.key.namespace
        if len(op.key.tokens) < p.page_size:
            return
        if space in self._namespaces and not any(p.namespace[n] == space for n in s.node):
            yield "namespace again"

    def _insert(self, op: Op) -> Iterator[str]:
        yield from self._of_key(op)
        yield from self._namespace(op)
        if not op.loans:
            return
        p, lent = self._oracle.positions, [self._oracle.loans[h] for h in op.loans if self._oracle.loans[h]]
        end = p.of(op.key)
        if len(lent) == 1:
            yield "insert from one alloc"
        if len(lent) > 1:
            yield "insert from several allocs"
            if self._oracle.model.deepest(p.cut(end)) != EPS:
                yield "insert what is cached"
        if lent and sum(map(len, lent)) < p.level[end]:
            yield "insert with more"
        if self._shortened.intersection(op.loans):
            yield "insert the rest"

    def _lock(self, op: Op) -> Iterator[str]:
        yield from self._of_key(op)
        if op.key in self._oracle.old_handles:
            yield "handle from before a reset"

    def _unlock(self, op: Op) -> Iterator[str]:
        if op.holder not in self._oracle.locks:
            yield "receipt from before a reset"

    def _evict(self, op: Op) -> Iterator[str]:
        s = self._oracle.model.state
        if op.amount == 0:
            yield "evict nothing"
        if op.amount > s.capacity:
            yield "evict more than everything"
        if op.amount and not s.node:
            yield "evict from an empty tree"

    def _alloc(self, op: Op) -> Iterator[str]:
        yield from self._of_key(op)
        yield from self._more(op)

    def _free(self, op: Op) -> Iterator[str]:
        s, p = self._oracle.model.state, self._oracle.positions
        if op.amount:
            yield "free a part"
            return
        for h in op.loans or (op.holder,):
            yield from self._size_of("free", p.length[s.tok[h]] if self._oracle.loans[h] else 0)
        if len(op.loans) > 1:
            yield "free several allocs"
        if self._shortened.intersection(op.loans or (op.holder,)):
            yield "free the rest"

    def _reset(self, op: Op) -> Iterator[str]:
        s = self._oracle.model.state
        if self._last == "reset" and not s.held:
            yield "reset after reset"
        if self._resets and s.node and not s.held:
            yield "reset again"
        if s.held:
            yield "reset while held"

    def _start(self, op: Op) -> Iterator[str]:
        yield from self._of_key(op)
        yield from self._more(op)
        yield from self._namespace(op)
        if op.holder in self._ended:
            yield "id again"
        if op.holder in self._refused:
            yield "id of a refused start"
        if op.holder in self._before_reset:
            yield "id from before a reset"

    def _decode(self, op: Op) -> Iterator[str]:
        yield from self._of_request(op)
        s = self._oracle.model.state
        if s.positions.whole[s.tok[op.holder]] and not s.available and not s.evictable:
            yield "decode without room"
