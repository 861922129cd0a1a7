"""Plain copies of what a cache shows, made inside the call that reads it: the checker compares integers, tuples and names only.

A value of another type, or a number that no cache can mean, raises `Unreadable`: the message says which, and what was found.
What is plain already is returned as it is. Names of nodes and components of namespaces may be any hashable objects.
"""

from array import array
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import fields, replace
from itertools import chain, islice
from math import isnan
from operator import index
from typing import Any, TypeVar, cast

from radixcheck.spec.values import Sizes
from radixcheck.verification.core.printable import value_text
from radixcheck.verification.protocol import Observation, SeenCopy, SeenEntry, SeenNode, SeenRequest

NUMBER_MAX = 2**63 - 1
ITEMS_MAX = 2**24  # of one container: an endless one ends there
PLAIN = {int, str, float, bool, bytes, type(None)}  # types of names whose comparison and hash cannot fail
T = TypeVar("T")
Number = TypeVar("Number", int, float)
NUMBERS = {int, float}
UNCHANGING = {tuple, type(None)}  # types of containers of integers that cannot be written to
KNOWN_MAX = 2**17  # nodes that are remembered
HOST_FIELDS = {  # what a cache without a host tier need not show
    **{"host_slots": (), "pins": 0, "copies": ()},
    **{"host_heap": None, "host_queued": 0, "host_leaf_count": None, "host_only": None},
}


class Unreadable(Exception):
    """A value is not of the type that the protocol asks for."""


def items_of(found: Any, what: str) -> Sequence[Any]:
    """Return the items of a list, an array, a tensor or another sequence."""
    if type(found) is list or type(found) is tuple:
        return found
    listed = found.tolist() if hasattr(found, "tolist") else found
    if not isinstance(listed, Sequence) or isinstance(listed, (str, bytes, bytearray)):
        raise Unreadable(f"{what}: expected a sequence, found {value_text(found)}")
    items = tuple(islice(iter(listed), ITEMS_MAX + 1))
    if len(items) > ITEMS_MAX:
        raise Unreadable(f"{what}: expected at most {ITEMS_MAX:,} items, found more")
    return items


def whole(found: Any, what: str) -> int:
    """Return an integer."""
    if type(found) is bool or not hasattr(found, "__index__"):
        raise Unreadable(f"{what}: expected an integer, found {value_text(found)}")
    return _bounded(index(found), what)


def number(found: Any, what: str) -> int | float:
    """Return an integer, or a float that is neither NaN nor infinite."""
    if type(found) is bool or not (hasattr(found, "__index__") or isinstance(found, float)):
        raise Unreadable(f"{what}: expected a number, found {value_text(found)}")
    return _bounded(float(found), what) if isinstance(found, float) else _bounded(index(found), what)


def _bounded(value: Number, what: str) -> Number:
    if not -NUMBER_MAX <= value <= NUMBER_MAX:
        found = f"one of {value.bit_length()} bits" if isinstance(value, int) else str(value)
        raise Unreadable(f"{what}: expected a number of 64 bits, found {found}")
    return value


def integers(found: Any, what: str) -> tuple[int, ...]:
    """Return the integers of a container."""
    items = items_of(found, what)
    if set(map(type, items)) == {int} and -NUMBER_MAX <= min(items) <= max(items) <= NUMBER_MAX:
        return tuple(items)
    return tuple([whole(each, what) for each in items])


def sizes(found: Any) -> Sizes:
    """Return three sizes."""
    return Sizes(*(whole(getattr(found, name), f"`{name}`") for name in Sizes._fields))


def nodes(found: Any) -> Sequence[SeenNode]:
    """Return nodes."""
    listed = items_of(found, "the nodes")
    if set(map(type, listed)) <= {SeenNode} and (not listed or _are_plain(listed)):
        return listed
    return tuple([_node(_fields(n, SeenNode, "a node")) for n in listed])


class PlainNodes:
    """Reads nodes; one that is shown again in the same object, which nothing can change, is not looked at again."""

    def __init__(self) -> None:
        self._known: dict[int, SeenNode] = {}  # by id, which these keep in use

    def __call__(self, found: Any) -> Sequence[SeenNode]:
        """Return nodes."""
        listed, known = items_of(found, "the nodes"), self._known
        new = [n for n in listed if id(n) not in known]
        if nodes(new) is not new:
            return nodes(listed)
        if len(known) > KNOWN_MAX:
            known.clear()
        known.update((id(n), n) for n in new if {type(n.segment), type(n.slots), type(n.child_key), type(n.host_slots)} <= UNCHANGING)
        return listed


def _fields(found: Any, kind: type[T], what: str) -> T:
    """Return a value of this type. Another type that has the same fields will do."""
    if type(found) is kind:
        return found
    names: tuple[str, ...] = getattr(kind, "_fields", ()) or tuple(each.name for each in fields(cast(Any, kind)))
    missing = next((name for name in names if name not in HOST_FIELDS and not hasattr(found, name)), None)
    if missing is not None:
        raise Unreadable(f"{what}: expected `{missing}` in it, found {value_text(found)}")
    return kind(*(getattr(found, name, HOST_FIELDS.get(name)) for name in names))


def _are_plain(listed: Sequence[SeenNode]) -> bool:
    """Whether nothing of these nodes needs a copy, column by column: that takes much less time than node by node."""
    _, _, segments, slots, namespaces, child_keys, locks, times, creations, hits, priorities, host_slots, pins = zip(*listed, strict=True)
    filled = (*segments, *slots, *host_slots)
    if not {*map(type, filled), *map(type, child_keys)} <= {list, tuple, type(None)} or None in filled:
        return False
    lists = (*filter(None, filled), *filter(None, child_keys))
    return (
        set(map(type, namespaces)) == {tuple}
        and _are_integers(lists)
        and _are_within((*locks, *hits, *priorities, *pins), {int})
        and _are_within((*times, *creations), NUMBERS)
    )


def _are_integers(lists: Sequence[Sequence[Any]]) -> bool:
    """Whether all items of these are integers of 64 bits."""
    try:
        array("q", chain.from_iterable(lists))
    except (TypeError, OverflowError):
        return False
    return set(map(type, chain.from_iterable(lists))) <= {int}


def _are_within(values: Sequence[Any], types: set[type]) -> bool:
    """Whether all are of these types, and none is NaN, infinite or of more than 64 bits."""
    if not values or not set(map(type, values)) <= types:
        return not values
    return min(values) >= -NUMBER_MAX and max(values) <= NUMBER_MAX and not any(map(isnan, values))


def _node(n: SeenNode) -> SeenNode:
    of = f"of node {value_text(n.name, 60)}"
    if type(n.namespace) is not tuple:
        raise Unreadable(f"the namespace {of}: expected a tuple, found {value_text(n.namespace)}")
    return SeenNode(
        n.name,
        n.parent,
        integers(n.segment, f"the segment {of}"),
        integers(n.slots, f"the slots {of}"),
        n.namespace,
        None if n.child_key is None else integers(n.child_key, f"the child key {of}"),
        whole(n.lock, f"`lock` {of}"),
        number(n.time, f"`time` {of}"),
        number(n.creation, f"`creation` {of}"),
        whole(n.hits, f"`hits` {of}"),
        whole(n.priority, f"`priority` {of}"),
        integers(n.host_slots, f"the host slots {of}"),
        whole(n.pins, f"`pins` {of}"),
    )


def observation(found: Any, read_nodes: Callable[[Any], Sequence[SeenNode]] = nodes) -> Observation:
    """Return an observation."""
    seen = _fields(found, Observation, "the observation")
    return replace(
        seen,
        now=number(seen.now, "`now`"),
        nodes=read_nodes(seen.nodes),
        requests=_requests(seen.requests),
        heap=_heap(seen.heap, "the heap"),
        leaves=None if seen.leaves is None else _leaves(seen.leaves),
        leaf_count=_optional(seen.leaf_count, "`leaf_count`"),
        queued=whole(seen.queued, "`queued`"),
        copies=[_copy(each) for each in items_of(seen.copies, "the copies")],
        host_heap=_heap(seen.host_heap, "the heap of host leaves"),
        host_queued=whole(seen.host_queued, "`host_queued`"),
        host_leaf_count=_optional(seen.host_leaf_count, "`host_leaf_count`"),
        host_only=_optional(seen.host_only, "`host_only`"),
    )


def _heap(found: Any, what: str) -> list[SeenEntry] | None:
    return None if found is None else [entry(each) for each in items_of(found, what)]


def _optional(found: Any, what: str) -> int | None:
    return None if found is None else whole(found, what)


def _copy(found: Any) -> SeenCopy:
    found = _fields(found, SeenCopy, "a copy")
    sources, targets = integers(found.sources, "the sources of a copy"), integers(found.targets, "the targets of a copy")
    return SeenCopy(bool(found.up), found.floor, found.aim, sources, targets)


def _requests(found: Any) -> dict[int, SeenRequest]:
    if not isinstance(found, Mapping):
        raise Unreadable(f"the requests: expected a mapping, found {value_text(found)}")
    return {whole(h, "the name of a request"): _request(h, request) for h, request in islice(found.items(), ITEMS_MAX)}


def _request(h: int, found: Any) -> SeenRequest:
    found = _fields(found, SeenRequest, f"request {h}")
    slots = found.slots if type(found.slots) is tuple and set(map(type, found.slots)) <= {int} else integers(found.slots, f"the row of {h}")
    return SeenRequest(found.node, whole(found.cached, f"`cached` of request {h}"), slots)


def entry(found: Any) -> SeenEntry:
    """Return an entry of a heap."""
    found = _fields(found, SeenEntry, "an entry of the heap")
    if type(found.key) is not tuple or len(found.key) != 2:
        raise Unreadable(f"the key of an entry: expected two numbers, found {value_text(found.key)}")
    first, second = (number(part, "the key of an entry") for part in found.key)
    return SeenEntry((first, second), found.node, whole(found.serial, "`serial` of an entry"), bool(found.speaks))


def _leaves(found: Any) -> frozenset[Hashable]:
    if not isinstance(found, Set):
        raise Unreadable(f"the leaves: expected a set, found {value_text(found)}")
    return frozenset(islice(found, ITEMS_MAX))


def optional_entry(found: Any) -> SeenEntry | None:
    """Return an entry of a heap, or None."""
    return None if found is None else entry(found)


def name(found: Hashable) -> Hashable:
    """Return the name of a node. Raise whatever its hash and its comparison raise."""
    hash(found)
    bool(found == found)
    return found


def bytes_kept(found: Any) -> int:
    """Return a number of bytes."""
    return whole(found, "the bytes kept")


def are_plain_names(seen: Iterable[SeenNode]) -> bool:
    """Whether the names and namespaces of nodes are of types whose comparison cannot raise."""
    return all(type(part) in PLAIN for n in seen for part in (n.name, n.parent, *n.namespace))


def has_plain_names(seen: Observation) -> bool:
    """Whether this holds for all names of an observation."""
    copies = (name for c in seen.copies for name in (c.floor, c.aim))
    entries = (e.node for heap in (seen.heap, seen.host_heap) for e in heap or ())
    others = (*copies, *(r.node for r in seen.requests.values()), *entries, *(seen.leaves or ()))
    return are_plain_names(seen.nodes) and set(map(type, others)) <= PLAIN
