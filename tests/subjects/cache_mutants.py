"""Faults that are put into one live cache: of SGLang (classic, unified with its core in Python) or ours. Runs in SGLang's Python.

Each happens once, at the n-th opportunity, within a call of a cache that serves overlapping requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

FULL = 0
Act = Callable[[Any, Any], None]


@dataclass
class Fires:
    """Decides when the fault happens. `number` and `verb` are those of the running call, which the harness sets."""

    opportunities: int  # until it happens
    view: Any = None
    number: int = 0
    verb: str = ""
    call: int = 0  # in which it happened; 0: not so far

    def __call__(self, possible: bool = True) -> bool:
        """Count an opportunity; return whether the fault happens now."""
        self.opportunities -= possible
        if possible and self.opportunities == 0:
            self.call = self.number
            return True
        return False


class Mutants:
    """The faults of one cache. Each method changes the cache, which is not watched so far; those that begin with `late` come after."""

    def __init__(self, cache: Any, fires: Fires) -> None:
        self.cache, self.fires, self.view = cache, fires, fires.view
        self.core: Any = getattr(cache, "tree_core", None)  # of the unified cache
        self.ours: Any = getattr(cache, "tree", None)  # our tree
        self.tree = self.core or self.ours or cache  # where nodes are split

    # What the faults are made of

    def nodes(self) -> Iterator[Any]:
        """Every node of the tree."""
        waiting = [*self.view.children(self.view.root)]
        for node in waiting:
            yield node
            waiting += self.view.children(node)

    def add_locks(self, node: Any, change: int) -> None:
        """Change a lock count, and nothing else."""
        if self.ours:
            node.local_lock_ref += change
        elif self.core:
            node.component_data[FULL].lock_ref += change
        else:
            node.lock_ref += change

    def leaves(self) -> Any:
        """The set of candidates of a cache of SGLang."""
        return self.core.evictable_device_leaves if self.core else self.cache.evictable_leaves

    def after_split(self, act: Act) -> None:
        """Do something with the upper and the lower half of each split node."""
        split = self.tree._split_node

        def faulty(*arguments: Any) -> Any:
            result = split(*arguments)
            upper = result[0] if isinstance(result, tuple) else result
            act(upper, next(iter(upper.children.values())))
            return result

        self.tree._split_node = faulty

    def after(self, owner: Any, name: str, act: Callable[..., Any]) -> None:
        """Give the result of each call of a method, and its arguments, to a function that returns what is answered instead."""
        method = getattr(owner, name)
        setattr(owner, name, lambda *arguments, **named: act(method(*arguments, **named), *arguments))

    # Splits

    def split_forgets_locks(self) -> None:
        """The upper half of a locked node has no lock."""
        self.after_split(lambda up, low: self.add_locks(up, -self.view.locks(up)) if self.fires(self.view.locks(up) > 0) else None)

    def split_leaves_upper_a_candidate(self) -> None:
        """The index of leaves has the upper half, which has a child."""
        self.after_split(lambda up, low: self.leaves().add(up) if self.fires(self.fires.verb == "match") else None)

    def split_files_under_wrong_key(self) -> None:
        """The upper half has the lower one under another key."""

        def act(upper: Any, lower: Any) -> None:
            if self.fires():
                upper.children = {("wrong", key): child for key, child in upper.children.items()}

        self.after_split(act)

    def split_swaps_slots(self) -> None:
        """Two slots of the lower half change places."""

        def act(upper: Any, lower: Any) -> None:
            slots = self.view.slots(lower)
            if self.fires(len(slots) > 1):
                slots[[0, -1]] = slots[[-1, 0]]

        self.after_split(act)

    def split_skips_parent(self) -> None:
        """The lower half goes on to have the parent that it had."""

        def act(upper: Any, lower: Any) -> None:
            if self.fires():
                lower.parent = upper.parent

        self.after_split(act)

    # Locks

    def _locking(self, name: str) -> tuple[Any, str]:
        names = {"lock": "inc_lock_ref", "unlock": "dec_lock_ref"} if not self.ours else {"lock": "lock_path", "unlock": "unlock_path"}
        return (self.ours or self.cache), names[name]

    def lock_skips_a_node(self) -> None:
        """A lock is not counted at the parent of its node (in our tree: at the deepest one that had no lock)."""

        def act(result: Any, held: Any, *_: Any) -> Any:
            node = held[-1] if self.ours and held else self.view.root if self.ours else self.view.node(held).parent or self.view.root
            if self.fires(node is not self.view.root):
                self.add_locks(node, -1)
            return result

        self.after(*self._locking("lock"), act)

    def unlock_counts_twice(self) -> None:
        """One lock is released twice, while there is another one."""
        owner, name = self._locking("unlock")
        method = getattr(owner, name)

        def act(result: Any, held: Any, *more: Any) -> Any:
            node = self.view.node(held)
            if self.fires(self.view.locks(node) > 0 and node is not self.view.root):
                method(held, *more)
            return result

        self.after(owner, name, act)

    def unlock_leaves_no_candidate(self) -> None:
        """A leaf that has no lock any more is not in the index of leaves."""

        def act(result: Any, held: Any, *_: Any) -> Any:
            node = self.view.node(held)
            if self.fires(self.fires.verb == "unlock" and self.view.is_candidate(node)):
                if self.ours:
                    node.entry = None
                else:
                    self.leaves().discard(node)
            return result

        self.after(*self._locking("unlock"), act)

    # Lookups

    def match_does_not_refresh(self) -> None:
        """The last node of a match keeps the time of its access before."""
        match = self.cache.match_prefix

        def faulty(params: Any) -> Any:
            times = {id(node): self.view.time(node) for node in self.nodes()}
            found = match(params)
            node = self.view.node(found.last_device_node)
            if self.fires(id(node) in times and self.fires.verb == "match"):
                setattr(node, "time" if self.ours else "last_access_time", type(self.view.time(node))(times[id(node)]))
            return found

        self.cache.match_prefix = faulty

    def match_is_a_page_short(self) -> None:
        """A match ends a page before the longest cached prefix."""
        match = self.cache.match_prefix

        def faulty(params: Any) -> Any:
            found, page = match(params), self.view.page_size
            if self.fires(self.fires.verb == "match" and found.device_prefix_len > page):
                key = type(params.key)(params.key.token_ids, limit=found.device_prefix_len - page, cache_salt=params.key.cache_salt)
                return match(type(params)(key=key))
            return found

        self.cache.match_prefix = faulty

    def match_answers_a_page_more(self) -> None:
        """The length of a match is a page more than the path to its node."""

        def act(found: Any, *_: Any) -> Any:
            wrong = self.fires(self.fires.verb == "match")
            return found._replace(device_prefix_len=found.device_prefix_len + self.view.page_size) if wrong else found

        self.after(self.cache, "match_prefix", act)

    def read_has_a_wrong_slot(self) -> None:
        """The last slot that is read for a path is that of the token before."""

        def act(slots: Any, *_: Any) -> Any:
            if self.fires(len(slots) > 1 and self.fires.verb == "read"):
                slots = slots.clone()
                slots[-1] = slots[-2]
            return slots

        self.after(self.cache, "path_device_indices", act)

    # Storing

    def store_miscounts(self) -> None:
        """One token more is counted as evictable when a leaf is stored."""

        def act(result: Any, *_: Any) -> Any:
            if self.fires(self.fires.verb == "checkpoint"):
                if self.ours:
                    self.ours.evictable += 1
                elif self.core:
                    self.core.component_evictable_size_[FULL] += 1
                else:
                    self.cache.evictable_size_ += 1
            return result

        self.after(*self._storing(), act)

    def store_takes_a_slot_of_another(self) -> None:
        """A new leaf has a slot that another node has."""

        def act(result: Any, *arguments: Any) -> Any:
            leaf = result[1] if isinstance(result, tuple) else arguments[1] if self.ours else result
            other = next((node for node in self.nodes() if node is not leaf), None)
            if self.fires(other is not None and not self.view.children(leaf) and self.view.time(leaf) > self.view.time(other)):
                self.view.slots(leaf)[0] = self.view.slots(other)[0]
            return result

        self.after(*self._storing(), act)

    def _storing(self) -> tuple[Any, str]:
        return (self.ours, "grow") if self.ours else (self.core, "_add_new_node") if self.core else (self.cache, "_insert_helper")

    def duplicates_stay_in_the_row(self) -> None:
        """The row of a request keeps slots that were freed, because others have cached these tokens meanwhile."""
        rows = self.cache.req_to_token_pool
        write = rows.write

        def faulty(indices: Any, values: Any) -> None:
            if not self.fires(bool((rows.req_to_token[indices] != values).any())):
                write(indices, values)

        rows.write = faulty

    def late_duplicates_are_freed_twice(self) -> None:
        """Slots of tokens that others have cached meanwhile are freed twice."""
        self._freed_times(2, "checkpoint")

    # Eviction

    def late_victim_is_not_freed(self) -> None:
        """The slots of a victim are not freed."""
        self._freed_times(0, "evict")

    def _freed_times(self, times: int, verb: str) -> None:
        for owner, name in ((self.cache, "token_to_kv_pool_allocator"), (getattr(self.cache, "pool", None), "allocator")):
            if owner is not None:
                setattr(owner, name, OtherFrees(getattr(owner, name), lambda slots: times if self._fires_in(verb, slots) else 1))

    def _fires_in(self, verb: str, slots: Any) -> bool:
        return self.fires(len(slots) > 0 and self.fires.verb == verb)

    def evicts_the_last_accessed(self) -> None:
        """The order of one eviction is turned round."""
        if self.ours:
            self._swaps_victims()
            return
        owner, name = (self.core.components[0], "session_ref_eviction_strategy") if self.core else (self.cache, "eviction_strategy")
        evict = self.cache.evict

        def faulty(params: Any) -> Any:
            if not self.fires(len(self.leaves()) > 2):
                return evict(params)
            before = getattr(owner, name)
            setattr(owner, name, (lambda node: -float(node.last_access_time)) if self.core else Turned())
            try:
                return evict(params)
            finally:
                setattr(owner, name, before)

        self.cache.evict = faulty

    def _swaps_victims(self) -> None:
        heap = self.ours.heap
        pop = heap.pop_victim

        def faulty() -> Any:
            victim = pop()
            if self.fires(heap.leaf_count > 0):
                other = pop()
                heap.push(victim)
                return other
            return victim

        heap.pop_victim = faulty

    def evicts_a_locked_leaf(self) -> None:
        """A leaf leaves the tree under a lock."""
        evict = self.cache.evict

        def faulty(params: Any) -> Any:
            locked = next((node for node in self.nodes() if self.view.locks(node) and not self.view.children(node)), None)
            if self.fires(locked is not None):
                slots = self.view.slots(locked)
                getattr(*self.view.removal)(locked)
                self.cache.token_to_kv_pool_allocator.free_segment(slots, start_pos=0)
            return evict(params)

        self.cache.evict = faulty

    def evicts_one_leaf_more(self) -> None:
        """An eviction goes on when it has freed enough."""
        evict = self.cache.evict

        def faulty(params: Any) -> Any:
            result = evict(params)
            if self.fires(self.cache.evictable_size() > 0):
                result.num_tokens_evicted += evict(type(params)(num_tokens=1)).num_tokens_evicted
            return result

        self.cache.evict = faulty

    def evict_answers_one_more(self) -> None:
        """An eviction says that it freed one token more."""

        def act(result: Any, *_: Any) -> Any:
            result.num_tokens_evicted += int(self.fires())
            return result

        self.after(self.cache, "evict", act)


class Turned:
    """An order of eviction that begins with the last access."""

    def get_priority(self, node: Any) -> float:
        """Return the key of a node."""
        return -float(node.last_access_time)


class OtherFrees:
    """An allocator that takes back each segment as often as a function says."""

    def __init__(self, allocator: Any, times: Callable[[Any], int]) -> None:
        self._allocator, self._times = allocator, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._allocator, name)

    def free_segment(self, free_index: Any, *, start_pos: int) -> None:
        """Take slots back."""
        for _ in range(self._times(free_index)):
            self._allocator.free_segment(free_index, start_pos=start_pos)


NOT_IN_OURS = {"split_leaves_upper_a_candidate"}  # which computes from the links what a leaf is
NOT_IN_UNIFIED = {"evicts_a_locked_leaf"}  # its core asserts that a victim is a leaf without locks
NAMES = [name for name, value in vars(Mutants).items() if callable(value) and value.__doc__ and not name.startswith("_")]
HELPERS = {"nodes", "add_locks", "leaves", "after_split", "after"}


def names_of(cache: str) -> list[str]:
    """Return the faults that can be put into one of the caches."""
    without = HELPERS | (NOT_IN_OURS if cache == "radixcheck" else NOT_IN_UNIFIED if cache == "python" else set())
    return [name for name in NAMES if name not in without]
