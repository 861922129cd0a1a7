"""A cache whose tree cannot be read: SGLang's unified cache with its core in Rust. Only the shadow runs beside it.

What it answers is compared with what our cache answers: lengths, sizes, slots that come back, and the victims of an eviction, of which the
cache shows the numbers of their nodes. A node of ours is known to it by the number that a match or a checkpoint ended with.
"""

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter_ns
from typing import Any

import torch
from torch import Tensor

from radixcheck.verification.watch.attach import Attachment
from radixcheck.verification.watch.engine_view import EngineView
from radixcheck.verification.watch.live_watch import FAILED
from radixcheck.verification.watch.shadow import NotShadowed, Report, Shadow
from radixcheck.verification.watch.shadow_cache import PairedNode
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.tree_view import Removal
from radixcheck.verification.watch.watch_counts import WatchCounts
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, INSERT, LOCK, MATCH, RESET, UNLOCK, Call, Listener
from radixcheck.verification.watch.watched_frees import watch_frees


class BlackBoxView(EngineView):
    """What can be read of it. Its nodes are numbers."""

    cache_name = "sglang-rust"

    def __init__(self, cache: Any, policy: str) -> None:
        super().__init__(cache)
        self.policy = policy

    @property
    def root(self) -> Any:
        """The number of the root."""
        return self.cache.root_node_handle()

    @property
    def removal(self) -> Removal:
        """Where nodes leave the tree: the part in Python asks the core to evict one."""
        return Removal(self.cache.tree_core, "evict_device_leaf")

    def node(self, handle: Any) -> Any:
        """Return the number."""
        return handle


class BlackBoxShadow(Shadow):
    """Compares what is answered, and no paths."""

    def _begin(self) -> None:
        self._rebuilds, self._offset, self.counts.paused = 0, (0, 0), ""
        self.cache.reset()
        self._ours = {}
        if self.view.sizes() != (0, 0):
            raise NotShadowed("its tree is not empty, and cannot be read")

    def _rebuild(self) -> None:
        raise NotShadowed("the live tree cannot be read")

    def _path(self, ours: PairedNode, live: Any) -> Iterator[str]:
        """Compare the ends of two paths."""
        root = self.cache.tree.root
        if (ours is root) != (live == self.view.root):
            yield f"our cache ends at {'the root' if ours is root else ours}; the live one at {live}, which is another node"
        elif ours is not root:
            if ours.live is None and live not in self._ours:
                ours.live, self._ours[live] = live, ours
            if ours.live != live:
                yield f"the live cache calls {ours} {live}, and called it {ours.live}"

    def _same(self, ours: PairedNode, theirs: Record) -> bool:
        return bool(ours.live == theirs.node or (ours.live is None and theirs.node not in self._ours))

    def _name(self, theirs: Record | None) -> str:
        return "missing" if theirs is None else f"its node {theirs.node}"

    def _freed(self, call: Call) -> Iterator[str]:
        """Compare how many slots came back, of each victim if each has a free of its own."""
        yield from super()._freed(call)
        victims = self.cache.tree.victims
        if call.verb == EVICT and len(victims) == len(call.freed):
            for number, (ours, slots) in enumerate(zip(victims, call.freed, strict=True), 1):
                if ours.size != len(slots):
                    yield f"victim {number} of our cache has {ours.size} tokens; of the live one {len(slots)}"


class BlackBoxWatch:
    """Takes the calls of such a cache, and gives them to listeners; `tick` takes the counts. Nothing here reaches the server."""

    def __init__(self, view: Any, report: Report, listeners: Sequence[Listener], tick: Callable[[WatchCounts], None]) -> None:
        self.view, self.listeners, self._report, self._tick = view, listeners, report, tick
        self.counts = WatchCounts()
        self.on = True
        self._call: Call | None = None
        self._nothing = torch.empty(0, dtype=torch.int64)

    def begin(self, verb: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call | None:
        """An outermost call begins."""
        if not self.on or self._call is not None:
            return None
        self._call = Call(self.counts.calls.total() + 1, verb, arguments, named)
        return self._call

    def end(self, call: Call) -> None:
        """It has returned: give it to the listeners."""
        start = perf_counter_ns()
        self.counts.calls[call.verb] += 1
        try:
            for listener in self.listeners:
                listener.called(call)
            self._tick(self.counts)
        except Exception as error:
            self.failed(error)
        self._call = None
        took = perf_counter_ns() - start
        self.counts.nanoseconds += took
        self.counts.longest = max(self.counts.longest, took)

    def raised(self, call: Call) -> None:
        """The cache has raised: what it did until then is not known."""
        self._call = None
        self.counts.raised += 1
        self.failed(RuntimeError(f"{call.verb} ended with an error of the cache"))

    def touched(self, node: Any) -> None:
        """Not needed: a match and a checkpoint say where they ended."""

    def holder(self, node: Any, change: int) -> None:
        """A holder came or went."""
        if self._call is not None:
            self._call.locks.append((node, change))

    def removes(self, node: Any) -> None:
        """A victim: its number."""
        if self._call is not None:
            self._call.victims.append(Record(node, 0, self._nothing))

    def freed(self, slots: Tensor) -> None:
        """Slots come back within a call."""
        if self._call is not None:
            self._call.freed.append(slots)

    def failed(self, error: Exception) -> None:
        """End the watch, and say so once."""
        if self.on:
            self.on = False
            self._report(FAILED, self.counts.calls.total(), "", f"the watch has ended: {type(error).__name__}: {error}")


def attach_black_box(cache: Any, watch: BlackBoxWatch) -> None:
    """Put a watch around the calls of a cache that cannot be read."""
    here = Attachment(cache, watch)
    for name, verb in (
        ("match_prefix", MATCH),
        ("insert", INSERT),
        ("checkpoint", CHECKPOINT),
        ("evict", EVICT),
        ("evict_for_alloc", EVICT),
    ):
        here.around(cache, name, verb, _nothing)
    here.around(cache, "touch_prefix", MATCH, _nothing)
    here.around(cache, "lock", LOCK, _locked)
    here.around(cache, "inc_lock_ref", LOCK, lambda here, node, result, counted: here.count(node, 1))
    here.around(cache, "unlock", UNLOCK, _unlocked)
    here.around(cache, "dec_lock_ref", UNLOCK, lambda here, node, result, counted: here.count(node, -1))
    here.around(cache, "reset", RESET, lambda here, *_: here.watch_removal())
    here.watch_removal()
    watch_frees(cache.token_to_kv_pool_allocator, watch.freed)


def _locked(here: Attachment, node: Any, lock: Any, counted: int) -> None:
    if lock is not None and here.counted == counted:  # not counted by `inc_lock_ref` within
        here.count(node, 1)


def _unlocked(here: Attachment, lock: Any, result: Any, counted: int) -> None:
    if lock is not None and here.counted == counted:
        here.count(lock.node, -1)


def _nothing(here: Attachment, first: Any, result: Any, counted: int) -> None:
    """A call of which its answer says enough."""
