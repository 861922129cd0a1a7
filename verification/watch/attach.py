"""Puts a watch around one cache: its methods, the method with which nodes leave its tree, and the frees of its allocator.

Instance attributes replace methods, so that other caches of the process are as they were. Inner calls of the cache come here too: each is
part of the outermost one, and adds the nodes that it touches and the holders that come and go. What a cache returns or raises passes
through unchanged.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from radixcheck.verification.watch.tree_view import TreeView
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, INSERT, LOCK, MATCH, READ, RESET, UNLOCK, Call
from radixcheck.verification.watch.watched_frees import watch_frees

Noted = Callable[["Attachment", Any, Any, int], None]  # first argument, result, holders that were counted before the call
Method = Callable[..., Any]


class Watch(Protocol):
    """What a cache reports to its watch. No method raises."""

    view: TreeView

    def begin(self, verb: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call | None:
        """A call begins; None: it is within another one, or the watch is off."""

    def end(self, call: Call) -> None:
        """It has returned."""

    def raised(self, call: Call) -> None:
        """It has raised."""

    def touched(self, node: Any) -> None:
        """The call touched the path to this node."""

    def holder(self, node: Any, change: int) -> None:
        """A holder of this node came (1) or went (-1)."""

    def removes(self, node: Any) -> None:
        """This node is about to leave the tree."""

    def freed(self, slots: Tensor) -> None:
        """These slots went back to the allocator."""

    def failed(self, error: Exception) -> None:
        """What a call did could not be read: the watch itself has failed."""


class Found(NamedTuple):
    """What a lookup without an answer would have answered."""

    device_prefix_len: int
    last_device_node: Any


class Lookup(NamedTuple):
    """The parameters of a match, as far as they matter here."""

    key: Any


class Attachment:
    """One cache and its watch."""

    def __init__(self, cache: Any, watch: Watch) -> None:
        self.cache, self.watch, self.view = cache, watch, watch.view
        self.counted = 0  # holders that came or went
        self._owner: object = None  # of the removal that is watched

    def around(self, owner: Any, name: str, verb: str, noted: Noted) -> None:
        """Put the watch around a method, if there is one."""
        method = getattr(owner, name, None)
        if method is not None:
            setattr(owner, name, update_wrapper(self.wrapped(method, verb, noted), method))

    def wrapped(self, method: Method, verb: str, noted: Noted) -> Method:
        """Return a method that does the same, and reports it to the watch."""
        watch, begin, end = self.watch, self.watch.begin, self.watch.end

        def watched(*arguments: Any, **named: Any) -> Any:
            given = arguments or (*named.values(),)
            first = given[0] if given else None
            call = begin(verb, given, named)
            if call is not None and verb is CHECKPOINT:
                self.guarded(_before, call, first)
            counted = self.counted
            try:
                result = method(*arguments, **named)
            except BaseException:
                if call is not None:
                    watch.raised(call)
                raise
            if call is not None:
                call.result = result
            self.guarded(noted, self, first, result, counted)
            if call is not None:
                end(call)
            return result

        return watched

    def guarded(self, note: Callable[..., None], *arguments: Any) -> None:
        """Take a note. The server must not see it fail."""
        try:
            note(*arguments)
        except Exception as error:
            self.watch.failed(error)

    def touch(self, handle: Any) -> None:
        """The call touched the path to the node of a handle; a session of SGLang has handles without a node."""
        node = self.node(handle)
        if node is not None:
            self.watch.touched(node)

    def count(self, handle: Any, change: int) -> None:
        """A holder came or went: counted where the innermost method does it."""
        self.counted += 1
        node = self.node(handle)
        if node is not None:
            self.watch.holder(node, change)
            self.watch.touched(node)

    def node(self, handle: Any) -> Any | None:
        """Return the node of a handle; None if it has none."""
        view = self.view
        try:
            node = view.node(handle)
        except LookupError:
            return None
        return node if type(node) is type(view.root) else None

    def watch_removal(self) -> None:
        """Put the watch around the method with which nodes leave the tree of now."""
        owner, name = self.view.removal
        if owner is self._owner:
            return  # a reset has kept the tree
        self._owner, method, removes = owner, getattr(owner, name), self.watch.removes

        def watched(node: Any, *arguments: Any, **named: Any) -> Any:
            removes(node)
            return method(node, *arguments, **named)

        setattr(owner, name, update_wrapper(watched, method))

    def watch_touch(self) -> None:
        """A lookup without an answer is a match, whose answer is found here."""
        watch, touch_prefix = self.watch, self.cache.touch_prefix

        def note(call: Call | None, key: Any) -> None:
            found = reached(self.view, key)
            watch.touched(found.last_device_node)
            if call is not None:
                call.result = found

        def watched(key: Any) -> None:
            call = watch.begin(MATCH, (Lookup(key),), {})
            try:
                touch_prefix(key)
            except BaseException:
                if call is not None:
                    watch.raised(call)
                raise
            self.guarded(note, call, key)
            if call is not None:
                watch.end(call)

        self.cache.touch_prefix = watched

    def watch_reads(self) -> None:
        """The unified cache reads paths in its tree, in two ways."""
        core = getattr(self.cache, "tree_core", None)
        if core is None:
            return
        collect = core.collect_full_device_indices
        watched = self.wrapped(lambda node: collect(node, core.root_node_handle()), READ, _read)

        def collected(node: Any, until: Any) -> Any:
            return watched(node) if until == core.root_node_handle() else collect(node, until)

        core.collect_full_device_indices = collected


def attach(cache: Any, watch: Watch) -> None:
    """Put a watch around a cache. `watch.view` is the view of this cache. If that fails, the watch has ended, and it raises."""
    try:
        _attach(Attachment(cache, watch))
    except Exception as error:
        watch.failed(error)
        raise


def _attach(here: Attachment) -> None:
    cache, watch = here.cache, here.watch
    here.around(cache, "match_prefix", MATCH, _found)
    here.around(cache, "insert", INSERT, _found)
    here.around(cache, "checkpoint", CHECKPOINT, _checkpointed)
    here.around(cache, "inc_lock_ref", LOCK, lambda here, node, result, counted: here.count(node, 1))
    here.around(cache, "dec_lock_ref", UNLOCK, lambda here, node, result, counted: here.count(node, -1))
    here.around(cache, "lock", LOCK, _locked)
    here.around(cache, "unlock", UNLOCK, _unlocked)
    here.around(cache, "evict", EVICT, _nothing)
    here.around(cache, "evict_for_alloc", EVICT, _nothing)
    here.around(cache, "path_device_indices", READ, _read)
    here.around(cache, "reset", RESET, lambda here, *_: here.watch_removal())
    here.watch_touch()
    here.watch_reads()
    here.watch_removal()
    watch_frees(cache.token_to_kv_pool_allocator, watch.freed)


def reached(view: TreeView, key: Any) -> Found:
    """Return how far a key is cached, in whole nodes."""
    node, length, rest, space = view.root, 0, key.token_ids[: len(key)], (key.extra_key, key.cache_salt or None)
    while (child := view.below(node, space, rest)) is not None:
        size = view.size(child)
        if list(view.tokens(child)) != list(rest[:size]):
            break
        node, length, rest = child, length + size, rest[size:]
    return Found(length, node)


def _before(call: Call, request: Any) -> None:
    call.before = request.kv.cache_protected_len, request.kv.cache_inserted_len, request.lock


def _nothing(here: Attachment, first: Any, result: Any, counted: int) -> None:
    """A call that touches no path but those of its victims."""


def _found(here: Attachment, first: Any, result: Any, counted: int) -> None:
    here.touch(result.last_device_node)


def _checkpointed(here: Attachment, request: Any, result: Any, counted: int) -> None:
    here.touch(request.last_node)


def _locked(here: Attachment, node: Any, lock: Any, counted: int) -> None:
    if lock is not None and here.counted == counted:
        here.count(node, 1)


def _unlocked(here: Attachment, lock: Any, result: Any, counted: int) -> None:
    if lock is not None and here.counted == counted:
        here.count(lock.node, -1)


def _read(here: Attachment, node: Any, slots: Any, counted: int) -> None:
    here.touch(node)
