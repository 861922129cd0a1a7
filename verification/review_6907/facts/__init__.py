"""Claims of sglang#6907 that no property of a cache decides: how a batch is made (C8, C9), what the guard saves (C11), docstrings (Q13)."""

from time import perf_counter

from radixcheck.verification.review_6907.fact_results import REFUTED, TESTED, Decided, Fact
from radixcheck.verification.review_6907.facts import batches, docstrings, guard

FACTS = {
    fact.id: fact
    for fact in (
        Fact("BATCH-EQUAL", "C8", "A chain gives what sums of lists give, and so does a prepared batch.", TESTED, batches.equal),
        Fact(
            "BATCH-ALIAS",
            "C9",
            "torch.as_tensor copies a list and shares the memory of a tensor or buffer of its type; a prepared batch shares none.",
            TESTED,
            batches.aliasing,
        ),
        Fact(
            "GUARD-SIFTS",
            "C11",
            "The guard in the loop saves the heap's comparisons for the entries that it skips.",
            REFUTED,
            guard.sifting,
        ),
        Fact(
            "DOCSTRINGS",
            "Q13",
            "All modules, public classes, functions and methods of spec, reference and optimized have a docstring.",
            TESTED,
            docstrings.complete,
        ),
    )
}


def decide(fact: Fact, seed: int) -> Decided:
    """Try the fact with this seed."""
    start = perf_counter()
    return Decided(fact, fact.attempt(seed), perf_counter() - start)
