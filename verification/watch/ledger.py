"""What the watch knows of a tree: a record for each node, kept up to date from the paths that calls touch.

A call costs as much as the paths that it touched and the slots that it brought, however large the tree is.
"""

from collections.abc import Callable
from typing import Any

import torch

from radixcheck.verification.watch.eviction_candidates import EvictionCandidates, may_be_evicted
from radixcheck.verification.watch.slot_table import SlotTable
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.tree_view import TreeView

Tell = Callable[[str, str], None]  # takes the id of a property, and what was expected and found
DEEPER = 64  # nodes that a path may have beyond all that are known: new ones of one call


class Ledger:
    """The records of the nodes that are in the tree. Sums are in tokens."""

    def __init__(self, view: TreeView, tell: Tell) -> None:
        self.view, self._tell = view, tell
        self.slots = SlotTable(view.slots_end, view.device)
        self.clear()

    def clear(self) -> None:
        """Begin anew with an empty tree."""
        self.slots.clear()
        self.root = Record(self.view.root, 0, torch.empty(0, dtype=torch.int64, device=self.view.device))
        self.order = EvictionCandidates()
        self.window: list[Record] = []  # every record of the tree, in no order
        self.divided: list[Record] = []  # lower halves of splits, until they are checked
        self.total = self.protected = 0
        self.clock = float("-inf")  # the latest access
        self._known: dict[int, Record] = {}  # by the identity of the node, which the record keeps alive

    @property
    def evictable(self) -> int:
        """Tokens on unlocked nodes."""
        return self.total - self.protected

    def record(self, node: Any) -> Record | None:
        """Return the record of a node that is in the tree; the root's for the root."""
        return self.root if node is self.root.node else self._known.get(id(node))

    def visit(self, node: Any, call: int) -> list[Record]:
        """Bring the path to a node up to date, up to the first node that this call has brought up to date before.

        Returns its records, the deepest first, and the lower halves of splits behind them.
        """
        path = self._known_path(node, call)
        behind: list[Record] = []
        if path is None:
            path, behind = self._learn(node, call)
        refresh = self._refresh
        for record in behind:
            refresh(record)
        for record in path:
            refresh(record)
            record.visited = call
        return path + behind if behind else path

    def _known_path(self, node: Any, call: int) -> list[Record] | None:
        """Return the records of the path to a node, the deepest first; None if one is new or has another parent than before."""
        root, known, parent_of = self.root.node, self._known, self.view.parent
        path: list[Record] = []
        while node is not root:
            record = known.get(id(node))
            if record is None:
                return None
            if record.visited == call:
                break
            above, node = record.parent, parent_of(node)
            if above is None or above.node is not node:
                return None
            path.append(record)
        return path

    def _learn(self, node: Any, call: int) -> tuple[list[Record], list[Record]]:
        """Make the records of what is new on the path to a node. Returns the path, and the lower halves of splits beside it."""
        nodes = self._upwards(node)
        moved: list[Record] = []
        for each in nodes:
            if id(each) not in self._known:
                moved += self._enter(each, call)
        path = [self._known[id(each)] for each in nodes]
        for record, parent in zip(path, [*path[1:], self.root], strict=False):  # of the root itself there is no path
            self._link(record, parent)
        return path, [record for record in moved if record not in path]

    def _upwards(self, node: Any) -> list[Any]:
        """Return the nodes from this one to below the root; nothing, and a finding, if they do not lead there."""
        view, root, nodes = self.view, self.root.node, list[Any]()
        while node is not root:
            if node is None or len(nodes) > len(self._known) + DEEPER:
                self._tell("NO_ORPHAN", f"expected a path to the root from a node that the call returned; {len(nodes)} nodes lead nowhere")
                return []
            nodes.append(node)
            node = view.parent(node)
        return nodes

    def _enter(self, node: Any, call: int) -> list[Record]:
        """Make the record of a node that was not in the tree: the upper half of a split, or a new run of slots."""
        view = self.view
        for child in view.children(node):
            lower = self._known.get(id(child))
            if lower is not None and view.size(child) < lower.size:
                return [self._divide(node, lower, view.size(child), call)]
        slots = view.slots(node).clone()
        record = Record(node, call, slots)
        self.total += record.size
        self._keep(record)
        self.slots.claim(slots, lambda: self._tell("SLOT_PARTITION", f"expected slots that the tree does not have in {record}"))
        return []

    def _divide(self, node: Any, lower: Record, left: int, call: int) -> Record:
        """The node is the upper half of a split: it has all but the last tokens of its child."""
        cut = lower.size - left
        upper = Record(node, call, lower.slots[:cut])
        if lower.locks:
            self.protected -= cut  # until the lock count of the upper half is read
        lower.slots, lower.size = lower.slots[cut:], left
        self._unlink(lower)
        self._keep(upper)
        self._link(lower, upper)
        self.divided.append(lower)
        return lower

    def _keep(self, record: Record) -> None:
        self._known[id(record.node)] = record
        record.at = len(self.window)
        self.window.append(record)

    def _link(self, record: Record, parent: Record) -> None:
        if record.parent is parent:
            return
        if record.parent is not None:
            self._tell("PARENT", f"expected {record} below the parent that it had; no split has moved it")
            self._unlink(record)
        record.parent = parent
        parent.children += 1
        parent.below += self.view.weight(record.locks)

    def _unlink(self, record: Record) -> None:
        parent, record.parent = record.parent, None
        if parent is not None:
            parent.children -= 1
            parent.below -= self.view.weight(record.locks)

    def _refresh(self, record: Record) -> None:
        """Read the attributes of a node on a path. Its children are up to date."""
        view, node = self.view, record.node
        locks, time = view.locks(node), view.time(node)
        became = locks != record.locks
        if became:
            parent = record.parent
            assert parent is not None
            parent.below += view.weight(locks) - view.weight(record.locks)
            self.protected += record.size * (bool(locks) - bool(record.locks))
            record.locks = locks
        record.time = time
        self.clock = max(self.clock, time)
        if not locks and not record.children:  # a candidate: of other nodes the order matters when they become one
            order = view.order(node)
            if became or order != record.order:
                record.order = order
                self.order.put(record)

    def remove(self, record: Record, call: int) -> None:
        """A node leaves the tree. Its record keeps its parent."""
        parent = record.parent
        assert parent is not None
        self._unlink(record)
        record.parent, record.left = parent, call
        del self._known[id(record.node)]
        self.total -= record.size
        self.protected -= record.size * bool(record.locks)
        last = self.window.pop()
        if last is not record:
            self.window[record.at], last.at = last, record.at
        if parent is not self.root and may_be_evicted(parent):
            parent.order = self.view.order(parent.node)
            self.order.put(parent)
