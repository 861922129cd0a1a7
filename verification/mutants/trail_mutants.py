"""The optimized cache with a part of what makes it fast replaced by a wrong one: locks that stop early, walks that are resumed."""

from collections.abc import Sequence
from inspect import getdoc

from radixcheck.optimized.keys import Packed
from radixcheck.optimized.node import Node
from radixcheck.optimized.tree import NodeTree
from radixcheck.spec.values import Namespace
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.mutants.rebuilt import over


class SplitCopiesMarks(NodeTree):
    """The upper half of a split counts the holders of the lower half as its own, beside the child that they protect."""

    def _split_node(self, lower: Node, size: int) -> Node:
        upper = super()._split_node(lower, size)
        upper.local_lock_ref = lower.local_lock_ref
        return upper


class LockStopsOneEarly(NodeTree):
    """A lock that meets a protected node does not count there: the last holder below takes that node's protection away."""

    def relock(self, held: Node, path: Sequence[Node]) -> None:
        """The fault: the node at which the lock stops has a protected child more."""
        met = next((node for node in reversed(path) if node.local_lock_ref), None)
        super().relock(held, path)
        if met is not None and met is not path[-1]:
            met.local_lock_ref -= 1


class RelockKeepsOld(NodeTree):
    """A chunk whose lock stops below the node that it held stays counted there."""

    def relock(self, held: Node, path: Sequence[Node]) -> None:
        """The fault: one holder too many, who will never leave."""
        before = held.local_lock_ref
        super().relock(held, path)
        held.local_lock_ref = before


class ReleaseStopsAtNode(NodeTree):
    """The last holder of a node leaves, and the node above is not told that this child is protected no longer."""

    def unlock_path(self, node: Node) -> None:
        """The fault: what stays protected is held by nobody."""
        above = node.parent
        last = node.local_lock_ref == 1 and above is not None and above.parent is not None and above.local_lock_ref == 1
        super().unlock_path(node)
        if last and above is not None:
            above.local_lock_ref = 1


class TrailSurvivesEviction(NodeTree):
    """A walk goes along the path of an earlier one, and does not look whether its nodes are in the tree."""

    def _followed(self, namespace: Namespace, data: Packed) -> list[Node]:
        path: list[Node] = []
        for node in self._trail.path if self._trail.namespace == namespace else ():
            if not data.startswith(node.segment, len(b"".join(n.segment for n in path))):
                break
            path.append(node)
        return path


class TrailForgetsNamespace(NodeTree):
    """A walk goes along the path of an earlier one with the same tokens, whatever the namespace of that was."""

    def _followed(self, namespace: Namespace, data: Packed) -> list[Node]:
        return super()._followed(self._trail.namespace, data)


class FavourStopsAtOnce(NodeTree):
    """A priority is raised at the node where an access ends, and at none above it."""

    def raise_priority(self, path: Sequence[Node], priority: int) -> None:
        """The fault: the rest of the path."""
        super().raise_priority(path[-1:], priority)


def _mutant(name: str, property_: str, part: type[NodeTree], source: str = "", policy: str = "lru") -> Mutant:
    return Mutant(name, property_, getdoc(part) or "", source, over(part), policy)


MUTANTS = (
    _mutant("split_copies_marks", "LOCK_COUNT", SplitCopiesMarks, "FB-11"),
    _mutant("lock_stops_one_early", "LOCK_COUNT", LockStopsOneEarly),
    _mutant("relock_keeps_old", "LOCK_COUNT", RelockKeepsOld),
    _mutant("release_stops_at_node", "LOCK_COUNT", ReleaseStopsAtNode),
    _mutant("trail_survives_eviction", "MATCH_SOUND", TrailSurvivesEviction),
    _mutant("trail_forgets_namespace", "ISOLATION", TrailForgetsNamespace),
    _mutant("favour_stops_at_once", "ATTRIBUTE_MONO", FavourStopsAtOnce, policy="priority"),
)
