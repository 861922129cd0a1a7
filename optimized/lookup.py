"""Keys that are looked up again and again, as a scheduler does that ranks its waiting requests by what is cached of them.

What a look has found stands until the tree changes just there, and whether it did is seen in two reads. So a round over thousands
of waiting requests costs no walk but for those whose prefix has come, gone, or been split since the round before.
"""

from radixcheck.optimized.node import ChildKey, Node
from radixcheck.optimized.tree import NodeTree
from radixcheck.spec.values import Namespace


class Lookup:
    """A key, and where a walk along it ended last. It keeps that node alive, and changes nothing in the tree: no time, no hit."""

    __slots__ = ("_data", "_edge", "_link", "_namespace", "_node", "_tree", "length")

    length: int  # tokens that a match would return, at the last `refreshed`
    _node: Node  # that ends there, or above `_edge`
    _link: ChildKey  # under which `_node` would file a child that goes on, if the walk did not end on `_edge`
    _edge: Node | None  # in which the walk ended

    def __init__(self, tree: NodeTree, namespace: Namespace, data: bytes) -> None:
        self._tree, self._namespace, self._data = tree, namespace, data
        self._walk()

    def refreshed(self) -> int:
        """`length`, as it is now."""
        if not self._stands():
            self._walk()
        return self.length

    def _stands(self) -> bool:
        """Whether the walk would end where it did.

        A node that is still attached still ends the same prefix, at which the walk may go on (theorem RESUME). No longer prefix is
        cached while it has no child for the next page (theorem DEEPEST); nor while the edge that parts from the key hangs below it,
        for one page leads to one child, and a split puts a new node above its edge.
        """
        node, edge = self._node, self._edge
        if edge is not None:
            return edge.parent is node
        return self._link not in node.children and (node.parent is not None or node is self._tree.root)

    def _walk(self) -> None:
        path, self.length, self._edge, _, self._link = self._tree.walk(self._namespace, self._data)
        self._node = path[-1] if path else self._tree.root
