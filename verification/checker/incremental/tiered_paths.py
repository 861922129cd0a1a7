"""Compares the paths that an operation touched on a cache with a host tier, node by node, on both tiers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import Key
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.checker.host_edge_count import KEYED
from radixcheck.verification.checker.incremental.leaf_entries import LeafEntries
from radixcheck.verification.checker.incremental.tiered_agreement import TieredAgreement
from radixcheck.verification.checker.run_parts import HostParts
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op


class TieredPaths:
    """The paths that each operation uses, releases, copies or evicts from; and, in rotation, the path to one more node."""

    def __init__(self, run: CheckedRun, host: HostParts, agreement: TieredAgreement, looked: Counter[str], window: int) -> None:
        self._run, self._host, self._agreement, self._looked, self._window = run, host, agreement, looked, window
        self._entries = LeafEntries(run, looked)
        self._moves = 0
        self._before: tuple[int, ...] = ()  # ends of paths that the operation is about to release or to acknowledge
        self._turn: Iterator[int] = iter(())

    def foresee(self, op: Op) -> None:
        """Note the paths that an operation is about to release, and the node that it is about to split: the model still has them."""
        model = self._host.oracle.model
        if op.name == "poll":
            self._before = tuple(model.copies[holder].aim for ticket, holder in self._host.oracle.tickets.values() if ticket.done)
        else:
            self._before = (model.state.at.get(op.holder, EPS),) if op.name in ("unlock", "abort", "finish") else ()
        s, p = model.state, self._host.oracle.positions
        key = s.tok[op.holder] if op.name in ("chunk", "finish") else p.of(op.key) if op.name in KEYED else EPS
        found = model.deepest(p.cut(key))
        if found != EPS and found not in s.node:
            self._before = (*self._before, s.end[found])

    def judge(self, done: Performed) -> list[Violation]:
        """Compare every path touched, then perhaps the next one in rotation. Return the first difference."""
        call = self._host.oracle.call
        self._agreement.forget_changed()
        ends = (*self._before, call.used, call.longest, *call.victims, *call.gone, *(copy.aim for copy in call.issued))
        for end in dict.fromkeys(() if done.refused else ends):
            out = self._judge_path(done.op, end) if end != EPS else []
            self._looked["touched paths"] += end != EPS
            if out:
                return out
        self._moves += 1
        return self._judge_next(done.op) if self._moves % self._window == 0 else []

    def _judge_next(self, op: Op) -> list[Violation]:
        nodes = self._host.oracle.model.state.node
        position = next((q for q in self._turn if q in nodes), None)
        if position is None:
            self._turn = iter(tuple(nodes))
            return []
        self._looked["paths in rotation"] += 1
        return self._judge_path(op, position)

    def _judge_path(self, op: Op, position: int) -> list[Violation]:
        p, expected = self._host.oracle.positions, self._host.oracle.model.nodes_to(position)
        seen = self._run.engine.observe_path(self._key(position))
        self._looked["nodes"] += len(seen)
        above, parent = EPS, None
        for n, q in zip(seen, expected, strict=False):
            wrong = self._agreement.judge_node(n, above, q)
            if n.parent != parent or wrong:
                id_, what = wrong or ("PARENT", f"its parent is not the node before it on the path to {prefix_text(p, position)}")
                return [Violation(id_, f"after {op.name}, the node at {prefix_text(p, q)}: {what}")]
            above, parent = q, n.name
        if len(seen) != len(expected):
            text = f"expected {len(expected)} nodes on the path to {prefix_text(p, position)}, found {len(seen)}"
            return [Violation("ORDER" if position in self._host.oracle.model.call.gone else "REFINEMENT", f"after {op.name}, {text}")]
        return self._judge_entries(op, expected) if self._entries.shown else []

    def _judge_entries(self, op: Op, path: Sequence[int]) -> list[Violation]:
        """Judge the entries of the nodes on a path that may leave a tier: the last one, and the last one that the device has."""
        s, out = self._host.oracle.model.state, list[Violation]()
        resident = next((q for q in reversed(path) if q in s.resident), EPS)
        if resident != EPS and not s.lock[resident] and s.is_device_leaf(resident):
            out += self._entries.judge(op, resident, self._key(resident))
        if path and path[-1] != resident and not s.pins[path[-1]] and path[-1] not in s.kids:
            out += self._entries.judge(op, path[-1], self._key(path[-1]), "HOST_")
        return out[:1]

    def _key(self, position: int) -> Key:
        p = self._host.oracle.positions
        return Key(tuple(chain.from_iterable(map(p.page.__getitem__, p.path(position)))), p.namespace[position])
