"""SGLang 0.4.6.post5's HiRadixCache with changes: faults that a comparison must see, and repairs of what was found."""

from typing import Any

from radixcheck.verification.subjects.sglang_hiradix import HierarchicalShim, loaded, sglang_hiradix


def loads_long_keys_only(setup: Any) -> HierarchicalShim:
    """As the release is set up: it loads nothing that is shorter than 10 tokens."""
    made = sglang_hiradix(setup)
    made.tree.cache.load_back_threshold = 10
    return made


def locks_nothing(setup: Any) -> HierarchicalShim:
    """A copy to the host does not lock its node."""
    made = sglang_hiradix(setup)
    lock, cache = made.tree.cache.inc_lock_ref, made.tree.cache
    back_up = cache.write_backup

    def unlocked(node: Any, write_back: bool = False) -> int:
        cache.inc_lock_ref = lambda node: 0
        issued: int = back_up(node, write_back)
        cache.inc_lock_ref = lock
        return issued

    cache.write_backup = unlocked
    return made


def repaired(setup: Any) -> HierarchicalShim:
    """The release without what was found in it, but for what it means otherwise: when it copies a node to the host, and times."""
    made, release = sglang_hiradix(setup), loaded().HiRadixCache

    class Repaired(release):  # type: ignore[misc, valid-type]
        spared: tuple[Any, ...] = ()  # nodes that are being loaded

        def load_back(self, node: Any, mem_quota: int | None = None) -> Any:
            """Spare what is loaded, and evict only what is missing (hiradix-load-loses-itself, hiradix-evicts-all-it-needs)."""
            self.spared = tuple(one for one in made.tree.path(node) if one.evicted)
            slots = super().load_back(node, mem_quota)
            self.spared = ()
            return slots

        def evict(self, num_tokens: int) -> None:
            super().evict(num_tokens - (made.pool.available if self.spared else 0))

        def evict_host(self, num_tokens: int) -> None:
            for node in self.spared:
                node.value = ()  # as if the device had it already
            super().evict_host(num_tokens)
            for node in self.spared:
                node.value = None

        def _split_node(self, key: Any, child: Any, split_len: int) -> Any:
            """The upper half keeps the hits (hiradix-child-before-parent)."""
            upper = super()._split_node(key, child, split_len)
            upper.hit_count = child.hit_count
            return upper

    class Aligned(type(made.tree)):  # type: ignore[misc]
        def checkpoint(self, live: Any) -> None:
            """Only whole pages are the tree's (hiradix-stale-row)."""
            super().checkpoint(live)
            live.inserted = live.protected

    made.tree.cache.__class__, made.tree.__class__ = Repaired, Aligned
    return made
