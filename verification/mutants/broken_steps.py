"""The reference with operations cut into steps, so that a mutant can replace one of them. Only `ListedEviction` is wrong itself."""

from collections.abc import Iterable

from radixcheck.reference import Request
from radixcheck.reference.eviction import evictable_leaves
from radixcheck.reference.node import Node, path, slots_of
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import BadAmount, Key, RequestExists, Row, check_tokens, pages_for
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class SteppedEviction(ReferenceSubject):
    """An eviction chooses each victim anew: the least of `_candidates`, then `_remove`; slots are freed last, `_in_order`."""

    def evict(self, tokens: int) -> int:
        """Evict least candidates until `tokens` are freed or none is left."""
        if tokens < 0:
            raise BadAmount(f"cannot evict {tokens} tokens")
        victims: list[Node] = []
        freed = 0
        while freed < tokens and (victim := min(self._candidates(), key=self._eviction_key, default=None)) is not None:
            self._remove(victim)
            victims.append(victim)
            freed += len(victim.segment)
        for victim in self._in_order(victims):
            self.pool.free(victim.slots)
        return freed

    def _candidates(self) -> Iterable[Node]:
        return evictable_leaves(self.root)

    def _remove(self, victim: Node) -> None:
        parent = victim.parent
        assert parent is not None, "the root is no candidate"
        del parent.children[victim.child_key]
        victim.parent = None
        self._evictable -= len(victim.segment)

    def _in_order(self, victims: list[Node]) -> list[Node]:
        return victims


class ListedEviction(ReferenceSubject):
    """An eviction lists the leaves once, and does `_drop` for each in turn: a parent that becomes a leaf is not on the list."""

    def evict(self, tokens: int) -> int:
        """Evict the listed leaves until `tokens` are freed or none is left."""
        freed = 0
        for leaf in sorted(evictable_leaves(self.root), key=self._eviction_key):
            if freed >= tokens:
                break
            freed += len(leaf.slots)
            self._drop(leaf)
        return freed

    def _drop(self, leaf: Node) -> None:
        self._evict_leaf(leaf)
        self.pool.free(leaf.slots)


class SteppedSplit(ReferenceSubject):
    """A split calls `_after_split` with its two halves."""

    def _split(self, walk: Walk) -> Node:
        node = super()._split(walk)
        if walk.edge is not None:
            self._after_split(node, walk.edge)
        return node

    def _after_split(self, upper: Node, lower: Node) -> None:
        """Nothing more to do."""


class SteppedStart(ReferenceSubject):
    """A start has three steps: `_find` what is cached, `_spared` for the guard, and `_provide` the missing slots."""

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """Match and lock what is cached, then allocate the rest."""
        check_tokens(key.tokens)
        if request in self.requests:
            raise RequestExists(f"request {request} is live")
        walk = self._find(key)
        missing = len(key.tokens) - walk.length
        needed = pages_for(missing, self.page_size) * self.page_size
        self._check_room(needed, spared=self._spared(walk))
        node = self._split(walk)
        self._touch(node)
        row = slots_of(node) + self._provide(node, needed)[:missing]
        self.requests[request] = Request(list(key.tokens), key.namespace, priority, node, walk.length, row)
        return Row(walk.length, list(row))

    def _find(self, key: Key) -> Walk:
        return self._walk(key.tokens, key.namespace)

    def _spared(self, walk: Walk) -> int:
        return walk.evictable_tokens()

    def _provide(self, node: Node, needed: int) -> list[int]:
        """Lock first: the eviction must not take what was matched."""
        self._lock_path(node)
        return self._take(needed)


def unlock_unchecked(cache: ReferenceSubject, node: Node) -> None:
    """Release a path as `_unlock_path` does, but accept locks below zero."""
    for locked in path(node):
        locked.lock -= 1
        if locked.lock == 0:
            cache._evictable += len(locked.segment)
            cache._protected -= len(locked.segment)
