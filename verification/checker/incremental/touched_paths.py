"""Compares the paths that an operation touched with the specification, node by node."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import Key
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.checker.incremental.agreement import Agreement
from radixcheck.verification.checker.incremental.leaf_entries import LeafEntries
from radixcheck.verification.checker.incremental.memoized_abstraction import KnownNode, MemoizedAbstraction
from radixcheck.verification.checker.oracle import ACCESSES
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op, listed
from radixcheck.verification.protocol import SeenNode

ATTRIBUTES = ("lock", "time", "creation", "hits", "priority")


WORDS = {"page": "pages", "lock": "lock count", "time": "time of last use", "creation": "time of creation"}  # of attributes


def _value(value: object) -> object:
    """Return a value of an attribute; pages as a list of numbers."""
    return listed(value) if isinstance(value, tuple) else value


class TouchedPaths:
    """The paths that each operation uses, releases, splits or evicts from; and, in rotation, the path to one more node."""

    def __init__(self, run: CheckedRun, abstraction: MemoizedAbstraction, agreement: Agreement, looked: Counter[str], window: int) -> None:
        self._run, self._abstraction, self._agreement, self._looked = run, abstraction, agreement, looked
        self._window = window  # moves from one path in rotation to the next
        self._moves = 0
        self._attributes = tuple(name for name in ATTRIBUTES if name not in run.hidden)
        self._entries = LeafEntries(run, looked)
        self._released = EPS  # where the path ends that the operation unlocks
        self._lower = EPS  # the lower half of the node that the operation splits
        self._turn: Iterator[int] = iter(())  # nodes still to be compared in this round of the rotation

    def foresee(self, op: Op) -> None:
        """Note the path that an operation is about to release and the node that it is about to split: the model still has them."""
        model, p = self._run.oracle.model, self._run.oracle.positions
        s = model.state
        self._released = s.at.get(op.holder, EPS) if op.name in ("unlock", "abort") else EPS
        self._lower = EPS
        if op.name in ("chunk", "finish"):
            key = s.tok[op.holder]
        elif op.name in ACCESSES:
            key = p.of(op.key)
        else:
            return
        found = model.deepest(p.cut(key))
        if found != EPS and found not in s.node:
            self._lower = s.end[found]

    def judge(self, done: Performed) -> list[Violation]:
        """Compare every path touched, then perhaps the next one in rotation. Return the first difference."""
        handle = self._run.engine.handles.get(done.op.key) if done.op.name == "match" else None
        for position in self._touched(done):
            key = self._key(position)
            out = self._judge_path(done.op, position, key, handle if position == self._run.oracle.call.used else None)
            if self._entries.shown and not out:
                out = self._judge_entry(done.op, position, key)
            self._looked["touched paths"] += 1
            if out:
                return out
        self._moves += 1
        return self._judge_next(done.op) if self._moves % self._window == 0 else []

    def _touched(self, done: Performed) -> Iterator[int]:
        call, ends = self._run.oracle.call, [self._lower]
        if not done.refused:
            last = call.used if done.op.name in ACCESSES else call.found if done.op.name == "lock" else self._released
            ends += [last, *call.victims]
        return (end for end in ends if end != EPS)

    def _judge_next(self, op: Op) -> list[Violation]:
        nodes = self._run.oracle.model.state.node
        position = next((q for q in self._turn if q in nodes), None)
        if position is None:
            self._turn = iter(tuple(nodes))
            return []
        self._looked["paths in rotation"] += 1
        return self._judge_path(op, position, self._key(position))

    def _key(self, position: int) -> Key:
        p = self._run.oracle.positions
        return Key(tuple(chain.from_iterable(map(p.page.__getitem__, p.path(position)))), p.namespace[position])

    def _judge_path(self, op: Op, position: int, key: Key, handle: object = None) -> list[Violation]:
        """The nodes that the subject has on the path to a position must be those of the specification."""
        engine, expected = self._run.engine, self._run.oracle.model.nodes_to(position)
        seen = engine.observe_path(key)
        self._looked["nodes"] += len(seen)
        above, parent = EPS, None
        for n, q in zip(seen, expected, strict=False):
            if n.parent != parent:
                text = f"the parent of the node at {self._text(q)} is not the node before it on the path"
                return [Violation("PARENT", f"after {op.name}, {text}")]
            wrong = self._judge_node(op, n, above, q)
            if wrong:
                return [wrong]
            above, parent = q, n.name
        if len(seen) != len(expected):
            id_ = "ORDER" if op.name in EVICTING and position in self._run.oracle.call.victims else "REFINEMENT"
            text = f"expected {len(expected)} nodes on the path to {self._text(position)}, found {len(seen)}"
            return [Violation(id_, f"after {op.name}, {text}")]
        if handle is not None and seen and engine.locate(handle) != seen[-1].name:
            return [Violation("LOCK_SPAN", f"the node that this match has answered is not that at {self._text(position)}, where it ends")]
        return []

    def _text(self, position: int) -> str:
        return prefix_text(self._run.oracle.positions, position)

    def _judge_node(self, op: Op, n: SeenNode, above: int, q: int) -> Violation | None:
        """Compare one node that hangs at position `above` with the specification's node `q`."""
        if self._agreement.still_agrees(n, above, q):
            return None
        self._abstraction.findings = []
        known = self._abstraction.look(n, above)
        if known is None:
            finding = self._abstraction.findings[0]
            id_ = "NO_ALIAS" if -1 in n.slots else finding.property  # overwriting leaves -1
            return Violation(id_, f"after {op.name}: {finding.text}")
        return self._judge_pages(op, known, q) or self._judge_attributes(op, n, q)

    def _judge_pages(self, op: Op, known: KnownNode, q: int) -> Violation | None:
        page = self._run.oracle.model.state.page
        if known.end != q:
            text = f"expected a node at {self._text(q)}, found one at {self._text(known.end)}"
            return Violation(blame.FIELDS["node"], f"after {op.name}, {text}")
        pages = tuple(map(page.__getitem__, known.chain))
        return self._differs(op, "page", q, known.pages, pages) if known.pages != pages else None

    def _judge_attributes(self, op: Op, n: SeenNode, q: int) -> Violation | None:
        s, clock = self._run.oracle.model.state, self._abstraction.clock
        for name in self._attributes:
            value = getattr(n, name)
            if name in blame.READINGS:
                value = clock(value)
            if value != getattr(s, name)[q]:
                return self._differs(op, name, q, value, getattr(s, name)[q])
        return None

    def _differs(self, op: Op, name: str, q: int, seen: object, spec: object) -> Violation:
        of = f"after this {op.name} the {WORDS.get(name, name)} of the node at {self._text(q)}"
        verb = "are" if WORDS.get(name, name).endswith("s") else "is"
        return Violation(blame.FIELDS[name], f"{of} {verb} {_value(seen)}, expected {_value(spec)}")

    def _judge_entry(self, op: Op, position: int, key: Key) -> list[Violation]:
        """Judge the entry of the leaf at the end of a path, if it may be evicted."""
        model = self._run.oracle.model
        s = model.state
        q = position if position in s.node else s.end.get(model.deepest(position), EPS)
        return [] if q == EPS or s.lock[q] or q in s.kids else self._entries.judge(op, q, key)
