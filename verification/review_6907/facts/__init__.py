"""Claims of sglang#6907 that no property of a cache decides: how a batch is made (C8, C9), what the guard saves (C11), docstrings (Q13),
and runs of the hierarchical cache over the base class before and after the change (C10, Q6, Q8)."""

from time import perf_counter

from radixcheck.verification.review_6907.fact_results import REFUTED, TESTED, Decided, Fact
from radixcheck.verification.review_6907.facts import batches, docstrings, guard, host_runs

FACTS = {
    fact.id: fact
    for fact in (
        Fact(
            "BATCH-EQUAL",
            "C8",
            "A chain gives what sums of lists give, and so does a prepared batch.",
            TESTED,
            batches.equal,
            "the batch of sglang#6907",
        ),
        Fact(
            "BATCH-ALIAS",
            "C9",
            "torch.as_tensor copies a list and shares the memory of a tensor or buffer of its type; a prepared batch shares none.",
            TESTED,
            batches.aliasing,
            "the batch of sglang#6907",
        ),
        Fact(
            "GUARD-SIFTS",
            "C11",
            "The guard in the loop saves the heap's comparisons for the entries that it skips.",
            REFUTED,
            guard.sifting,
            "as-submitted:pairs",
        ),
        Fact(
            "HOST-BEFORE",
            "C10",
            "Over the base class of its release, no match of the hierarchical cache returns a slot that is free.",
            TESTED,
            host_runs.before,
            "hiradix:base",
        ),
        Fact(
            "HOST-AFTER",
            "C10",
            "Over the submitted base class, no match of the unchanged hierarchical cache returns a slot that is free.",
            REFUTED,
            host_runs.after,
            "hiradix:as-submitted:pairs",
        ),
        Fact(
            "HOST-PARENTS",
            "Q6",
            "Under write_through_selective, the hierarchical cache of the release copies no node to the host before its parent.",
            REFUTED,
            host_runs.parents_first,
            "hiradix:base",
        ),
        Fact(
            "HOST-OFFERED",
            "Q8",
            "The hierarchical cache of the release offers no node without device slots for a copy to the host.",
            TESTED,
            host_runs.offered,
            "hiradix:base",
        ),
        Fact(
            "DOCSTRINGS",
            "Q13",
            "All modules, public classes, functions and methods of spec, reference and optimized have a docstring.",
            TESTED,
            docstrings.complete,
            "this project",
        ),
    )
}


def decide(fact: Fact, seed: int) -> Decided:
    """Try the fact with this seed."""
    start = perf_counter()
    return Decided(fact, fact.attempt(seed), perf_counter() - start)
