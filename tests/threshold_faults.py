"""Wrong caches that are right while some quantity is small. Each names the dimension that finds it, and the properties that may break."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from struct import pack
from typing import Any

from hiding import BLACK_BOX, Hiding

from radixcheck.optimized.node import Node as PackedNode
from radixcheck.optimized.tree import NodeTree
from radixcheck.reference.node import ChildKey, Node, Page, path, shared_tokens
from radixcheck.reference.tree import Walk
from radixcheck.spec.values import Key, Match, Namespace, NoRoom, Row
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.mutant import Rebuilt, SteppedEviction, SteppedSplit
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


@dataclass(frozen=True)
class Hidden:
    """Makes a cache without its view of the inside."""

    factory: Factory

    def __call__(self, setup: Setup) -> Hiding:
        return Hiding(self.factory(setup), BLACK_BOX)


@dataclass(frozen=True)
class Fault:
    """A cache that is wrong past a threshold."""

    name: str
    dimension: str
    properties: tuple[str, ...]  # any of these may break first
    factory: Factory


def kind(base: type[ReferenceSubject], **methods: Any) -> type[ReferenceSubject]:
    """Derive a cache with other methods."""
    return type(base.__name__, (base,), methods)


def signed(value: int, bits: int) -> int:
    """The value that a signed integer of so many bits holds."""
    half = 1 << (bits - 1)
    return (value + half) % (2 * half) - half


def clock(cut: Callable[[int], int]) -> type[ReferenceSubject]:
    """A cache whose times of access are cut."""

    def touch(self: ReferenceSubject, node: Node, hits: int = 0, priority: int = 0) -> None:
        ReferenceSubject._touch(self, node, hits, priority)
        for used in path(node):
            used.time = cut(self.now)

    return kind(ReferenceSubject, _touch=touch)


def created(cut: Callable[[int], int]) -> type[ReferenceSubject]:
    """A cache whose times of creation are cut."""

    def grow(self: ReferenceSubject, *arguments: Any) -> Node:
        leaf = ReferenceSubject._grow(self, *arguments)
        leaf.creation = cut(leaf.creation)
        return leaf

    return kind(ReferenceSubject, _grow=grow)


def counted(cut: Callable[[int], int]) -> type[ReferenceSubject]:
    """A cache whose hits are cut."""

    def touch(self: ReferenceSubject, node: Node, hits: int = 0, priority: int = 0) -> None:
        ReferenceSubject._touch(self, node, hits, priority)
        for used in path(node):
            used.hits = cut(used.hits)

    return kind(ReferenceSubject, _touch=touch)


def locked(cut: Callable[[int], int]) -> type[ReferenceSubject]:
    """A cache whose numbers of locks are cut."""

    def lock(self: ReferenceSubject, node: Node) -> None:
        ReferenceSubject._lock_path(self, node)
        for held in path(node):
            held.lock = cut(held.lock)

    def unlock(self: ReferenceSubject, node: Node) -> None:
        for held in path(node):
            held.lock = cut(held.lock - 1)
            if held.lock == 0:
                self._evictable += len(held.segment)
                self._protected -= len(held.segment)

    return kind(ReferenceSubject, _lock_path=lock, _unlock_path=unlock)


def filed(link: Callable[[Page], Any]) -> type[ReferenceSubject]:
    """A cache that files children by something computed from their first page, and takes what it finds there for that page."""

    def child_key(self: ReferenceSubject, parent: Node, namespace: Namespace, page: Page) -> ChildKey:
        key = link(page) if len(page) == self.page_size else ()
        return (key,) if parent is not self.root else (namespace, key)

    class Filed(ReferenceSubject):
        _child_key = child_key

        def _walk(self, tokens: Page, namespace: Namespace) -> Walk:
            size, node, length = self.page_size, self.root, 0
            while child := node.children.get(child_key(self, node, namespace, tokens[length : length + size])):
                tokens = (*tokens[:length], *child.segment[:size], *tokens[length + size :])
                shared = shared_tokens(child.segment, tokens, length, size)
                length += shared
                if shared < len(child.segment):
                    return Walk(length, node, child, shared)
                node = child
            return Walk(length, node)

        def _split(self, walk: Walk) -> Node:
            edge = walk.edge
            upper = super()._split(walk)
            if edge is not None:
                del upper.children[edge.child_key]
                edge.child_key = child_key(self, upper, (), edge.segment[: self.page_size])
                upper.children[edge.child_key] = edge
            return upper

    return Filed


def tokens_as(cut: Callable[[int], int]) -> type[ReferenceSubject]:
    """A cache that cuts the tokens of every key."""

    class Cut(ReferenceSubject):
        def _walk(self, tokens: Page, namespace: Namespace) -> Walk:
            return super()._walk(tuple(map(cut, tokens)), namespace)

        def _grow(self, parent: Node, namespace: Namespace, segment: Page, slots: list[int]) -> Node:
            return super()._grow(parent, namespace, tuple(map(cut, segment)), slots)

    return Cut


def table(size: int, at_root: bool) -> type[ReferenceSubject]:
    """A cache whose table of children holds so many: what is behind the others is not found."""

    class Table(ReferenceSubject):
        def _walk(self, tokens: Page, namespace: Namespace) -> Walk:
            walk = super()._walk(tokens, namespace)
            last = walk.edge or walk.node
            for node in reversed([*path(last)]):
                parent = node.parent
                assert parent is not None
                if (parent is self.root) == at_root and list(parent.children).index(node.child_key) >= size:
                    return Walk(sum(len(above.segment) for above in path(parent)), parent)
            return walk

        def _grow(self, parent: Node, namespace: Namespace, segment: Page, slots: list[int]) -> Node:
            present = parent.children.pop(self._child_key(parent, namespace, segment[: self.page_size]), None)
            if present:
                self.pool.free(slots)
                parent.children[present.child_key] = present
                return present
            return super()._grow(parent, namespace, segment, slots)

    return Table


class NamespacesCut(ReferenceSubject):
    """Numbers namespaces, in eight bits."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.numbers: dict[Namespace, int] = {}

    def _child_key(self, parent: Node, namespace: Namespace, page: Page) -> ChildKey:
        number = self.numbers.setdefault(namespace, len(self.numbers)) & 0xFF
        return page if parent is not self.root else (number, page)


class SlotsCut(ReferenceSubject):
    """Answers slots of sixteen bits."""

    def match(self, key: Key) -> Match[list[int]]:
        return replace(super().match(key), slots=[slot & 0xFFFF for slot in super().match(key).slots])


class ShortKeys(ReferenceSubject):
    """Looks at the first 2^15 tokens of a key only."""

    def _walk(self, tokens: Page, namespace: Namespace) -> Walk:
        walk = super()._walk(tokens[: 2**15], namespace)
        return walk


class ManyVictims(SteppedEviction):
    """From the 128th victim in one call on, takes the newest leaf."""

    def evict(self, tokens: int) -> int:
        self.chosen = 0
        return super().evict(tokens)

    def _candidates(self) -> list[Node]:
        leaves = list(super()._candidates())
        self.chosen += 1
        return leaves if self.chosen < 128 else sorted(leaves, key=self._eviction_key)[-1:]


class EightHeld(SteppedSplit):
    """The lower half of a node that eight hold loses one of them."""

    def _after_split(self, upper: Node, lower: Node) -> None:
        if lower.lock == 8:
            upper.lock = 1


class BusyStart(ReferenceSubject):
    """With a hundred live requests a start does not lock what it has found."""

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        row = super().start(request, key, priority)
        if len(self.requests) == 101:
            row = Row(0, row.slots)
        return row


def ranked(cut: Callable[[int], Any]) -> type[ReferenceSubject]:
    """A cache that compares priorities after a conversion."""

    class Ranked(ReferenceSubject):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            if arguments[1] == "priority":
                self._eviction_key = lambda node: (cut(node.priority), node.time)

    return Ranked


class Recursive(ReferenceSubject):
    """Locks a path by recursion."""

    def _lock_path(self, node: Node) -> None:
        if node.parent is None:
            return
        if node.lock == 0:
            self._evictable -= len(node.segment)
            self._protected += len(node.segment)
        node.lock += 1
        self._lock_path(node.parent)


class Shallow(ReferenceSubject):
    """Follows a key through 512 nodes."""

    def peek(self, key: Key) -> int:
        nodes = [*path(self._walk(key.tokens, key.namespace).node)]
        return sum(len(node.segment) for node in nodes[::-1][:512]) if len(nodes) > 512 else super().peek(key)


class OldReset(ReferenceSubject):
    """Keeps the tree at the 256th reset."""

    resets = 0

    def reset(self) -> None:
        kept = dict(self.root.children)
        super().reset()
        self.resets += 1
        if self.resets == 256:
            self.root.children = kept
            for child in kept.values():
                child.parent = self.root


class Refusing(ReferenceSubject):
    """After a thousand refused calls counts one more token as evictable."""

    refused = 0

    def _check_room(self, needed: int, spared: int = 0) -> None:
        try:
            super()._check_room(needed, spared)
        except NoRoom:
            self.refused += 1
            self._evictable += self.refused == 1_000
            raise


class Tired(SteppedEviction):
    """After five thousand evictions takes the newest leaf once."""

    count = 0

    def _candidates(self) -> list[Node]:
        self.count += 1
        leaves = list(super()._candidates())
        return sorted(leaves, key=self._eviction_key)[-1:] if self.count == 1_500 else leaves


class PackedHits(NodeTree):
    """Counts hits in ten bits."""

    def count_hit(self, path: Any) -> None:
        for node in path:
            node.hits = (node.hits + 1) & 0x3FF


class PackedClock(NodeTree):
    """Has a clock of twelve bits."""

    def touch(self, namespace: Namespace, path: list[PackedNode]) -> None:
        self.now &= 0xFFF
        super().touch(namespace, path)


@dataclass(frozen=True)
class WithPart:
    """Makes the optimized cache with one part replaced."""

    part: type

    def __call__(self, setup: Setup) -> Rebuilt:
        return Rebuilt(setup, self.part)


def crc(page: Page) -> int:
    """A digest of a page's bytes."""
    return zlib.crc32(pack(f"<{len(page)}q", *page))


def poly(page: Page) -> int:
    """A polynomial digest."""
    value = 0
    for token in page:
        value = (value * 31 + token) & 0xFFFFFFFF
    return value


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("clock_8_bits", "accesses", ("ORDER",), Hidden(clock(lambda now: now & 0xFF).of)),
        Fault("clock_12_bits_optimized", "accesses", ("ORDER",), WithPart(PackedClock)),
        Fault("clock_16_bits", "accesses, many", ("ORDER",), Hidden(clock(lambda now: now & 0xFFFF).of)),
        Fault("clock_signed_16_bits", "accesses, many", ("ORDER",), Hidden(clock(lambda now: signed(now, 16)).of)),
        Fault("creation_12_bits", "times of creation", ("ORDER",), Hidden(created(lambda now: now & 0xFFF).of)),
        Fault("hits_10_bits_optimized", "hits", ("ORDER",), WithPart(PackedHits)),
        Fault("hits_16_bits", "hits, many", ("ORDER",), Hidden(counted(lambda hits: hits & 0xFFFF).of)),
        Fault("hits_end_at_255", "hits of two nodes", ("ORDER",), Hidden(counted(lambda hits: min(hits, 255)).of)),
        Fault("locks_8_bits", "holders", ("COUNT", "EVICT_UNLOCKED", "EVICT_EXACT"), Hidden(locked(lambda lock: lock & 0xFF).of)),
        Fault("locks_end_at_300", "holders", ("COUNT", "EVICT_UNLOCKED", "EVICT_EXACT"), Hidden(locked(lambda lock: min(lock, 300)).of)),
        Fault("locks_16_bits", "holders, many", ("COUNT", "EVICT_UNLOCKED", "EVICT_EXACT"), locked(lambda lock: lock & 0xFFFF).of),
        Fault("slots_16_bits", "slots", ("MATCH_SOUND", "NO_UAF", "PAGE_ALIGN"), Hidden(SlotsCut.of)),
        Fault("tokens_16_bits", "tokens", ("MATCH_SOUND",), Hidden(tokens_as(lambda token: token & 0xFFFF).of)),
        Fault("tokens_signed_32_bits", "tokens", ("MATCH_SOUND", "REFINEMENT"), Hidden(tokens_as(lambda token: signed(token, 32)).of)),
        Fault("tokens_as_floats", "tokens", ("MATCH_SOUND",), Hidden(tokens_as(lambda token: int(float(token))).of)),
        Fault("table_of_16_inner_children", "children of an inner node", ("MATCH_MAX",), Hidden(table(16, at_root=False).of)),
        Fault("table_of_256_root_children", "children of the root", ("MATCH_MAX",), Hidden(table(256, at_root=True).of)),
        Fault("page_hash_16_bits", "children of an inner node", ("MATCH_SOUND",), Hidden(filed(lambda page: hash(page) & 0xFFFF).of)),
        Fault("namespaces_8_bits", "namespaces", ("ISOLATION", "MATCH_SOUND"), Hidden(NamespacesCut.of)),
        Fault("keys_of_32768_tokens", "key length", ("MATCH_MAX", "REFINEMENT"), Hidden(ShortKeys.of)),
        Fault("pages_by_sum", "pages alike", ("MATCH_SOUND",), Hidden(filed(sum).of)),
        Fault("pages_by_crc", "pages alike", ("MATCH_SOUND",), Hidden(filed(crc).of)),
        Fault("pages_by_polynomial", "pages alike", ("MATCH_SOUND",), Hidden(filed(poly).of)),
        Fault("pages_by_first_and_last", "long pages alike", ("MATCH_SOUND",), Hidden(filed(lambda page: (page[0], page[-1])).of)),
        Fault("victims_128", "victims", ("ORDER", "EVICT_EXACT"), Hidden(ManyVictims.of)),
        Fault(
            "eight_locks_over_a_split", "locks over splits", ("COUNT", "EVICT_UNLOCKED", "LOCK_COUNT", "REFINEMENT"), Hidden(EightHeld.of)
        ),
        Fault("eight_requests_over_a_split", "requests over splits", ("COUNT", "EVICT_UNLOCKED", "REFINEMENT"), Hidden(EightHeld.of)),
        Fault("live_requests_101", "live requests", ("MATCH_MAX",), Hidden(BusyStart.of)),
        Fault("priority_32_bits", "priorities", ("ORDER",), Hidden(ranked(lambda priority: priority & 0xFFFFFFFF).of)),
        Fault("priority_as_float", "priorities", ("ORDER",), Hidden(ranked(float).of)),
        Fault("depth_by_recursion", "depth", ("DEPTH",), Hidden(Recursive.of)),
        Fault("depth_of_512", "depth", ("MATCH_MAX",), Hidden(Shallow.of)),
        Fault("resets_256", "resets", ("MATCH_SOUND", "COUNT"), Hidden(OldReset.of)),
        Fault("refused_1000", "refused calls", ("COUNT",), Hidden(Refusing.of)),
        Fault("evictions_1500", "cycles", ("ORDER", "EVICT_EXACT"), Hidden(Tired.of)),
    )
}


def __getattr__(name: str) -> Factory:
    """Return the factory of a fault, so that `radixcheck verify threshold_faults:NAME` finds it."""
    if name not in FAULTS:
        raise AttributeError(name)
    return FAULTS[name].factory
