"""The results of checking contracts. Importing this module loads no cache and no solver."""

from collections.abc import Sequence
from dataclasses import dataclass

from radixcheck.verification.contracts.contract import Arguments, Contract
from radixcheck.verification.core.status import Status, Verdict

EXHAUSTED, REFUTED, UNKNOWN = Verdict.EXHAUSTED, Verdict.REFUTED, Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on one function under one contract."""

    verdict: str
    note: str = ""
    arguments: Arguments | None = None  # a counterexample


@dataclass(frozen=True, slots=True)
class Decided:
    """One contract, with the verdicts on its function and on its twin."""

    contract: Contract
    judged: Judged
    twin: Judged
    paths: int  # explored in the function: all of them if it is EXHAUSTED
    seconds: float  # for both

    @property
    def good(self) -> bool:
        """Return whether the contract holds within its bounds and is not vacuous: the twin breaks it."""
        return self.judged.verdict == EXHAUSTED and self.twin.verdict == REFUTED


def status(decided: Sequence[Decided]) -> Status:
    """Return REFUTED if a contract is refuted, UNDECIDED if one is undecided or a twin passes, HOLDS otherwise."""
    if any(each.judged.verdict == REFUTED for each in decided):
        return Status.REFUTED
    return Status.HOLDS if decided and all(each.good for each in decided) else Status.UNDECIDED
