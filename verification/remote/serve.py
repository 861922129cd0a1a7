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


class Row(NamedTuple):
    """The slots that a request reads."""

    cached: int  # tokens
    slots: Any


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


class Observation(NamedTuple):
    """The internal state of a subject between two operations. Parents come before their children."""

    now: float
    nodes: Sequence[SeenNode]
    requests: Mapping[int, Any] = MappingProxyType({})
    heap: Sequence[Any] | None = None
    leaves: Iterable[Any] | None = None
    leaf_count: int | None = None


class Pool:
    """A pool of whole, aligned pages. Its allocations and frees are sent to the checker with the next answer."""

    def __init__(self, capacity: int, page_size: int) -> None:
        self.capacity, self.page_size = capacity, page_size  # tokens
        self.moves: list[tuple[str, list[int]]] = []
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
        self.moves.append(("take", as_list(slots)))

    def note_free(self, slots: Any) -> None:
        """Report that these slots were freed, for a cache with a pool of its own."""
        self.moves.append(("give", as_list(slots)))


class Setup(NamedTuple):
    """The argument of a factory."""

    page_size: int  # tokens
    policy: str
    pool: Pool
    device: str = "cpu"


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
        self._pool = Pool(0, 1)
        self._handles: list[Any] = []
        self._receipts: list[Any] = []
        self._lent: list[Any] = []  # containers of slots that the last call took or returned
        self._seconds = 0.0  # spent inside the cache

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a message. An exception that the cache raises becomes an answer."""
        self._pool.moves = []
        what = message["do"]
        answer: dict[str, Any] = self._try(self._verb if what in VERBS else getattr(self, "_" + what), message)
        if what in SIZED and "missing" not in answer:
            answer["sizes"] = self._try(self._sizes, message)
        if message.get("show"):
            answer["seen"] = self._try(self._observe, message)
        if self._pool.moves:
            answer["pool"] = self._pool.moves
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

    def _make(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["protocol"] != PROTOCOL:
            raise Missing(f"this program serves protocol {PROTOCOL}, and was asked for protocol {message['protocol']}")
        self._cache = None  # free the old cache before the new one is made
        self._pool = Pool(message["pool"], message["page_size"])
        self._handles, self._receipts, self._lent = [], [], []
        self._cache = self._factory(Setup(message["page_size"], message["policy"], self._pool, message["device"]))
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
            return {"length": found.length, "slots": self._lend(found.slots), "node": numbered(self._handles, found.node), **name}
        if kind == "row":
            return {"cached": found.cached, "slots": self._lend(found.slots)}
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
        nodes = [  # without what only a cache with a host tier has
            [n[0], n[1], as_list(n[2]), as_list(n[3]), list(n[4]), None if n[5] is None else as_list(n[5]), *n[6:11]] for n in seen.nodes
        ]
        requests = [[h, r[0], r[1], as_list(r[2])] for h, r in seen.requests.items()]
        heap = None if seen.heap is None else [[*entry[0], *entry[1:]] for entry in seen.heap]
        counts = {"leaf_count": seen.leaf_count, "queued": getattr(seen, "queued", 0)}  # not every observation has a queue
        leaves = None if seen.leaves is None else list(seen.leaves)
        return {"now": seen.now, "nodes": nodes, "requests": requests, "heap": heap, "leaves": leaves, **counts}

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


def _tuples(listed: Any) -> Any:
    return tuple(map(_tuples, listed)) if isinstance(listed, list) else listed


def load(target: str) -> Callable[[Any], Any]:
    """Return the factory that `module:factory` or `file.py:factory` names. Raise Missing if there is none."""
    where, _, name = target.rpartition(":")
    if where.endswith(".py"):
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
