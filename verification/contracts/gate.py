"""Turns an answer of CrossHair into a verdict: only a confirmation over all paths passes, only a fault that Python reproduces refutes."""

from radixcheck.verification.contracts.contract import Arguments, Contract, Function
from radixcheck.verification.contracts.contract_results import EXHAUSTED, REFUTED, UNKNOWN, Judged
from radixcheck.verification.contracts.crosshair_run import Explored


def judge(contract: Contract, function: Function, explored: Explored) -> Judged:
    """Return REFUTED if a counterexample breaks the law in plain Python, and EXHAUSTED if all paths were run and confirmed."""
    for arguments in explored.counterexamples:
        broken = breaks(contract, function, arguments)
        if broken:
            return Judged(REFUTED, broken, arguments)
    if explored.counterexamples:
        return Judged(UNKNOWN, f"the counterexample {explored.counterexamples[0]} does not break the law in plain Python")
    if explored.states == ("CONFIRMED",):
        return Judged(EXHAUSTED) if explored.paths else Judged(UNKNOWN, "confirmed, but the law was never run")
    if "PRE_UNSAT" in explored.states:
        return Judged(UNKNOWN, "no input was found within the bounds: the law would be vacuous")
    return Judged(UNKNOWN, " ".join(explored.messages) or "CrossHair gave no answer")


def breaks(contract: Contract, function: Function, arguments: Arguments) -> str:
    """Return how the law fails for these integers in plain Python, or "" if it holds or they are outside the bounds."""
    if not contract.within(arguments):
        return ""
    try:
        return "" if contract.law(function, **arguments) else "the law is false"
    except Exception as error:  # the law allows no exception
        return f"raised {type(error).__name__}: {error}"
