"""The answers to the questions of the review, each with the results that it rests on.

No verdict is written here. The verdict of an answer is that of its first result; the other results support it. A result whose verdict is
not the `expected` one shows that the answer is wrong.

An answer holds for every cache; its part `change` is about the submitted one alone. Other caches can replace the submitted one
(`reviewed`): then the verdict is whatever their results give.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.review_6907 import latency_claims
from radixcheck.verification.review_6907.cost_claims import CLAIMS
from radixcheck.verification.review_6907.questions import QUESTIONS, Question
from radixcheck.verification.review_6907.short_answers import SHORT_ANSWERS, ShortAnswer

PROVED, REFUTED, TESTED, MEASURED, ANY = Verdict.PROVED, Verdict.REFUTED, Verdict.TESTED, Verdict.MEASURED, ""
PAIRS, NODES, BASE, LEAF_SET, OURS = "as-submitted:pairs", "as-submitted:nodes", "base", "leaf-set", "optimized"
PROVE, FACTS, BENCH = "prove", "facts", "bench"
LATENCY = "latency"  # read where it is stored; nothing obtains it but its command, for it needs an engine
SECONDS = 10  # of search, for each cache


@dataclass(frozen=True, slots=True)
class Evidence:
    """One stored result that an answer rests on."""

    source: str  # prove, facts, bench, latency, or the name of a subject that was verified
    name: str  # of a condition, fact or claim about costs or latencies; or of a property
    expected: str  # the verdict; ANY: every verdict agrees with the answer

    @property
    def command(self) -> str:
        """Return the command that obtains the result."""
        if self.source == BENCH:
            return CLAIMS[self.name].command
        if self.source == LATENCY:
            return latency_claims.COMMAND
        commands = {PROVE: f"prove --property {self.name}", FACTS: f"facts {self.name}"}
        return "radixcheck " + commands.get(self.source, f"verify {_quoted(self.source)} --seconds {SECONDS}")


def _quoted(subject: str) -> str:
    """Return the name as an argument for a shell."""
    return subject if all(c.isalnum() or c in "-._:/@" for c in subject) else f"'{subject}'"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question, and its evidence."""

    id: str  # of the question
    answer: str  # empty: there is none
    evidence: tuple[Evidence, ...] = ()  # the verdict is that of the first; without evidence the question is open
    open: str = ""  # what is not decided, and why
    change: str = ""  # what the answer means for the submitted cache

    @property
    def question(self) -> Question:
        """Return the question that is answered."""
        return QUESTIONS[self.id]

    @property
    def in_short(self) -> ShortAnswer:
        """Return the answer in one line, and the advice that goes with it."""
        return SHORT_ANSWERS[self.id]


def proved(*names: str) -> tuple[Evidence, ...]:
    """Return evidence by proof. A name is that of a condition, or of a formula: then all its conditions count."""
    return tuple(Evidence(PROVE, name, PROVED) for name in names)


def refuted(*names: str) -> tuple[Evidence, ...]:
    """Return evidence by claims that a model refutes and, where a cache can show the same, a run."""
    return tuple(Evidence(PROVE, name, REFUTED) for name in names)


def found(subject: str, verdict: str, *properties: str) -> tuple[Evidence, ...]:
    """Return evidence by the verification of a subject, one piece for each property."""
    return tuple(Evidence(subject, id_, verdict) for id_ in properties)


def tried(name: str, verdict: str) -> tuple[Evidence, ...]:
    """Return evidence by a fact."""
    return (Evidence(FACTS, name, verdict),)


def measured(*names: str) -> tuple[Evidence, ...]:
    """Return evidence by cost claims."""
    return tuple(Evidence(BENCH, name, MEASURED) for name in names)


def timed(*names: str) -> tuple[Evidence, ...]:
    """Return evidence by claims about latencies."""
    return tuple(Evidence(LATENCY, name, MEASURED) for name in names)


ANSWERS = (
    Answer(
        "C1",
        "It can: if a node is pushed whenever it becomes an evictable leaf, every evictable leaf has an entry in the heap at all times.",
        (*proved("HEAP_FULL", "HEAP-COMPLETE", "LEAFSET-EXACT"), *found(PAIRS, TESTED, "HEAP_FULL"), *found(PAIRS, REFUTED, "ORDER")),
        change="No run found a missing entry in the submitted heap, but it evicts in the wrong order: a touch does not update its entries.",
    ),
    Answer(
        "C2",
        "The entry stays behind, and is dead while the node is locked. The state of the node shows that, without a generation stamp.",
        (*proved("STAMP", "Q2-GUARD", "HEAP-PROGRESS"), *found(PAIRS, TESTED, "EVICT_UNLOCKED")),
    ),
    Answer(
        "C3",
        "Not by itself: each lock and unlock of a leaf leaves one more entry behind. A sweep leaves at most one entry for each evictable "
        "leaf.",
        (*found(PAIRS, REFUTED, "HEAP_BOUND"), *proved("HEAP-BOUNDED")),
    ),
    Answer(
        "C4",
        "If the parent is pushed when its last child is deleted, every evictable leaf keeps an entry, and the eviction loop makes "
        "progress and ends.",
        (*proved("evict/HEAP_FULL", "PROGRESS", "MEASURE", "EVICT-ENDS"), *found(PAIRS, TESTED, "EVICT_PROGRESS")),
    ),
    Answer("C5", "It does if a split sets it for both halves.", (*proved("CHILD_KEY", "Q7-CHILD-KEY"), *found(PAIRS, TESTED, "CHILD_KEY"))),
    Answer(
        "C6",
        "Not always: one reading gives parent and child equal times, so that a heap which holds internal nodes may evict the parent. One "
        "reading per node, parent first, is worse. With one tick for each access and a leaf check no two evictable leaves tie.",
        (*refuted("Q1-EQUAL", "Q1-PARENT-FIRST"), *proved("UNIQUE-ANY", "TIME_CHAIN")),
    ),
    Answer(
        "C7",
        "It does, and the gain depends on the sizes: each call saves a walk over all nodes and a heap of all leaves. It is largest for "
        "one victim in a large tree, and small for many victims in one call.",
        measured("EVICT-GAIN", "EVICT-OURS"),
    ),
    Answer(
        "C8",
        "The results are equal. The chain moves each token once; a sum of lists moves the tokens of the first lists again for each later "
        "list.",
        (*tried("BATCH-EQUAL", TESTED), *measured("FLATTEN-GAIN")),
    ),
    Answer(
        "C9",
        "From a list it copies, as torch.tensor does. From a tensor or a buffer of the same type it does not copy, and shares the memory: "
        "that is a gain if the memory stays as it is until the batch is done, and a hazard if its owner writes to it.",
        tried("BATCH-ALIAS", TESTED),
    ),
    Answer(
        "C10",
        "Not by itself. A cache with a host tier keeps, on the device, all that is stated of a cache without one, and adds two steps that "
        "bring nodes back with their attributes: a load, and an insert of what only the host has. On the host all of it holds under "
        "write-through; under write-back the host may have a continuation without its prefix. But what a hierarchical cache overrides must "
        "keep whatever its base class relies on.",
        (
            *tried("HOST-AFTER", REFUTED),
            *tried("HOST-BEFORE", TESTED),
            *proved("C10-DEVICE-NO_ORPHAN", "C10-DEVICE-MATCH_SOUND", "C10-DEVICE-COUNT", "C10-DEMOTE", "C10-DELETE"),
            *proved("C10-HOST-NO_ORPHAN", "C10-HOST-MATCH_SOUND", "ACK-COVERS", "ACK-LOAD-COVERS", "NO-LOSS-DEMOTE", "SOME-COPY"),
            *refuted("C10-BACK-NO_ORPHAN", "C10-BACK-PARENT"),
        ),
        change="Two operations show it: the hierarchical cache files a new leaf without its child key, so that the changed deletion "
        "finds nothing. An eviction frees the leaf's slots and leaves it in the tree, and the next match returns them.",
    ),
    Answer(
        "C11",
        "It does not: the guard skips entries that have been popped already, and each pop sifts the heap. The guard prevents something "
        "else: the eviction of a wrong node, and a second free of the same slots.",
        (*tried("GUARD-SIFTS", REFUTED), *refuted("Q2-NO-GUARD")),
    ),
    Answer(
        "C12",
        "Not by the cache, on a small model on a CPU: the work inside any of the caches is too small a part of a request's latency, and "
        "caches that hit alike are alike in latency. What shortens it is the hits, which all caches have.",
        timed("LATENCY-SHARE", "LATENCY-ALIKE", "LATENCY-HITS"),
        open="the latency on a GPU, and with the change itself, which today's engine does not have",
    ),
    Answer(
        "Q1",
        "Not if the loop does not check for children. The check is needed exactly if some child does not rank strictly before its parent: "
        "equal times, a parent whose clock is read first, and a touch that updates no entry each suffice.",
        (
            *found(PAIRS, REFUTED, "EVICT_LEAF", "NO_ORPHAN"),
            *refuted("Q1-EQUAL", "Q1-PARENT-FIRST", "Q1-READ-EARLY", "Q1-TOUCH", "Q1-UNCHECKED"),
            *proved("Q1-CHECKED", "Q1-STRICT", "Q1-NEEDED"),
        ),
        change="In the submitted cache three operations show it: the nodes below the victim are cut off, and their slots return late.",
    ),
    Answer(
        "Q2",
        "No: a deleted node may have a second entry, and without the guard its slots are freed twice. (The remark that `evicted` is "
        "undefined is wrong for releases 0.4.6.post5 and 0.4.10: there it is a property, `value is None`.)",
        (*refuted("Q2-NO-GUARD"), *proved("Q2-GUARD", "UNREACHED-ENTRIES")),
    ),
    Answer(
        "Q3",
        "They are equal in every reachable state of the specification. They differ where an unaligned tail is cached, where keys are "
        "pairs, and where a node stays in the tree after its slots were freed.",
        (*proved("Q3-EQUAL"), *refuted("Q3-TAIL", "Q3-PAIRS", "Q3-EVICTED")),
    ),
    Answer(
        "Q4",
        "Both are, each alone, if every caller takes both steps once. Both places together count twice, and a caller that takes only one "
        "step makes one of the two wrong.",
        (*proved("Q4-AT-FREE", "Q4-AT-DELETE"), *refuted("Q4-TWICE", "Q4-NEVER", "Q4-DELETE-ALONE", "Q4-FREE-ALONE")),
    ),
    Answer(
        "Q5",
        "No holder and no row reaches it. Only dead entries and stale handles do, and they must be able to see that the node is deleted.",
        (*proved("UNREACHED", "UNREACHED-ROWS", "UNREACHED-ENTRIES"), *refuted("Q2-NO-GUARD")),
    ),
    Answer(
        "Q6",
        "On one tier, and with a host tier under write-through, the check is an assertion, provided that the loop checks for children on "
        "the device and no node is copied to the host before its parent. Under write-back the check is needed: a leaf of the device may "
        "have children that only the host has.",
        (
            *proved("Q6-LEAF", "Q6-THROUGH", "Q6-UNCHECKED-THROUGH", "Q6-HOST", "Q6-HOST-EVICTED", "TIER-DROP"),
            *refuted("Q1-UNCHECKED", "Q6-BACK", "Q6-UNCHECKED-BACK", "Q6-HOST-DEFERRED"),
            *tried("HOST-PARENTS", REFUTED),
        ),
    ),
    Answer(
        "Q7", "Yes: on a correct cache the lookup never fails.", (*proved("Q7-CHILD-KEY", "CHILD_KEY"), *found(OURS, TESTED, "CHILD_KEY"))
    ),
    Answer(
        "Q8",
        "No: a node that the host does not have is on the device, in slots that are filled, and every caller asks first whether the host "
        "has it. The early return could be an assertion. Only a persistent heap whose entries outlive a demotion offers such a node, and "
        "the place to notice it is the pop.",
        (*proved("Q8-OFFERED", "Q8-FILLED", "Q8-LEAF"), *tried("HOST-OFFERED", TESTED), *refuted("Q8-HEAP-DEMOTE", "Q8-HEAP-DELETE")),
    ),
    Answer(
        "Q9",
        "A split must copy times, hits, priority, creation and locks to the new node, and set parent and child key of both nodes. Setting "
        "the parent of the lower node a second time changes nothing.",
        (
            *proved("split/RECENCY", "split/FREQ", "split/PRIORITY", "split/CREATION", "split/LOCK_COUNT", "split/PARENT", "split/STEP"),
            *found(OURS, TESTED, "RECENCY", "FREQ", "PRIORITY", "CREATION", "LOCK_COUNT", "PARENT"),
        ),
    ),
    Answer(
        "Q10",
        "It is not popped by a live entry: the root is not an evictable leaf, and no live entry is for the root.",
        (*proved("Q10-ROOT"), *found(OURS, TESTED, "EVICT_UNLOCKED")),
    ),
    Answer(
        "Q11",
        "Every property is checked after every operation of random runs, and each has a mutant that it catches (`radixcheck mutants`).",
        (*found(OURS, TESTED, "INSERT_COVERS", "COVER", "LOCK_COUNT", "EVICT_LEAF", "SLOT_PARTITION"),),
    ),
    Answer(
        "Q12",
        "Here by a benchmark that anyone can run: it compares the cache before the change, the submitted one and later ones with the "
        "least that Python can do, by leaves, victims and page size, each in a process of its own.",
        measured("EVICT-GAIN", "EVICT-OURS"),
    ),
    Answer(
        "Q13", "Those of this project are complete. The submitted change is not this project's to document.", tried("DOCSTRINGS", TESTED)
    ),
    Answer(
        "L1",
        "The set is exact if it is updated wherever the heap would be. Making a heap of all leaves at each call remains the cost.",
        (*proved("LEAFSET-EXACT", "HEAP_FULL"), *found(LEAF_SET, TESTED, "LEAFSET"), *measured("SET-GAIN", "HEAPIFY-LEFT")),
    ),
    Answer(
        "L2",
        "Yes, under any policy: so it does for lru, lfu, fifo, filo, slru and priority, and does not for mru.",
        (
            *proved("LAZY-IF", "LAZY-ONLY-IF", *(f"LAZY-{policy}" for policy in ("lru", "lfu", "fifo", "filo", "slru", "priority"))),
            *refuted("LAZY-mru", "LATE-VICTIM"),
        ),
    ),
    Answer(
        "L3",
        "Yes, if a key that becomes smaller is pushed at once (mru), and if the time of last access is the second key, so that no two "
        "leaves tie.",
        (*proved("ORDER-ANY", "UNIQUE-ANY", "ORDER-mru", "HEAP_STALE"), *refuted("LAZY-mru")),
    ),
    Answer(
        "L4",
        "Not for mru: a touch makes the key smaller, the old entry is popped too late, and another leaf is evicted first.",
        (*refuted("LATE-VICTIM", "LAZY-mru"), *proved("LAZY-ONLY-IF")),
    ),
    Answer(
        "L5",
        "No: the unused part is then kept as if it had been used, and an older leaf that was used is evicted first.",
        (*found(BASE, REFUTED, "RECENCY"), *proved("touch/RECENCY", "split/RECENCY")),
    ),
)


def sources(answers: Iterable[Answer]) -> tuple[str, ...]:
    """Return the sources of the answers' evidence, each once."""
    return tuple(dict.fromkeys(e.source for answer in answers for e in answer.evidence))


def about(answers: Iterable[Answer], subjects: tuple[str, ...]) -> tuple[Answer, ...]:
    """Return the answers that rest on a search of some cache, with the results of these subjects alone: nothing about other caches."""
    found = [replace(answer, evidence=_of(answer, subjects), change="", open="") for answer in answers]
    return tuple(answer for answer in found if answer.evidence)


def _of(answer: Answer, subjects: tuple[str, ...]) -> tuple[Evidence, ...]:
    """Return a piece of evidence for each property and each subject."""
    others = (PROVE, FACTS, BENCH, LATENCY)
    properties = dict.fromkeys(e.name for e in answer.evidence if e.source not in others)
    return tuple(Evidence(subject, name, ANY) for name in properties for subject in subjects)
