"""Claims of sglang#6907 that no property of a cache decides: making a batch (C8, C9), what the guard saves (C11), docstrings (Q13)."""

from time import perf_counter

from radixcheck.verification.review_6907.facts import batches, docstrings, guard
from radixcheck.verification.review_6907.facts.fact import REFUTED, TESTED, Decided, Fact

FACTS = {
    fact.id: fact
    for fact in (
        Fact("BATCH-EQUAL", "C8", "A chain gives what sums of lists give, and so does a prepared batch.", TESTED, batches.equal),
        Fact(
            "BATCH-ALIAS",
            "C9",
            "torch.as_tensor copies a list and shares the memory of a tensor or buffer of its type; a prepared batch shares nobody's.",
            TESTED,
            batches.aliasing,
        ),
        Fact("GUARD-SIFTS", "C11", "The guard in the loop saves the heap's work for what it skips.", REFUTED, guard.sifting),
        Fact("DOCSTRINGS", "Q13", "All that is public of spec, reference and optimized says what it is.", TESTED, docstrings.complete),
    )
}


def decide(fact: Fact, seed: int) -> Decided:
    """Try it."""
    start = perf_counter()
    return Decided(fact, fact.attempt(seed), perf_counter() - start)
