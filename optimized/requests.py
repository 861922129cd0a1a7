"""Live requests: the rows of slots that serving reads, cached chunk by chunk.

A request's row, with `whole` its tokens in whole pages:

    [0, cached)           slots of the tree, protected by the request's lock
    [cached, whole)       the request's pages: cached by the next `chunk`, or freed where the tree has these tokens already
    [whole, len(row))     the request's last page, of which [whole, len(tokens)) is in use
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from radixcheck.optimized.keys import TokenBuffer, pack, part
from radixcheck.optimized.matched import Matched, joined
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.node import Node
from radixcheck.optimized.tags import TagKeeper
from radixcheck.spec.values import (
    BadRequest,
    Key,
    Namespace,
    RequestExists,
    Row,
    UnknownRequest,
    pages_for,
    parts_of,
    shown,
    to_amount,
    to_int,
)


@dataclass(slots=True)
class Request:
    """A live request."""

    tokens: TokenBuffer
    namespace: Namespace
    priority: int
    node: Node  # where the cached part ends; locked
    cached: int  # tokens
    row: Tensor  # whole pages
    tag: int  # of the tokens so far, from the tag keeper


class Requests:
    """The request verbs over one memory. `radixcheck.optimized.RadixCache` documents them."""

    def __init__(self, memory: Memory, tags: TagKeeper) -> None:
        self.live: dict[int, Request] = {}
        self._memory = memory
        self._tree = memory.tree
        self._tags = tags
        self._page_size = memory.pool.page_size

    def start(self, request: int, key: Key, priority: int) -> Row[Tensor]:
        """Match, lock, take the rest. The guard uses a walk that changes nothing, so that NoRoom changes nothing."""
        tree = self._tree
        given, namespace = parts_of(key)
        tokens = TokenBuffer(given)
        if type(priority) is not int or priority < 0:
            priority = to_amount(priority)
        if type(request) is not int or request < 0:
            request = to_amount(request, BadRequest)
        if request in self.live:
            raise RequestExists(f"request {shown(request)} is live")
        walk = tree.walk(namespace, tokens.data)
        need = pages_for(len(tokens) - walk.length, self._page_size) * self._page_size
        loaded = walk.length - tree.device_length(walk)
        self._memory.check_room(need + loaded, tree.evictable_tokens(walk))
        path = tree.split(walk)
        tree.touch(namespace, path)
        self._memory.hold(path)
        found = Matched(walk.length, path[-1] if path else tree.root, tree.pieces(path))
        self._tags.check(found, key)
        row = joined((*found.pieces, self._memory.take(need)))
        tag = self._tags.write(row, key, walk.length)
        self.live[request] = Request(tokens, namespace, priority, found.node, walk.length, row, tag)
        return Row(walk.length, row.narrow_copy(0, 0, len(tokens)))

    def chunk(self, request: int) -> Row[Tensor]:
        """Cache the whole pages so far; adopt what others have cached meanwhile."""
        live = self._find_request(request)
        self._memory.back_up_used(self._cache_request(live))
        row = Row(live.cached, live.row.narrow_copy(0, 0, len(live.tokens)))
        self._tags.check(row, live)
        return row

    def decode(self, request: int, token: int) -> Tensor:
        """Add one token; return its slot, a tensor of no dimension."""
        live = self._find_request(request)
        data = pack((token,))
        at = len(live.tokens)
        if at % self._page_size == 0:
            live.row = torch.cat((live.row, self._memory.take(self._page_size)))
        live.tokens.data += data
        slot = live.row[at].clone()
        live.tag = self._tags.append(slot, live, live.tag)
        return slot

    def finish(self, request: int) -> None:
        """Cache the whole pages, counting one hit; free the tail; unlock."""
        live = self._find_request(request)
        path = self._cache_request(live)
        self._tree.count_hit(path)
        self._memory.back_up_used(path)
        self._release_request(request, live)

    def abort(self, request: int) -> None:
        """Unlock and free what the request owns; no access is counted."""
        self._release_request(request, self._find_request(request))

    def _find_request(self, request: int) -> Request:
        live = self.live.get(request if type(request) is int else to_int(request, UnknownRequest))
        if live is None:
            raise UnknownRequest(f"request {shown(request)} is not live")
        return live

    def _cache_request(self, live: Request) -> list[Node]:
        """Give the request's whole pages to the tree, move its lock to their end, and return the path there.

        The walk is resumed at the locked node: what is cached of a key is a prefix of it, and the lock keeps it cached.
        """
        tree, held = self._tree, live.cached
        whole = len(live.tokens) // self._page_size * self._page_size
        data = live.tokens.data
        walk = tree.walk_from(live.node, live.namespace, data, [])
        deepest, below = tree.device_length(walk), tree.split(walk)
        path = tree.path_to(live.node) + below
        tree.relock(live.node, below)
        tree.raise_priority(path, live.priority)
        tree.touch(live.namespace, path)
        if deepest > held:
            self._memory.pool.free(live.row[held:deepest])
            live.row = torch.cat((live.row[:held], *tree.pieces(below), live.row[deepest:]))
        if deepest < whole:
            own = live.row.narrow_copy(0, deepest, whole - deepest)
            tree.store(path, walk.link, part(data, walk.length, whole), own, 0, live.priority, 1)
        live.node, live.cached = path[-1] if path else tree.root, whole
        assert live.cached <= len(live.tokens) <= live.row.numel()
        return path

    def _release_request(self, request: int, live: Request) -> None:
        """Unlock, free the request's own pages, and forget it."""
        self._tree.unlock_path(live.node)
        own = live.row[live.cached :]
        assert own.numel() % self._page_size == 0
        if own.numel():
            self._memory.pool.free(own)
        del self.live[request if type(request) is int else to_int(request, UnknownRequest)]
