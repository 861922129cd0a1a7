"""What the guard in the eviction loop of sglang#6907 saves (C11): the comparisons of each pop of its heap are counted."""

import heapq
from dataclasses import dataclass
from random import Random

from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.review_6907.fact_results import Tried
from radixcheck.verification.subjects.historical.base import Node
from radixcheck.verification.subjects.historical.submitted import SubmittedTree

STEPS = 4_000
POOL = 400  # tokens


@dataclass(eq=False, slots=True)
class Entry:
    """A time and a node; each comparison is counted."""

    time: int
    node: Node
    tree: "CountedTree"

    def __lt__(self, other: "Entry") -> bool:
        self.tree.comparisons += 1
        return self.time < other.time


class CountedTree(SubmittedTree):
    """The change with pairs in its heap. It records the comparisons of each pop, and whether the guard skips the entry."""

    def _clear(self) -> None:
        super()._clear()
        self.heap: list[Entry] = []
        self.comparisons = 0
        self.taken: list[int] = []  # comparisons of each pop
        self.skipped: list[int] = []

    def _push(self, node: Node) -> None:
        heapq.heappush(self.heap, Entry(node.time, node, self))

    def _pop(self) -> Node | None:
        if not self.heap:
            return None
        before = self.comparisons
        node = heapq.heappop(self.heap).node
        guarded = node.lock_ref > 0 or node is self.root or node.value is None
        (self.skipped if guarded else self.taken).append(self.comparisons - before)
        return node


def sifting(seed: int) -> Tried:
    """Try the claim on a run: a pop that compares, and whose entry the guard skips, contradicts it, for the heap was rebalanced."""
    tree = _run(Random(seed))
    pops = len(tree.taken) + len(tree.skipped)
    if not any(tree.skipped):
        return Tried(pops if tree.skipped else 0, "", f"{pops:,} pops")
    each, other = (sum(counts) / max(1, len(counts)) for counts in (tree.skipped, tree.taken))
    counted = f"{len(tree.skipped):,} of {pops:,} pops were skipped, after {each:.1f} comparisons each; those taken cost {other:.1f}"
    return Tried(pops, counted, counted)


def _run(random: Random) -> CountedTree:
    """Insert, lock and unlock short sequences in a pool that is always full."""
    tree, locked = CountedTree(1, WatchedPool(POOL, 1)), list[Node]()
    for _ in range(STEPS):
        key = [random.randrange(12) for _ in range(random.randint(1, 6))]
        if tree.pool.available < len(key):
            tree.evict(len(key))
        if tree.pool.available >= len(key):
            slots = tree.pool.alloc(len(key))
            tree.give(slots[: tree.insert(key, slots)])
        node = tree.match(key)[1]
        if node is not tree.root:
            tree.inc_lock_ref(node)
            locked.append(node)
        if len(locked) > random.randrange(16):
            tree.dec_lock_ref(locked.pop(0))
    return tree
