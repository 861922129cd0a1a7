"""Records the envelope of a run from the state of the specification, at a cost of what each operation touches."""

from collections.abc import Sequence

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import pages_for
from radixcheck.verification.checker.oracle import ACCESSES, Oracle
from radixcheck.verification.core.envelope import Envelope
from radixcheck.verification.operations import Op

HOLDING = ("start", "lock", "alloc")
GROWING = ("start", "decode")


class EnvelopeRecorder:
    """The largest values so far in one run. No cache is looked at, so that a black box has an envelope too."""

    def __init__(self, oracle: Oracle, pool: int) -> None:
        self._oracle, self._pool = oracle, pool
        self._operations = self._refused = self._resets = self._ticks = self._token = self._tokens = self._pages = 0
        self._depth = self._root_children = self._inner_children = self._holders = self._hits = self._priority = 0
        self._requests = self._locks = self._loans = self._call_loans = self._slot = self._victims = 0
        self._namespaces: set[object] = set()

    def record(self, op: Op, allocated: Sequence[int], refused: bool) -> None:
        """Record one operation that the specification has performed or refused. `allocated`: the pages handed out."""
        self._operations += 1
        if refused:
            self._refused += 1
            return
        oracle, name = self._oracle, op.name
        call, s = oracle.call, oracle.model.state
        self._priority = max(self._priority, op.priority)
        if op.key.tokens:
            self._token = max(max(op.key.tokens), self._token)  # noqa: PLW3301  # a copy of a long key would cost more
            self._pages = max(self._pages, pages_for(len(op.key.tokens), oracle.positions.page_size))
            self._namespaces.add(op.key.namespace)
        if name in ACCESSES:
            self._ticks += 1
            self._record_path(call.used)
        elif name == "lock":
            self._record_path(call.found)
        elif name == "reset":
            self._resets += 1
        if name in HOLDING:
            self._record_holders(op)
        if name in GROWING:
            self._record_row(op)
        if allocated:
            self._slot = max(self._slot, (max(allocated) + 1) * oracle.positions.page_size - 1)
            self._root_children = max(self._root_children, s.kids.get(EPS, 0))
        self._victims = max(self._victims, len(call.victims))
        self._call_loans = max(self._call_loans, len(op.loans))

    def _record_path(self, end: int) -> None:
        """Record the nodes on one path: their number, and the children, holders and hits of each."""
        s, n, depth = self._oracle.model.state, end, 0
        while n != EPS:
            depth += 1
            children, holders, hits = s.kids.get(n, 0), s.lock[n], s.hits[n]
            self._inner_children = max(self._inner_children, children)
            self._holders = max(self._holders, holders)
            if type(hits) is int and hits > self._hits:  # hits that deviated are the subject's own
                self._hits = hits
            n = s.up[n]
        self._depth = max(self._depth, depth)

    def _record_holders(self, op: Op) -> None:
        oracle = self._oracle
        loans, locks = len(oracle.loans), len(oracle.locks)
        self._loans, self._locks = max(self._loans, loans), max(self._locks, locks)
        self._requests = max(self._requests, len(oracle.model.state.held) - loans - locks - oracle.copying)

    def _record_row(self, op: Op) -> None:
        positions, end = self._oracle.positions, self._oracle.model.state.tok[op.holder]
        self._tokens, self._pages = max(self._tokens, positions.length[end]), max(self._pages, positions.level[end])
        if op.name == "decode":
            self._token = max(self._token, op.amount)

    @property
    def envelope(self) -> Envelope:
        """The envelope so far."""
        return Envelope(
            operations=self._operations,
            ticks=self._ticks,
            refused=self._refused,
            resets=self._resets,
            token=self._token,
            key_tokens=self._tokens,
            key_pages=self._pages,
            depth=self._depth,
            root_children=self._root_children,
            inner_children=self._inner_children,
            namespaces=len(self._namespaces),
            holders=self._holders,
            requests=self._requests,
            locks=self._locks,
            loans=self._loans,
            call_loans=self._call_loans,
            hits=self._hits,
            priority=self._priority,
            slot=self._slot,
            pool=self._pool,
            victims=self._victims,
        )
