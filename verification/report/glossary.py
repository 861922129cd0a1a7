"""What the words of a report mean: its verdicts, and the terms of the field."""

from radixcheck.verification.core.status import Verdict

MEANINGS = {
    Verdict.PROVED: "By a solver, of every step of the specification: for any number of positions, pages, requests and heap entries.",
    Verdict.EXHAUSTED: "In every state that a sequence of operations within the printed bounds leads to.",
    Verdict.TESTED: "No counterexample in as many states or calls as are counted. Non-vacuous ones are those that could have shown one.",
    Verdict.MEASURED: "By the benchmark, on one machine. Compare ratios; absolute figures move with the machine.",
    Verdict.REFUTED: "By a counterexample: a trace of operations, or a small state and a step. It is about the cache named beside it.",
    Verdict.OPEN: "It needs what was not there, such as a served model.",
    Verdict.NOT_EXERCISED: "Every check was vacuous: undecided, and never a pass.",
    Verdict.NOT_OBSERVABLE: "The cache does not show what the property needs: undecided, and never a pass.",
    Verdict.UNDECIDED: "The search was cut off before it ended.",
    Verdict.MISSING: "A result that the answer rests on was not obtained.",
    Verdict.NOT_AS_EXPECTED: "A result contradicts the answer that is written here: believe the evidence.",
    Verdict.KILLED: "Of a mutant: the property that must catch it has caught it.",
    Verdict.SURVIVED: "Of a mutant: nothing has caught it, so that the verdicts on caches are doubtful.",
}
MARKS = ("✓", "proved, or killed; an empty cell: it does not concern this step, or was not run")

TERMS = {
    "token": "one integer id of the vocabulary",
    "key": "the whole token sequence that is asked about, with its namespace; [0 1] is the key of the tokens 0 and 1",
    "1*8": "the token 1, eight times in a row",
    "namespace": "a part of the key that keeps trees apart, such as an adapter or a salt",
    "slot": "room on the device for the KV of one token, named by an integer",
    "page": "as many consecutive slots as the page size says: the unit of allocation and of matching",
    "segment": "the tokens on one node; the tokens from the root to it are its prefix",
    "leaf": "a node without children; an evictable leaf is also not locked",
    "match": "the longest cached prefix of a key, in whole pages; it may split a node, and counts as a use of what it returns",
    "split": "one node becomes a parent and a child, at the border of a page",
    "touch": "an access that gives a node a new time",
    "lock": "what a request puts on the path to a node, so that nothing on it is evicted; lock_ref counts locks",
    "evictable size": "the tokens in nodes that are not locked; protected: in those that are",
    "evict": "a policy (lru, lfu, fifo, filo, slru, priority, mru) drops leaves, and their slots return to the pool",
    "heap entry": "a key for the order of eviction, and a node; live if the node is still an evictable leaf with that key, else stale",
    "promote": "to push the parent when its last child is deleted",
    "host tier": "a second place, in the memory of the host, to which nodes are copied",
    "backup, load": "a copy to the host, and back to the device",
    "demote": "to free the slots of a node that the host has",
    "write-through, write-back": "a node is copied to the host when it is used, or when it is evicted",
    "specification": "formulas and operations that are run, printed and proved; a cache is compared with it after every operation",
    "property": "one sentence with a formula that every correct cache keeps",
    "trace": "the operations that lead to a counterexample, as few as were found",
    "mutant": "a deliberately wrong cache: it shows that a property can fail, and that the search finds it",
    "white box": "a cache that shows its tree to the checker; of a black box only answers, sizes and slots are seen",
}
