"""The claims of sglang#6907, its reviewers' questions, and what later changes ask: our answers, and the results that they rest on.

No verdict is written here. What is said of an answer is what the first of its results says; the others support it. A result that
does not come out as `expected` shows that the answer is wrong.
"""

from dataclasses import dataclass

PROVED, REFUTED, TESTED = "PROVED", "REFUTED", "TESTED"
PAIRS, NODES, BASE, OURS = "as-submitted:pairs", "as-submitted:nodes", "base", "optimized"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One stored result that an answer rests on."""

    source: str  # "prove", or the subject that was verified
    name: str  # of a condition; or of a property
    expected: str

    @property
    def command(self) -> str:
        """What repeats it."""
        return f"radixcheck prove --property {self.name}" if self.source == "prove" else f"radixcheck verify {self.source}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, what we say to it, and why."""

    id: str
    question: str
    answer: str
    evidence: tuple[Evidence, ...] = ()
    open: str = ""  # what is not decided, and why


def proved(*names: str) -> tuple[Evidence, ...]:
    """Conditions, or all conditions of one formula."""
    return tuple(Evidence("prove", name, PROVED) for name in names)


def refuted(*names: str) -> tuple[Evidence, ...]:
    """Claims that are refuted by a model, and where a cache does the same by a run."""
    return tuple(Evidence("prove", name, REFUTED) for name in names)


def found(subject: str, word: str, *properties: str) -> tuple[Evidence, ...]:
    """What checking a cache says."""
    return tuple(Evidence(subject, id_, word) for id_ in properties)


_MEASURED = "time is measured and not judged: `radixcheck bench`, by leaves, victims and page size"
_NO_HOST_TIER = "the host tier is not specified yet"

ANSWERS = (
    Answer(
        "C1",
        "A persistent heap, updated on insert, unlock and delete, replaces collecting all leaves.",
        "It may: such a heap is complete. The one submitted is, as far as it was tested, but evicts in the wrong order: entries age.",
        (*proved("HEAP_FULL", "HEAP-COMPLETE", "LEAFSET-EXACT"), *found(PAIRS, TESTED, "HEAP_FULL"), *found(PAIRS, REFUTED, "ORDER")),
    ),
    Answer(
        "C2",
        "A lock removes the node from the heap.",
        "It cannot, and need not: the entry is dead while its node is locked, is told apart by looking at the node, and needs no stamp.",
        (*proved("STAMP", "Q2-GUARD", "HEAP-PROGRESS"), *found(PAIRS, TESTED, "EVICT_UNLOCKED")),
    ),
    Answer(
        "C3",
        "An unlock adds the node again.",
        "Without a sweep the heap has no bound: each lock and unlock of a leaf leaves one more entry behind. Swept, it is bounded.",
        (*found(PAIRS, REFUTED, "HEAP_BOUND"), *proved("HEAP-BOUNDED")),
    ),
    Answer(
        "C4",
        "Deleting a leaf does nothing to the heap; eviction promotes the parent.",
        "That suffices where the parent is pushed when its last child goes: then the loop never gets stuck, and ends.",
        (*proved("evict/HEAP_FULL", "PROGRESS", "MEASURE", "EVICT-ENDS"), *found(PAIRS, TESTED, "EVICT_PROGRESS")),
    ),
    Answer(
        "C5",
        "The child key stored on a node stays right.",
        "It does, through splits too, if a split files both halves.",
        (*proved("CHILD_KEY", "Q7-CHILD-KEY"), *found(PAIRS, TESTED, "CHILD_KEY")),
    ),
    Answer(
        "C6",
        "One clock reading serves a whole insert.",
        "It gives parent and child equal times, and then a heap that holds internal nodes may evict the parent. Reading the clock once per "
        "node, parent first, is worse. With one tick for each access and a leaf check no two leaves tie.",
        (*refuted("Q1-EQUAL", "Q1-PARENT-FIRST"), *proved("UNIQUE-ANY", "TIME_CHAIN")),
    ),
    Answer("C7", "Evictions get faster.", "", open=_MEASURED),
    Answer(
        "C8",
        "chain.from_iterable flattens in linear time.",
        "",
        open="that the results are equal is tested (`tests/test_batch.py`), and time is measured: `radixcheck bench --scenario batch`",
    ),
    Answer(
        "C9",
        "torch.as_tensor avoids a copy.",
        "",
        open="it copies a list and an array, and shares a tensor, whose owner then changes both: tested only (`tests/test_batch.py`)",
    ),
    Answer("C10", "The hierarchical cache keeps working.", "", open=_NO_HOST_TIER),
    Answer("C11", "A guard in the loop avoids rebalancing the heap.", "", open=_MEASURED),
    Answer(
        "C12",
        "Mean latency falls.",
        "",
        open="it needs a served model; the cache's share of a request is measured: `radixcheck bench --scenario trace`",
    ),
    Answer(
        "Q1",
        "The heap also holds internal nodes: can one be evicted?",
        "Yes, in three operations; what lay behind it is cut off, and its slots return late. The check is needed exactly where some child "
        "does not rank strictly before its parent: equal times, a parent read first and a touch without repair each suffice.",
        (
            *found(PAIRS, REFUTED, "EVICT_LEAF", "NO_ORPHAN"),
            *refuted("Q1-EQUAL", "Q1-PARENT-FIRST", "Q1-READ-EARLY", "Q1-TOUCH", "Q1-UNCHECKED"),
            *proved("Q1-CHECKED", "Q1-STRICT", "Q1-NEEDED"),
        ),
    ),
    Answer(
        "Q2",
        "What does the guard on evicted nodes save?",
        "A second entry of a node that is gone: without the guard its slots are freed twice.",
        (*refuted("Q2-NO-GUARD"), *proved("Q2-GUARD", "UNREACHED-ENTRIES")),
    ),
    Answer(
        "Q3",
        "Decrement by len(key) or len(value)?",
        "They are one number in every reachable state; not where an unaligned tail is cached, where keys are pairs, or where a node "
        "outlives its slots.",
        (*proved("Q3-EQUAL"), *refuted("Q3-TAIL", "Q3-PAIRS", "Q3-EVICTED")),
    ),
    Answer(
        "Q4",
        "Decrement after the free, or in the delete?",
        "Both are right if every caller does both steps, once. Both places together count twice; a caller that takes one step alone breaks "
        "the one or the other.",
        (*proved("Q4-AT-FREE", "Q4-AT-DELETE"), *refuted("Q4-TWICE", "Q4-NEVER", "Q4-DELETE-ALONE", "Q4-FREE-ALONE")),
    ),
    Answer(
        "Q5",
        "Must node.value be cleared when the node is deleted?",
        "No holder and no row can reach it; only dead entries and stale handles can, and those must see that it is gone.",
        (*proved("UNREACHED", "UNREACHED-ROWS", "UNREACHED-ENTRIES"), *refuted("Q2-NO-GUARD")),
    ),
    Answer(
        "Q6",
        "Is the check for children redundant at the deletion?",
        "On one tier it is an assertion, if the loop looks at children.",
        (*proved("Q6-LEAF"), *refuted("Q1-UNCHECKED")),
        open=f"with two tiers: {_NO_HOST_TIER}",
    ),
    Answer(
        "Q7",
        "Can the lookup of the child key fail at the deletion?",
        "Never on a correct cache: it is an assertion.",
        (*proved("Q7-CHILD-KEY", "CHILD_KEY"), *found(OURS, TESTED, "CHILD_KEY")),
    ),
    Answer("Q8", "Is a node without device value offered for backup?", "", open=_NO_HOST_TIER),
    Answer(
        "Q9",
        "What must a split carry over?",
        "Whatever belongs to tokens stays with them: times, hits, priority, creation and locks are copied to the new half, parent and "
        "child key are set for both.",
        (
            *proved("split/RECENCY", "split/FREQ", "split/PRIORITY", "split/CREATION", "split/LOCK_COUNT", "split/PARENT", "split/STEP"),
            *found(OURS, TESTED, "RECENCY", "FREQ", "PRIORITY", "CREATION", "LOCK_COUNT", "PARENT"),
        ),
    ),
    Answer(
        "Q10",
        "Can the root be popped?",
        "Not by a live entry: it is no evictable leaf, and nothing that speaks for it is ever live.",
        (*proved("Q10-ROOT"), *found(OURS, TESTED, "EVICT_UNLOCKED")),
    ),
    Answer(
        "Q11",
        "Unit tests are missing.",
        "Every property is checked at every operation of random runs; each has a cache that it catches (tests/test_mutants.py).",
        (*found(OURS, TESTED, "INSERT_COVERS", "COVER", "LOCK_COUNT", "EVICT_LEAF", "SLOT_PARTITION"),),
    ),
    Answer("Q12", "How was the gain measured?", "", open=_MEASURED),
    Answer(
        "Q13", "Docstrings are missing.", "", open="this project's own are complete (its linter asks); the change is not ours to document"
    ),
    Answer(
        "L1",
        "Is a set of evictable leaves exact at all times (sglang#14339)?",
        "It is, if it is kept at the places where the heap is pushed.",
        (*proved("LEAFSET-EXACT", "HEAP_FULL"),),
        open=f"the cost of the heapify that remains: {_MEASURED}",
    ),
    Answer(
        "L2",
        "Does repair at pop keep the order only while no live key becomes smaller (sglang-omni#1724)?",
        "Exactly then, under any policy: so for lru, lfu, fifo, filo, slru, priority, and not for mru.",
        (
            *proved("LAZY-IF", "LAZY-ONLY-IF", *(f"LAZY-{policy}" for policy in ("lru", "lfu", "fifo", "filo", "slru", "priority"))),
            *refuted("LAZY-mru", "LATE-VICTIM"),
        ),
    ),
    Answer(
        "L3",
        "Is the order bit-identical for seven policies (sglang#38371)?",
        "Yes, if a key that becomes smaller is pushed at once (mru) and the time of last access is the second key: then no two leaves tie.",
        (*proved("ORDER-ANY", "UNIQUE-ANY", "ORDER-mru", "HEAP_STALE"), *refuted("LAZY-mru")),
    ),
    Answer(
        "L4",
        "Does repair at pop alone hold for every policy (sglang#38454)?",
        "Not for mru: a touch makes a key smaller, its entry surfaces too late, and another leaf is evicted in its place.",
        (*refuted("LATE-VICTIM", "LAZY-mru"), *proved("LAZY-ONLY-IF")),
    ),
    Answer(
        "L5",
        "What does a match evict wrongly that refreshes the unused part of an edge (sglang#24892)?",
        "The part that was not used is kept as if it had been, and an older leaf that was used goes in its place.",
        (*found(BASE, REFUTED, "RECENCY"), *proved("touch/RECENCY", "split/RECENCY")),
    ),
)

SUBJECTS = tuple(dict.fromkeys(e.source for answer in ANSWERS for e in answer.evidence if e.source != "prove"))
