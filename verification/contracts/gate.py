"""What an answer of CrossHair is worth: only a confirmation over all paths passes, and only a fault that Python shows counts."""

from dataclasses import dataclass

from radixcheck.verification.contracts.contract import Arguments, Contract, Function
from radixcheck.verification.contracts.crosshair_run import Explored
from radixcheck.verification.core.status import Verdict

EXHAUSTED, REFUTED, UNKNOWN = Verdict.EXHAUSTED, Verdict.REFUTED, Verdict.UNKNOWN


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on one function under one contract, with what it rests on."""

    verdict: str
    note: str = ""
    arguments: Arguments | None = None  # under which the law is broken


def judge(contract: Contract, function: Function, explored: Explored) -> Judged:
    """A counterexample counts if it breaks the law when it is run; without any, nothing but one confirmation of real paths passes."""
    for arguments in explored.counterexamples:
        broken = breaks(contract, function, arguments)
        if broken:
            return Judged(REFUTED, broken, arguments)
    if explored.counterexamples:
        return Judged(UNKNOWN, f"the counterexample {explored.counterexamples[0]} breaks nothing when it is run")
    if explored.states == ("CONFIRMED",):
        return Judged(EXHAUSTED) if explored.paths else Judged(UNKNOWN, "confirmed, but the law was never run")
    if "PRE_UNSAT" in explored.states:
        return Judged(UNKNOWN, "no input was found within the bounds: the law would hold of nothing")
    return Judged(UNKNOWN, " ".join(explored.messages) or "nothing was said of it")


def breaks(contract: Contract, function: Function, arguments: Arguments) -> str:
    """How the law fails for these integers, in plain Python; empty: it holds, or they lie outside of the bounds."""
    if not contract.within(arguments):
        return ""
    try:
        return "" if contract.law(function, **arguments) else "the law is false"
    except Exception as error:  # whatever the function raises, the law does not allow
        return f"raised {type(error).__name__}: {error}"
