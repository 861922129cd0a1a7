"""Every property: those of the specification, and the program checks, which have no formula (storage, cost, depth, two runs)."""

from radixcheck.spec.property import Property
from radixcheck.spec.theorems import FORMULAS

PROGRAM_CHECKS = (
    Property(
        "DETERMINISM",
        "theorem",
        "The same operations and choices give the same answers and the same victims, on every replica.",
        "victims_by_address",
        "L3",
    ),
    Property(
        "REFINEMENT",
        "program",
        "After every operation the cache is in the state that the specification computes (what no other property names).",
        "decode_wastes_page",
        "C1",
    ),
    Property(
        "NO_ALIAS",
        "program",
        "The tree shares no storage with its callers: overwriting what was passed in or returned changes nothing.",
        "insert_keeps_callers_array",
        "C9",
    ),
    Property(
        "MATCH_FRESH",
        "program",
        "A match result that is used later is still attached, or the match is made again.",
        "start_remembers_match",
    ),
    Property(
        "LEAFSET",
        "program",
        "Every index that the cache keeps (evictable leaves, their number) equals what the tree says.",
        "leaf_index_forgets_promotion",
        "L1",
    ),
    Property(
        "HEAP_ORDER",
        "program",
        "The heap's array is a heap under the keys by which it compares now.",
        "heap_of_live_keys",
        "C1 C11",
        heap=True,
    ),
    Property(
        "HEAP_BOUND",
        "program",
        "The heap holds at most 2 x (evictable leaves) + 4 entries after every operation.",
        "heap_never_tidied",
        "C3",
        heap=True,
    ),
    Property(
        "MEM_BOUND",
        "program",
        "Memory follows what is cached: what was evicted is not kept alive, and split halves do not share one storage.",
        "evicted_nodes_kept",
    ),
    Property("DEPTH", "program", "No operation recurses on the depth of the tree.", "recursive_walk"),
    Property(
        "EVICT_COST",
        "program",
        "Evicting all of a tree four times as large takes at most eight times the lines of Python.",
        "evict_scans_per_victim",
        "C7 L1",
    ),
    Property(
        "MATCH_COST",
        "program",
        "Matching a chain four times as deep takes at most eight times the lines of Python.",
        "match_rewalks_from_root",
    ),
)

PROBED = ("MEM_BOUND", "DEPTH", "EVICT_COST", "MATCH_COST")  # observed by a probe only: a replay of the trace does not show them

MISUSE = Property("MISUSE", "program", "A call outside its guard gets a typed error and changes nothing.", "unlock_twice", "Q2 Q10")

CATALOGUE: dict[str, Property] = {**FORMULAS, **{p.id: p for p in (*PROGRAM_CHECKS, MISUSE)}}
