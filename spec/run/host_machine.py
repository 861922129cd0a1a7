"""The machine of a cache with a host tier: runs its calls on a state, with positions for keys and pages for slots.

Each call takes steps as its pattern in `spec/host/host_operations.py` says. With no host pages it does what the cache machine does.
"""

from collections.abc import Sequence

from radixcheck.spec.host.host_transitions import (
    H_BEGIN,
    H_EXTEND,
    H_FILL,
    H_GROW,
    H_RELEASE,
    H_RELOCK,
    H_RESET,
    H_SPLIT,
    H_TOUCH,
    REVIVE,
    RUN,
)
from radixcheck.spec.run.cache_machine import CALLER, Pages
from radixcheck.spec.run.host_call import HostCall
from radixcheck.spec.run.host_parts import Copies
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import (
    BadAmount,
    CacheError,
    NoRoom,
    NotArrived,
    NotLocked,
    RequestExists,
    StaleHandle,
    StillHeld,
    UnknownRequest,
)


class HostMachine(Copies):
    """A cache of `pages` device pages and `host_pages` host pages. A call outside its guard raises a typed error and changes nothing."""

    _free_pages: Pages | Sequence[int] = ()

    def take(self, name: str, *given: int, pages: Pages | Sequence[int] = ()) -> HostCall:
        """One call. `given` are the values of what the operation takes, `pages` the device pages that it may hand out, but for loads.

        Raises CacheError for a call outside its guard, ValueError for a number of pages that does not fit.
        """
        self._free_pages = pages
        call: HostCall = getattr(self, f"call_{name}")(*given)
        return call

    def _begin(self, name: str, h: int = CALLER, key: int = EPS) -> HostCall:
        """Begin to record a call. `longest` is the cached part of its key, `found` what the device has of that."""
        longest = self.deepest(key)
        self.call = HostCall(name, h, key, longest, self.resident_part(longest))
        return self.call

    def call_match(self, target: int) -> HostCall:
        """Splits where the longest cached prefix ends, and refreshes it."""
        call = self._begin("match", key=self.positions.cut(target))
        self._split_at(call.longest)
        self._access(call.longest, 0, 0)
        self.follow_copies()
        return call

    def call_peek(self, target: int) -> HostCall:
        """Changes nothing."""
        return self._begin("peek", key=self.positions.cut(target))

    def call_insert(self, h: int, target: int, priority: int) -> HostCall:
        """The pages of what the device has already become free again."""
        self._check_priority(priority)
        call = self._begin("insert", h, self.positions.cut(target))
        call.given_priority = priority
        self.step(H_BEGIN, h, EPS, priority)
        self._take_pages(h, call.key)
        self._cache(h, call.key, 1, priority)
        self._release(h)
        self.back_up_by_hits(call.key)
        return call

    def call_lock(self, h: int, node: int) -> HostCall:
        """Locks a node that the device has."""
        if node != EPS and not (node in self.state.node and node in self.state.resident):
            raise StaleHandle("the node of this handle has left the device")
        call = self._begin("lock", h)
        call.found = node
        self.step(H_BEGIN, h, node, 0)
        return call

    def call_unlock(self, h: int) -> HostCall:
        """Unlocks the path."""
        return self._releasing("unlock", h, NotLocked)

    def call_free(self, h: int) -> HostCall:
        """What the caller owns becomes free."""
        return self._releasing("free", h, NotLocked)

    def call_evict(self, tokens: int) -> HostCall:
        """Evicts on the device."""
        self._check_amount(tokens)
        call = self._begin("evict")
        call.wanted = tokens
        self.evict(tokens)
        return call

    def call_evict_host(self, tokens: int) -> HostCall:
        """Evicts on the host."""
        self._check_amount(tokens)
        call = self._begin("evict_host")
        self.evict_host(tokens)
        return call

    def call_alloc(self, h: int, target: int) -> HostCall:
        """Takes pages for a caller."""
        needed = self.positions.room[target]
        self._need(needed, EPS)
        call = self._begin("alloc", h)
        call.needed, call.wanted = needed, self.make_room(needed)
        self.step(H_BEGIN, h, EPS, 0)
        self._take_pages(h, target)
        return call

    def call_reset(self) -> HostCall:
        """Forgets everything, on both tiers."""
        if self.state.held:
            raise StillHeld("something is still held")
        call, s = self._begin("reset"), self.state
        call.freed += [s.page[q] for q in s.resident]
        call.host_freed += [s.host_page[q] for q in s.hosted]
        call.gone += s.node
        self.step(H_RESET)
        return call

    def call_start(self, h: int, target: int, priority: int) -> HostCall:
        """Load back what only the host has, lock what is cached, and take pages for the rest."""
        if h in self.state.held:
            raise RequestExists(f"request {h} is live")
        self._check_priority(priority)
        p, key = self.positions, self.positions.cut(target)
        longest = self.deepest(key)
        found = self.resident_part(longest)
        needed = p.room[target] - p.length[found]
        self._need(needed, found)
        call = self._begin("start", h, key)
        call.given_priority, call.needed = priority, needed
        self._split_at(longest)
        self._access(longest, 0, 0)
        self.follow_copies()
        if found != longest:
            self.load(longest)
        self.step(H_BEGIN, h, longest, priority)
        call.wanted += self.make_room(p.room[target] - p.length[longest])
        self._take_pages(h, target)
        return call

    def call_decode(self, h: int, target: int) -> HostCall:
        """Takes one more token."""
        self._check_live(h)
        full = self.positions.whole[self.state.tok[h]]
        needed = self.positions.page_size if full else 0
        self._need(needed, EPS)
        call = self._begin("decode", h)
        call.needed, call.wanted = needed, self.make_room(needed)
        if full:
            self._take_pages(h, target)
        else:
            self.step(H_FILL, h, target)
        return call

    def call_chunk(self, h: int) -> HostCall:
        """Counts no hit."""
        call = self._caching("chunk", h, 0)
        self.back_up_by_hits(call.key)
        return call

    def call_finish(self, h: int) -> HostCall:
        """Counts one hit, and releases the request."""
        call = self._caching("finish", h, 1)
        self._release(h)
        self.back_up_by_hits(call.key)
        return call

    def call_abort(self, h: int) -> HostCall:
        """Caches nothing."""
        return self._releasing("abort", h, UnknownRequest)

    def _caching(self, name: str, h: int, hits: int) -> HostCall:
        self._check_live(h)
        call = self._begin(name, h, self.positions.cut(self.state.tok[h]))
        self._cache(h, call.key, hits, self.state.request_priority[h])
        return call

    def call_run(self, h: int) -> HostCall:
        """The engine reads the row."""
        self._check_live(h)
        if self.waits(h):
            raise NotArrived(f"a copy that fills slots of request {h} has not arrived")
        call = self._begin("run", h)
        self.step(RUN, h)
        return call

    def call_load_back(self, node: int) -> HostCall:
        """Nothing is issued if there is nothing to load, or no room."""
        self._check_cached(node)
        call = self._begin("load_back")
        call.found = floor = self.resident_part(node)
        size = self.positions.length[node] - self.positions.length[floor]
        if 0 < size <= self.room_but_for(floor):
            self.load(node)
        return call

    def call_backup(self, node: int) -> HostCall:
        """Issues nothing for a node that the device has not."""
        self._check_cached(node)
        call = self._begin("backup")
        call.found = node
        if node in self.state.resident:
            self.back_up_path(node)
        return call

    def call_poll(self, *settled: int) -> HostCall:
        """Takes pairs: the holder of a copy, and whether it has arrived. One that must be issued again is in `again` of the call."""
        call = self._begin("poll")
        for holder, arrived in zip(settled[::2], settled[1::2], strict=True):
            if not self.settle(self.copies[holder], bool(arrived)):
                call.again.append(holder)
        return call

    # Parts.

    def _check_live(self, h: int) -> None:
        if h not in self.state.held:
            raise UnknownRequest(f"request {h} is not live")

    def _check_cached(self, node: int) -> None:
        if node != EPS and node not in self.state.node:
            raise StaleHandle("the node of this handle has left the tree")

    def _check_amount(self, tokens: int) -> None:
        if tokens < 0:
            raise BadAmount(f"cannot evict {tokens} tokens")

    def _check_priority(self, priority: int) -> None:
        if priority < 0:
            raise BadAmount(f"priority {priority} is negative; give 0 or more")

    def _need(self, needed: int, found: int) -> None:
        room = self.room_but_for(found)
        if needed > room:
            raise NoRoom(f"{needed} tokens needed, {room} free or evictable")

    def _split_at(self, position: int) -> None:
        if position != EPS and position not in self.state.node:
            behind = self.state.end[position]
            self.step(H_SPLIT, position, behind)
            self.access_split_off(behind)

    def _access(self, node: int, hits: int, priority: int) -> None:
        self.call.used, self.call.hit, self.call.new_priority = node, hits, priority
        self.step(H_TOUCH, node, hits, priority)

    def _take_pages(self, h: int, target: int) -> None:
        """Take the pages that the call may hand out, for the rest of the target."""
        pages, span = self._free_pages, self.positions.path(target)[self.positions.level[self.state.tok[h]] :]
        if len(span) != len(pages):
            raise ValueError(f"{len(pages)} pages for {len(span)} positions")
        for q, page in zip(span, pages, strict=True):
            self.step(H_EXTEND, h, q, page)
            self.call.taken += 1

    def _cache(self, h: int, key: int, hits: int, priority: int) -> None:
        """Adopt what the device has, give own pages to what only the host has, and the rest to the tree. The clock ticks once."""
        longest, found = self.call.longest, self.call.found
        self._split_at(longest)
        if found != self.state.at[h]:
            self.call.freed += self._own_pages(h, found)
            self.step(H_RELOCK, h, found)
        if longest != found:
            self.step(REVIVE, h, longest)
        self.call.used, self.call.hit, self.call.new_priority = key, hits, priority
        if longest != key:
            self.step(H_GROW, h, key, hits, priority)
        else:
            self.step(H_TOUCH, key, hits, priority)

    def _releasing(self, name: str, h: int, error: type[CacheError]) -> HostCall:
        if h not in self.state.held:
            raise error(f"holder {h} is not live")
        call = self._begin(name, h)
        self._release(h)
        return call

    def _release(self, h: int) -> None:
        self.call.freed += self._own_pages(h, self.state.tok[h])
        self.step(H_RELEASE, h)

    def _own_pages(self, h: int, until: int) -> list[int]:
        s, p = self.state, self.positions
        return [s.row[h, q] for q in p.path(until)[p.level[s.at[h]] :]]
