"""Runs of the hierarchical cache of the release, over its own base class and over the submitted one (C10, Q6, Q8).

The host is larger than the device, as the release requires. A copy is done as soon as it is issued.
"""

from collections.abc import Callable, Sequence
from random import Random

from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import MODES
from radixcheck.verification.review_6907.fact_results import Tried
from radixcheck.verification.subjects.historical import HierarchicalBase, HierarchicalNodes, HierarchicalPairs
from radixcheck.verification.subjects.historical.base import Node, above
from radixcheck.verification.subjects.historical.hierarchical import HierarchicalTree, HostTier

POOL, HOST_POOL = 8, 12  # tokens
RUNS, STEPS = 12, 250
SPLIT = ([1, 2], [1, 2], [1], [1, 2])  # an insert, then matches: the second but last splits the node


class Arrived:
    """A ticket for a copy that has arrived."""

    done, failed = True, False

    def wait(self) -> None:
        """Return at once."""


class AtOnce:
    """A copier whose copies are done as soon as they are issued."""

    def copy(self, up: bool, sources: Sequence[int], targets: Sequence[int]) -> Arrived:
        """Return a ticket that is done."""
        return Arrived()


class Run:
    """One cache with its pools; `match` collects the slots that were free when they were returned."""

    def __init__(self, tree: type[HierarchicalTree], mode: str) -> None:
        self.pool = WatchedPool(POOL, 1)
        self.tree = tree(1, self.pool, HostTier(WatchedPool(HOST_POOL, 1), AtOnce(), mode))
        self.matches = 0
        self.free: list[int] = []  # slots
        self.operations = 0
        self.wrong = ""  # where it goes wrong; empty: nowhere so far

    def insert(self, key: Sequence[int]) -> None:
        """Insert a key, if there is room for it."""
        if self.pool.available < len(key):
            self.tree.evict(len(key) - self.pool.available)
        if self.pool.available >= len(key):
            slots = self.pool.alloc(len(key))
            self.tree.give(slots[: self.tree.insert(key, slots)])

    def match(self, key: Sequence[int]) -> Node:
        """Match a key; return the node where the match ends, on whichever tier."""
        slots, node = self.tree.match(key)
        self.matches += 1
        self.free += [slot for slot in slots if not self.pool.out[slot]]
        return node

    def at_random(self, random: Random) -> None:
        """One operation of an engine, and then the acknowledgements."""
        self.operations += 1
        key = [random.randrange(2) for _ in range(random.randint(1, 4))]
        operation = random.choice([self.insert, self.match, self._load, self._evict])
        operation(key)
        self.tree.poll()

    def _load(self, key: Sequence[int]) -> None:
        node = self.match(key)
        if node.value is None:
            self.tree.load_back(node)

    def _evict(self, key: Sequence[int]) -> None:
        self.tree.evict(len(key))


def _runs(tree: type[HierarchicalTree], modes: Sequence[str], seed: int, wrong: Callable[[Run], bool]) -> list[Run]:
    """Return random runs, each up to where it goes wrong for the first time."""
    runs = []
    for mode in modes:
        for number in range(RUNS):
            run, random = Run(tree, mode), Random(f"{mode} {seed} {number}")
            runs.append(run)
            while run.operations < STEPS and not run.wrong:
                run.at_random(random)
                run.wrong = f"{mode}, run {number}, after {run.operations} operations" if wrong(run) else ""
    return runs


def _tried(runs: Sequence[Run], cases: int, what: str, shortest: str = "") -> Tried:
    """Return the outcome of some runs, with the shortest run that was made to show the same."""
    wrong = [run.wrong for run in runs if run.wrong]
    counted = f"{cases:,} {what} in {sum(run.operations for run in runs):,} operations; {len(wrong)} of {len(runs)} runs go wrong"
    return Tried(cases, shortest or next(iter(wrong), ""), counted)


def _returned_free(run: Run) -> bool:
    return bool(run.free)


def before(seed: int, tree: type[HierarchicalTree] = HierarchicalBase) -> Tried:
    """Try whether a match over the base class of the release returns a free slot."""
    runs = _runs(tree, MODES, seed, _returned_free)
    return _tried(runs, sum(run.matches for run in runs), "matches")


def after(seed: int, trees: Sequence[type[HierarchicalTree]] = (HierarchicalPairs, HierarchicalNodes)) -> Tried:
    """Try the same over the submitted base class, in both readings; two operations on one key, and a match, suffice."""
    runs, shown = list[Run](), ""
    for tree in trees:
        runs += _runs(tree, MODES, seed, _returned_free)
        run = Run(tree, "write_through_selective")
        run.insert([1])
        run.tree.evict(1)
        run.match([1])
        shown = shown or ", ".join(f"insert [1], evict 1, match [1] returns slot {slot}, which is free" for slot in run.free)
    return _tried(runs, sum(run.matches for run in runs), "matches", shown)


class CountedOffers(HierarchicalBase):
    """The release; it counts the nodes that are offered for a copy to the host, and those without device slots."""

    offered = empty = 0

    def write_backup(self, node: Node) -> int:
        """Count, then back up."""
        self.offered += 1
        self.empty += node.value is None
        return super().write_backup(node)


def offered(seed: int, tree: type[CountedOffers] = CountedOffers) -> Tried:
    """Try whether a node without device slots is offered for a copy to the host."""
    runs = _runs(tree, MODES, seed, lambda run: isinstance(run.tree, CountedOffers) and run.tree.empty > 0)
    return _tried(runs, sum(run.tree.offered for run in runs if isinstance(run.tree, CountedOffers)), "nodes were offered")


def _copied_before_parent(run: Run) -> bool:
    return any(node.host and above(node) is not run.tree.root and not above(node).host for node in run.tree.nodes())


def parents_first(seed: int, tree: type[HierarchicalTree] = HierarchicalBase) -> Tried:
    """Try whether a child is copied to the host before its parent: a match that splits a node leaves its upper half without hits."""
    mode = "write_through_selective"
    runs, run = _runs(tree, (mode,), seed, _copied_before_parent), Run(tree, mode)
    run.insert(SPLIT[0])
    for key in SPLIT[1:]:
        run.match(key)
    shown = "insert [1 2], match [1 2], match [1], match [1 2] copies the 2 before its parent" if _copied_before_parent(run) else ""
    return _tried(runs, sum(run.operations for run in runs), "states", shown)
