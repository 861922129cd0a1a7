"""Serves a cache to a checker in another process: one JSON message a line, over standard input and output (README.md beside this).

    python serve.py module:factory          a module that can be imported
    python serve.py path/to/file.py:factory

This file needs nothing but Python 3.9, so that it runs in whatever environment the cache lives in. A factory takes a `Setup` and
returns a subject, as in `radixcheck.verification.protocol`; a subject may use the types below, or any others with these names.
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
VERBS = "match peek insert lock unlock evict alloc free reset start chunk decode finish abort"
SIZED = {"make", *VERBS.split()}  # whose answers carry sizes


class Missing(Exception):
    """What is to be served is not here. The message is one sentence that says how to get it."""


class CacheError(Exception):
    """A call outside its guard. The cache has changed nothing."""


class NoRoom(CacheError):
    """Free and evictable slots together are fewer than the call needs."""


class StaleHandle(CacheError):
    """The node of this handle has left the tree since it was matched."""


class NotLocked(CacheError):
    """This receipt was released before, or was never given out."""


class StillHeld(CacheError):
    """The cache cannot be reset while a lock, a request or a caller holds a part of it."""


class Key(NamedTuple):
    """Tokens under a namespace."""

    tokens: tuple[Any, ...]
    namespace: tuple[Any, ...] = ()

    def whole_pages(self, page_size: int) -> int:
        """Length in tokens of the part that a cache can hold."""
        return len(self.tokens) // page_size * page_size


class Match(NamedTuple):
    """The longest cached prefix of a key, in whole pages."""

    length: int  # tokens
    slots: Any
    node: Any  # handle of the node that ends there


class Row(NamedTuple):
    """What a request reads."""

    cached: int  # tokens
    slots: Any


class Sizes(NamedTuple):
    """Tokens."""

    available: int
    evictable: int
    protected: int


class Supports(NamedTuple):
    """What a subject can do. What it cannot is shown as NOT OBSERVABLE, never as a pass."""

    tree: bool = True
    requests: bool = True
    namespaces: bool = True
    policies: Sequence[str] = ("lru",)
    page_sizes: Sequence[int] = (1, 2, 16, 64)
    attributes: frozenset[str] = frozenset()  # of time, creation, hits, priority: those that `observe` reports truly
    without: frozenset[str] = frozenset()  # verbs that it lacks
    choices: Mapping[str, str] = MappingProxyType({})  # kinds of difference that it means, and why


class SeenNode(NamedTuple):
    """One node other than the root, as it is."""

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
    """The inside of a subject between two operations, parents first."""

    now: float
    nodes: Sequence[SeenNode]
    requests: Mapping[int, Any] = MappingProxyType({})
    heap: Sequence[Any] | None = None
    leaves: Iterable[Any] | None = None
    leaf_count: int | None = None


class Pool:
    """Slots in whole, aligned pages. What is handed out and given back goes to the checker with the next answer."""

    def __init__(self, capacity: int, page_size: int) -> None:
        self.capacity, self.page_size = capacity, page_size  # tokens
        self.moves: list[tuple[str, list[int]]] = []
        self._free = list(range(capacity // page_size - 1, -1, -1))
        self._out: set[int] = set()

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return len(self._free) * self.page_size

    def alloc(self, tokens: int) -> list[int]:
        """Whole pages for so many tokens. Raises NoRoom."""
        pages = -(-tokens // self.page_size)
        if pages > len(self._free):
            raise NoRoom(f"{tokens} tokens asked, {self.available} free")
        taken = [self._free.pop() for _ in range(pages)]
        self._out.update(taken)
        slots = [page * self.page_size + i for page in taken for i in range(self.page_size)]
        self.note_alloc(slots)
        return slots

    def free(self, slots: Any) -> None:
        """Take whole pages back. What was not out is told to the checker, and not taken a second time."""
        listed = as_list(slots)
        self.note_free(listed)
        for page in (slot // self.page_size for slot in listed[:: self.page_size]):
            if page in self._out:
                self._out.remove(page)
                self._free.append(page)

    def note_alloc(self, slots: Any) -> None:
        """For a cache with slots of its own: these were handed out."""
        self.moves.append(("take", as_list(slots)))

    def note_free(self, slots: Any) -> None:
        """For a cache with slots of its own: these were given back."""
        self.moves.append(("give", as_list(slots)))


class Setup(NamedTuple):
    """What a factory is given."""

    page_size: int  # tokens
    policy: str
    pool: Pool
    device: str = "cpu"


def as_list(slots: Any) -> list[Any]:
    """Slots as integers, whatever container they came in."""
    listed: Any = slots.tolist() if hasattr(slots, "tolist") else list(slots) if isinstance(slots, Iterable) else slots
    return listed if isinstance(listed, list) else [listed]


def numbered(things: list[Any], thing: Any) -> int:
    """A new number for a handle or a receipt, which is an object here and a number on the wire."""
    things.append(thing)
    return len(things) - 1


class Server:
    """One cache at a time."""

    def __init__(self, factory: Callable[[Any], Any]) -> None:
        self._factory = factory
        self._cache: Any = None
        self._pool = Pool(0, 1)
        self._handles: list[Any] = []
        self._receipts: list[Any] = []
        self._lent: list[Any] = []
        self._inside = 0.0  # seconds inside the cache

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What to answer a message. An exception of the cache is an answer."""
        self._pool.moves = []
        said: dict[str, Any] = self._tried(getattr(self, "_" + asked["do"]), asked)
        if asked["do"] in SIZED and "missing" not in said:
            said["sizes"] = self._tried(self._sizes, asked)
        if asked.get("show"):
            said["seen"] = self._tried(self._observe, asked)
        if self._pool.moves:
            said["pool"] = self._pool.moves
        return said

    def _tried(self, call: Callable[[dict[str, Any]], Any], asked: dict[str, Any]) -> Any:
        try:
            return call(asked)
        except Missing as missing:
            return {"missing": str(missing)}
        except Exception as error:  # whatever a cache raises
            refused = any(base.__name__ == "CacheError" for base in type(error).__mro__)
            return {"error": type(error).__name__, "text": str(error), "refused": refused}

    def _sizes(self, asked: dict[str, Any]) -> list[Any]:
        return list(self._timed(self._cache.sizes))

    def _timed(self, call: Callable[..., Any], *arguments: Any) -> Any:
        start = perf_counter()
        try:
            return call(*arguments)
        finally:
            self._inside += perf_counter() - start

    def _make(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["protocol"] != PROTOCOL:
            raise Missing(f"this program serves protocol {PROTOCOL}, and was asked for protocol {asked['protocol']}")
        self._cache = None  # the old one goes first
        self._pool = Pool(asked["pool"], asked["page_size"])
        self._handles, self._receipts, self._lent = [], [], []
        self._cache = self._factory(Setup(asked["page_size"], asked["policy"], self._pool, asked["device"]))
        supports = self._cache.supports
        declared = {name: getattr(supports, name) for name in Supports._fields if hasattr(supports, name)}
        plain = {k: sorted(v) if isinstance(v, (set, frozenset)) else dict(v) if k == "choices" else v for k, v in declared.items()}
        shows = {name: hasattr(self._cache, name) for name in ("observe", "locate")}
        version = getattr(self._cache, "version", "")
        return {"protocol": PROTOCOL, "version": version, "supports": plain, "overwrites": True, **shows}

    def _verb(self, asked: dict[str, Any], *arguments: Any) -> Any:
        if asked["do"] != "free":  # which may end an insert: what that was given stays lent
            self._lent = []
        return self._timed(getattr(self._cache, asked["do"]), *arguments)

    def _lend(self, slots: Any) -> list[Any]:
        self._lent.append(slots)
        return as_list(slots)

    def _match(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self._verb(asked, _key(asked))
        named = {"name": self._cache.locate(found.node)} if hasattr(self._cache, "locate") else {}
        return {"length": found.length, "slots": self._lend(found.slots), "node": numbered(self._handles, found.node), **named}

    def _peek(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"length": self._verb(asked, _key(asked))}

    def _insert(self, asked: dict[str, Any]) -> dict[str, Any]:
        slots = self._given(asked["slots"])
        present = self._verb(asked, _key(asked), slots, asked["priority"])
        self._lent.append(slots)
        return {"length": present}

    def _given(self, slots: list[Any]) -> Any:
        """A caller's slots in the cache's own kind of container."""
        container = getattr(self._cache, "container", None)
        return slots if container is None else container(slots)

    def _lock(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"receipt": numbered(self._receipts, self._verb(asked, self._handles[asked["node"]]))}

    def _unlock(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._verb(asked, self._receipts[asked["receipt"]])
        return {}

    def _evict(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"length": self._verb(asked, asked["tokens"])}

    def _alloc(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"slots": as_list(self._verb(asked, asked["tokens"]))}

    def _free(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._verb(asked, self._given(asked["slots"]))
        return {}

    def _reset(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._verb(asked)
        return {}

    def _start(self, asked: dict[str, Any]) -> dict[str, Any]:
        row = self._verb(asked, asked["request"], _key(asked), asked["priority"])
        return {"cached": row.cached, "slots": self._lend(row.slots)}

    def _chunk(self, asked: dict[str, Any]) -> dict[str, Any]:
        row = self._verb(asked, asked["request"])
        return {"cached": row.cached, "slots": self._lend(row.slots)}

    def _decode(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"slots": as_list(self._verb(asked, asked["request"], asked["token"]))}

    def _finish(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._verb(asked, asked["request"])
        return {}

    _abort = _finish

    def _observe(self, asked: dict[str, Any]) -> dict[str, Any]:
        seen = self._cache.observe()
        nodes = [
            [n[0], n[1], as_list(n[2]), as_list(n[3]), list(n[4]), None if n[5] is None else as_list(n[5]), *n[6:]] for n in seen.nodes
        ]
        requests = [[h, r[0], r[1], as_list(r[2])] for h, r in seen.requests.items()]
        heap = None if seen.heap is None else [[*entry[0], *entry[1:]] for entry in seen.heap]
        counts = {"leaf_count": seen.leaf_count, "queued": getattr(seen, "queued", 0)}  # the last is of those who have a queue
        leaves = None if seen.leaves is None else list(seen.leaves)
        return {"now": seen.now, "nodes": nodes, "requests": requests, "heap": heap, "leaves": leaves, **counts}

    def _locate(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"name": self._cache.locate(self._handles[asked["node"]])}

    def _overwrite(self, asked: dict[str, Any]) -> dict[str, Any]:
        done = False
        for container in self._lent:
            if isinstance(container, list):
                container[:] = [-1] * len(container)
                done = True
            elif hasattr(container, "fill_"):
                container.fill_(-1)
                done = True
        return {"done": done}

    def _spent(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"seconds": self._inside}


def _key(asked: dict[str, Any]) -> Key:
    return Key(tuple(asked["tokens"]), _tuples(asked["namespace"]))


def _tuples(listed: Any) -> Any:
    return tuple(map(_tuples, listed)) if isinstance(listed, list) else listed


def load(target: str) -> Callable[[Any], Any]:
    """The factory that `module:factory` or `file.py:factory` names. Raises Missing."""
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
    """Serve until standard input ends. What the cache prints goes to standard error."""
    here = os.path.dirname(os.path.abspath(__file__))
    if importlib.util.find_spec("radixcheck") is None:  # adapters are found all the same: they need nothing else of it
        for name, folders in (("radixcheck", []), ("radixcheck.verification", [os.path.dirname(here)])):
            sys.modules[name] = ModuleType(name)
            sys.modules[name].__path__ = folders
    sys.modules["radixcheck.verification.remote.serve"] = sys.modules[__name__]
    sys.path[:] = [path for path in sys.path if path != here]  # what lies beside this file is nobody's module
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
