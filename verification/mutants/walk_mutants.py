"""Walks, splits and keys that go wrong."""

from collections.abc import Sequence
from dataclasses import replace

from radixcheck.reference.node import ChildKey, Node, Page, shared_tokens, slots_of
from radixcheck.spec.values import Key, Match, Namespace
from radixcheck.verification.mutants.mutant import SteppedSplit, mutant
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class WalkPastDivergence(ReferenceSubject):
    """A match that diverges inside an edge goes on below the edge, if the next page is found there."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: `node = child` although only a part of the child agrees."""
        walk = self._walk(key.tokens, key.namespace)
        if walk.edge is None or key.tokens[walk.length : walk.length + self.page_size] not in walk.edge.children:
            return super().match(key)
        node, slots = self.root, list[int]()
        while True:
            page = key.tokens[len(slots) : len(slots) + self.page_size]
            child = node.children.get(self._child_key(node, key.namespace, page))
            if child is None:
                self._touch(node)
                return Match(len(slots), slots, node)
            slots += child.slots[: shared_tokens(child.segment, key.tokens, len(slots), self.page_size)]
            node = child


class WalkPastSplit(ReferenceSubject):
    """An insert that ends inside an edge does not split it: it adds a second node with all of its tokens beside the edge."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: the new node begins where the edge begins, and its whole segment is its child key."""
        walk, whole = self._walk(key.tokens, key.namespace), key.whole_pages(self.page_size)
        if walk.edge is None or walk.length == whole:
            return super().insert(key, slots, priority)
        begin = walk.length - walk.inside
        segment = key.tokens[begin:whole]
        link = self._child_key(walk.node, key.namespace, segment)
        leaf = Node(walk.node, link, segment, list(slots[begin:whole]))
        leaf.creation = self.now + 1
        walk.node.children[link] = leaf
        self._evictable += len(segment)
        self._loans.difference_update(leaf.slots)
        self._touch(leaf, 1, priority)
        return begin


class SplitKeepsChildKey(SteppedSplit):
    """A split files the lower half under the first page of the whole segment, which is the upper half's."""

    def _after_split(self, upper: Node, lower: Node) -> None:
        del upper.children[lower.child_key]
        lower.child_key = upper.child_key
        upper.children[lower.child_key] = lower


class InsertKeepsTail(ReferenceSubject):
    """An insert puts the unaligned tail of the key into the segment of the new leaf."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: the tail is not a whole page, and has no slots."""
        prefix, whole = super().insert(key, slots, priority), key.whole_pages(self.page_size)
        if prefix < whole:
            self._walk(key.tokens, key.namespace).node.segment += key.tokens[whole:]
        return prefix


class MatchReturnsRoot(ReferenceSubject):
    """A match returns the root as its node, so that locking it protects nothing."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: the node."""
        return replace(super().match(key), node=self.root)


class MatchStopsInsideEdge(ReferenceSubject):
    """A match that ends inside an edge returns nothing of that edge."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: the edge is left out, not split."""
        walk = self._walk(key.tokens, key.namespace)
        self._touch(walk.node)
        return Match(walk.length - walk.inside, slots_of(walk.node), walk.node)


class InsertCountsWholeEdge(ReferenceSubject):
    """An insert that ends inside an edge reports the whole edge as cached."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: the rest of the edge is counted too; the new leaf lacks these tokens."""
        walk, whole = self._walk(key.tokens, key.namespace), key.whole_pages(self.page_size)
        if walk.edge is None:
            return super().insert(key, slots, priority)
        prefix = walk.length - walk.inside + len(walk.edge.segment)
        node = self._split(walk)
        if prefix < whole:
            node = self._grow(node, key.namespace, key.tokens[prefix:whole], list(slots[prefix:whole]))
            self._loans.difference_update(node.slots)
        self._touch(node, 1, priority)
        return prefix


class NamespaceDropsComponent(ReferenceSubject):
    """Only the first component of a namespace counts, so that two salts of one adapter share what is cached."""

    def _child_key(self, parent: Node, namespace: Namespace, page: Page) -> ChildKey:
        return super()._child_key(parent, namespace[:1], page)


class NamespaceJoinsComponents(ReferenceSubject):
    """The components of a namespace are joined to one string, so that ("a", "b") and ("ab", "") are the same."""

    def _child_key(self, parent: Node, namespace: Namespace, page: Page) -> ChildKey:
        return super()._child_key(parent, ("".join(map(str, namespace)),), page)


MUTANTS = (
    mutant("walk_past_divergence", "MATCH_SOUND", WalkPastDivergence, "FB-01"),
    mutant("walk_past_split", "COVER", WalkPastSplit),
    mutant("split_keeps_child_key", "CHILD_KEY", SplitKeepsChildKey, "FB-03"),
    mutant("insert_keeps_tail", "PAGE_ALIGN", InsertKeepsTail, "FB-63", page_size=2),
    mutant("match_returns_root", "LOCK_SPAN", MatchReturnsRoot, "FB-02"),
    mutant("match_stops_inside_edge", "MATCH_MAX", MatchStopsInsideEdge, "FB-04"),
    mutant("insert_counts_whole_edge", "INSERT_MATCH_AGREE", InsertCountsWholeEdge, "FB-08"),
    mutant("namespace_drops_component", "ISOLATION", NamespaceDropsComponent, "FB-66"),
    mutant("namespace_joins_components", "ISOLATION", NamespaceJoinsComponents, "FB-68"),
)
