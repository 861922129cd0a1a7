"""Which property a difference breaks, and how a difference is said."""

from typing import Any

from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.values import NoRoom
from radixcheck.verification.operations import Op, listed

SOFT = {"time": "RECENCY", "hits": "FREQ", "priority": "PRIORITY", "creation": "CREATION"}
READINGS = {"time", "creation"}  # of a subject's clock
INDEX = frozenset({"HEAP_BOUND", "HEAP_ORDER", "LEAFSET", "HEAP_FULL", "HEAP_STALE"})  # beside the tree: a run can go on
FIELDS = {
    "owner": "SLOT_PARTITION",
    "page": "SLOT_PARTITION",
    "holder": "SLOT_PARTITION",
    "content": "MATCH_SOUND",
    "row": "NO_UAF",
    "node": "REFINEMENT",  # before what is kept for each node, which differs wherever the nodes do
    "cached": "REFINEMENT",
    "end": "REFINEMENT",
    "lock": "LOCK_COUNT",
    "at": "LOCK_SPAN",
    "evictable": "COUNT",
    "protected": "COUNT",
    "available": "COUNT",
    "up": "PARENT",
    **SOFT,
}
STALE_SIGNS = {  # what the use of a stale match breaks: one of these
    "start": frozenset({"MATCH_SOUND", "ISOLATION", "MATCH_MAX", "ADMISSION"}),
    "lock": frozenset({"LOCK_COUNT", "LOCK_SPAN", "NO_ORPHAN", "MATCH_FRESH", "PROTECTED", "COUNT"}),
}
STALE_TRACES = {  # and with it perhaps some of these, but nothing else
    "start": frozenset({"NO_UAF", "SLOT_PARTITION", "LOCK_SPAN", "NO_ORPHAN", "EVICT_EXACT"}),
    "lock": frozenset[str](),
}


def of_crash(error: Exception) -> str:
    """An exception that is not a typed refusal."""
    if isinstance(error, RecursionError):
        return "DEPTH"
    return str(getattr(error, "property_id", "REFINEMENT"))


def of_refusal(op: Op, error: Exception) -> str:
    """Refused (with this error) where the specification admits, or the other way round."""
    if isinstance(error, NoRoom):
        return "ADMISSION" if op.name == "start" else "EVICT_PROGRESS"
    return {"reset": "RESET_QUIESCENT", "lock": "MATCH_FRESH"}.get(op.name, "REFINEMENT")


def of_traces(op: Op) -> str:
    """A refused call that has changed something."""
    return {"start": "ADMISSION", "reset": "RESET_QUIESCENT"}.get(op.name, "EVICT_EXACT")


def of_freed(op: Op, spec: State, freed: set[int], expected: set[int]) -> str:
    """A black box gave other pages back than the specification, which has made the same call."""
    if op.name in EVICTING:
        if any(page in freed and spec.lock[spec.end[q]] > 0 for q, page in spec.page.items()):
            return "EVICT_UNLOCKED"
        return "EVICT_PROGRESS" if freed < expected else "EVICT_EXACT" if expected < freed else "ORDER"
    if op.name == "reset":
        return "RESET_QUIESCENT"
    if op.name in ("finish", "abort", "free") and expected - freed:
        return "FREE_AT_LAST_RELEASE"
    return "INSERT_COVERS" if op.name in ("chunk", "finish") and expected < freed else "SLOT_PARTITION"


def of_length(op: Op, answered: int, expected: int) -> str:
    """A wrong number of tokens in an answer."""
    if op.name == "insert":
        return "INSERT_MATCH_AGREE"
    if op.name == "chunk":
        return "INSERT_COVERS"
    return "MATCH_MAX" if answered < expected else "MATCH_SOUND"


def of_difference(op: Op, name: str, seen: State, spec: State) -> str:
    """A function of the state that differs although no formula says so."""
    if name in ("node", "cached", "end", "page", "owner", "content") and op.name in EVICTING and spec.cached - seen.cached:
        return "ORDER"
    return FIELDS[name]


def shown(positions: Positions, position: int) -> str:
    """A position as its tokens."""
    if not EPS <= position < len(positions.prev):
        return "nothing"
    key = positions.key(position)
    where = f" in {key.namespace!r}" if key.namespace else ""
    return listed(key.tokens) + where


def show_difference(positions: Positions, name: str, seen: Any, spec: Any) -> str:
    """The first places at which two values of one function differ."""
    if isinstance(seen, dict):
        keys = [k for k in seen.keys() | spec.keys() if seen.get(k) != spec.get(k)]
        of_pages = name in ("holder", "content")
        labels = ((f"page {k}" if of_pages else _label(positions, k), k) for k in sorted(keys)[:3])
        return "; ".join(f"{label}: {seen.get(k)}, specification {spec.get(k)}" for label, k in labels)
    if isinstance(seen, set):
        sides = (("the subject", seen - spec), ("the specification", spec - seen))
        return ", ".join(f"only {who} has {', '.join(shown(positions, p) for p in sorted(s))}" for who, s in sides if s)
    if isinstance(seen, list):
        pages = [i for i, (a, b) in enumerate(zip(seen, spec, strict=True)) if a != b]
        words = ("free", "tree", "request", "nobody")
        return "; ".join(f"page {i} belongs to {words[seen[i]]}, in the specification to {words[spec[i]]}" for i in pages[:3])
    return f"{seen}, specification {spec}"


def _label(positions: Positions, key: Any) -> str:
    return f"request {key[0]} at {shown(positions, key[1])}" if isinstance(key, tuple) else shown(positions, key)


def last_victim_size(before: State, after: State, freed: list[int], page_size: int) -> int:
    """Tokens of the node that was evicted last, told by the order in which pages came back."""
    gone = {page: q for q, page in before.page.items() if q not in after.cached}
    for page in reversed(freed):
        if page in gone:
            end = before.end[gone[page]]
            return page_size * sum(1 for q in gone.values() if before.end[q] == end)
    return 0
