"""Claims of sglang#6907 that no property of a cache decides: how a batch is made (C8, C9), and what the guard in the loop saves (C11)."""

from time import perf_counter

from radixcheck.verification.review_6907.fact_results import REFUTED, TESTED, Decided, Fact
from radixcheck.verification.review_6907.facts import batches, guard

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
    )
}


def decide(fact: Fact, seed: int) -> Decided:
    """Try the fact with this seed."""
    start = perf_counter()
    return Decided(fact, fact.attempt(seed), perf_counter() - start)
