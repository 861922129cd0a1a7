"""A toy prefix cache as one might find it: it knows nothing of this project. `verification/README.md` checks it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


class Entry:
    """Some tokens behind those of its parent."""

    def __init__(self, parent: Entry | None, tokens: Sequence[int], slots: Sequence[int], used: int) -> None:
        self.parent, self.tokens, self.slots, self.used = parent, list(tokens), list(slots), used
        self.children: dict[int, Entry] = {}
        self.pins = 0


class PrefixCache:
    """Least recently used entries go first; what is pinned stays."""

    def __init__(self) -> None:
        self.root = Entry(None, [], [], 0)
        self.clock = 0

    def find(self, tokens: Sequence[int]) -> tuple[list[int], Entry]:
        """Slots of the longest known prefix, and the entry that ends there."""
        self.clock += 1
        slots, entry = self._walk(tokens)
        for above in self._path(entry):
            above.used = self.clock
        return slots, entry

    def add(self, tokens: Sequence[int], slots: Sequence[int]) -> int:
        """Remember slots for tokens; returns how many tokens were known already."""
        known, entry = self.find(tokens)
        if len(known) < len(tokens):
            new = Entry(entry, tokens[len(known) :], slots[len(known) : len(tokens)], self.clock)
            entry.children[new.tokens[0]] = new
        return len(known)

    def length(self, tokens: Sequence[int]) -> int:
        """How many tokens are known; nothing is changed."""
        entry, n = self.root, 0
        while n < len(tokens) and tokens[n] in entry.children:
            entry = entry.children[tokens[n]]
            shared = _shared(entry.tokens, tokens[n:])
            n += shared
            if shared < len(entry.tokens):
                break
        return n

    def has(self, entry: Entry) -> bool:
        """Whether the entry was not dropped."""
        return all(above.parent.children.get(above.tokens[0]) is above for above in self._path(entry) if above.parent)

    def pin(self, entry: Entry, by: int = 1) -> None:
        """Keep an entry and all above it (by=-1: no longer)."""
        for above in self._path(entry):
            above.pins += by

    def drop(self, count: int) -> list[int]:
        """Forget least recently used leaves until `count` tokens are gone; returns their slots."""
        gone: list[int] = []
        while len(gone) < count:
            leaves = [entry for entry in self.entries() if not entry.children and not entry.pins]
            if not leaves:
                break
            leaf = min(leaves, key=lambda entry: entry.used)
            if leaf.parent:
                del leaf.parent.children[leaf.tokens[0]]
            gone += leaf.slots
        return gone

    def entries(self) -> Iterator[Entry]:
        """All of them."""
        waiting = list(self.root.children.values())
        while waiting:
            entry = waiting.pop()
            yield entry
            waiting += entry.children.values()

    def _path(self, entry: Entry) -> Iterator[Entry]:
        while entry.parent:
            yield entry
            entry = entry.parent

    def _walk(self, tokens: Sequence[int]) -> tuple[list[int], Entry]:
        slots, entry = list[int](), self.root
        while len(slots) < len(tokens) and tokens[len(slots)] in entry.children:
            child = entry.children[tokens[len(slots)]]
            shared = _shared(child.tokens, tokens[len(slots) :])
            entry = self._split(entry, child, shared) if shared < len(child.tokens) else child
            slots = slots + entry.slots
        return slots, entry

    def _split(self, parent: Entry, entry: Entry, at: int) -> Entry:
        upper = Entry(parent, entry.tokens[:at], entry.slots[:at], entry.used)
        upper.pins = entry.pins
        parent.children[upper.tokens[0]] = upper
        entry.parent, entry.tokens, entry.slots = upper, entry.tokens[at:], entry.slots[at:]
        upper.children[entry.tokens[0]] = entry
        return upper


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
