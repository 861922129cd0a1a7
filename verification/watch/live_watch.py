"""The watch of one live cache: takes its calls, keeps the ledger, and checks. Nothing here reaches the server: a failure ends the watch.

Of each call: what the ledger needs is read, and everything that compares numbers is checked, of the whole path that the call touched.
What compares slots and tokens is checked while the budget lasts, the nearest to the end of the path first; what is left out is counted. The
rest of the budget goes to the window, which passes over all nodes of the tree, one after another, again and again.
"""

from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any

from torch import Tensor

from radixcheck.spec.values import Namespace
from radixcheck.verification.watch import call_checks, path_checks
from radixcheck.verification.watch.ledger import Ledger
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.tree_view import TreeView
from radixcheck.verification.watch.watch_counts import WatchCounts
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, FREE, MATCH, READ, RESET, WINDOW, Call, Listener

Report = Callable[[str, int, str, str], None]  # takes the id of a property, the number of the call, its verb, what was expected and found
Accepts = Callable[[str, str], bool]  # whether a property may fail after a verb
FAILED = "WATCH"  # in the place of a property: the watch itself has failed


class LiveWatch:
    """Checks one cache. `report` takes what is found, and `budget` is in microseconds a call. What `accepts` says is only counted."""

    def __init__(
        self, view: TreeView, report: Report, budget: float, listeners: Sequence[Listener] = (), accepts: Accepts = lambda *_: False
    ) -> None:
        self.view, self.report, self._accepts = view, report, accepts
        self.listeners = tuple(listeners)  # what takes each call after it was checked
        self.counts = WatchCounts()
        self.on = True
        self._budget = int(budget * 1_000)
        self._call: Call | None = None  # the one that runs
        self._number = 0
        self._cursor = 0
        self.ledger = Ledger(view, self._tell)

    def begin(self, verb: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call | None:
        """An outermost call begins. Returns None for a nested one, and if the watch has ended."""
        if not self.on or self._call is not None:
            return None
        self._number += 1
        self._call = call = Call(self._number, verb, arguments, named)
        self._about(verb)
        if verb == EVICT:
            call.before = self.ledger.evictable
        return call

    def end(self, call: Call) -> None:
        """A call has returned: check it."""
        start = perf_counter_ns()
        try:
            self._check(call, start + self._budget)
            for listener in self.listeners:
                listener.called(call)
        except Exception as error:
            self.failed(error)
        self._call = None
        counts = self.counts
        counts.calls[call.verb] += 1
        took = perf_counter_ns() - start
        counts.nanoseconds += took
        counts.longest = max(counts.longest, took)

    def raised(self, call: Call) -> None:
        """The cache itself has raised. What it did until then is not known: the watch ends."""
        self._call = None
        self.counts.calls[call.verb] += 1
        self.counts.raised += 1
        self.failed(RuntimeError(f"{call.verb} ended with an error of the cache, so that its tree is not known any more"))

    def touched(self, node: Any) -> None:
        """The running call has touched the path to a node."""
        if self._call is not None:
            self._call.touched.append(node)

    def holder(self, node: Any, change: int) -> None:
        """The running call has taken (1) or released (-1) a lock of a node."""
        if self._call is not None:
            self._call.locks.append((node, change))

    def removes(self, node: Any) -> None:
        """The cache is about to take a node out of its tree."""
        call = self._call
        if not self.on or call is None or call.verb == RESET:
            return
        start = perf_counter_ns()
        try:
            record = self.ledger.record(node)
            if record is None or record.parent is None:
                self._tell("SLOT_PARTITION", "expected a victim that a call has stored; no call has")
            else:
                call_checks.victim(self.ledger, record, self._tell)
                self.ledger.remove(record, call.number)
                call.victims.append(record)
        except Exception as error:
            self.failed(error)
        self.counts.nanoseconds += perf_counter_ns() - start

    def freed(self, slots: Tensor) -> None:
        """Slots go back to the allocator."""
        if not self.on:
            return
        if self._call is not None:
            self._call.freed.append(slots.clone())
            return
        call = self.begin(FREE, (slots,), {})
        if call is not None:
            call.freed.append(slots)
            self.end(call)

    def failed(self, error: Exception) -> None:
        """End the watch, and say so once."""
        if self.on:
            self.on = False
            self.report(FAILED, self._number, "", f"the watch has ended: {type(error).__name__}: {error}")

    # Checks

    def _check(self, call: Call, deadline: int) -> None:
        ledger, tell = self.ledger, self._tell
        ledger.slots.verdicts.poll()
        self._about(call.verb)
        if call.verb == RESET:
            call_checks.emptied(ledger, tell)
            ledger.clear()
            return
        if call.verb == READ:
            self._answer(call, deadline)
            self._window(deadline)
            return
        clock = ledger.clock
        seen = list(dict.fromkeys(record for node in dict.fromkeys(call.touched) for record in ledger.visit(node, call.number)))
        self._hold(call)
        path_checks.of_path(self.view, seen, tell)
        path_checks.divided(ledger, tell)
        self._times(call, seen, clock)
        self.counts.path_checks += len(seen)
        if call.freed or call.victims:
            call_checks.freed(ledger, call, tell)
        if call.verb != FREE:
            call_checks.sizes(ledger, tell)
        self._answer(call, deadline)
        self._contents(seen, deadline)
        self._window(deadline)
        self.counts.nodes = len(ledger.window)

    def _hold(self, call: Call) -> None:
        """Count the locks that came and went."""
        for node, change in call.locks:
            record = self.ledger.record(node)
            if record is None:
                self._tell("LOCK_COUNT", "expected a lock of a node of the tree; it has left the tree")
                continue
            record.holders += change
            if record.holders < 0 and record is not self.ledger.root:
                record.holders = 0
                self._tell("LOCK_NONNEG", f"expected a live lock to release of {record}; it has none")

    def _times(self, call: Call, seen: list[Record], clock: float) -> None:
        """A lookup is an access of its path, later than `clock`, and no node was accessed after its parent.

        The second is a departure that some caches take at every call, so that it is counted without a text.
        """
        end = self.ledger.record(call.touched[-1]) if call.verb in (MATCH, CHECKPOINT) and call.touched else None
        for record in end.upwards() if end is not None else ():
            if record.time <= clock:
                self._tell("RECENCY", f"expected an access of {record} by this call; its last one is {record.time}, not after {clock}")
        late = path_checks.later_than_parent(seen)
        if late and self._accepts("TIME_MONO", call.verb):
            self.counts.departures["TIME_MONO"] += len(late)
            return
        for record in late:
            times = f"{record.parent.time} < {record.time}" if record.parent else ""
            self._tell("TIME_MONO", f"expected an access of the parent of {record} that is not before its own; {times}")

    def _answer(self, call: Call, deadline: int) -> None:
        """Check what belongs to one verb."""
        ledger, tell = self.ledger, self._tell
        if call.verb == EVICT and not call.named:
            call_checks.eviction(call, tell)
        if call.verb not in (MATCH, CHECKPOINT, READ) or not call.touched:
            return
        end = ledger.record(call.touched[-1])
        if end is None:
            return
        if call.verb == READ:
            if self._may(deadline):
                call_checks.path_slots(ledger, end, call.result, tell)
        elif call.verb == MATCH:
            key, length = call.arguments[0].key, end.end
            call_checks.answer_length(call, length, tell)
            space, whole = (key.extra_key, key.cache_salt or None), len(key) // self.view.page_size * self.view.page_size
            self._key(end, length, space, key.token_ids, whole, deadline)
        else:
            self._checkpoint(call, end, deadline)

    def _checkpoint(self, call: Call, end: Record, deadline: int) -> None:
        request, up_to = call.arguments[0], call.named.get("up_to", len(call.arguments[0].full_untruncated_fill_ids))
        tokens, size = request.full_untruncated_fill_ids, self.view.page_size
        whole, length = min(up_to, len(tokens)) // size * size, end.end
        if length != whole or request.kv.cache_protected_len != whole:
            protected = request.kv.cache_protected_len
            self._tell("INSERT_COVERS", f"expected {whole} cached and protected tokens; {length} are cached and {protected} protected")
        if call.freed or self._may(deadline):  # where duplicates were freed, this is the only call that writes their places in the row
            call_checks.row_part(self.ledger, end, self.view.row(request), min(call.before[0], length), length, self._tell)
        self._key(end, length, (request.extra_key, request.cache_salt or None), tokens, length, deadline)

    def _key(self, end: Record, length: int, space: Namespace, tokens: Any, whole: int, deadline: int) -> None:
        """Check that a path of this length has the tokens of a key, from its end upwards, and that no child goes on with them."""
        at = length
        if at < whole:
            call_checks.longest(self.ledger, end, space, tokens[at : min(whole, at + self.view.page_size)], self._tell)
        for record in end.upwards():
            if not self._may(deadline):
                return
            call_checks.same_tokens(self.ledger, record, tokens[at - record.size : at], self._tell)
            at -= record.size

    def _contents(self, records: list[Record], deadline: int) -> None:
        for record in records:
            if self._may(deadline):
                path_checks.contents(self.ledger, record, self._tell)

    def _window(self, deadline: int) -> None:
        """Check nodes that no call has touched, until the budget is used up or each was checked once."""
        window, tell = self.ledger.window, self._tell
        self._about(WINDOW)
        for _ in range(len(window)):
            if perf_counter_ns() >= deadline:
                return
            if self._cursor >= len(window):
                self._cursor = 0
                self.counts.rounds += 1
            record = window[self._cursor]
            self._cursor += 1
            path_checks.unchanged(self.view, record, tell)
            path_checks.contents(self.ledger, record, tell)
            self.counts.window_checks += 1

    def _may(self, deadline: int) -> bool:
        """Return whether the budget allows one more check, and count it if not."""
        if perf_counter_ns() < deadline:
            return True
        self.counts.skipped += 1
        return False

    # Findings

    def _about(self, verb: str) -> None:
        """From now on, what is found is about this verb of the running call."""
        self.ledger.slots.verdicts.about = self._number, verb

    def _tell(self, property_: str, text: str) -> None:
        number, verb = self.ledger.slots.verdicts.about
        if self._accepts(property_, verb):
            self.counts.departures[property_] += 1
            return
        self.report(property_, number, verb, text)
