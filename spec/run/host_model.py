"""The specification of a cache with a host tier, as a cache that anyone can use: tokens for positions, slots for pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.host_call import Copy, HostCall
from radixcheck.spec.run.host_machine import HostMachine
from radixcheck.spec.run.model import FreePages, Handle, Model, Pool, Receipt
from radixcheck.spec.values import Copier, Key, Row, StaleHandle, Ticket, TieredMatch, to_amount, to_key


@dataclass(slots=True)
class _Done:
    """A copy that has arrived at once."""

    done: bool = True
    failed: bool = False

    def wait(self) -> None:
        """Return."""


class AtOnce:
    """The simplest copier: each copy arrives when it is issued."""

    def copy(self, up: bool, sources: Sequence[int], targets: Sequence[int]) -> Ticket:
        """Return a ticket that is done."""
        return _Done()


class HostModel(Model):
    """The specification with the verbs of a cache with a host tier. A call outside its guard raises a typed error and changes nothing.

    >>> from radixcheck.spec import Key
    >>> cache = HostModel(page_size=1, capacity=4, host_capacity=8)
    >>> cache.insert(Key((1, 2)), cache.alloc(2))  # write-through: a backup is issued at once
    0
    >>> len(cache.poll())
    1
    >>> cache.evict(2)  # leaves the device, and stays on the host
    2
    >>> found = cache.match(Key((1, 2, 3)))
    >>> found.length, found.host_length
    (0, 2)
    >>> row = cache.start(1, Key((1, 2, 3)))  # loads both tokens back
    >>> row.cached, len(row.waits)
    (2, 1)
    >>> len(cache.poll())
    1
    >>> cache.run(1)
    """

    machine: HostMachine

    def __init__(
        self,
        page_size: int = 1,
        policy: str = "lru",
        capacity: int = 64,
        host_capacity: int = 64,
        mode: str = "write_through",
        pool: Pool | None = None,
        host_pool: Pool | None = None,
        copier: Copier[Sequence[int]] | None = None,
    ) -> None:
        super().__init__(page_size, policy, capacity, pool)
        self.host_pool = host_pool if host_pool is not None else FreePages(host_capacity, page_size)
        self.copier = copier if copier is not None else AtOnce()
        pages, host_pages = (each.capacity // page_size for each in (self.pool, self.host_pool))
        self.machine = HostMachine(self.positions, POLICIES[policy], pages, host_pages, mode, self)
        self.tickets: dict[int, Ticket] = {}  # of the copies in flight, by holder, in the order of their issue

    # Surroundings of the machine: pages come from the pools, copies go to the copier.

    def device_pages(self, positions: Sequence[int]) -> Sequence[int]:
        """Pages of the device pool."""
        self._settle(self.machine.call.freed)
        return self._pages(self.pool.alloc(len(positions) * self.page_size))

    def host_pages(self, positions: Sequence[int]) -> Sequence[int]:
        """Pages of the host pool."""
        self._settle_host()
        return self._pages(self.host_pool.alloc(len(positions) * self.page_size))

    def issued(self, copy: Copy) -> None:
        """Issue a copy."""
        self.tickets[copy.holder] = self.copier.copy(copy.up, self._slots(copy.sources), self._slots(copy.targets))

    def arrives(self, copy: Copy) -> bool:
        """Wait for a copy; it is settled then."""
        ticket = self.tickets.pop(copy.holder)
        ticket.wait()
        return not ticket.failed

    def backed_up(self) -> int | None:
        """None: it copies what the mode says."""

    def freed_in_vain(self, followed: int) -> int:
        """None: it evicts for what fits."""
        return 0

    def dropped(self) -> Sequence[int]:
        """None: what is on both tiers stays there."""
        return ()

    # Verbs that say more, or do more, with a host.

    def match(self, key: Key) -> TieredMatch[list[int]]:
        """Longest cached prefix, in whole pages: on the device, and behind that on the host."""
        call = self.machine.take("match", self.positions.of(to_key(key)))
        length, whole = self.positions.length[call.found], self.positions.length[call.longest]
        pages = [self.machine.state.page[q] for q in self.positions.path(call.found)]
        return TieredMatch(length, self._slots(pages), self._handle(call.found), whole - length, self._handle(call.longest))

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """Cache the whole pages of a key; returns how many tokens the device had. Their slots stay with the caller."""
        present = super().insert(key, slots, priority)
        self._settle_host()
        return present

    def lock(self, node: object) -> Receipt:
        """Protect the path to the node of a match. Raises StaleHandle if it has left the device."""
        self._position(node)
        return super().lock(node)

    def row(self, request: int) -> Row[list[int]]:
        """What a live request reads, and the copies for which it waits."""
        row = super().row(request)
        return Row(row.cached, row.slots, tuple(self.tickets[holder] for holder in self.machine.waits(request)))

    # Verbs of the host.

    def load_back(self, node: object) -> int:
        """Load what only the host has up to the host node of a match; tokens, 0 if there is nothing to load or no room."""
        return self._done("load_back", self._position(node)).loaded

    def backup(self, node: object) -> int:
        """Copy a node to the host, under write-through what is above it first; tokens."""
        call = self._done("backup", self._position(node))
        return sum(len(copy.targets) for copy in call.issued) * self.page_size

    def evict_host(self, tokens: int) -> int:
        """Evict least host leaves until `tokens` are freed on the host or none is left; returns tokens freed."""
        return len(self._done("evict_host", to_amount(tokens)).host_freed) * self.page_size

    def poll(self) -> Sequence[Ticket]:
        """Acknowledge the copies that have arrived; undo those that have failed, or issue them again. Returns their tickets."""
        done = {holder: ticket for holder, ticket in self.tickets.items() if ticket.done}
        for holder, ticket in done.items():
            copy = self.machine.copies[holder]
            del self.tickets[holder]
            if self._done("poll", holder, not ticket.failed).again:
                self.issued(copy)
        return list(done.values())

    def run(self, request: int) -> None:
        """The request reads its row. Raises NotArrived while a copy is still filling slots of it."""
        self.machine.take("run", self._known(request))

    def host_available(self) -> int:
        """Free tokens of the host pool."""
        return self.machine.state.host_available

    # Parts.

    def _done(self, name: str, *given: int) -> HostCall:
        call = self.machine.take(name, *given)
        self._settle(call.freed)
        return call

    def _handle(self, position: int) -> Handle:
        return self._handles.setdefault(position, Handle(position))

    def _position(self, node: object) -> int:
        if not isinstance(node, Handle) or self._handles.get(node.position) is not node:
            raise StaleHandle("the node of this handle has left the tree")
        return node.position

    def _settle(self, freed: Sequence[int]) -> Sequence[int]:
        """Give back what the call has freed since this was last done, on both tiers."""
        call = self.machine.call
        new = freed[call.given_back :]
        call.given_back = len(freed)
        if new:
            self.pool.free(self._slots(new))
        self._settle_host()
        return freed

    def _settle_host(self) -> None:
        """The same on the host alone; and drop the handles of nodes that have left the tree."""
        call = self.machine.call
        new = call.host_freed[call.host_given_back :]
        call.host_given_back = len(call.host_freed)
        if new:
            self.host_pool.free(self._slots(new))
        for gone in call.gone:
            self._handles.pop(gone, None)
