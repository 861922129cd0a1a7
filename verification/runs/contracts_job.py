"""The job of `radixcheck contracts`: decide every contract and its twin."""

from dataclasses import dataclass
from time import monotonic

from radixcheck.verification.contracts.run_contracts import CONTRACTS, decide_all
from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.runs.evidence_results import ContractsOutcome


@dataclass(frozen=True, slots=True)
class ContractsRequest:
    """For how long one function may be explored."""

    seconds: float = 60  # of processor time


def decide_contracts(request: ContractsRequest, progress: Progress = silent) -> ContractsOutcome:
    """Decide every contract and its twin."""
    start = monotonic()
    with progress("contracts") as tell:
        decided = decide_all(
            request.seconds, lambda each, done: tell(done / len(CONTRACTS), f"{each.contract.name}: {each.judged.verdict}")
        )
    return ContractsOutcome(decided, monotonic() - start)
