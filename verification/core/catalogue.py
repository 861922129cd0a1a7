"""Every property: those of the specification, and the program checks, which have no formula (storage, cost, depth, two runs)."""

from radixcheck.spec.events.event_invariants import EVENT_FORMULAS, HOST_EVENT_FORMULAS
from radixcheck.spec.host.copy_invariants import HOST_STATE_FORMULAS
from radixcheck.spec.host.host_heap import DEVICE_HEAP_FORMULAS, HOST_HEAP_FORMULAS
from radixcheck.spec.host.host_theorems import HOST_THEOREMS
from radixcheck.spec.property import Property
from radixcheck.spec.theorems import FORMULAS
from radixcheck.verification.protocol import Supports


def _program(id_: str, sentence: str, mutant: str, questions: str = "", why: str = "", heap: bool = False) -> Property:
    return Property(id_, "program", sentence, mutant, questions, heap=heap, why=why)


PROGRAM_CHECKS = (
    Property(
        "DETERMINISM",
        "theorem",
        "A second replica that gets the same operations gives the same answers and refusals, and frees the same slots.",
        "victims_by_address",
        "L3",
        why="Ranks that evict different nodes disagree about shapes and wait for each other for ever (FB-49).",
    ),
    _program(
        "REFINEMENT",
        "After every operation the cache is in the state that the specification computes (reported for what no other property names).",
        "decode_wastes_page",
        "C1",
    ),
    _program(
        "NO_ALIAS",
        "Overwriting the slots that a caller passed in or got back in an earlier call changes no slots of the tree or of a request, "
        "and no later answer.",
        "insert_keeps_callers_array",
        "C9",
        "Engines reuse their buffers at the next step.",
    ),
    _program(
        "MATCH_FRESH",
        "A lock of an older match and a start that is tried again do what they would do right after a new match, or are refused.",
        "start_remembers_match",
        why="What a match found may be evicted before it is used (FB-26).",
    ),
    _program(
        "LEAFSET",
        "Every index of evictable leaves that the cache shows, and their number, equal what the tree says. With a host tier so do the "
        "numbers of host leaves and of tokens that only the host has.",
        "leaf_index_forgets_promotion",
        "L1",
        "A second index is a second place to forget an update (FB-35).",
    ),
    _program(
        "HEAP_ORDER",
        "The array of each heap is a heap under the keys by which it compares now, and entries that queue beside it are in order.",
        "heap_of_live_keys",
        "C1 C11",
        "Entries that compare by live times break the heap when a node is touched (C1).",
        heap=True,
    ),
    _program(
        "HEAP_BOUND",
        "A heap holds at most 2 x (leaves that may be evicted from its tier) + 4 entries after every operation.",
        "heap_never_tidied",
        "C3",
        "Each unlock may push an entry: without a bound the heap grows with traffic (C3).",
        heap=True,
    ),
    _program(
        "MEM_BOUND",
        "Cycles that leave the cache empty, with new keys, namespaces and requests, or with refused calls, leave nothing behind: after 128 "
        "it keeps as many objects and bytes as after 32, or stops growing before 2,048. Parts of split nodes that stay keep at most four "
        "times the slot storage that they need.",
        "evicted_nodes_kept",
        why="Halves of a split that share one array keep all of it for a single page (FB-31, FB-56).",
    ),
    _program(
        "DEPTH",
        "No operation on a chain of 1,500 nodes nests more than 1,000 calls.",
        "recursive_walk",
        why="Conversations of many turns are deep trees (FB-84).",
    ),
    _program(
        "EVICT_COST",
        "Evicting all of a tree four times as large takes at most eight times the lines of Python.",
        "evict_scans_per_victim",
        "C7 L1",
    ),
    _program(
        "MATCH_COST",
        "Matching a chain four times as deep, or a key four times as long, takes at most eight times the lines of Python.",
        "match_rewalks_from_root",
    ),
    _program(
        "VERB_COST",
        "Among four times as many other nodes, namespaces, locks, requests or loans, or in a pool four times as large, each verb but "
        "`evict` and `reset` takes at most a quarter more lines of Python, or one more for every two things added; for a key or path four "
        "times as long, or four times as many victims or nodes to forget, each but `evict` takes at most eight times as many.",
        "sizes_walk_the_tree",
        why="A scheduler calls these verbs at each step, however much is cached (FB-85).",
    ),
)

MISUSE = _program(
    "MISUSE", "Each call outside its guard that the kit makes gets a typed error and changes nothing.", "unlock_twice", "Q2 Q10"
)

# Observed by a probe only: a replay of the trace does not show them.
PROBED = ("MEM_BOUND", "DEPTH", "EVICT_COST", "MATCH_COST", "VERB_COST")

CATALOGUE: dict[str, Property] = {**FORMULAS, **{p.id: p for p in (*PROGRAM_CHECKS, *EVENT_FORMULAS, MISUSE)}}

# Postconditions that say the same of a cache with a host tier.
_OF_BOTH = ("RECENCY", "FREQ", "PRIORITY", "CREATION", "PEEK_PURE", "INSERT_COVERS", "EVICT_UNLOCKED", "FREE_AT_LAST_RELEASE")

# The formulas for a cache with a host tier. A property of `CATALOGUE` that reads slots has another formula here: of the device.
HOST_FORMULAS: dict[str, Property] = {
    **{id_: FORMULAS[id_] for id_ in (*_OF_BOTH, "RESET_QUIESCENT")},
    **{p.id: p for p in (*HOST_STATE_FORMULAS, *DEVICE_HEAP_FORMULAS, *HOST_HEAP_FORMULAS, *HOST_THEOREMS, *HOST_EVENT_FORMULAS)},
}
OF_HOST_HEAP = frozenset(p.id for p in HOST_HEAP_FORMULAS)

HOST_CHECKS = (
    _program(
        "MATCH_TIERS",
        "A match finds the longest prefix of the key that is on the device, and says how much more of the key is cached behind it.",
        "match_forgets_host_part",
        "C10",
        "What it leaves out is computed again, although the host has it.",
    ),
    _program(
        "LOAD_EXACT",
        "A load copies all of what a match has found behind its part on the device, if that fits, and else nothing; its answer says which.",
        "load_back_stops_early",
        "C10",
    ),
    _program(
        "BACKUP_PARENTS",
        "The copies to the host are those of the mode: under write-through of each node that was hit enough, after what lies above it; "
        "under write-back of each node that leaves the device; of no other, and of none twice.",
        "backup_skips_parent",
        "C10 Q6",
        "A child on the host without its parent cannot be reached there (sglang#22062, sglang#30106).",
    ),
    _program(
        "HOST_EXACT",
        "An eviction on the host frees the shortfall and not more, in whole nodes, and answers how much it freed; nothing else frees host "
        "slots of the tree.",
        "host_evict_counts_nothing",
    ),
    _program("HOST_ORDER", "The nodes that leave the host are the least host leaves of the policy.", "host_evict_oldest_first", "L2"),
)

# Every property, for look-ups; and those of a cache with a host tier, which are shown of no other.
_OF_HOST = {**HOST_FORMULAS, **{p.id: p for p in HOST_CHECKS}}
EVERY: dict[str, Property] = {**CATALOGUE, **{id_: p for id_, p in _OF_HOST.items() if id_ not in CATALOGUE}}


def properties_of(supports: Supports) -> tuple[Property, ...]:
    """Return the properties that a cache with these capabilities can have: those of the host tier only if it has one."""
    return tuple({**CATALOGUE, **(_OF_HOST if supports.modes else {})}.values())
