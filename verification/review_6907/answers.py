"""The claims of sglang#6907, its reviewers' questions, and what later changes ask: our answers, and the results that they rest on.

No verdict is written here. What is said of an answer is what the first of its results says; the others support it. A result that
does not come out as `expected` shows that the answer is wrong.

The answers are about any cache, but for `change`, which is about the one submitted: another cache can be put in its place, and then
whatever its results say stands there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.review_6907.cost_claims import CLAIMS

PROVED, REFUTED, TESTED, MEASURED, ANY = Verdict.PROVED, Verdict.REFUTED, Verdict.TESTED, Verdict.MEASURED, ""
PAIRS, NODES, BASE, LEAF_SET, OURS = "as-submitted:pairs", "as-submitted:nodes", "base", "leaf-set", "optimized"
PROVE, FACTS, BENCH = "prove", "facts", "bench"
SUBMITTED = (PAIRS, NODES)
SECONDS = 10  # of search, for each cache


@dataclass(frozen=True, slots=True)
class Evidence:
    """One stored result that an answer rests on."""

    source: str  # prove, facts, bench, or the subject that was verified
    name: str  # of a condition, fact or claim; or of a property
    expected: str  # ANY: whatever comes out is the answer

    @property
    def command(self) -> str:
        """What repeats it."""
        if self.source == BENCH:
            return CLAIMS[self.name].command
        what = {PROVE: f"prove --property {self.name}", FACTS: f"facts {self.name}"}
        return "radixcheck " + what.get(self.source, f"verify {_quoted(self.source)} --seconds {SECONDS}")


def _quoted(subject: str) -> str:
    """As a shell reads it."""
    return subject if all(c.isalnum() or c in "-._:/@" for c in subject) else f"'{subject}'"


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, what we say to it, and why."""

    id: str
    question: str
    answer: str  # empty: there is none
    evidence: tuple[Evidence, ...] = ()
    open: str = ""  # what is not decided, and why
    change: str = ""  # the same of the cache that was submitted


def proved(*names: str) -> tuple[Evidence, ...]:
    """Conditions, or all conditions of one formula."""
    return tuple(Evidence(PROVE, name, PROVED) for name in names)


def refuted(*names: str) -> tuple[Evidence, ...]:
    """Claims that are refuted by a model, and where a cache does the same by a run."""
    return tuple(Evidence(PROVE, name, REFUTED) for name in names)


def found(subject: str, word: str, *properties: str) -> tuple[Evidence, ...]:
    """What checking a cache says."""
    return tuple(Evidence(subject, id_, word) for id_ in properties)


def tried(name: str, word: str) -> tuple[Evidence, ...]:
    """A fact about programs."""
    return (Evidence(FACTS, name, word),)


def measured(*names: str) -> tuple[Evidence, ...]:
    """What costs less than what."""
    return tuple(Evidence(BENCH, name, MEASURED) for name in names)


_NO_HOST_TIER = "the host tier is not specified yet"

ANSWERS = (
    Answer(
        "C1",
        "A persistent heap, updated on insert, unlock and delete, replaces collecting all leaves.",
        "It may: pushed at these places, the heap has an entry for every evictable leaf, at all times.",
        (*proved("HEAP_FULL", "HEAP-COMPLETE", "LEAFSET-EXACT"), *found(PAIRS, TESTED, "HEAP_FULL"), *found(PAIRS, REFUTED, "ORDER")),
        change="The one submitted is complete as far as it was tested, but evicts in the wrong order: a touch does not reach its entries.",
    ),
    Answer(
        "C2",
        "A lock removes the node from the heap: or is its entry stale, and always recognised?",
        "It cannot, and need not: the entry is dead while its node is locked, is told apart by looking at the node, and needs no stamp.",
        (*proved("STAMP", "Q2-GUARD", "HEAP-PROGRESS"), *found(PAIRS, TESTED, "EVICT_UNLOCKED")),
    ),
    Answer(
        "C3",
        "An unlock adds the node again: is the size of the heap bounded?",
        "Without a sweep the heap has no bound: each lock and unlock of a leaf leaves one more entry behind. Swept, it is bounded.",
        (*found(PAIRS, REFUTED, "HEAP_BOUND"), *proved("HEAP-BOUNDED")),
    ),
    Answer(
        "C4",
        "Deleting a leaf does nothing to the heap; eviction promotes the parent: always?",
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
        "One clock reading serves a whole insert: do children still rank before their parents?",
        "It gives parent and child equal times, and then a heap that holds internal nodes may evict the parent. Reading the clock once per "
        "node, parent first, is worse. With one tick for each access and a leaf check no two leaves tie.",
        (*refuted("Q1-EQUAL", "Q1-PARENT-FIRST"), *proved("UNIQUE-ANY", "TIME_CHAIN")),
    ),
    Answer(
        "C7",
        "Evictions get faster.",
        "They do, and by how much depends on the sizes: what is saved is visiting every node and making a heap of the leaves, once a call. "
        "So a single victim of a large tree gains most; with many victims a call little is left to save.",
        measured("EVICT-GAIN", "EVICT-OURS"),
    ),
    Answer(
        "C8",
        "chain.from_iterable flattens to the same, in linear time.",
        "It gives the same and moves each token once, where a sum of lists moves the first ones again for each request behind them.",
        (*tried("BATCH-EQUAL", TESTED), *measured("FLATTEN-GAIN")),
    ),
    Answer(
        "C9",
        "torch.as_tensor avoids a copy: when, and when is that a hazard?",
        "Of a list it does not: it copies as torch.tensor does. Of a tensor, or a buffer, of the same type it does, and then shares its "
        "memory: a gain where nobody writes to it before the batch is done, a hazard where its owner goes on.",
        tried("BATCH-ALIAS", TESTED),
    ),
    Answer("C10", "The hierarchical cache keeps working.", "", open=_NO_HOST_TIER),
    Answer(
        "C11",
        "A guard in the loop avoids rebalancing the heap.",
        "It does not: what it skips was popped before, and a pop sifts as ever. What it saves is an eviction of the wrong node, and a "
        "second free of the same slots.",
        (*tried("GUARD-SIFTS", REFUTED), *refuted("Q2-NO-GUARD")),
    ),
    Answer(
        "C12",
        "Mean latency falls.",
        "",
        open="it needs a served model; what the cache itself takes of a request is measured: `radixcheck bench --scenario trace`",
    ),
    Answer(
        "Q1",
        "The heap also holds internal nodes: are only leaves evicted?",
        "Not where the loop does not look at children. The check is needed exactly where some child does not rank strictly before its "
        "parent: equal times, a parent read first and a touch without repair each suffice.",
        (
            *found(PAIRS, REFUTED, "EVICT_LEAF", "NO_ORPHAN"),
            *refuted("Q1-EQUAL", "Q1-PARENT-FIRST", "Q1-READ-EARLY", "Q1-TOUCH", "Q1-UNCHECKED"),
            *proved("Q1-CHECKED", "Q1-STRICT", "Q1-NEEDED"),
        ),
        change="In the one submitted three operations do; what lay behind the node is cut off, and its slots return late.",
    ),
    Answer(
        "Q2",
        "Would the loop be right without the guard on evicted nodes?",
        "No: a node that is gone may have a second entry, and without the guard its slots are freed twice. (The remark that `evicted` is "
        "undefined does not hold for releases 0.4.6.post5 and 0.4.10: it is a property, `value is None`.)",
        (*refuted("Q2-NO-GUARD"), *proved("Q2-GUARD", "UNREACHED-ENTRIES")),
    ),
    Answer(
        "Q3",
        "Decrement by len(key) or len(value): are they always equal?",
        "They are one number in every reachable state; not where an unaligned tail is cached, where keys are pairs, or where a node "
        "outlives its slots.",
        (*proved("Q3-EQUAL"), *refuted("Q3-TAIL", "Q3-PAIRS", "Q3-EVICTED")),
    ),
    Answer(
        "Q4",
        "Decrement after the free, or in the delete: are both right?",
        "Both are right if every caller does both steps, once. Both places together count twice; a caller that takes one step alone breaks "
        "the one or the other.",
        (*proved("Q4-AT-FREE", "Q4-AT-DELETE"), *refuted("Q4-TWICE", "Q4-NEVER", "Q4-DELETE-ALONE", "Q4-FREE-ALONE")),
    ),
    Answer(
        "Q5",
        "Is a deleted node out of reach, so that node.value need not be cleared?",
        "No holder and no row reaches it; only dead entries and stale handles can, and those must see that it is gone.",
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
        "The lookup of the child key at the deletion: should it be an assertion?",
        "Yes: on a correct cache it never fails.",
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
        "Is it true that the root is never popped?",
        "Yes, by a live entry: it is no evictable leaf, and nothing that speaks for it is ever live.",
        (*proved("Q10-ROOT"), *found(OURS, TESTED, "EVICT_UNLOCKED")),
    ),
    Answer(
        "Q11",
        "Unit tests are missing.",
        "Every property is checked at every operation of random runs; each has a cache that it catches (`radixcheck mutants`).",
        (*found(OURS, TESTED, "INSERT_COVERS", "COVER", "LOCK_COUNT", "EVICT_LEAF", "SLOT_PARTITION"),),
    ),
    Answer(
        "Q12",
        "How was the gain measured?",
        "By a benchmark that anyone can run: before the change, as submitted and what came later, beside the least that Python can do, by "
        "leaves, victims and page size, each in a process of its own.",
        measured("EVICT-GAIN", "EVICT-OURS"),
    ),
    Answer(
        "Q13",
        "Docstrings are missing.",
        "Those of this project are complete; the change is not ours to document.",
        tried("DOCSTRINGS", TESTED),
    ),
    Answer(
        "L1",
        "Is a set of evictable leaves exact at all times (sglang#14339)?",
        "It is, if it is kept at the places where the heap is pushed. What remains of the cost is a heap made of all leaves at each call.",
        (*proved("LEAFSET-EXACT", "HEAP_FULL"), *found(LEAF_SET, TESTED, "LEAFSET"), *measured("SET-GAIN", "HEAPIFY-LEFT")),
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
        "May a match refresh the part of an edge that it did not use (sglang#24892)?",
        "No: the part that was not used is kept as if it had been, and an older leaf that was used goes in its place.",
        (*found(BASE, REFUTED, "RECENCY"), *proved("touch/RECENCY", "split/RECENCY")),
    ),
)


def sources(answers: Iterable[Answer]) -> tuple[str, ...]:
    """What has to be run for these."""
    return tuple(dict.fromkeys(e.source for answer in answers for e in answer.evidence))


def reviewed(answers: Iterable[Answer], subjects: tuple[str, ...]) -> tuple[Answer, ...]:
    """The answers with these subjects in the place of the change that was submitted; the same ones if there are none."""
    return tuple(_in_its_place(answer, subjects) for answer in answers) if subjects else tuple(answers)


def _in_its_place(answer: Answer, subjects: tuple[str, ...]) -> Answer:
    """What was known of the change is asked of each subject."""
    evidence: list[Evidence] = []
    for e in answer.evidence:
        evidence += [Evidence(subject, e.name, ANY) for subject in subjects] if e.source in SUBMITTED else [e]
    return replace(answer, evidence=tuple(dict.fromkeys(evidence)), change="")
