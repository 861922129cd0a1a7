"""Random calls of a cache with a host tier, and a copier whose copies complete on request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from radixcheck.spec import Key
from radixcheck.spec.values import CacheError


@dataclass(eq=False)
class SlowTicket:
    """A copy in flight."""

    up: bool
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    fails_on_wait: Callable[[], bool]
    done: bool = False
    failed: bool = False

    def wait(self) -> None:
        """Complete it."""
        if not self.done:
            self.complete(self.fails_on_wait())

    def complete(self, failed: bool) -> None:
        """It has arrived, or failed."""
        self.done, self.failed = True, failed


@dataclass
class SlowCopier:
    """Keeps what was issued. Every `fail_every`-th copy that is waited for fails."""

    fail_every: int = 4
    issued: list[SlowTicket] = field(default_factory=list)
    waits: int = 0

    def copy(self, up: bool, sources: Sequence[int], targets: Sequence[int]) -> SlowTicket:
        """Issue a copy."""
        self.issued.append(SlowTicket(up, tuple(sources), tuple(targets), self._fails))
        return self.issued[-1]

    def in_flight(self) -> list[SlowTicket]:
        """The copies that are not done, oldest first."""
        return [ticket for ticket in self.issued if not ticket.done]

    def _fails(self) -> bool:
        self.waits += 1
        return self.waits % self.fail_every == 0


class Caller:
    """Makes random calls. The same seed makes the same calls of any cache that answers alike."""

    def __init__(self, cache: Any, copier: SlowCopier, seed: int, host: bool = True) -> None:
        self.cache, self.copier, self.rng, self.host = cache, copier, Random(seed), host
        self.locks: list[object] = []
        self.loans: list[Sequence[int]] = []
        self.requests: list[int] = []
        self.next_request = 0

    def call(self) -> tuple[str, object]:
        """Make one call; its name and what it answers: a value, or the name of the error."""
        verbs = "insert insert insert evict start start chunk decode finish abort match lock unlock evict alloc free reset"
        if self.host:
            verbs += " load_back load_back evict_host backup complete complete complete poll poll run"
        name = self.rng.choice(verbs.split())
        try:
            answer: object = getattr(self, name)()
        except CacheError as error:
            answer = type(error).__name__
        return name, answer

    def key(self) -> Key:
        """A key of up to three pages, each of one letter, and perhaps a part of a page."""
        pages = [(self.rng.randint(0, 1),) * self.cache.page_size for _ in range(self.rng.randint(0, 3))]
        return Key((*sum(pages, ()), *(0,) * self.rng.randrange(self.cache.page_size)), ("a",) if self.rng.random() < 0.1 else ())

    def insert(self) -> object:
        """Insert what an alloc gives."""
        key, priority = self.key(), self.rng.randint(0, 2)
        slots = self.cache.alloc(len(key.tokens))
        present = self.cache.insert(key, slots, priority)
        size = self.cache.page_size
        rest = [*slots[:present], *slots[len(key.tokens) // size * size :]]
        self.cache.free(rest)
        return present

    def start(self) -> object:
        """Start a request."""
        self.next_request += 1
        row = self.cache.start(self.next_request, self.key(), self.rng.randint(0, 2))
        self.requests.append(self.next_request)
        return row.cached, len(row.slots), len(row.waits)

    def chunk(self) -> object:
        """Cache what a request has so far."""
        row = self.cache.chunk(self._request())
        return row.cached, len(row.slots), len(row.waits)

    def decode(self) -> object:
        """One more token; the slot is not compared."""
        self.cache.decode(self._request(), self.rng.randint(0, 1))
        return None

    def finish(self) -> object:
        """Finish a request."""
        return self.cache.finish(self._request(gone=True))

    def abort(self) -> object:
        """Abort a request."""
        return self.cache.abort(self._request(gone=True))

    def run(self) -> object:
        """Run a request."""
        return self.cache.run(self._request())

    def match(self) -> object:
        """Match a key; both lengths."""
        found = self.cache.match(self.key())
        return found.length, getattr(found, "host_length", 0)

    def lock(self) -> object:
        """Lock what a match found."""
        if len(self.locks) < 2:
            self.locks.append(self.cache.lock(self.cache.match(self.key()).node))
        return None

    def unlock(self) -> object:
        """Release a lock."""
        return self.cache.unlock(self._popped(self.locks))

    def evict(self) -> object:
        """Evict some tokens."""
        return self.cache.evict(self.rng.randint(0, 4 * self.cache.page_size))

    def alloc(self) -> object:
        """Take slots."""
        if len(self.loans) < 2:
            self.loans.append(self.cache.alloc(self.rng.randint(0, 2 * self.cache.page_size)))
        return None

    def free(self) -> object:
        """Give slots back."""
        return self.cache.free(self._popped(self.loans) or [])

    def reset(self) -> object:
        """Forget everything, now and then."""
        return self.cache.reset() if self.rng.random() < 0.2 else None

    def load_back(self) -> object:
        """Load what a match found on the host."""
        return self.cache.load_back(self.cache.match(self.key()).host_node)

    def backup(self) -> object:
        """Back up what a match found on the device."""
        return self.cache.backup(self.cache.match(self.key()).node)

    def evict_host(self) -> object:
        """Evict some tokens from the host."""
        return self.cache.evict_host(self.rng.randint(0, 3 * self.cache.page_size))

    def complete(self) -> object:
        """A copy, any of them, arrives or fails."""
        waiting = self.copier.in_flight()
        if waiting:
            self.rng.choice(waiting).complete(failed=self.rng.random() < 0.3)
        return None

    def poll(self) -> object:
        """Reap what is done."""
        return [(ticket.up, ticket.failed, len(ticket.targets)) for ticket in self.cache.poll()]

    def _request(self, gone: bool = False) -> int:
        if not self.requests:
            return 0
        request = self.rng.choice(self.requests)
        if gone:
            self.requests.remove(request)
        return request

    def _popped(self, things: list[Any]) -> Any:
        return things.pop(self.rng.randrange(len(things))) if things else None
