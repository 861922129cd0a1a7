"""Decides every mutant, in worker processes."""

from collections.abc import Callable, Sequence
from time import perf_counter

from radixcheck.verification.core.workers import workers
from radixcheck.verification.proofs.proof_results import CAUGHT, EQUIVALENT, SURVIVED, Judged, Mutant
from radixcheck.verification.proofs.spec_mutants.bounded_states import SECONDS, caught, forget_states, possible, sizes_of
from radixcheck.verification.proofs.spec_mutants.equivalence import equivalent
from radixcheck.verification.proofs.spec_mutants.generate_mutants import mutants

TOGETHER = 12  # mutants of one part
FIRST_SECONDS = 0.5  # nominal, for the first attempt at a proof


def judge(mutant: Mutant, seed: int = 0) -> Judged:
    """Search the smallest states for a counterexample, then for a proof, then larger states, then longer for a proof."""
    start = perf_counter()
    verdict, by = _judge(mutant, seed)
    return Judged(mutant, verdict, by, perf_counter() - start)


def _judge(mutant: Mutant, seed: int) -> tuple[str, str]:
    if by := caught(mutant, 0, seed):
        return CAUGHT, by
    can_be_taken = possible(mutant, seed)
    if can_be_taken and (by := equivalent(mutant, seed, FIRST_SECONDS)):
        return EQUIVALENT, by
    for size in range(1, len(sizes_of(mutant.machine))):
        if by := caught(mutant, size, seed):
            return CAUGHT, by
    if can_be_taken and (by := equivalent(mutant, seed, SECONDS)):
        return EQUIVALENT, by
    return SURVIVED, ""


def judge_part(numbers: Sequence[int], seed: int) -> list[tuple[str, str, float]]:
    """Judge the mutants with these numbers; return verdict, formula and seconds of each.

    The solver finds another counterexample after other questions: the answers for a part do not depend on those for other parts.
    """
    forget_states()
    judged = [judge(mutants()[number], seed) for number in numbers]
    return [(each.verdict, each.by, each.seconds) for each in judged]


def judge_all(progress: Callable[[Judged], None] = lambda _: None, seed: int = 0) -> tuple[Judged, ...]:
    """Judge every mutant, in worker processes. `progress` is called with each result."""
    found = []
    with workers() as pool:
        # Mutants cannot be pickled, but their numbers can.
        parts = [range(first, min(first + TOGETHER, len(mutants()))) for first in range(0, len(mutants()), TOGETHER)]
        for numbers, job in [(numbers, pool.submit(judge_part, numbers, seed)) for numbers in parts]:
            for number, answer in zip(numbers, job.result(), strict=True):
                found.append(Judged(mutants()[number], *answer))
                progress(found[-1])
    return tuple(found)
