"""What a program's answers mean. Each is looked at before it is believed: of the wrong shape, it is `SubjectBabbled`."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from radixcheck.spec import values
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.values import Sizes
from radixcheck.verification.protocol import Observation, SeenEntry, SeenNode, SeenRequest, Supports
from radixcheck.verification.remote.process import SubjectBabbled, shown

PROTOCOL = 1  # the version of all this
NAMES, NUMBERS, SCALARS = {int, str}, {int, float}, {int, float, str, bool, type(None)}
FLAGS = ("tree", "requests", "namespaces")
DECLARED: dict[str, Any] = {"policies": tuple, "page_sizes": tuple, "attributes": frozenset, "without": frozenset, "choices": dict}

Said = Mapping[str, Any]


class RemoteError(Exception):
    """What the cache raised there, by name."""


def number(said: Said, name: str) -> int:
    """A number of tokens, a handle or a receipt."""
    found = said.get(name)
    return found if type(found) is int else _wrong(said, f"{name!r} is no whole number")


def slots(said: Said) -> tuple[int, ...]:
    """The slots that were handed out."""
    found: Any = said.get("slots")
    return tuple(found) if _ints(found) else _wrong(said, "'slots' is no list of whole numbers")


def name(said: Said) -> int | str | None:
    """The name of a node; None: the root."""
    found: int | str | None = said.get("name")
    return found if _names((found,)) else _wrong(said, "'name' is no name of a node")


def moves(said: Said) -> list[tuple[bool, list[int]]]:
    """What the pool gave and got: whether it was taken, and which slots."""
    found = said.get("pool", [])
    try:
        out = [({"take": True, "give": False}[move], slots) for move, slots in found]
    except (KeyError, TypeError, ValueError):
        return _wrong(said, '\'pool\' is no list of ["take" or "give", slots]')
    return out if all(_ints(slots) for _, slots in out) else _wrong(said, "'pool' names slots that are no whole numbers")


def sizes(said: Any) -> Sizes:
    """Three numbers. Raises what the cache raised instead."""
    if isinstance(said, dict) and "error" in said:
        raise raised(said)
    return (
        Sizes(*said) if _ints(said) and len(said) == len(Sizes._fields) else _wrong({"sizes": said}, "'sizes' are not three whole numbers")
    )


def raised(said: Said) -> Exception:
    """The error of an answer: a refusal by its own type, anything else by its name."""
    name, text = str(said["error"]), str(said.get("text", ""))
    kind = getattr(values, name, None)
    if said.get("refused") is True and isinstance(kind, type) and issubclass(kind, values.CacheError):
        return kind(text)
    return RecursionError(text) if name == "RecursionError" else RemoteError(f"{name}: {text}")


def supports(made: Said) -> Supports:
    """What the program declares of its cache."""
    said = made.get("supports")
    if not isinstance(said, dict) or not said.keys() <= {*FLAGS, *DECLARED}:
        _wrong(made, f"'supports' declares something else than {', '.join((*FLAGS, *DECLARED))}")
    for name, value in said.items():
        form = "true or false" if name in FLAGS else "a sentence for each of them" if name == "choices" else "a list of them"
        if not _declares(name, value):
            _wrong(made, f"what 'supports' says of {name} is not {form}")
    policies, page_sizes = said.get("policies", ["lru"]), said.get("page_sizes", [1])
    if not (policies and set(policies) <= POLICIES.keys() and page_sizes and min(page_sizes) > 0):
        _wrong(made, f"'supports' names no page size, or not only policies of {', '.join(POLICIES)}")
    kept: dict[str, Any] = {name: value if name in FLAGS else DECLARED[name](value) for name, value in said.items()}
    return Supports(**kept, here=False)


def _declares(name: str, value: Any) -> bool:
    if name in FLAGS:
        return type(value) is bool
    if name == "choices":
        return type(value) is dict and set(map(type, value.values())) <= {str}
    return type(value) is list and set(map(type, value)) <= ({int} if name == "page_sizes" else {str})


def observation(said: Said) -> Observation:
    """The inside of the cache. Raises what the cache raised instead."""
    if isinstance(said, dict) and "error" in said:
        raise raised(said)
    try:
        nodes = [_node(n) for n in said["nodes"]]
        requests = {h: SeenRequest(node, cached, slots) for h, node, cached, slots in said.get("requests", ())}
        heap, leaves, count = (said.get(name) for name in ("heap", "leaves", "leaf_count"))
        entries = None if heap is None else [SeenEntry((first, second), *rest) for first, second, *rest in heap]
        queued = min(int(said.get("queued", 0)), len(entries or ()))
        seen = Observation(said["now"], nodes, requests, entries, None if leaves is None else frozenset(leaves), count, queued)
    except (KeyError, TypeError, ValueError) as error:
        _wrong(said, f"the inside cannot be read ({type(error).__name__}: {error})")
    rows = all(_ints(r.slots) and _names((r.node,)) for r in requests.values())
    keys = _numbers(number for e in entries or () for number in (*e.key, e.serial)) and _names(e.node for e in entries or ())
    flags = all(type(e.speaks) is bool for e in entries or ()) and (leaves is None or type(leaves) is list)
    marks = _numbers([seen.now, *requests, *(r.cached for r in requests.values()), *(() if count is None else (count,))])
    return (
        seen if rows and keys and flags and marks and _names(leaves or ()) else _wrong(said, "the inside holds what is no number or name")
    )


def _node(n: Any) -> SeenNode:
    name, parent, segment, slots, namespace, child_key, *marks = n
    lists = _ints(segment) and _ints(slots) and (child_key is None or _ints(child_key)) and type(namespace) is list
    if not (lists and _names((name, parent)) and _numbers(marks) and {*map(type, namespace)} <= SCALARS):
        raise ValueError(f"node {shown(json.dumps(n).encode())}")
    return SeenNode(name, parent, segment, slots, tuple(namespace), child_key, *marks)


def _ints(found: Any) -> bool:
    return type(found) is list and set(map(type, found)) <= {int}


def _numbers(found: Iterable[Any]) -> bool:
    return set(map(type, found)) <= NUMBERS


def _names(found: Iterable[Any]) -> bool:
    return set(map(type, found)) <= {*NAMES, type(None)}


def _wrong(said: Said, why: str) -> NoReturn:
    raise SubjectBabbled(f"answered {shown(json.dumps(said).encode())}: {why}")
