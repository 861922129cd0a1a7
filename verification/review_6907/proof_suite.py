"""What `radixcheck prove` decides: the proof matrix with the claims of the review, and the runs of caches that repeat refuted claims."""

from radixcheck.verification.proofs.proof_results import Run
from radixcheck.verification.proofs.prove import Suite
from radixcheck.verification.review_6907.claims import claims


def shortest_run(claim: str) -> Run | None:
    """Return the shortest run of a cache that shows what refutes the claim, as `claim_runs.shortest` does."""
    from radixcheck.verification.review_6907.claim_runs import shortest  # caches need torch, which most proofs can do without

    return shortest(claim)


PROOFS = Suite(claims, shortest_run)
