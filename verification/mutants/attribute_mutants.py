"""Times, hits, priorities and creations that are lost, or changed on nodes that were not used."""

from collections.abc import Sequence

from radixcheck.reference.node import Node, below, path
from radixcheck.spec.values import Key, Match
from radixcheck.verification.mutants.mutant import SteppedSplit, mutant
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class TouchWholeEdge(ReferenceSubject):
    """A match that ends inside an edge refreshes the edge before it splits it, so that the unused half counts as used."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: the lower half has the new time too."""
        edge = self._walk(key.tokens, key.namespace).edge
        match = super().match(key)
        if edge is not None:
            edge.time = self.now
        return match


class MatchForgetsTouch(ReferenceSubject):
    """A match refreshes nothing."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: the times are the old ones."""
        walk = self._walk(key.tokens, key.namespace)
        before = {node: node.time for node in below(self.root)}
        match = super().match(key)
        for node in path(walk.node):
            node.time = before[node]
        return match


class InsertTouchesLeafOnly(ReferenceSubject):
    """An insert refreshes the node at which it ends, and none above it."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: the nodes above keep their old times."""
        before = {node: node.time for node in below(self.root)}
        prefix = super().insert(key, slots, priority)
        for node in list(path(self._walk(key.tokens, key.namespace).node))[1:]:
            node.time = before.get(node, node.time)
        return prefix


class InsertWithoutTick(ReferenceSubject):
    """An insert does not tick: it gives what it touches the time of the access before it."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: the clock is set back before the access advances it."""
        self.now -= 1
        return super().insert(key, slots, priority)


class CoarseClock(ReferenceSubject):
    """The time of an access is rounded down to a multiple of eight ticks; that of a creation is not."""

    def _touch(self, node: Node, hits: int = 0, priority: int = 0) -> None:
        super()._touch(node, hits, priority)
        for used in path(node):
            used.time = self.now - self.now % 8


class PeekTouches(ReferenceSubject):
    """A peek is a match."""

    def peek(self, key: Key) -> int:
        """The fault: a prefix that was only peeked at counts as used."""
        return self.match(key).length


class SplitForgetsHits(SteppedSplit):
    """The upper half of a split begins without hits."""

    def _after_split(self, upper: Node, lower: Node) -> None:
        upper.hits = 0


class MatchCountsHit(ReferenceSubject):
    """A match counts a hit, so that what was matched and inserted counts twice."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: the hits."""
        match = super().match(key)
        assert isinstance(match.node, Node)
        for node in path(match.node):
            node.hits += 1
        return match


class SplitForgetsPriority(SteppedSplit):
    """The upper half of a split begins at priority 0."""

    def _after_split(self, upper: Node, lower: Node) -> None:
        upper.priority = 0


class InsertForgetsPriority(ReferenceSubject):
    """An insert ignores the priority that it was given."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: every key is inserted at priority 0."""
        return super().insert(key, slots)


class InsertCutsPriority(ReferenceSubject):
    """An insert keeps only the last seven bits of the priority that it was given."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: 128 becomes 0, and goes before what is less important."""
        return super().insert(key, slots, priority % 2**7 if priority >= 0 else priority)


class SplitRenewsCreation(SteppedSplit):
    """The upper half of a split counts as created by the split."""

    def _after_split(self, upper: Node, lower: Node) -> None:
        upper.creation = self.now + 1


MUTANTS = (
    mutant("touch_whole_edge", "RECENCY", TouchWholeEdge),
    mutant("match_forgets_touch", "RECENCY", MatchForgetsTouch, "FB-51"),
    mutant("insert_touches_leaf_only", "TIME_MONO", InsertTouchesLeafOnly),
    mutant("insert_without_tick", "TIME_CHAIN", InsertWithoutTick),
    mutant("coarse_clock", "CLOCK", CoarseClock, "FB-50"),
    mutant("peek_touches", "PEEK_PURE", PeekTouches, "FB-54"),
    mutant("split_forgets_hits", "FREQ", SplitForgetsHits, policy="lfu"),
    mutant("match_counts_hit", "FREQ", MatchCountsHit, "FB-47", policy="lfu"),
    mutant("split_forgets_priority", "PRIORITY", SplitForgetsPriority, policy="priority"),
    mutant("insert_forgets_priority", "PRIORITY", InsertForgetsPriority, policy="priority"),
    mutant("insert_cuts_priority", "PRIORITY", InsertCutsPriority, policy="priority"),
    mutant("split_renews_creation", "CREATION", SplitRenewsCreation, policy="fifo"),
)
