"""The cache as serving uses it: one row of slots for each live request."""

from dataclasses import dataclass

from radixcheck.reference.announcer import Sink
from radixcheck.reference.node import Node, slots_of
from radixcheck.reference.pool import Pool, slots_of_pages
from radixcheck.reference.radix_tree import RadixTree
from radixcheck.reference.tree import Walk
from radixcheck.spec.events.event_values import PageIds, page_id
from radixcheck.spec.values import (
    BadRequest,
    Key,
    Namespace,
    RequestExists,
    Row,
    StillHeld,
    UnknownRequest,
    check_tokens,
    pages_for,
    shown,
    to_amount,
    to_int,
    to_key,
)


@dataclass(slots=True)
class Request:
    """What a live request holds. Owners of the slots of its row, and of the rest of its last page:

    [0, cached)           the tree; locked through `node`, which ends there
    [cached, len(row))    the request
    [len(row), page end)  the request; not in the row
    """

    tokens: list[int]
    namespace: Namespace
    priority: int
    node: Node
    cached: int  # tokens, whole pages
    row: list[int]  # one slot for each token


class RadixCache(RadixTree):
    """The whole reference cache: the verbs of the tree, and of the requests that share it."""

    def __init__(self, page_size: int, policy: str, pool: Pool, events: Sink | None = None, page_ids: PageIds = page_id) -> None:
        super().__init__(page_size, policy, pool, events, page_ids)
        self.requests: dict[int, Request] = {}

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """Match and lock what is cached, then allocate the rest, evicting only what is missing.

        Raises NoRoom, RequestExists, BadRequest, BadKey, BadAmount (the priority).

        The lock comes before the eviction, so that the request never evicts what it has just matched. For the same
        reason the guard does not count those tokens as room.
        """
        request, key, priority = to_amount(request, BadRequest), to_key(key), to_amount(priority)
        if request in self.requests:
            raise RequestExists(f"request {shown(request)} is live")
        walk = self._walk(key.tokens, key.namespace)
        missing = len(key.tokens) - walk.length
        needed = pages_for(missing, self.page_size) * self.page_size
        loaded = walk.length - self._resident_length(walk)  # 0 without a host tier
        self._check_room(loaded + needed, spared=walk.evictable_tokens())
        node = self._hold(walk)
        row = slots_of(node) + self._take(needed)[:missing]
        self.requests[request] = Request(list(key.tokens), key.namespace, priority, node, walk.length, row)
        return self._row(self.requests[request])

    def chunk(self, request: int) -> Row[list[int]]:
        """Cache the whole pages so far, without a hit; return the row as it is now (SGLang: `cache_unfinished_req`)."""
        live = self._find_request(request)
        self._cache_request(live, hits=0)
        return self._row(live)

    def decode(self, request: int, token: int) -> int:
        """Add one token; return its slot, on a new page if the last one is full. Raises NoRoom."""
        live = self._find_request(request)
        (token,) = check_tokens((token,))
        if len(live.row) % self.page_size:
            slot = live.row[-1] + 1
        else:
            self._check_room(self.page_size)
            slot = self._take(self.page_size)[0]
        live.tokens.append(token)
        live.row.append(slot)
        return slot

    def finish(self, request: int) -> None:
        """Cache the whole pages, with one hit, and release the request (SGLang: `cache_finished_req`)."""
        self._cache_request(self._find_request(request), hits=1)
        self._release_request(request)

    def abort(self, request: int) -> None:
        """Release the request; caches nothing and refreshes nothing."""
        self._find_request(request)
        self._release_request(request)

    def reset(self) -> None:
        """Forget every node; all slots are free afterwards. Raises StillHeld also while a request is live."""
        if self.requests:
            raise StillHeld(f"{len(self.requests)} requests are live")
        super().reset()

    # ---------------------------------------------------------------- steps

    def _find_request(self, request: int) -> Request:
        request = to_int(request, UnknownRequest)
        if request not in self.requests:
            raise UnknownRequest(f"no request {shown(request)} is live")
        return self.requests[request]

    def _row(self, live: Request) -> Row[list[int]]:
        """Return what a request reads now, in a new list."""
        return Row(live.cached, list(live.row))

    def _hold(self, walk: Walk) -> Node:
        """Refresh and lock what a walk has found; return the node where it ends."""
        node = self._split(walk)
        self._touch(node)
        self._lock_path(node)
        return node

    def _cache_request(self, live: Request, hits: int) -> None:
        """Give the request's whole pages to the tree, and move its lock to the node where they end.

        [0, cached)        the tree's already
        [cached, deepest)  cached by others meanwhile: adopt the tree's slots, free the own duplicates
        [deepest, whole)   one new leaf: its slots go from the request to the tree, the row keeps them
        [whole, len(row))  no whole page: stays the request's own
        """
        tokens = tuple(live.tokens)
        whole = len(tokens) // self.page_size * self.page_size
        walk = self._walk(tokens, live.namespace)
        deepest = self._resident_length(walk)
        assert live.cached <= deepest <= whole, "what the request has locked is still cached"
        node = self._split(walk)
        self._free_own(live, deepest)
        live.row[:deepest] = slots_of(node)
        node = self._cache(node, live.namespace, tokens[deepest:whole], live.row[deepest:whole], hits, live.priority)
        self._relock(live, node, whole)

    def _relock(self, live: Request, node: Node, cached: int) -> None:
        """Move the request's lock to `node`, where the first `cached` tokens of its row end; the tree owns these now."""
        self._lock_path(node)
        self._unlock_path(live.node)
        live.node, live.cached = node, cached

    def _release_request(self, request: int) -> None:
        """Unlock, and free all that the request owns."""
        live = self.requests.pop(to_int(request, UnknownRequest))
        self._unlock_path(live.node)
        self._free_own(live, len(live.row))

    def _free_own(self, live: Request, until: int) -> None:
        """Free the request's own pages of [cached, until), the unused rest of the last one included."""
        starts = live.row[live.cached : until : self.page_size]
        if starts:
            self.pool.free(slots_of_pages(starts, self.page_size))
