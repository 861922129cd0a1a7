"""The hierarchical cache of 0.4.6.post5 keeps its invariants over its own base class, and breaks them over the submitted one."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from radixcheck.reference import SlotPool
from radixcheck.spec.values import Key, Sizes
from radixcheck.verification.protocol import MODES, Setup
from radixcheck.verification.subjects.historical import hierarchical_base_subject, hierarchical_nodes_subject, hierarchical_pairs_subject
from radixcheck.verification.subjects.historical.hierarchical_subject import HierarchicalCache

Factory = Callable[[Setup], HierarchicalCache]
Tokens = tuple[int, ...]
PAGES, HOST_PAGES = 4, 7
each_reading = pytest.mark.parametrize("make", [hierarchical_pairs_subject, hierarchical_nodes_subject])


@dataclass(eq=False)
class Moved:
    """A ticket; `wait` completes the copy."""

    copies: "Copies"
    up: bool
    sources: Sequence[int]
    targets: Sequence[int]
    done: bool = False
    failed: bool = False

    def wait(self) -> None:
        source, target = self.copies.contents[self.up], self.copies.contents[not self.up]
        for one, other in zip(self.sources, self.targets, strict=True):
            target[other] = source[one]
        self.done = True
        self.copies.waiting.remove(self)


@dataclass
class Copies:
    """A copier that completes nothing by itself. It knows for which prefix each slot of the device and of the host was written."""

    contents: tuple[dict[int, Tokens], dict[int, Tokens]] = field(default_factory=lambda: ({}, {}))
    waiting: list[Moved] = field(default_factory=list)

    def copy(self, up: bool, sources: Sequence[int], targets: Sequence[int]) -> Moved:
        self.waiting.append(Moved(self, up, sources, targets))
        return self.waiting[-1]


class Driver:
    """A cache with stand-ins for its pools and its copier, and the calls of an engine."""

    def __init__(self, make: Factory, mode: str, pages: int = PAGES, host_pages: int = HOST_PAGES) -> None:
        self.copies, self.host_pool = Copies(), SlotPool(host_pages, 1)
        self.cache = make(Setup(1, "lru", SlotPool(pages, 1), host_pool=self.host_pool, copier=self.copies, mode=mode))
        self.locks: list[tuple[object, object]] = []

    def put(self, *tokens: int) -> None:
        slots = self.cache.alloc(len(tokens))
        for end, slot in enumerate(slots, 1):
            self.copies.contents[0][slot] = tokens[:end]
        present = self.cache.insert(Key(tokens), slots)
        self.cache.free(slots[:present])

    def load(self, *tokens: int) -> int:
        return self.cache.load_back(self.cache.match(Key(tokens)).host_node)

    def at_random(self, chance: random.Random) -> None:
        """One operation of an engine."""
        tokens = tuple(chance.randrange(2) for _ in range(chance.randint(1, 4)))
        name = chance.choice(["put", "put", "match", "load", "evict", "evict_host", "lock", "unlock", "complete", "poll"])
        if name == "put" and len(tokens) <= sum(self.cache.sizes()[:2]):
            self.put(*tokens)
        elif name == "match":
            self.cache.match(Key(tokens))
        elif name == "load":
            self.load(*tokens)
        elif name == "evict":
            self.cache.evict(len(tokens))
        elif name == "evict_host":
            self.cache.evict_host(len(tokens))
        elif name == "lock" and len(self.locks) < 2:
            node = self.cache.match(Key(tokens)).node
            self.locks.append((node, self.cache.lock(node)))
        elif name == "unlock" and self.locks:
            self.cache.unlock(self.locks.pop(chance.randrange(len(self.locks)))[1])
        elif name == "complete" and self.copies.waiting:
            chance.choice(self.copies.waiting).wait()
        elif name == "poll":
            self.cache.poll()

    def broken(self, gaps: bool) -> str:
        """The first property that does not hold now; empty if all hold. `gaps`: the host may have a node without its parent."""
        seen = self.cache.observe()
        nodes = {node.name: node for node in seen.nodes}
        prefixes: dict[object, Tokens] = {None: ()}
        for name, node in nodes.items():
            above, prefixes[name] = nodes.get(node.parent), (*prefixes[node.parent], *node.segment)
            if not node.slots and not node.host_slots:
                return "REACHABLE"
            if above and node.slots and not above.slots:
                return "DEVICE_CLOSED"
            if above and node.host_slots and not above.host_slots and not gaps:
                return "HOST_CLOSED"
        for up, pool, id_ in ((0, self.cache.pool, "SLOT_PARTITION"), (1, self.host_pool, "HOST_PARTITION")):
            slots = {s: node for node in nodes.values() for s in (node.host_slots if up else node.slots)}
            if len(slots) != sum(len(node.host_slots if up else node.slots) for node in nodes.values()):
                return id_
            if len(slots) + pool.available != pool.capacity:
                return id_
            coming = {s for copy in seen.copies if copy.up != up for s in copy.targets}
            for node in nodes.values():
                for at, slot in enumerate(node.host_slots if up else node.slots):
                    whole = prefixes[node.name][: len(prefixes[node.parent]) + at + 1]
                    if slot not in coming and self.copies.contents[up][slot] != whole:
                        return "HOST_SOUND" if up else "MATCH_SOUND"
        held = [*(copy.aim for copy in seen.copies), *(self.cache.locate(node) for node, _ in self.locks)]
        for node in nodes.values():
            length = len(prefixes[node.name])
            if node.lock != sum(prefixes[name][:length] == prefixes[node.name] for name in held):
                return "LOCK_COUNT"
        free = sum(len(node.segment) for node in nodes.values() if node.slots and not node.lock)
        return "" if self.cache.sizes().evictable == free else "COUNT"


def first_break(make: Factory, mode: str, seed: int, operations: int) -> str:
    """What breaks first in a random run; empty if nothing does."""
    driver, chance = Driver(make, mode), random.Random(seed)
    for _ in range(operations):
        driver.at_random(chance)
        if broken := driver.broken(gaps=mode == "write_back"):
            return broken
    return ""


def test_over_its_own_base_class_write_through_keeps_the_invariants() -> None:
    assert {first_break(hierarchical_base_subject, "write_through", seed, 150) for seed in range(20)} == {""}


@each_reading
@pytest.mark.parametrize("mode", MODES[:2])
def test_over_the_change_a_freed_node_stays_in_the_tree(make: Factory, mode: str) -> None:
    driver = Driver(make, mode, host_pages=0)
    driver.put(1)

    driver.cache.evict(1)

    found = driver.cache.match(Key((1,)))
    assert found.slots
    assert driver.cache.sizes() == Sizes(PAGES, 1, 0)
    assert set(found.slots) <= set(driver.cache.alloc(PAGES))


@each_reading
def test_over_the_change_two_operations_suffice_where_the_host_has_room(make: Factory) -> None:
    driver = Driver(make, "write_through_selective")
    driver.put(1)
    assert driver.broken(gaps=False) == ""

    driver.cache.evict(1)

    assert driver.broken(gaps=False) == "SLOT_PARTITION"


def test_before_the_change_the_same_two_operations_delete_the_node() -> None:
    driver = Driver(hierarchical_base_subject, "write_through_selective")
    driver.put(1)
    driver.cache.evict(1)
    assert (driver.cache.observe().nodes, driver.cache.sizes()) == ([], Sizes(PAGES, 0, 0))


def test_a_heap_that_only_the_base_class_would_pop_grows_with_each_unlock() -> None:
    driver = Driver(hierarchical_pairs_subject, "write_through_selective")
    driver.put(1)
    node = driver.cache.match(Key((1,))).node
    for _ in range(5):
        driver.cache.unlock(driver.cache.lock(node))
    assert [entry.node for entry in driver.cache.observe().heap or ()] == [driver.cache.locate(node)] * 5


def test_a_split_forgets_hits_so_that_a_child_is_copied_before_its_parent() -> None:  # F1
    driver = Driver(hierarchical_base_subject, "write_through_selective")
    driver.put(1, 2)
    driver.cache.match(Key((1, 2)))
    driver.cache.match(Key((1,)))
    assert driver.broken(gaps=False) == ""

    driver.cache.match(Key((1, 2)))

    assert driver.broken(gaps=False) == "HOST_CLOSED"
    assert [copy.sources for copy in driver.copies.waiting] == [driver.cache.match(Key((1, 2))).slots[1:]]


def test_a_load_that_writes_back_may_take_what_it_loads_out_of_the_tree() -> None:  # F4
    driver = Driver(hierarchical_base_subject, "write_back", pages=2, host_pages=3)
    driver.put(1, 2)
    driver.put(3)
    driver.put(4, 5)
    assert driver.broken(gaps=True) == ""

    assert driver.load(1, 2) == 2

    assert driver.broken(gaps=True) == "SLOT_PARTITION"
    assert [tuple(node.segment) for node in driver.cache.observe().nodes] == [(4, 5)]
    assert driver.cache.sizes() == Sizes(0, 0, 2)  # two slots are neither free nor in the tree


def test_a_write_back_without_room_on_the_host_fails() -> None:
    driver = Driver(hierarchical_base_subject, "write_back", host_pages=0)
    driver.put(1)
    with pytest.raises(AssertionError, match="room on the host"):
        driver.cache.evict(1)


def test_a_copy_that_fails_is_undone_or_issued_again_if_something_rests_on_it() -> None:
    driver = Driver(hierarchical_base_subject, "write_through")
    driver.put(1)
    driver.put(1, 2)
    first, second = driver.copies.waiting
    for failed in (second, first):
        driver.copies.waiting.remove(failed)
        failed.done = failed.failed = True

    assert driver.cache.poll() == [first, second]  # the host still had the 2 when the first was handled

    assert [(copy.sources, copy.targets) for copy in driver.copies.waiting] == [(first.sources, first.targets)]
    assert (driver.cache.sizes().protected, driver.host_pool.available, driver.broken(gaps=False)) == (1, HOST_PAGES - 1, "")
