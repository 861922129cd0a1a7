"""Which property a fault breaks."""

from collections.abc import Iterable

from radixcheck.spec.events.event_fold import EVENT_PROPERTIES
from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.state import State
from radixcheck.spec.values import NoRoom, NotArrived
from radixcheck.verification.core.catalogue import EVERY, OF_HOST_HEAP
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.printable import let_interrupt_pass
from radixcheck.verification.operations import Op

SOFT = {"time": "RECENCY", "hits": "FREQ", "priority": "PRIORITY", "creation": "CREATION"}
READINGS = {"time", "creation"}  # of a subject's clock
INDEX = frozenset({"HEAP_BOUND", "HEAP_ORDER", "LEAFSET", "HEAP_FULL", "HEAP_STALE", *OF_HOST_HEAP})  # of indices next to the tree
NOT_HARD = INDEX | set(SOFT.values()) | {*EVENT_PROPERTIES}  # a run continues after these
FIELDS = {  # state functions, in the order in which differences are reported
    "owner": "SLOT_PARTITION",
    "page": "SLOT_PARTITION",
    "holder": "SLOT_PARTITION",
    "content": "MATCH_SOUND",
    "row": "NO_UAF",
    "node": "REFINEMENT",  # before the functions of nodes, which differ wherever the nodes do
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
HOST_FIELDS = {  # likewise, of a cache with a host tier
    "host_owner": "HOST_PARTITION",
    "host_page": "HOST_PARTITION",
    "host_content": "HOST_SOUND",
    **FIELDS,
    "resident": "REACHABLE",
    "hosted": "REACHABLE",
    "pins": "PIN_COUNT",
    "stage": "SPAN",
    "floor": "SPAN",
    "aim": "SPAN",
    "reserved": "SPAN",
    "host_row": "SOURCE",
    "host_holder": "HOST_ARRIVAL",
    "filled": "ARRIVAL",
    "host_filled": "HOST_ARRIVAL",
    "host_available": "HOST_COUNT",
}
OF_HOST = HOST_FIELDS.keys() - FIELDS.keys()


# The more direct property comes first: if one operation breaks several, the later ones follow from the first. A property that is in neither
# list stands between the two. Tuned on the mutants, of which it is known which property each must break.
_MOST_DIRECT = (
    *("PEEK_PURE", "MATCH_FRESH", "MATCH_TIERS", "LOAD_EXACT", "BACKUP_PARENTS", "ARRIVED_BEFORE_READ", "TARGET", "SOURCE", "UNIFORM"),
    *("HOST_CLOSED", "DEVICE_CLOSED", "HOST_SOUND", "PIN_COUNT", "ARRIVAL", "HOST_ARRIVAL"),
    *("COVER", "CHILD_KEY", "PARENT", "ISOLATION", "EVICT_UNLOCKED", "EVICT_LEAF", "HIT_PRESERVES", "MATCH_MAX", "MATCH_SOUND"),
    *("INSERT_MATCH_AGREE", "LOCK_LIVENESS", "LOCK_NONNEG", "LOCK_COUNT", *SOFT.values()),
)
_LEAST_DIRECT = (
    *("HOST_ORDER", "REACHABLE", "LOADABLE", "SOME_COPY", "PINNED", "PINNED_HOSTED", "LOCKED_RESIDENT", "QUIESCENT", "HOST_COUNT"),
    *("HOST_EXACT", "HOST_PARTITION"),
    *("ORDER", "COUNT", "NO_ORPHAN", "SLOT_PARTITION", "NO_UAF", "PROTECTED", "LOCK_SPAN", "REFINEMENT"),
)


def directness(property_: str) -> int:
    """Return the place of a property among those that one fault breaks, the most direct first.

    >>> directness("EVICT_UNLOCKED") < directness("EVICT_EXACT") < directness("NO_UAF")
    True
    """
    if property_ in _MOST_DIRECT:
        return _MOST_DIRECT.index(property_)
    return len(_MOST_DIRECT) + (1 + _LEAST_DIRECT.index(property_) if property_ in _LEAST_DIRECT else 0)


def is_hard(violation: Violation) -> bool:
    """Whether nothing after this violation can be judged."""
    return violation.property not in NOT_HARD and not violation.follows_from


def breaks(violations: Iterable[Violation], property_: str) -> bool:
    """Whether one of the violations is of this property."""
    return any(v.property == property_ for v in violations)


def of_crash(error: BaseException) -> str:
    """The property that an exception other than a typed refusal breaks."""
    if isinstance(error, RecursionError):
        return "DEPTH"
    try:
        named = getattr(error, "property_id", "")
    except BaseException as another:  # it is an object of the subject
        let_interrupt_pass(another)
        named = ""
    return named if type(named) is str and named in EVERY else "REFINEMENT"


def of_refusal(op: Op, error: Exception) -> str:
    """The property that is broken if one side refuses with this error and the other admits the call."""
    if isinstance(error, NoRoom):
        return "ADMISSION" if op.name == "start" else "EVICT_PROGRESS"
    if isinstance(error, NotArrived):
        return "ARRIVED_BEFORE_READ"
    return {"reset": "RESET_QUIESCENT", "lock": "MATCH_FRESH"}.get(op.name, "REFINEMENT")


def of_traces(op: Op) -> str:
    """The property that a refused call breaks if it has changed something."""
    return {"start": "ADMISSION", "reset": "RESET_QUIESCENT"}.get(op.name, "EVICT_EXACT")


def of_freed(op: Op, spec: State, freed: set[int], expected: set[int], wanted: int = 0) -> str:
    """The property that is broken if a black box frees other pages than the specification, whose state before the call `spec` is.

    `wanted`: tokens that the call has to evict.
    """
    if op.name in EVICTING:
        return _of_evicted(spec, freed, expected, wanted)
    if op.name == "reset":
        return "RESET_QUIESCENT"
    if op.name in ("finish", "abort", "free") and expected - freed:
        return "FREE_AT_LAST_RELEASE"
    return "INSERT_COVERS" if op.name in ("chunk", "finish") and expected < freed else "SLOT_PARTITION"


def _of_evicted(spec: State, freed: set[int], expected: set[int], wanted: int) -> str:
    if any(page in freed and spec.lock[spec.end[q]] > 0 for q, page in spec.page.items()):
        return "EVICT_UNLOCKED"
    if freed < expected:
        return "ORDER" if 0 < wanted <= len(freed) * spec.positions.page_size else "EVICT_PROGRESS"  # it has freed enough: of others
    return "EVICT_EXACT" if expected < freed else "ORDER"


def of_length(op: Op, answered: int, expected: int) -> str:
    """The property that a wrong number of tokens in an answer breaks."""
    if op.name == "insert":
        return "INSERT_MATCH_AGREE"
    if op.name == "chunk":
        return "INSERT_COVERS"
    return "MATCH_MAX" if answered < expected else "MATCH_SOUND"


def of_difference(op: Op, name: str, seen: State, spec: State) -> str:
    """The property that is broken if the state function `name` differs and no formula is false."""
    if name in ("node", "cached", "end", "page", "owner", "content") and op.name in EVICTING and spec.cached - seen.cached:
        return "ORDER"
    if name in OF_HOST and seen.cached - spec.cached and spec.cached - seen.cached:
        return "HOST_ORDER"
    return HOST_FIELDS[name]
