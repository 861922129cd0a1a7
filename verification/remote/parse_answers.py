"""Parses the answers of a program. An answer of the wrong shape raises `ProtocolError`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from radixcheck.spec import values
from radixcheck.spec.values import Sizes
from radixcheck.verification.core.declared import WrongDeclaration, checked
from radixcheck.verification.protocol import Observation, SeenCopy, SeenEntry, SeenNode, SeenRequest, Supports
from radixcheck.verification.remote.process import ProtocolError, excerpt

PROTOCOL = 1  # version
NAMES, NUMBERS, SCALARS = {int, str}, {int, float}, {int, float, str, bool, type(None)}
FLAGS = ("tree", "requests", "namespaces", "larger_host")
ENDS, LARGEST = ("from", "to"), 2**31  # of the page sizes, where they are a range

POOLS = ("take", "give", "take_host", "give_host")  # moves of slots
COPY = {"number": int, "up": bool, "sources": list, "targets": list}
OF_BOTH, OF_HOST = 6, 11  # values of a node: those that a node without a host tier must have, and can have

Answer = Mapping[str, Any]


class RemoteError(Exception):
    """An exception that the cache raised in its own process. The message begins with its name."""


def number(answer: Answer, name: str) -> int:
    """Return a number of tokens, a handle or a receipt."""
    found = answer.get(name)
    return found if type(found) is int else reject(answer, f"{name!r} is not an integer")


def slots(answer: Answer) -> tuple[int, ...]:
    """Return the slots that were allocated or matched."""
    found: Any = answer.get("slots")
    return tuple(found) if _ints(found) else reject(answer, "'slots' is not a list of integers")


def name(answer: Answer) -> int | str | None:
    """Return the name of a node, or None for the root."""
    found: int | str | None = answer.get("name")
    return found if _names((found,)) else reject(answer, "'name' is not the name of a node")


def numbers(answer: Answer, name: str) -> list[int]:
    """Return the numbers of copies."""
    found: Any = answer.get(name)
    return list(found) if _ints(found) else reject(answer, f"{name!r} is not a list of integers")


def moves(answer: Answer) -> list[tuple[str, Any]]:
    """Return what the cache did, in order: it took or gave back slots of one tier, issued a copy, or waited for one."""
    try:
        out = [(move, what) for move, what in answer.get("pool", [])]
    except (TypeError, ValueError):
        return reject(answer, "'pool' is not a list of moves, each a name and what was moved")
    for move, what in out:
        if not _moved(move, what):
            reject(answer, f"'pool' has {excerpt(json.dumps([move, what]).encode())}, which is no move: see verification/remote/README.md")
    return out


def _moved(move: Any, what: Any) -> bool:
    if move in POOLS:
        return _ints(what)
    if move == "copy" and type(what) is dict and {name: type(value) for name, value in what.items()} == COPY:
        return _ints(what["sources"]) and _ints(what["targets"])
    return move == "wait" and type(what) is int


def sizes(answer: Any) -> Sizes:
    """Return the three sizes. Raise the exception of the cache if it raised one instead."""
    _raise_error(answer)
    if _ints(answer) and len(answer) == len(Sizes._fields):
        return Sizes(*answer)
    reject({"sizes": answer}, "'sizes' is not a list of three integers")


def host_available(answer: Any) -> int:
    """Return the free tokens of the host. Raise the exception of the cache if it raised one instead."""
    _raise_error(answer)
    return number({"host_available": answer}, "host_available")


def raised(answer: Answer) -> Exception:
    """Return the exception that an answer describes: a refusal as its own type, any other as a `RemoteError`."""
    name, text = str(answer["error"]), str(answer.get("text", ""))
    kind = getattr(values, name, None)
    if answer.get("refused") is True and isinstance(kind, type) and issubclass(kind, values.CacheError):
        return kind(text)
    return RecursionError(text) if name == "RecursionError" else RemoteError(f"{name}: {text}")


def supports(made: Answer) -> Supports:
    """Return what the program declares of its cache."""
    declared = made.get("supports")
    if not isinstance(declared, dict) or not declared.keys() <= {*FLAGS, *DECLARED}:
        reject(made, f"'supports' is not an object with keys among {', '.join((*FLAGS, *DECLARED))}")
    for name, value in declared.items():
        if not _declares(name, value):
            reject(made, f"{name!r} in 'supports' is not {_form(name)}")
    kept: dict[str, Any] = {name: value if name in FLAGS else DECLARED[name](value) for name, value in declared.items()}
    try:
        return Supports(**checked(kept), here=False)
    except WrongDeclaration as wrong:
        reject(made, str(wrong))


def _declares(name: str, value: Any) -> bool:
    if name in FLAGS:
        return type(value) is bool
    if name == "choices":
        return type(value) is dict and set(map(type, value.values())) <= {str}
    if name == "page_sizes" and type(value) is dict:
        return value.keys() == {*ENDS} and set(map(type, value.values())) == {int} and max(value.values()) <= LARGEST
    return type(value) is list and set(map(type, value)) <= ({int} if name == "page_sizes" else {str})


def _form(name: str) -> str:
    """Return what the value of a key of `supports` must be."""
    if name == "page_sizes":
        return 'a list of them, or {"from": the least, "to": the greatest}'
    return "true or false" if name in FLAGS else "an object of sentences" if name == "choices" else "a list of them"


def _page_sizes(declared: list[int] | dict[str, int]) -> Sequence[int]:
    if isinstance(declared, list):
        return tuple(declared)
    least, greatest = map(declared.__getitem__, ENDS)
    return range(least, greatest + 1)


def observation(answer: Answer) -> Observation:
    """Return the internal state of the cache. Raise the exception of the cache if it raised one instead."""
    _raise_error(answer)
    try:
        return _observation(answer)
    except (KeyError, TypeError, ValueError) as error:
        reject(answer, f"the observation cannot be read ({type(error).__name__}: {error})")


def _observation(answer: Answer) -> Observation:
    """Raise KeyError, TypeError or ValueError for an answer of another shape."""
    nodes = [_node(n) for n in answer["nodes"]]
    requests = {h: _request(*rest) for h, *rest in answer.get("requests", ())}
    (heap, queued), (host_heap, host_queued) = _heap(answer, ""), _heap(answer, "host_")
    leaves, *counts = (answer.get(name) for name in ("leaves", "leaf_count", "host_leaf_count", "host_only"))
    _require(_numbers([answer["now"], *requests]), "'now' or 'requests'")
    _require({*map(type, counts)} <= {int, type(None)}, "'leaf_count', 'host_leaf_count' or 'host_only'")
    _require(leaves is None or (type(leaves) is list and _names(leaves)), "'leaves'")
    copies = [_copy(*copy) for copy in answer.get("copies", ())]
    shown = nodes, requests, heap, None if leaves is None else frozenset(leaves), counts[0], queued, copies
    return Observation(answer["now"], *shown, host_heap, host_queued, *counts[1:])


def _heap(answer: Answer, tier: str) -> tuple[list[SeenEntry] | None, int]:
    """Return the entries of a heap, and how many of them are in a queue beside it."""
    found = answer.get(f"{tier}heap")
    entries = None if found is None else [_entry(*entry) for entry in found]
    return entries, min(int(answer.get(f"{tier}queued", 0)), len(entries or ()))


def _request(node: Any, cached: Any, slots: Any) -> SeenRequest:
    _require(_ints(slots) and _names((node,)) and _numbers((cached,)), "a request")
    return SeenRequest(node, cached, slots)


def _entry(first: Any, second: Any, node: Any, serial: Any = 0, current: Any = True) -> SeenEntry:
    _require(_numbers((first, second, serial)) and _names((node,)) and type(current) is bool, "an entry of the heap")
    return SeenEntry((first, second), node, serial, current)


def _copy(up: Any, floor: Any, aim: Any, sources: Any, targets: Any) -> SeenCopy:
    _require(type(up) is bool and _names((floor, aim)) and _ints(sources) and _ints(targets), "a copy")
    return SeenCopy(up, floor, aim, sources, targets)


def _node(n: Any) -> SeenNode:
    name, parent, segment, slots, namespace, child_key = n[:OF_BOTH]
    attributes, host = n[OF_BOTH:OF_HOST], n[OF_HOST:]
    lists = _ints(segment) and _ints(slots) and (child_key is None or _ints(child_key)) and type(namespace) is list
    typed = lists and _names((name, parent)) and _numbers((*attributes, *host[1:])) and {*map(type, namespace)} <= SCALARS
    _require(typed and all(map(_ints, host[:1])), f"node {excerpt(json.dumps(n).encode())}")
    return SeenNode(name, parent, segment, slots, tuple(namespace), child_key, *attributes, *host)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"wrong type in {what}")


def _ints(found: Any) -> bool:
    return type(found) is list and set(map(type, found)) <= {int}


def _numbers(found: Iterable[Any]) -> bool:
    return set(map(type, found)) <= NUMBERS


def _names(found: Iterable[Any]) -> bool:
    return set(map(type, found)) <= {*NAMES, type(None)}


def _raise_error(answer: Any) -> None:
    if isinstance(answer, dict) and "error" in answer:
        raise raised(answer)


def reject(answer: Answer, reason: str) -> NoReturn:
    """Raise `ProtocolError` for an answer, with the reason."""
    raise ProtocolError(f"answered {excerpt(json.dumps(answer).encode())}: {reason}")


DECLARED: dict[str, Any] = {
    **{"policies": tuple, "page_sizes": _page_sizes, "attributes": frozenset, "without": frozenset},
    **{"choices": dict, "modes": tuple},
}
