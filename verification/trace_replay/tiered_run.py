"""One replay with a host tier: copies take time, and a request runs when those that fill its row have arrived."""

from collections import Counter
from collections.abc import Callable
from heapq import heappop, heappush
from random import Random

from radixcheck.spec.run.host_parts import THRESHOLDS
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import HOST_OPERATIONS, Op
from radixcheck.verification.trace_replay.mooncake import TraceError, TraceRequest
from radixcheck.verification.trace_replay.replay_results import Settings, TierReplayed
from radixcheck.verification.trace_replay.replay_run import Run, Running

SEED = 6907  # of the delays
NEEDED = set(HOST_OPERATIONS) - {"load_back", "backup"}  # a request loads back what it needs when it starts


class TieredRun(Run):
    """A replay through a cache with a host tier. Copies are acknowledged when the next request arrives."""

    def __init__(self, factory: Factory, settings: Settings, second: Factory | None, record: Callable[[Op], None]) -> None:
        super().__init__(factory, settings, second, record)
        if self.checker.host is None or not self.checker.operations >= NEEDED:
            raise TraceError("the replay", 0, f"the subject lacks {', '.join(sorted(NEEDED - self.checker.operations))}")
        self._copier, self._oracle = self.checker.host.engine.copier, self.checker.host.oracle
        self._random = Random(SEED)
        self._arrivals: list[tuple[int, int]] = []  # a heap: at which operation a copy arrives, and its number
        self._waiting: dict[int, frozenset[int]] = {}  # requests that cannot run yet: the copies for which they wait
        self._ready: set[int] = set()  # those of which a copy has been acknowledged since they tried to run
        self._due = THRESHOLDS.get(settings.mode)  # hits from which on a node is due on the host; None: when it leaves the device
        self._refused: set[int] = set()  # positions that were due there, when it had no room
        self._steps = 0
        self._up: dict[int, int] = {}  # of each node after the last operation
        self._hits: dict[int, int] = {}
        self._figures: Counter[str] = Counter()

    def arrive(self, request: TraceRequest) -> None:
        """Acknowledge the copies that have arrived; start the requests that waited for them, and the next one of the trace."""
        self.call(Op("poll"))
        super().arrive(request)

    def prefill(self, name: int) -> None:
        """Compute the prompt of a request and cache it, if the copies that fill its row have arrived; otherwise it waits for them."""
        waits = self._waiting.get(name, frozenset(self.checker.answer.tickets))  # the last call was its start
        self._ready.discard(name)
        if self.call(Op("run", holder=name)):
            self._waiting.pop(name, None)
            super().prefill(name)
        else:
            self._figures["waited"] += name not in self._waiting
            self._waiting[name] = waits

    def grow(self, one: Running) -> None:
        """Generate output; a request that waits tries to run first, if a copy for which it waits has just been acknowledged."""
        if one.name in self._ready:
            self.prefill(one.name)
        if one.name not in self._waiting:
            super().grow(one)

    def finish_oldest(self) -> None:
        """Finish the request that has run longest. One that waits gets its copies first."""
        name = self.running[0].name
        while name in self._waiting and not self.fault:
            self.settle()
            self.prefill(name)
        super().finish_oldest()

    def make_room(self) -> bool:
        """Let the copies in flight arrive, which hold slots; without any, finish a request."""
        if self._copier.in_flight:
            self.settle()
            return True
        return super().make_room()

    def settle(self) -> None:
        """Let all copies arrive, and acknowledge them."""
        while self._copier.in_flight and not self.fault:
            self.call(Op("complete"))
        self.call(Op("poll"))

    def call(self, op: Op) -> bool:
        """Perform an operation; then the copies that are due arrive."""
        done = super().call(op)
        self._steps += 1
        if op.name == "poll":
            handled = self.checker.answer.tickets
            self._ready.update(name for name, waits in self._waiting.items() if not waits.isdisjoint(handled))
        self._count(op, done)
        self._count_victims()
        self._note_nodes()
        if op.name in ("chunk", "finish"):
            self._note_refused()
        while self._arrivals and self._arrivals[0][0] <= self._steps and not self.fault:
            _, number = heappop(self._arrivals)
            place = next((i for i, ticket in enumerate(self._copier.in_flight) if ticket.number == number), None)
            if place is not None:
                super().call(Op("complete", holder=place))
        return done

    def _count(self, op: Op, done: bool) -> None:
        size, figures = self.settings.page_size, self._figures
        for ticket in self._copier.issued:
            heappush(self._arrivals, (self._steps + self._random.randrange(2 * self.settings.delay), ticket.number))
            figures["loads" if ticket.up else "backups"] += 1
            figures["loaded_tokens" if ticket.up else "backed_up_tokens"] += len(ticket.targets) * size
            figures["host_hit_tokens"] += len(ticket.targets) * size if ticket.up and done and op.name == "start" else 0

    def _note_nodes(self) -> None:
        """Note the parent and the hits of each node that has changed, for the figures of the next operation's victims."""
        changed, s = self.checker.changed_nodes, self._oracle.model.state
        for n in changed:
            if n in s.node:
                self._up[n], self._hits[n] = s.up[n], s.hits[n]
            else:
                self._up.pop(n, None)
        changed.clear()

    def _count_victims(self) -> None:
        """Count what the last operation evicted. Its victims are described by what was noted before it."""
        call, length, figures = self._oracle.call, self._oracle.positions.length, self._figures
        if not call.victims and not call.host_victims:
            return
        up, hits = self._up, self._hits
        deleted, tried = set(call.gone) - set(call.demoted), {copy.aim for copy in call.issued}
        for n in (victim for victim in call.victims if victim in up):
            tokens = length[n] - length[up[n]]
            if n not in deleted:
                figures["demoted_tokens"] += tokens
            elif self._due is None:
                figures["lost_tokens" if n in tried else "no_room_tokens"] += tokens
            elif hits[n] >= self._due:
                figures["no_room_tokens" if n in self._refused else "lost_tokens"] += tokens
        figures["host_evicted_tokens"] += sum(length[n] - length[up[n]] for n in call.host_victims if n in up)

    def _note_refused(self) -> None:
        """Note the positions on the path just cached that are due on the host and that it has not, as there was no room."""
        s, p, due = self._oracle.model.state, self._oracle.positions, self._due
        for n in p.path(self._oracle.call.key) if due is not None else ():
            if n in s.node and n not in s.hosted and s.hits[n] >= (due or 0):
                self._refused.update(p.between(s.up[n], n))

    def tier_figures(self) -> TierReplayed:
        """Return what was done with the host tier."""
        f = self._figures
        return TierReplayed(**{name: f[name] for name in TierReplayed.__dataclass_fields__})
