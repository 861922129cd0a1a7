"""The adapter of a cache that serves requests and has no tree verbs: it says what radixcheck's words mean in this cache.

Where a line ends in FILL IN it is about a tiny example, which holds; put your cache there, from the top to the bottom.
A method that your cache cannot have: leave it out, and name it in `without`.

    radixcheck verify NAME:cache --seconds 20         # less than a minute; without --seconds it goes further
    radixcheck show TRACE                             # draw what `verify --traces DIR` has found
    pytest test_NAME.py
"""

from typing import Any

from radixcheck.spec.values import BadAmount, Key, NoRoom, RequestExists, Row, Sizes, StillHeld, UnknownRequest, to_amount
from radixcheck.verification.protocol import NodeId, Observation, SeenNode, SeenRequest, Setup, Supports
from radixcheck.verification.subjects.starter.assembled import check_written
from radixcheck.verification.subjects.starter.tiny_engine import Full, TinyEngine  # FILL IN

VERBS = ("start", "chunk", "decode", "finish", "abort", "reset", "sizes")


class Adapter:
    """A cache that keeps a row of slots for each request. Slots are integers that come from `setup.pool`, and go back to it."""

    supports = Supports(  # FILL IN: what your cache can do; what is not named here is not asked for
        tree=False,  # it has no verbs that match, insert or lock by themselves
        namespaces=False,  # keys are tokens alone: no adapter, no salt
        policies=("lru",),  # of lru, lfu, fifo, filo, mru, slru, priority
        page_sizes=(1,),  # tokens
        attributes=frozenset({"time"}),  # what `observe` shows of a node: time, creation, hits, priority
    )
    version = "1"  # FILL IN: it is shown in results

    def __init__(self, setup: Setup) -> None:
        """Make an empty cache, of pages of `setup.page_size` tokens, which evicts by `setup.policy`."""
        self.pool = setup.pool  # pool.alloc(tokens) -> slots; pool.free(slots); pool.available
        self.cache = TinyEngine(setup.pool)  # FILL IN

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """Admit a request: match its key, lock that, and allocate the rest, after evicting what is missing and no more.

        Raise NoRoom, and change nothing, if free and evictable slots together are too few.
        """
        to_amount(priority, BadAmount)
        if request in self.cache.requests:  # FILL IN
            raise RequestExists(f"request {request} is live")
        try:
            return self._row(self.cache.submit(request, key.tokens))  # FILL IN
        except Full as full:  # FILL IN
            raise NoRoom(f"{len(key.tokens)} tokens do not fit") from full

    def chunk(self, request: int) -> Row[list[int]]:
        """Cache the whole pages that a request has so far. Slots of what others have cached meanwhile are freed, and theirs are read."""
        self._check_live(request)
        return self._row(self.cache.save(request))  # FILL IN

    def decode(self, request: int, token: int) -> int:
        """Add one token to a request; return its slot. Raise NoRoom, and change nothing, if there is none."""
        self._check_live(request)
        try:
            return self.cache.append(request, token)  # FILL IN
        except Full as full:  # FILL IN
            raise NoRoom("not one more token fits") from full

    def finish(self, request: int) -> None:
        """Cache the whole pages of a request, free the rest of its row, unlock, forget it."""
        self._check_live(request)
        self.cache.complete(request)  # FILL IN

    def abort(self, request: int) -> None:
        """Free what a request has not cached, unlock, forget it. Nothing is cached by that."""
        self._check_live(request)
        self.cache.cancel(request)  # FILL IN

    def reset(self) -> None:
        """Forget everything: then every slot is free. Raise StillHeld while a request is live."""
        if self.cache.requests:  # FILL IN
            raise StillHeld("a request is live")
        self.cache.clear()  # FILL IN

    def sizes(self) -> Sizes:
        """Return the free slots, the cached tokens that may be evicted, and those that are locked."""
        return Sizes(self.pool.available, self.cache.tree.free_to_drop, self.cache.tree.pinned)  # FILL IN

    def observe(self) -> Observation:
        """Return the clock, every node but the root, each after its parent, and the live requests. Change nothing.

        Optional, with `locate`: then every property is checked after every operation, and faults are drawn. Otherwise leave both out.
        """
        tree = self.cache.tree  # FILL IN
        rows = {name: SeenRequest(self.locate(r.node), r.cached, r.row) for name, r in self.cache.requests.items()}  # FILL IN
        return Observation(tree.clock, [self._seen(node) for node in tree.nodes()], rows)  # FILL IN

    def locate(self, node: Any) -> NodeId | None:
        """Return the name of a node as `observe` shows it; None for the root. Optional, with `observe`."""
        return None if node.parent is None else id(node)  # FILL IN

    def _seen(self, node: Any) -> SeenNode:
        """Return a node: name, parent, tokens, slots, namespace, the page under which its parent files it, locks, last use."""
        above = self.locate(node.parent) if node.parent else None  # FILL IN
        return SeenNode(id(node), above, node.tokens, node.slots, (), node.tokens[:1], node.pins, node.used)  # FILL IN

    def _row(self, request: Any) -> Row[list[int]]:
        """Return what a request reads: how many slots of its row the tree owns, and a slot for each token."""
        return Row(request.cached, list(request.row))  # FILL IN: a copy, which the caller may change

    def _check_live(self, request: int) -> None:
        """Raise UnknownRequest unless the request is live."""
        if request not in self.cache.requests:  # FILL IN
            raise UnknownRequest(f"request {request} is not live")


def cache(setup: Setup) -> Adapter:
    """Return a new cache to be checked."""
    made = Adapter(setup)
    check_written(made, VERBS)
    return made
