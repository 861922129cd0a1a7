"""Compares the paths that an operation touched on a cache with a host tier, node by node, on both tiers."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import Key
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.checker.run_parts import HostParts
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import SeenNode

ATTRIBUTES = ("lock", "pins", "time", "creation", "hits", "priority")


class TieredPaths:
    """The paths that each operation uses, releases, copies or evicts from; and, in rotation, the path to one more node."""

    def __init__(self, run: CheckedRun, host: HostParts, looked: Counter[str], window: int) -> None:
        self._run, self._host, self._looked, self._window = run, host, looked, window
        self._moves = 0
        self._attributes = tuple(name for name in ATTRIBUTES if name not in run.hidden)
        self._before: tuple[int, ...] = ()  # ends of paths that the operation is about to release or to acknowledge
        self._turn: Iterator[int] = iter(())

    def foresee(self, op: Op) -> None:
        """Note the paths that an operation is about to release: the model still has them."""
        model = self._host.oracle.model
        if op.name == "poll":
            self._before = tuple(copy.aim for copy in model.copies.values())
        else:
            self._before = (model.state.at.get(op.holder, EPS),) if op.name in ("unlock", "abort", "finish") else ()

    def judge(self, done: Performed) -> list[Violation]:
        """Compare every path touched, then perhaps the next one in rotation. Return the first difference."""
        call = self._host.oracle.call
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
        key = Key(tuple(chain.from_iterable(map(p.page.__getitem__, p.path(position)))), p.namespace[position])
        seen = self._run.engine.observe_path(key)
        self._looked["nodes"] += len(seen)
        above, parent = EPS, None
        for n, q in zip(seen, expected, strict=False):
            wrong = self._judge_node(n, above, q)
            if n.parent != parent or wrong:
                id_, what = wrong or ("PARENT", f"its parent is not the node before it on the path to {prefix_text(p, position)}")
                return [Violation(id_, f"after {op.name}, the node at {prefix_text(p, q)}: {what}")]
            above, parent = q, n.name
        if len(seen) != len(expected):
            text = f"expected {len(expected)} nodes on the path to {prefix_text(p, position)}, found {len(seen)}"
            return [Violation("ORDER" if position in self._host.oracle.model.call.gone else "REFINEMENT", f"after {op.name}, {text}")]
        return []

    def _judge_node(self, n: SeenNode, above: int, q: int) -> tuple[str, str] | None:
        """Return the property that a node breaks, and how; None if it is the specification's node `q` below `above`."""
        s, p = self._host.oracle.model.state, self._host.oracle.positions
        positions = p.between(above, q)
        if tuple(n.segment) != tuple(chain.from_iterable(map(p.page.__getitem__, positions))):
            return blame.HOST_FIELDS["node"], f"expected {len(positions)} pages on it, found the segment {tuple(n.segment)}"
        size, clock = p.page_size, self._run.abstraction.clock
        for name, slots, table, holds in (("page", n.slots, s.page, s.resident), ("host_page", n.host_slots, s.host_page, s.hosted)):
            expected = [table[each] for each in positions if each in holds]
            if (found := [slot // size for slot in slots[::size]]) != expected:
                return blame.HOST_FIELDS[name], f"{name}: expected {expected}, found {found}"
        for name in self._attributes:
            shown = getattr(n, name)
            value = clock(shown) if name in blame.READINGS else shown
            if value != getattr(s, name)[q]:
                return blame.HOST_FIELDS[name], f"{name}: expected {getattr(s, name)[q]}, found {value}"
        return None
