"""What a cache with a host tier does between its calls' steps: it evicts on each tier, and issues and settles copies.

The rules for choosing are those of `spec/host/host_operations.py`; what is left open is given by `Surroundings`.
"""

from collections.abc import Callable, Set
from heapq import heapify, heappop, heappush
from typing import Any

from radixcheck.spec.host.backups import ACK_SAVE, FAIL_SAVE, RESERVE, SAVE, SEND
from radixcheck.spec.host.host_signature import device_candidate, host_candidate
from radixcheck.spec.host.host_transitions import DELETE, DEMOTE, DROP_HOST, EVICT_HOST, H_BEGIN, H_EXTEND, H_RELEASE
from radixcheck.spec.host.loads import ACK_LOAD, FAIL_LOAD, LOAD, PIN
from radixcheck.spec.policies import Policy
from radixcheck.spec.run.cache_machine import Machine
from radixcheck.spec.run.host_call import Copy, HostCall, Surroundings
from radixcheck.spec.run.host_choices import COPIES, DROPS, IN_VAIN, SPLIT_TIMES, WHOLE
from radixcheck.spec.run.host_ranking import evictable_on_path, host_evictable, ranked_by
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import Refused

THRESHOLDS = {"write_through": 1, "write_through_selective": 2}  # hits from which on a node is backed up; write_back: at its eviction
FIRST_COPY = -1_000_000_000  # copies have holders below this, counting down


class Copies(Machine):
    """The parts of calls: eviction on each tier, backups, loads, and what becomes of them."""

    state: HostState
    call: HostCall

    def __init__(
        self,
        positions: Positions,
        policy: Policy,
        pages: int,
        host_pages: int,
        mode: str,
        around: Surroundings,
        choices: Set[str] = frozenset(),
    ) -> None:
        self.mode, self._host_pages, self.choices = mode, host_pages, choices  # of `host_choices.py`
        super().__init__(positions, policy, pages)
        self.call = HostCall("reset")
        self.copies: dict[int, Copy] = {}  # in flight, by holder, in the order of their issue
        self.around = around
        self._holders = FIRST_COPY
        self.device_ranked, self.host_ranked = ranked_by(policy, device_candidate), ranked_by(policy, host_candidate)
        self.host_evictable: Callable[[HostState], int] = host_evictable

    def _empty(self, positions: Positions, pages: int) -> HostState:
        return HostState(positions, pages, self._host_pages, self.mode not in THRESHOLDS)

    def size(self, node: int) -> int:
        """Tokens on the node itself."""
        return self.positions.length[node] - self.positions.length[self.state.up[node]]

    def resident_part(self, position: int) -> int:
        """The longest prefix on the device."""
        path = self.positions.ancestors[position]
        return next(q for q in reversed(path) if q == EPS or q in self.state.resident)

    def room_but_for(self, found: int) -> int:
        """Tokens that are free or can be evicted on the device, but for a prefix on it."""
        return int(self.state.available + self.state.evictable - evictable_on_path()(self.state, found)[0])

    # Eviction.

    def make_room(self, tokens: int) -> int:
        """Evict on the device what is missing for so many tokens; tokens that were missing."""
        missing = max(0, int(tokens - self.state.available))
        self.evict(missing)
        return missing

    def evict(self, wanted: int) -> int:
        """Evict the least device leaf until enough is freed or none is left; tokens freed."""
        return self._evict_least(wanted, self.device_ranked, self._leave_device, self._is_device_candidate)

    def _evict_least(
        self, wanted: int, ranked: Callable[[HostState], list[Any]], leave: Callable[[int], None], is_candidate: Callable[[int], bool]
    ) -> int:
        """Let the least candidate leave until enough is freed or none is left; tokens freed. A heap holds the candidates."""
        freed, leaves = 0, ranked(self.state) if wanted > 0 else []
        heapify(leaves)
        while freed < wanted and leaves:
            victim = heappop(leaves)[-1]
            parent = self.state.up[victim]
            freed += self.size(victim)
            leave(victim)
            if is_candidate(parent):  # since its child has left
                heappush(leaves, self._key(self.state, parent))
        return freed

    def _is_device_candidate(self, node: int) -> bool:
        s = self.state
        return node in s.node and node in s.resident and s.lock[node] == 0 and s.is_device_leaf(node)

    def _is_host_candidate(self, node: int) -> bool:
        s = self.state
        return node in s.node and node not in s.resident and s.pins[node] == 0 and node not in s.kids

    def _leave_device(self, victim: int) -> None:
        """Under write-back a victim that the host has not is copied first; where that fails, what the host has behind it goes with it."""
        s = self.state
        if victim not in s.hosted and s.gaps and (copy := self.back_up(victim)) is not None:
            self.settle(copy, self.around.arrives(copy))
        if victim not in s.hosted:
            while victim in s.kids and (behind := self._host_leaves(victim)):
                self._leave_host(min(behind)[-1])
        pages = self._pages(s.page, victim)
        if victim in s.hosted:
            self.step(DEMOTE, victim)
            self.call.demoted.append(victim)
        else:
            self.step(DELETE, victim)
            self.call.gone.append(victim)
        self.call.victims.append(victim)
        self.call.freed += pages

    def evict_host(self, wanted: int) -> int:
        """Evict the least host leaf until enough is freed or none is left; tokens freed. What is dropped instead goes first."""
        dropped = self._drop_host(wanted)
        return dropped + self._evict_least(wanted - dropped, self.host_ranked, self._leave_host, self._is_host_candidate)

    def _drop_host(self, wanted: int) -> int:
        """Let nodes that the device has leave the host until enough is freed; tokens freed."""
        freed = 0
        for node in self.around.dropped() if self._may_drop else ():
            if freed < wanted:
                pages = self._pages(self.state.host_page, node)
                self.step(DROP_HOST, node)
                self.call.host_freed += pages
                freed += self.size(node)
        return freed

    @property
    def _may_drop(self) -> bool:
        return DROPS in self.choices and self.state.gaps

    def can_drop(self, node: int) -> bool:
        """Whether a node can leave the host and stay on the device: the guard of DROP_HOST under write-back."""
        s = self.state
        if node not in s.resident or node not in s.hosted or s.pins[node]:
            return False
        return all(page in s.host_filled for page in self._pages(s.host_page, node))

    def _host_leaves(self, above: int) -> list[Any]:
        return [leaf for leaf in self.host_ranked(self.state) if leaf[-1] != above and self.positions.le(above, leaf[-1])]

    def _leave_host(self, victim: int) -> None:
        pages = self._pages(self.state.host_page, victim)
        self.step(EVICT_HOST, victim)
        self.call.host_victims.append(victim)
        self.call.gone.append(victim)
        self.call.host_freed += pages

    def _make_host_room(self, size: int) -> bool:
        """Evict on the host what a copy needs; whether it has room now. Nothing is evicted where that would not be enough."""
        short = size - self.state.host_available
        if short > 0 and (IN_VAIN in self.choices or short <= self._host_freeable()):
            self.evict_host(size if WHOLE in self.choices else short)
        return bool(size <= self.state.host_available)

    def _host_freeable(self) -> int:
        """Tokens that host evictions can free, and duplicates that may be dropped for them."""
        s = self.state
        return self.host_evictable(s) + (sum(self.size(n) for n in s.node if self.can_drop(n)) if self._may_drop else 0)

    def _pages(self, table: dict[int, int], node: int) -> list[int]:
        return [table[q] for q in self.positions.between(self.state.up[node], node)]

    def access_split_off(self, node: int) -> None:
        """Only where that is chosen."""
        if SPLIT_TIMES in self.choices:
            super().access_split_off(node)

    # Backups.

    def back_up_path(self, node: int) -> int:
        """Back up what the host has not on the path to a node, from the root down, as far as there is room; tokens."""
        path = [n for n in self.positions.ancestors[node] if n in self.state.node]
        sent = 0
        for n in path if not self.state.gaps else path[-1:]:
            if n not in self.state.hosted:
                if self.back_up(n) is None:
                    break
                sent += self.size(n)
        return sent

    def back_up(self, node: int) -> Copy | None:
        """Issue the copy of one node to the host, after evicting the shortfall there; None if that does not suffice."""
        s = self.state
        if not self._make_host_room(self.size(node)):
            return None
        span = self.positions.between(s.up[node], node)
        targets = self.around.host_pages(span)
        holder = self._new_holder()
        self.step(H_BEGIN, holder, node, 0)
        self.step(SAVE, holder)
        for q, page in zip(span, targets, strict=True):
            self.step(RESERVE, holder, q, page)
        self.step(SEND, holder)
        return self._issue(Copy(holder, False, s.floor[holder], node, tuple(s.page[q] for q in span), tuple(targets)))

    def back_up_by_hits(self, key: int) -> None:
        """Back up the nodes on the path that were hit often enough, each with what is above it, from the root down."""
        if self.state.gaps:
            return
        if COPIES in self.choices:
            return self.follow_copies()
        for n in self.positions.ancestors[key]:
            if n in self.state.node and n not in self.state.hosted and self.state.hits[n] >= THRESHOLDS[self.mode]:
                self.back_up_path(n)
                if n not in self.state.hosted:
                    break

    def follow_copies(self) -> None:
        """Under write-through, where that is chosen: back up the nodes that are chosen, and evict on the host for those that do not fit."""
        if self.state.gaps or COPIES not in self.choices:
            return
        while (node := self.around.backed_up()) is not None and self.back_up(node) is not None:
            pass
        if IN_VAIN in self.choices:
            self.evict_host(self.around.freed_in_vain(len(self.call.host_freed)) * self.positions.page_size)

    # Loads.

    def load(self, aim: int) -> int:
        """Issue the load of what only the host has up to a node, after evicting the shortfall on the device; tokens."""
        floor = self.resident_part(aim)
        span = self.positions.between(floor, aim)
        size = len(span) * self.positions.page_size
        holder = self._new_holder()
        self.step(H_BEGIN, holder, floor, 0)
        self.step(PIN, holder, aim)
        self.call.wanted += self.make_room(size)
        targets = self.around.device_pages(span)
        for q, page in zip(span, targets, strict=True):
            self.step(H_EXTEND, holder, q, page)
        self.step(LOAD, holder)
        self._issue(Copy(holder, True, floor, aim, tuple(self.state.host_page[q] for q in span), tuple(targets)))
        self.call.loaded = size
        return size

    # What becomes of copies.

    def waits(self, h: int) -> list[int]:
        """Holders of the copies that still fill pages of a request's row."""
        s = self.state
        pages = [s.row[h, q] for q in self.positions.path(s.tok[h])]
        return list(dict.fromkeys(s.holder[page] for page in pages if page not in s.filled))

    def settle(self, copy: Copy, arrived: bool) -> bool:
        """A copy has arrived or failed. False: it failed, and must be issued again because something rests on it."""
        done = (ACK_LOAD if copy.up else ACK_SAVE) if arrived else (FAIL_LOAD if copy.up else FAIL_SAVE)
        try:
            self.step(done, copy.holder)
        except Refused:
            return False
        self.step(H_RELEASE, copy.holder)
        del self.copies[copy.holder]
        if not arrived:
            (self.call.freed if copy.up else self.call.host_freed).extend(copy.targets)
        return True

    def _issue(self, copy: Copy) -> Copy:
        self.copies[copy.holder] = copy
        self.call.issued.append(copy)
        self.around.issued(copy)
        return copy

    def _new_holder(self) -> int:
        self._holders -= 1
        return self._holders
