"""The engine of a cache with a host tier: it completes copies, and calls the verbs of the tier."""

from collections.abc import Iterable
from typing import Any

from radixcheck.spec.values import Key
from radixcheck.verification.checker import plain_values
from radixcheck.verification.checker.containers import as_ints
from radixcheck.verification.checker.engine import Answer, Engine
from radixcheck.verification.core.found import Tier, Violation
from radixcheck.verification.core.printable import value_text
from radixcheck.verification.core.tier_pool import HostPool, TierPool
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.watched_copier import WatchedCopier, WatchedTicket
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup


class HostEngine(Engine):
    """An engine with two pools and a copier."""

    copier: WatchedCopier

    def __init__(self, factory: Any, policy: str, page_size: int, pool_tokens: int, device: str, tier: Tier, events: bool = False) -> None:
        super().__init__(factory, policy, page_size, pool_tokens, device, tier, events)
        if tier.mode not in self.supports.modes:
            found = ", ".join(self.supports.modes) or "none"
            raise UsageError(f"expected a cache that has a host tier of mode {tier.mode}; of modes it declares {found}")

    def _setup(self) -> tuple[WatchedPool, Setup]:
        c = self._config
        pool, host_pool = TierPool(c.pool, c.page_size), HostPool(c.host_pool, c.page_size)
        copier = WatchedCopier(pool, host_pool)
        if not hasattr(self, "copier"):  # another cache of the same kind has another
            self.copier, self.host_pool = copier, host_pool
        return pool, Setup(c.page_size, c.policy, pool, c.device, host_pool, copier, c.mode, self._events)

    @property
    def findings(self) -> list[Violation]:
        """What the two pools and the copier found in this operation."""
        return self.pool.findings + self.host_pool.findings + self.copier.findings

    def begin(self) -> None:
        """Start the record of a new operation."""
        super().begin()
        self.host_pool.begin()
        self.copier.begin()

    def host_available(self) -> int:
        """Return the free tokens of the host that the subject reports. Raise SubjectFailed."""
        return self.ask(_tokens, "host_available")

    def _write(self, slots: Any, key: Key) -> None:
        super()._write(slots, key)
        contents = self.copier.contents
        if contents is not None:  # an insert may issue a copy of what was just written
            pages = (first // self.page_size for first in as_ints(slots)[:: self.page_size])
            contents.device.update(zip(pages, contents.positions.path(contents.positions.of(key)), strict=False))

    def _match(self, op: Op) -> Answer:
        match = self.subject.match(op.key)
        self.handles[op.key] = match.node
        self.host_node = match.host_node  # of the last match
        self.lent.append(match.slots)
        return Answer(match.length, as_ints(match.slots), host_length=match.host_length)

    def _load_back(self, op: Op) -> Answer:
        answer = self._match(op)
        return answer._replace(moved=self.subject.load_back(self.host_node))

    def _backup(self, op: Op) -> Answer:
        answer = self._match(op)
        return answer._replace(moved=self.subject.backup(self.handles[op.key]))

    def _evict_host(self, op: Op) -> Answer:
        return Answer(self.subject.evict_host(op.amount))

    def _complete(self, op: Op) -> Answer:
        """Complete a copy in flight; behind the last one stands the next for which the cache waits, which can be made to fail."""
        if op.holder < len(self.copier.in_flight):
            self.copier.complete(self.copier.in_flight[op.holder], bool(op.amount))
        else:
            self.copier.next_fails = True
        return Answer()

    def _poll(self, op: Op) -> Answer:
        return Answer(tickets=_numbers(self.subject.poll()))

    def _run(self, op: Op) -> Answer:
        self.subject.run(op.holder)
        return Answer()

    def _row(self, row: Any) -> Answer:
        return super()._row(row)._replace(tickets=_numbers(row.waits))


def _tokens(found: Any) -> int:
    return plain_values.whole(found, "the free tokens of the host")


def _numbers(tickets: Iterable[Any]) -> tuple[int, ...]:
    """Return the numbers of tickets. Raise TypeError if one is not of the copier."""
    listed = list(tickets)
    wrong = next((ticket for ticket in listed if not isinstance(ticket, WatchedTicket)), None)
    if wrong is not None:
        raise TypeError(f"expected tickets of the copier, found {value_text(wrong)}")
    return tuple(ticket.number for ticket in listed)
