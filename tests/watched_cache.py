"""A small scheduler over our cache, with a watch, for the tests of the watch."""

from array import array
from types import SimpleNamespace
from typing import Any, NamedTuple

from engine_types import Key, Scheduler, parameters, results

from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.optimized.keys import pack
from radixcheck.verification.watch.attach import attach
from radixcheck.verification.watch.live_watch import LiveWatch
from radixcheck.verification.watch.our_view import OurView

ENOUGH = 1e6  # microseconds: nothing is left out


class Seen(NamedTuple):
    """One finding."""

    property: str
    call: int
    verb: str
    text: str


class Watched:
    """A small scheduler over our cache, with a watch."""

    def __init__(
        self, size: int = 96, page_size: int = 1, policy: str = "lru", kind: type[SGLangCache] = SGLangCache, budget: float = ENOUGH
    ) -> None:
        self.one = Scheduler(cache_class(results(), kind)(parameters(size, page_size, policy)))
        self.cache = self.one.cache
        self.seen: list[Seen] = []
        self.watch = LiveWatch(OurView(self.cache), lambda *found: self.seen.append(Seen(*found)), budget)
        attach(self.cache, self.watch)

    def serve(self, tokens: list[int], output: list[int], row: int = 0) -> None:
        self.one.start(row, tokens)
        self.one.checkpoint(row, len(tokens))
        self.one.decode(row, output)
        self.one.release(row)

    @property
    def properties(self) -> set[str]:
        return {seen.property for seen in self.seen}


def node_of(watched: Watched, *tokens: int) -> Any:
    """The node in which a key ends."""
    tree = watched.cache.tree
    walk = tree.walk((None, None), pack(tokens))
    return walk.path[-1]


def prepared(**settings: Any) -> Watched:
    """A tree with the prefix 1 2 3, its continuations 4 5 and 6 7, and another prefix 8 9."""
    watched = Watched(**settings)
    watched.serve([1, 2, 3, 4, 5], [])
    watched.serve([1, 2, 3, 6, 7], [])
    watched.serve([8, 9], [])
    assert watched.seen == []
    return watched


def match_of(*tokens: int) -> Any:
    return SimpleNamespace(key=Key(array("q", tokens)))
