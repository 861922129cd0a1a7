"""A cache in another process as a subject: each verb is a message. What comes back is looked at before it is believed."""

import gc
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from radixcheck.spec import values
from radixcheck.spec.values import Key, Match, Row, Sizes
from radixcheck.verification.protocol import Observation, SeenEntry, SeenNode, SeenRequest, Setup, Supports
from radixcheck.verification.remote.process import Process, SubjectBabbled
from radixcheck.verification.subjects.registry import UsageError

PROTOCOL = 1
TOGETHER = 4  # processes of one command in one process of ours, before garbage is collected to get some back


class RemoteError(Exception):
    """What the cache raised there, by name."""


@dataclass(frozen=True)
class Remote:
    """The factory of a cache that a command serves. Processes are kept and used again: each serves one cache at a time."""

    command: tuple[str, ...]

    def __call__(self, setup: Setup) -> "RemoteSubject":
        """A fresh cache. Raises `UsageError` if there is none to serve, or it speaks another protocol."""
        process = _processes(self.command).take()
        asked = {"do": "make", "protocol": PROTOCOL, "page_size": setup.page_size, "policy": setup.policy}
        answer = process.ask({**asked, "pool": setup.pool.capacity, "device": setup.device})
        if "missing" in answer:
            raise UsageError(str(answer["missing"]))
        if answer.get("protocol") != PROTOCOL:
            raise UsageError(f"{self.command[0]} speaks protocol {answer.get('protocol')!r}, this is protocol {PROTOCOL}")
        kind = RemoteWhiteBox if answer.get("observe") else RemoteSubject
        return kind(self.command, process, setup.pool, answer)


class _Processes:
    """Those of one command that serve nothing at present."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._command = command
        self._idle: list[Process] = []
        self._busy = 0

    def take(self) -> Process:
        """One that is idle, or a new one."""
        if not self._idle and self._busy >= TOGETHER:
            gc.collect()  # a subject that nobody uses any more gives its process back
        self._busy += 1
        return self._idle.pop() if self._idle else Process(self._command)

    def give(self, process: Process) -> None:
        """It is needed no more."""
        self._busy -= 1
        if process.alive:
            self._idle.append(process)


@cache
def _processes(command: tuple[str, ...]) -> _Processes:
    return _Processes(command)


class RemoteSubject:
    """A black box: its answers, its sizes, and what passes through its pool."""

    def __init__(self, command: tuple[str, ...], process: Process, pool: Any, made: Mapping[str, Any]) -> None:
        self._process, self._pool = process, pool
        self.supports, self.version = _supports(made), str(made.get("version", ""))
        self._sizes: Any = made.get("sizes")
        self._overwrites = made.get("overwrites") is True
        weakref.finalize(self, _processes(command).give, process)

    def match(self, key: Key) -> Match[Any]:
        """As `TreeSubject.match`."""
        said = self._ask("match", **_of(key))
        return Match(_number(said, "length"), _slots(said), _number(said, "node"))

    def peek(self, key: Key) -> int:
        """As `TreeSubject.peek`."""
        return _number(self._ask("peek", **_of(key)), "length")

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """As `TreeSubject.insert`."""
        return _number(self._ask("insert", **_of(key), slots=slots, priority=priority), "length")

    def lock(self, node: object) -> int:
        """As `TreeSubject.lock`."""
        return _number(self._ask("lock", node=node), "receipt")

    def unlock(self, receipt: object) -> None:
        """As `TreeSubject.unlock`."""
        self._ask("unlock", receipt=receipt)

    def evict(self, tokens: int) -> int:
        """As `TreeSubject.evict`."""
        return _number(self._ask("evict", tokens=tokens), "length")

    def alloc(self, tokens: int) -> tuple[int, ...]:
        """As `TreeSubject.alloc`."""
        return _slots(self._ask("alloc", tokens=tokens))

    def free(self, slots: Sequence[int]) -> None:
        """As `TreeSubject.free`."""
        self._ask("free", slots=slots)

    def reset(self) -> None:
        """As `TreeSubject.reset`."""
        self._ask("reset")

    def start(self, request: int, key: Key, priority: int = 0) -> Row[Any]:
        """As `RequestSubject.start`."""
        said = self._ask("start", request=request, **_of(key), priority=priority)
        return Row(_number(said, "cached"), _slots(said))

    def chunk(self, request: int) -> Row[Any]:
        """As `RequestSubject.chunk`."""
        said = self._ask("chunk", request=request)
        return Row(_number(said, "cached"), _slots(said))

    def decode(self, request: int, token: int) -> tuple[int, ...]:
        """As `RequestSubject.decode`."""
        return _slots(self._ask("decode", request=request, token=token))

    def finish(self, request: int) -> None:
        """As `RequestSubject.finish`."""
        self._ask("finish", request=request)

    def abort(self, request: int) -> None:
        """As `RequestSubject.abort`."""
        self._ask("abort", request=request)

    def sizes(self) -> Sizes:
        """As they were after the last verb, with whose answer they came."""
        said = self._sizes
        if isinstance(said, dict):
            raise _raised(said)
        if not isinstance(said, list) or len(said) != len(Sizes._fields) or set(map(type, said)) != {int}:
            raise SubjectBabbled(f"sizes are {said!r}, which are not three numbers of tokens")
        return Sizes(*said)

    def overwrite(self) -> bool:
        """Overwrite, over there, what crossed the border in the last call; whether there was anything."""
        return self._overwrites and self._ask("overwrite").get("done") is True

    def spent(self) -> float:
        """Seconds that the process has spent inside the cache so far."""
        return float(self._ask("spent")["seconds"])

    def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """One message and its answer. Raises the typed errors of the cache, and `RemoteError` for what else it raised."""
        said = self._process.ask({"do": verb, **arguments})
        for move, slots in said.get("pool", ()):
            {"take": self._pool.note_alloc, "give": self._pool.note_free}[move](slots)
        self._sizes = said.get("sizes", self._sizes)
        if "error" in said:
            raise _raised(said)
        return said


class RemoteWhiteBox(RemoteSubject):
    """It shows its inside too."""

    def observe(self) -> Observation:
        """As `Transparent.observe`."""
        said = self._ask("observe")
        nodes = [SeenNode(n[0], n[1], n[2], n[3], _tuples(n[4]), *n[5:]) for n in said["nodes"]]
        requests = {h: SeenRequest(node, cached, slots) for h, node, cached, slots in said["requests"]}
        heap = None if said.get("heap") is None else [SeenEntry((first, second), node) for first, second, node in said["heap"]]
        leaves = None if said.get("leaves") is None else frozenset(said["leaves"])
        return Observation(said["now"], nodes, requests, heap, leaves, said.get("leaf_count"))

    def locate(self, node: object) -> Any:
        """As `Transparent.locate`."""
        return self._ask("locate", node=node)["name"]


def _of(key: Key) -> dict[str, Any]:
    return {"tokens": key.tokens, "namespace": key.namespace}


def _raised(said: Mapping[str, Any]) -> Exception:
    name, text = str(said["error"]), str(said.get("text", ""))
    if said.get("refused") and isinstance(kind := getattr(values, name, None), type) and issubclass(kind, values.CacheError):
        return kind(text)
    return RecursionError(text) if name == "RecursionError" else RemoteError(f"{name}: {text}")


def _number(said: Mapping[str, Any], name: str) -> int:
    found = said.get(name)
    if type(found) is not int:
        raise SubjectBabbled(f"answered {dict(said)!r}, where {name!r} is no whole number")
    return found


def _slots(said: Mapping[str, Any]) -> tuple[int, ...]:
    found = said.get("slots")
    if not isinstance(found, list):
        raise SubjectBabbled(f"answered {dict(said)!r}, where 'slots' is no list")
    return tuple(found)


def _tuples(listed: Any) -> Any:
    return tuple(map(_tuples, listed)) if isinstance(listed, list) else listed


def _supports(made: Mapping[str, Any]) -> Supports:
    said = dict(made.get("supports", {}))
    if not isinstance(said, dict) or not set(said) <= DECLARED.keys():
        raise SubjectBabbled(f"declares {said!r}: what can be declared is {', '.join(DECLARED)}")
    return Supports(**{name: DECLARED[name](value) for name, value in said.items()}, here=False)


DECLARED: dict[str, Callable[[Any], Any]] = {
    "tree": bool,
    "requests": bool,
    "namespaces": bool,
    "policies": tuple,
    "page_sizes": tuple,
    "attributes": frozenset,
    "without": frozenset,
}
