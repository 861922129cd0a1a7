"""Every property: those of the specification, and the program checks, which have no formula (storage, cost, depth, two runs)."""

from radixcheck.spec.host.copy_invariants import HOST_STATE_FORMULAS
from radixcheck.spec.host.host_theorems import HOST_THEOREMS
from radixcheck.spec.property import Property
from radixcheck.spec.theorems import FORMULAS


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
        "Every index of evictable leaves that the cache shows, and their number, equal what the tree says.",
        "leaf_index_forgets_promotion",
        "L1",
        "A second index is a second place to forget an update (FB-35).",
    ),
    _program(
        "HEAP_ORDER",
        "The heap's array is a heap under the keys by which it compares now, and entries that queue beside it are in order.",
        "heap_of_live_keys",
        "C1 C11",
        "Entries that compare by live times break the heap when a node is touched (C1).",
        heap=True,
    ),
    _program(
        "HEAP_BOUND",
        "The heap holds at most 2 x (evictable leaves) + 4 entries after every operation.",
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

CATALOGUE: dict[str, Property] = {**FORMULAS, **{p.id: p for p in (*PROGRAM_CHECKS, MISUSE)}}

# What is checked of a cache with a host tier. A property of `CATALOGUE` that reads slots has another formula here, of the device.
HOST_FORMULAS: dict[str, Property] = {p.id: p for p in (*HOST_STATE_FORMULAS, *HOST_THEOREMS)}
