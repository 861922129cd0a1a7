"""The optimized cache with wrong shortcuts: locks that stop early, walks that are resumed."""

from collections.abc import Sequence

from radixcheck.optimized.keys import Packed
from radixcheck.optimized.node import Node
from radixcheck.optimized.tree import NodeTree
from radixcheck.spec.values import Namespace
from radixcheck.verification.mutants.mutant import rebuilt


class SplitCopiesLockRef(NodeTree):
    """The upper half of a split counts the holders of the lower half as its own; it should count one protected child."""

    def _split_node(self, lower: Node, size: int) -> Node:
        upper = super()._split_node(lower, size)
        upper.local_lock_ref = lower.local_lock_ref
        return upper


class LockStopsOneEarly(NodeTree):
    """A lock that stops at a protected node is not counted there: the last unlock below removes that node's protection."""

    def relock(self, held: Node, path: Sequence[Node]) -> None:
        """The fault: the node at which the lock stops has one more protected child."""
        met = next((node for node in reversed(path) if node.local_lock_ref), None)
        super().relock(held, path)
        if met is not None and met is not path[-1]:
            met.local_lock_ref -= 1


class RelockKeepsOld(NodeTree):
    """A chunk that locks a deeper node stays counted at the node that it held."""

    def relock(self, held: Node, path: Sequence[Node]) -> None:
        """The fault: one holder too many, which is never released."""
        before = held.local_lock_ref
        super().relock(held, path)
        held.local_lock_ref = before


class ReleaseStopsAtNode(NodeTree):
    """The last holder of a node unlocks it, and the node above still counts it as a protected child."""

    def unlock_path(self, node: Node) -> None:
        """The fault: a node without holders stays protected."""
        above = node.parent
        last = node.local_lock_ref == 1 and above is not None and above.parent is not None and above.local_lock_ref == 1
        super().unlock_path(node)
        if last and above is not None:
            above.local_lock_ref = 1


class TrailSurvivesEviction(NodeTree):
    """A walk follows the path of an earlier one, and does not check whether its nodes are in the tree."""

    def _followed(self, namespace: Namespace, data: Packed) -> list[Node]:
        path: list[Node] = []
        for node in self._trail.path if self._trail.namespace == namespace else ():
            if not data.startswith(node.segment, len(b"".join(n.segment for n in path))):
                break
            path.append(node)
        return path


class TrailForgetsNamespace(NodeTree):
    """A walk follows the path of an earlier one with the same tokens, whatever its namespace."""

    def _followed(self, namespace: Namespace, data: Packed) -> list[Node]:
        return super()._followed(self._trail.namespace, data)


class PriorityStopsAtOnce(NodeTree):
    """A priority is raised at the node where an access ends, and not above it."""

    def raise_priority(self, path: Sequence[Node], priority: int) -> None:
        """The fault: the rest of the path keeps its priority."""
        super().raise_priority(path[-1:], priority)


MUTANTS = (
    rebuilt("split_copies_marks", "LOCK_COUNT", SplitCopiesLockRef, "FB-11"),
    rebuilt("lock_stops_one_early", "LOCK_COUNT", LockStopsOneEarly),
    rebuilt("relock_keeps_old", "LOCK_COUNT", RelockKeepsOld),
    rebuilt("release_stops_at_node", "LOCK_COUNT", ReleaseStopsAtNode),
    rebuilt("trail_survives_eviction", "MATCH_SOUND", TrailSurvivesEviction),
    rebuilt("trail_forgets_namespace", "ISOLATION", TrailForgetsNamespace),
    rebuilt("favour_stops_at_once", "ATTRIBUTE_MONO", PriorityStopsAtOnce, policy="priority"),
)
