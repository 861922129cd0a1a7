"""The frames of a trace: the answer to each operation, the tree and heap after it, and the properties that it broke.

Nothing here runs a cache: `runs/show_job.py` makes frames of a subject, `runs/countermodel.py` of a solver's model.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from radixcheck.spec.values import Namespace, Sizes
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.printable import value_text
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry, SeenNode

NEW, SPLIT, EVICTED, CUT_OFF, FORGOTTEN = "new", "new by a split", "evicted", "cut off", "forgotten"
DEMOTED, LOADED = "demoted", "loaded"  # with a host tier: a node has left the device and the host still has it; it is back
STALE = {
    "gone": "its node is gone",
    "locked": "its node is locked",
    "inner": "its node has children",
    "aged": "its key is old",
    "doubled": "another entry is current for its node",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the eviction heap."""

    key: str
    node: str  # the tokens from the root to the end of the node
    stale: str  # a key of STALE; empty: the entry is current

    def to_json(self) -> dict[str, Any]:
        """Return the entry as a JSON object."""
        return {"key": self.key, "node": self.node, "stale": STALE.get(self.stale, "")}


@dataclass(frozen=True, slots=True)
class Frame:
    """The state of a cache after one operation, or before the first."""

    number: int  # of the operation; 0: before the first
    operation: str
    answer: str
    seen: Observation | None  # with the nodes that this operation removed; None: the subject is black box
    labels: Mapping[NodeId, str] = field(default_factory=dict)  # of nodes: NEW, SPLIT, EVICTED, CUT_OFF, FORGOTTEN, DEMOTED, LOADED
    heap: tuple[Entry, ...] | None = None  # None: the subject shows no heap
    lost: tuple[int, ...] = ()  # unreachable slots
    sizes: Sizes | None = None  # as the cache reports them
    broken: tuple[Violation, ...] = ()
    host_available: int | None = None  # tokens; None: the cache has no host tier
    specified: Observation | None = None  # the tree of the specification, for a black box

    @property
    def shown(self) -> Observation | None:
        """The tree of the cache; of a black box that of the specification."""
        return self.specified if self.seen is None else self.seen

    def to_json(self) -> dict[str, Any]:
        """Return the frame as a JSON object. A node that the operation removed is among the nodes, with its mark."""
        return {
            **{"step": self.number, "operation": self.operation, "answer": self.answer},
            "sizes": self.sizes._asdict() if self.sizes else None,
            "nodes": self._nodes(self.seen) if self.seen else None,
            **({"specified": self._nodes(self.specified)} if self.specified else {}),
            "heap": None if self.heap is None else [entry.to_json() for entry in self.heap],
            "lost": list(self.lost),
            **({} if self.host_available is None else {"host_available": self.host_available, "copies": self._copies(self.seen)}),
            "broken": [{"property": v.property, "text": v.text, "follows_from": v.follows_from} for v in self.broken],
        }

    def _nodes(self, seen: Observation) -> list[dict[str, Any]]:
        places = {n.name: i for i, n in enumerate(seen.nodes)}
        return [
            {
                "parent": places.get(n.parent),
                "segment": list(n.segment),
                "slots": list(n.slots),
                "namespace": [value_text(each) for each in n.namespace],
                **{"time": n.time, "hits": n.hits, "priority": n.priority, "lock": n.lock},
                "mark": self.labels.get(n.name, ""),
                **({} if self.host_available is None else {"host_slots": list(n.host_slots), "pins": n.pins}),
            }
            for n in seen.nodes
        ]

    def _copies(self, seen: Observation | None) -> list[dict[str, Any]] | None:
        if seen is None:
            return None
        places = {n.name: i for i, n in enumerate(seen.nodes)}
        ends = [{"up": c.up, "floor": places.get(c.floor), "aim": places.get(c.aim)} for c in seen.copies]
        slots = [{"sources": list(c.sources), "targets": list(c.targets)} for c in seen.copies]
        return [end | both for end, both in zip(ends, slots, strict=True)]


class Place(NamedTuple):
    """Where a node ends. It identifies a node: a cache may use the name of a removed node again."""

    namespace: Namespace
    tokens: tuple[int, ...]


class Ghost(NamedTuple):
    """The name, in a frame, of a node that the operation removed."""

    name: NodeId


def _places(seen: Observation) -> dict[NodeId, Place]:
    found: dict[NodeId, Place] = {}
    for n in seen.nodes:  # parents first
        above = found[n.parent].tokens if n.parent in found else ()
        found[n.name] = Place(n.namespace, above + tuple(n.segment))
    return found


def compared(
    before: Observation | None, seen: Observation, freed: set[int], size: int, operation: str, host_freed: frozenset[int] = frozenset()
) -> tuple[Observation, dict[NodeId, str]]:
    """Return the observation with the removed nodes, each below its former parent, and the labels of new, moved and removed nodes.

    `freed`, `host_freed`: the pages of each tier that the operation freed; `size`: tokens of a page.
    """
    if before is None:
        return seen, {}
    old, now = _places(before), _places(seen)
    here = {place: name for name, place in now.items()}
    behind = {now[n.name] for n in seen.nodes if not n.slots}  # only the host has these
    evicted = {n.name for n in before.nodes if old[n.name] not in behind and _left(n, freed, host_freed, size)}
    gone = [n for n in before.nodes if n.name in evicted or old[n.name] not in here]
    lasting = {place for name, place in old.items() if name not in evicted}
    labels = {name: _arrived(place, lasting) for name, place in now.items() if place not in lasting}
    was_behind = {old[n.name]: not n.slots for n in before.nodes}
    moved = {name for name, place in now.items() if was_behind.get(place, place in behind) != (place in behind) and name not in labels}
    labels |= {name: DEMOTED if now[name] in behind else LOADED for name in moved}
    ghosts = []
    for n in gone:
        parent = None if n.parent is None else here.get(old[n.parent], Ghost(n.parent))
        ghosts.append(n._replace(name=Ghost(n.name), parent=parent))
        labels[Ghost(n.name)] = FORGOTTEN if operation == "reset" else EVICTED if n.name in evicted else CUT_OFF
    return replace(seen, nodes=[*seen.nodes, *ghosts]), labels


def _left(n: SeenNode, freed: Container[int], host_freed: Container[int], size: int) -> bool:
    """Return whether slots of a node were freed: on the device, or on the host if only the host had it."""
    if n.slots:
        return any(slot // size in freed for slot in n.slots)
    return any(slot // size in host_freed for slot in n.host_slots)


def _arrived(place: Place, lasting: set[Place]) -> str:
    """Return the mark of a new node: SPLIT if it ends within a node that was there before, so that its tokens were cached."""
    length = len(place.tokens)
    inside = (p for p in lasting if p.namespace == place.namespace and p.tokens[:length] == place.tokens)
    return SPLIT if any(inside) else NEW


def tokens_of(seen: Observation, known: Mapping[NodeId, str]) -> dict[NodeId, str]:
    """Return for each node the tokens from the root to its end, as text."""
    found: dict[NodeId, str] = dict(known)
    for n in seen.nodes:  # parents first
        above = found.get(n.parent, "") if n.parent is not None else ""
        found[n.name] = f"{above} {' '.join(map(str, n.segment))}".strip()
    return found


def entries(seen: Observation, names: Mapping[NodeId, str], aged: Callable[[int], bool]) -> tuple[Entry, ...] | None:
    """Return the entries of the heap in their order. `aged(index)`: whether the key of an evictable leaf's entry is an old one."""
    if seen.heap is None:
        return None
    nodes = {n.name: n for n in seen.nodes}
    inner = {n.parent for n in seen.nodes}
    return tuple(
        Entry(_key(e), _named(e.node, names), _stale(e, i, nodes.get(e.node), e.node in inner, aged)) for i, e in enumerate(seen.heap)
    )


def _named(node: NodeId, names: Mapping[NodeId, str]) -> str:
    return f"[{names[node]}]" if node in names else "no node of the tree"


def _key(entry: SeenEntry) -> str:
    first, second = entry.key
    return f"{figure(first)}, {figure(second)}" if second else figure(first)


def figure(number: int | float) -> str:
    """Return a time or a key as text: an integer with all digits, any other number with six.

    >>> figure(12345678), figure(0.1234567), figure(3.0)
    ('12345678', '0.123457', '3')
    """
    return f"{number:g}" if isinstance(number, float) else str(number)


def _stale(entry: SeenEntry, index: int, node: SeenNode | None, inner: bool, aged: Callable[[int], bool]) -> str:
    """Return the first reason why the entry is not current for an evictable leaf; empty if it is."""
    if node is None:
        return "gone"
    if node.lock > 0:
        return "locked"
    if inner:
        return "inner"
    if not entry.speaks:
        return "doubled"
    return "aged" if aged(index) else ""
