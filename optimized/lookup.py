"""Keys that are looked up repeatedly, by a scheduler that ranks its waiting requests by what is cached of them.

The result of a walk stays right until the tree changes where it ended, and two reads tell whether it did. So a round over thousands of
waiting requests walks only for those whose prefix was cached, evicted or split since the last round.
"""

from radixcheck.optimized.node import ChildKey, Node
from radixcheck.optimized.tree import NodeTree
from radixcheck.spec.values import Namespace


class Lookup:
    """A key, and where the last walk along it ended. Keeps that node alive, and changes nothing in the tree: no time, no hit."""

    __slots__ = ("_data", "_edge", "_link", "_namespace", "_node", "_tree", "length")

    length: int  # tokens that a match would have returned at the last `refreshed`
    _node: Node  # where the walk ended, or the parent of `_edge`
    _link: ChildKey  # child key under which a longer prefix would be found, if the walk did not end on `_edge`
    _edge: Node | None  # inside which the walk ended, if it did

    def __init__(self, tree: NodeTree, namespace: Namespace, data: bytes) -> None:
        self._tree, self._namespace, self._data = tree, namespace, data
        self._walk()

    def refreshed(self) -> int:
        """Return `length` in tokens, as it is now."""
        if not self._is_current():
            self._walk()
        return self.length

    def _is_current(self) -> bool:
        """Return whether a walk would end where the last one did.

        A node that is still in the tree still ends the same prefix, from which a walk may be resumed (theorem RESUME). No longer prefix is
        cached while that node has no child for the next page (theorem DEEPEST), nor while the edge that diverges from the key is its
        child: one page leads to one child, and a split puts a new node above its edge.
        """
        node, edge = self._node, self._edge
        if edge is not None:
            return edge.parent is node
        return self._link not in node.children and (node.parent is not None or node is self._tree.root)

    def _walk(self) -> None:
        path, self.length, self._edge, _, self._link = self._tree.walk(self._namespace, self._data)
        self._node = path[-1] if path else self._tree.root
