"""Serves a cache to a checker in another process: one JSON message per line, over standard input and output (see README.md).

    python serve.py module:factory          a module that can be imported
    python serve.py path/to/file.py:factory

This file needs only Python 3.9, so that it runs in the environment of the cache. A factory takes a `Setup` and returns a subject, as
described in `radixcheck.verification.protocol`. A subject may use the types below, or any other types with the same field names.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple

PROTOCOL = 1
TEXT_MAX = 10_000  # characters of a message
# The arguments of each verb, by their names in a message, and what its answer holds.
VERBS = {
    "match": ("key", "match"),
    "peek": ("key", "length"),
    "insert": ("key slots priority", "length"),
    "lock": ("node", "receipt"),
    "unlock": ("receipt", ""),
    "evict": ("tokens", "length"),
    "alloc": ("tokens", "slots"),
    "free": ("slots", ""),
    "reset": ("", ""),
    "start": ("request key priority", "row"),
    "chunk": ("request", "row"),
    "decode": ("request token", "slots"),
    "finish": ("request", ""),
    "abort": ("request", ""),
    "load_back": ("node", "length"),
    "backup": ("node", "length"),
    "poll": ("", "tickets"),
    "evict_host": ("tokens", "length"),
    "run": ("request", ""),
}
SIZED = {"make", *VERBS}  # messages whose answers carry sizes


class Missing(Exception):
    """The cache to serve is not installed. The message is one sentence that says how to get it."""


class CacheError(Exception):
    """A call whose guard does not hold. The cache has not changed."""


class BadSlots(CacheError):
    """These are not slots: the cache's container cannot hold them."""


class NoRoom(CacheError):
    """The call needs more slots than are free and evictable together."""


class StaleHandle(CacheError):
    """The node of this handle is no longer in the tree."""


class NotLocked(CacheError):
    """This receipt was released before, or never issued."""


class StillHeld(CacheError):
    """The cache cannot be reset while a lock, a request or a caller holds part of it."""


class NotArrived(CacheError):
    """A copy that fills slots of this request's row has not arrived."""


class Key(NamedTuple):
    """Tokens under a namespace."""

    tokens: tuple[Any, ...]
    namespace: tuple[Any, ...] = ()

    def whole_pages(self, page_size: int) -> int:
        """Return the length of the longest part in whole pages, in tokens."""
        return len(self.tokens) // page_size * page_size


class Match(NamedTuple):
    """The longest cached prefix of a key, in whole pages."""

    length: int  # tokens
    slots: Any
    node: Any  # handle of the node that ends the match


class TieredMatch(NamedTuple):
    """The same of what the device has, and what only the host has behind it."""

    length: int  # tokens
    slots: Any
    node: Any
    host_length: int  # tokens behind `length`
    host_node: Any  # handle of the node that ends there


class Row(NamedTuple):
    """The slots that a request reads."""

    cached: int  # tokens
    slots: Any
    waits: Sequence[Any] = ()  # tickets of the copies that still fill some of them


class Sizes(NamedTuple):
    """Sizes of a cache, in tokens."""

    available: int
    evictable: int
    protected: int


class Supports(NamedTuple):
    """What a subject can do. A property that needs anything else is NOT OBSERVABLE, never a pass."""

    tree: bool = True
    requests: bool = True
    namespaces: bool = True
    policies: Sequence[str] = ("lru",)
    page_sizes: Sequence[int] = (1, 2, 16, 64)
    attributes: frozenset[str] = frozenset()  # the ones among time, creation, hits, priority that `observe` reports correctly
    without: frozenset[str] = frozenset()  # verbs that it does not have
    choices: Mapping[str, str] = MappingProxyType({})  # kinds of difference that are intended, each with the reason
    modes: Sequence[str] = ()  # of a host tier; empty: it has none
    larger_host: bool = False  # it refuses a host pool that is not larger than the pool of its device


class SeenNode(NamedTuple):
    """One node other than the root."""

    name: Any
    parent: Any  # None: the root
    segment: Sequence[int]
    slots: Sequence[int]
    namespace: tuple[Any, ...] = ()
    child_key: Sequence[int] | None = None
    lock: int = 0
    time: float = 0
    creation: float = 0
    hits: int = 0
    priority: int = 0
    host_slots: Sequence[int] = ()
    pins: int = 0


class SeenCopy(NamedTuple):
    """One copy that was issued and is not acknowledged."""

    up: bool  # from the host to the device
    floor: Any  # name of the node behind which it begins; None: the root
    aim: Any  # name of the node with which it ends
    sources: Sequence[int]
    targets: Sequence[int]


class Observation(NamedTuple):
    """The internal state of a subject between two operations. Parents come before their children."""

    now: float
    nodes: Sequence[SeenNode]
    requests: Mapping[int, Any] = MappingProxyType({})
    heap: Sequence[Any] | None = None
    leaves: Iterable[Any] | None = None
    leaf_count: int | None = None
    queued: int = 0
    copies: Sequence[Any] = ()
    host_heap: Sequence[Any] | None = None
    host_queued: int = 0
    host_leaf_count: int | None = None
    host_only: int | None = None


class Pool:
    """A pool of whole, aligned pages. Its allocations and frees are sent to the checker with the next answer."""

    def __init__(self, capacity: int, page_size: int, moves: list[Any], tier: str = "") -> None:
        self.capacity, self.page_size = capacity, page_size  # tokens
        self._moves, self._tier = moves, tier
        self._free = list(range(capacity // page_size - 1, -1, -1))
        self._out: set[int] = set()

    @property
    def available(self) -> int:
        """Return the number of free slots, in tokens."""
        return len(self._free) * self.page_size

    def alloc(self, tokens: int) -> list[int]:
        """Return the slots of enough whole pages for this many tokens. Raise NoRoom if there are too few."""
        pages = -(-tokens // self.page_size)
        if pages > len(self._free):
            raise NoRoom(f"{tokens} tokens requested, {self.available} free")
        taken = [self._free.pop() for _ in range(pages)]
        self._out.update(taken)
        slots = [page * self.page_size + i for page in taken for i in range(self.page_size)]
        self.note_alloc(slots)
        return slots

    def free(self, slots: Any) -> None:
        """Take whole pages back. A page that is already free is reported to the checker, and not taken a second time."""
        listed = as_list(slots)
        self.note_free(listed)
        for page in (slot // self.page_size for slot in listed[:: self.page_size]):
            if page in self._out:
                self._out.remove(page)
                self._free.append(page)

    def note_alloc(self, slots: Any) -> None:
        """Report that these slots were allocated, for a cache with a pool of its own."""
        self._moves.append(("take" + self._tier, as_list(slots)))

    def note_free(self, slots: Any) -> None:
        """Report that these slots were freed, for a cache with a pool of its own."""
        self._moves.append(("give" + self._tier, as_list(slots)))


class Ticket:
    """One copy. The checker decides when it is done, and whether it has failed."""

    def __init__(self, number: int, copier: Copier) -> None:
        self.number, self._copier = number, copier
        self.done = self.failed = False

    def wait(self) -> None:
        """Return when it is done."""
        self._copier.wait(self)


class Copier:
    """Issues copies between the tiers. They are sent to the checker with the next answer, in order with the moves of both pools."""

    def __init__(self, moves: list[Any]) -> None:
        self._moves, self._count, self._fails = moves, 0, False
        self._in_flight: dict[int, Ticket] = {}

    def copy(self, up: bool, sources: Any, targets: Any) -> Ticket:
        """Issue a copy from the host to the device (`up`) or back."""
        ticket = self._in_flight[self._count] = Ticket(self._count, self)
        self._count += 1
        slots = {"sources": as_list(sources), "targets": as_list(targets)}
        self._moves.append(("copy", {"number": ticket.number, "up": bool(up), **slots}))
        return ticket

    def wait(self, ticket: Ticket) -> None:
        """Complete a copy for which the cache waits, as the checker does when it reads of it."""
        if not ticket.done:
            self._complete(ticket.number, self._fails)
            self._fails = False
            self._moves.append(("wait", ticket.number))

    def hear(self, message: dict[str, Any]) -> None:
        """Complete the copies that the checker has completed since the last message."""
        for number in message.get("arrived", ()):
            self._complete(number, False)
        for number in message.get("failed", ()):
            self._complete(number, True)
        self._fails = message.get("next_fails", False)

    def _complete(self, number: int, failed: bool) -> None:
        ticket = self._in_flight.pop(number)
        ticket.done, ticket.failed = True, failed


class Setup(NamedTuple):
    """The argument of a factory."""

    page_size: int  # tokens
    policy: str
    pool: Pool
    device: str = "cpu"
    host_pool: Pool | None = None  # None: the cache is to run without a host tier
    copier: Copier | None = None
    mode: str = ""
    events: bool = False  # its KV events are checked in the process of the checker alone


def as_list(slots: Any) -> list[Any]:
    """Return slots as a list of integers, whatever their container."""
    listed: Any = slots.tolist() if hasattr(slots, "tolist") else list(slots) if isinstance(slots, Iterable) else slots
    return listed if isinstance(listed, list) else [listed]


def _plain(value: Any) -> Any:
    """Return a value of `supports` as JSON has it."""
    if isinstance(value, range) and value.step == 1:
        return {"from": value.start, "to": value.stop - 1}
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(value) if isinstance(value, (set, frozenset)) else list(value) if isinstance(value, range) else value


def numbered(things: list[Any], thing: Any) -> int:
    """Append a handle or a receipt and return its number: it is an object here and a number on the wire."""
    things.append(thing)
    return len(things) - 1


def _text(error: Exception) -> str:
    """Return the message of an exception, as far as it can be had."""
    try:
        return str.__str__(str(error))[:TEXT_MAX]
    except Exception:
        return "its message cannot be read"


class Server:
    """Answers messages about one cache at a time."""

    def __init__(self, factory: Callable[[Any], Any]) -> None:
        self._factory = factory
        self._cache: Any = None
        self._moves: list[Any] = []  # of the pools and the copier, in this message
        self._copier, self._tiered = Copier(self._moves), False
        self._handles: list[Any] = []
        self._receipts: list[Any] = []
        self._lent: list[Any] = []  # containers of slots that the last call took or returned
        self._seconds = 0.0  # spent inside the cache

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a message. An exception that the cache raises becomes an answer."""
        self._moves.clear()
        self._copier.hear(message)
        what = message["do"]
        answer: dict[str, Any] = self._try(self._verb if what in VERBS else getattr(self, "_" + what), message)
        if what in SIZED and "missing" not in answer:
            answer["sizes"] = self._try(self._sizes, message)
            if self._tiered:
                answer["host_available"] = self._try(self._host_available, message)
        if message.get("show"):
            answer["seen"] = self._try(self._observe, message)
        if self._moves:
            answer["pool"] = [*self._moves]
        return answer

    def _try(self, call: Callable[[dict[str, Any]], Any], message: dict[str, Any]) -> Any:
        try:
            return call(message)
        except Missing as missing:
            return {"missing": str(missing)}
        except Exception as error:  # whatever a cache raises
            refused = any(base.__name__ == "CacheError" for base in type(error).__mro__)
            return {"error": type(error).__name__, "text": _text(error), "refused": refused}

    def _timed(self, call: Callable[..., Any], *arguments: Any) -> Any:
        start = perf_counter()
        try:
            return call(*arguments)
        finally:
            self._seconds += perf_counter() - start

    def _sizes(self, message: dict[str, Any]) -> list[Any]:
        return list(self._timed(self._cache.sizes))

    def _host_available(self, message: dict[str, Any]) -> Any:
        return self._timed(self._cache.host_available)

    def _make(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["protocol"] != PROTOCOL:
            raise Missing(f"this program serves protocol {PROTOCOL}, and was asked for protocol {message['protocol']}")
        self._cache = None  # free the old cache before the new one is made
        size, moves, host = message["page_size"], self._moves, message.get("host_pool", 0)
        self._handles, self._receipts, self._lent = [], [], []
        self._copier, self._tiered = Copier(moves), "host_pool" in message
        tier = (Pool(host, size, moves, "_host"), self._copier, message["mode"]) if self._tiered else ()
        self._cache = self._factory(Setup(size, message["policy"], Pool(message["pool"], size, moves), message["device"], *tier))
        supports = self._cache.supports
        declared = {name: getattr(supports, name) for name in Supports._fields if hasattr(supports, name)}
        plain = {name: _plain(value) for name, value in declared.items()}
        shows = {name: hasattr(self._cache, name) for name in ("observe", "locate")}
        version = getattr(self._cache, "version", "")
        return {"protocol": PROTOCOL, "version": version, "supports": plain, "overwrites": True, **shows}

    def _verb(self, message: dict[str, Any]) -> dict[str, Any]:
        name = message["do"]
        arguments, result = VERBS[name]
        if name != "free":  # a free may be the end of an insert: the slots given to the insert stay lent
            self._lent = []
        values = [self._argument(message, argument) for argument in arguments.split()]
        found = self._timed(getattr(self._cache, name), *values)
        if name == "insert":
            self._lent.append(values[1])
        return self._result(result, found)

    def _argument(self, message: dict[str, Any], name: str) -> Any:
        if name == "key":
            return Key(tuple(message["tokens"]), _tuples(message["namespace"]))
        value = message[name]
        if name == "node":
            return _issued(self._handles, value, StaleHandle)
        if name == "receipt":
            return _issued(self._receipts, value, NotLocked)
        container = getattr(self._cache, "container", None) if name == "slots" else None
        try:
            return value if container is None else container(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise BadSlots(f"these are not slots: {error}") from error

    def _result(self, kind: str, found: Any) -> dict[str, Any]:
        if kind == "match":
            name = {"name": self._cache.locate(found.node)} if hasattr(self._cache, "locate") else {}
            node = numbered(self._handles, found.node)
            host = {"host_length": found.host_length, "host_node": numbered(self._handles, found.host_node)} if self._tiered else {}
            return {"length": found.length, "slots": self._lend(found.slots), "node": node, **name, **host}
        if kind == "row":
            waits = {"waits": _numbers(found.waits)} if self._tiered else {}
            return {"cached": found.cached, "slots": self._lend(found.slots), **waits}
        if kind == "tickets":
            return {"tickets": _numbers(found)}
        if kind == "receipt":
            return {"receipt": numbered(self._receipts, found)}
        if kind == "slots":
            return {"slots": as_list(found)}
        return {kind: found} if kind else {}

    def _lend(self, slots: Any) -> list[Any]:
        self._lent.append(slots)
        return as_list(slots)

    def _observe(self, message: dict[str, Any]) -> dict[str, Any]:
        seen = self._cache.observe()
        nodes = list(map(self._node, seen.nodes))
        requests = [[h, r[0], r[1], as_list(r[2])] for h, r in seen.requests.items()]
        counts = {"leaf_count": seen.leaf_count, "queued": getattr(seen, "queued", 0)}  # not every observation has a queue
        leaves = None if seen.leaves is None else list(seen.leaves)
        host = self._host(seen) if self._tiered else {}
        return {"now": seen.now, "nodes": nodes, "requests": requests, "heap": _entries(seen.heap), "leaves": leaves, **counts, **host}

    def _host(self, seen: Any) -> dict[str, Any]:
        shown = {name: getattr(seen, name) for name in ("host_queued", "host_leaf_count", "host_only") if hasattr(seen, name)}
        copies = [[*c[:3], as_list(c[3]), as_list(c[4])] for c in seen.copies]
        return {"copies": copies, "host_heap": _entries(getattr(seen, "host_heap", None)), **shown}

    def _node(self, n: Any) -> list[Any]:
        host = [as_list(n[11]), n[12]] if self._tiered else []
        return [n[0], n[1], as_list(n[2]), as_list(n[3]), list(n[4]), None if n[5] is None else as_list(n[5]), *n[6:11], *host]

    def _locate(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"name": self._cache.locate(self._handles[message["node"]])}

    def _overwrite(self, message: dict[str, Any]) -> dict[str, Any]:
        done = False
        for container in self._lent:
            if isinstance(container, list):
                container[:] = [-1] * len(container)
                done = True
            elif hasattr(container, "fill_"):
                container.fill_(-1)
                done = True
        return {"done": done}

    def _spent(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"seconds": self._seconds}


def _issued(things: list[Any], number: Any, error: type[CacheError]) -> Any:
    """Return the handle or the receipt with this number. Raise `error` if there is none."""
    if type(number) is not int or not 0 <= number < len(things):
        raise error(f"{number!r} was never issued")
    return things[number]


def _entries(heap: Iterable[Any] | None) -> list[Any] | None:
    return None if heap is None else [[*entry[0], *entry[1:]] for entry in heap]


def _numbers(tickets: Iterable[Any]) -> list[Any]:
    return [ticket.number for ticket in tickets]


def _tuples(listed: Any) -> Any:
    return tuple(map(_tuples, listed)) if isinstance(listed, list) else listed


def load(target: str) -> Callable[[Any], Any]:
    """Return the factory that `module:factory` or `file.py:factory` names. Raise Missing if there is none."""
    where, _, name = target.rpartition(":")
    if where.endswith(".py"):
        folder = os.path.dirname(os.path.realpath(where))
        ours = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # where adapters have the names of engines
        if os.path.commonpath((folder, ours)) != ours:
            sys.path += [folder, os.getcwd()]  # at the end: another adapter may have the name of what it imports
        spec = importlib.util.spec_from_file_location("served_" + os.path.basename(where)[:-3].replace("-", "_"), where)
        if spec is None or spec.loader is None or not os.path.exists(where):
            raise Missing(f"there is no file {where}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    else:
        sys.path.insert(0, os.getcwd())
        module = importlib.import_module(where)
    factory: Callable[[Any], Any] | None = getattr(module, name, None)
    if not callable(factory):
        raise Missing(f"{where} has no factory {name!r}")
    return factory


def _unavailable(sentence: str) -> Callable[[Any], Any]:
    def factory(_setup: Any) -> Any:
        raise Missing(sentence)

    return factory


def main(arguments: Sequence[str]) -> None:
    """Serve until standard input ends. Send what the cache prints to standard error."""
    here = os.path.dirname(os.path.abspath(__file__))
    if importlib.util.find_spec("radixcheck") is None:  # adapters import only this file from it
        for name, folders in (("radixcheck", []), ("radixcheck.verification", [os.path.dirname(here)])):
            sys.modules[name] = ModuleType(name)
            sys.modules[name].__path__ = folders
    sys.modules["radixcheck.verification.remote.serve"] = sys.modules[__name__]
    sys.path[:] = [path for path in sys.path if path != here]  # the other files of this folder are not modules of the cache
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        factory = load(arguments[0])
    except Missing as missing:
        factory = _unavailable(str(missing))
    except ImportError as error:
        factory = _unavailable(f"{arguments[0]} cannot be imported: {error}")
    server = Server(factory)
    for line in sys.stdin:
        answers.write(json.dumps(server.answer(json.loads(line)), separators=(",", ":")) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
