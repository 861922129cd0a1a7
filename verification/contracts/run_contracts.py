"""Decides every contract and its twin with CrossHair, in worker processes.

Only a confirmation over all paths passes; only a fault that Python reproduces refutes.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from radixcheck.verification.contracts import key_contracts, node_contracts, tree_contracts
from radixcheck.verification.contracts.contract import Arguments, Contract, Function
from radixcheck.verification.contracts.contract_results import EXHAUSTED, REFUTED, UNKNOWN, Decided, Judged
from radixcheck.verification.core.installing import install_command
from radixcheck.verification.core.workers import workers

try:
    from crosshair.condition_parser import ConditionExpr, ConditionExprType, Conditions
    from crosshair.core import ConditionCheckable
    from crosshair.core_and_libs import run_checkables
    from crosshair.fnutil import FunctionInfo
    from crosshair.options import DEFAULT_OPTIONS, AnalysisKind, AnalysisOptionSet
except ImportError as error:
    raise ImportError(f"contracts need CrossHair: {install_command('verify')}") from error


@dataclass(frozen=True, slots=True)
class Explored:
    """The answer of CrossHair on one function under one contract."""

    states: tuple[str, ...]  # of its messages, one per postcondition: CONFIRMED, CANNOT_CONFIRM, PRE_UNSAT, POST_FAIL, ...
    messages: tuple[str, ...]
    counterexamples: tuple[Arguments, ...]
    paths: int  # on which the law was run
    seconds: float


def explore(contract: Contract, function: Function, seconds: float) -> Explored:
    """Search for integers within the bounds for which `function` breaks the law, until all paths are explored or the time is up."""
    paths, counterexamples = 0, list[Arguments]()

    def body(*arguments: int) -> bool:
        nonlocal paths
        paths += 1
        return contract.law(function, *arguments)

    def describe(arguments: Any, result: object, _: object) -> tuple[str, str]:
        counterexamples.append({name: int(value) for name, value in arguments.arguments.items()})
        return f"{contract.name}{counterexamples[-1]}", repr(result)

    conditions = Conditions(
        fn=body,
        src_fn=body,
        pre=[_condition(ConditionExprType.PRECONDITION, contract.within, "within its bounds")],
        post=[_condition(ConditionExprType.POSTCONDITION, lambda values: bool(values["__return__"]), "the law")],
        raises=frozenset(),
        sig=contract.arguments(),
        mutable_args=None,
        fn_syntax_messages=[],
        counterexample_description_maker=describe,
    )
    options = AnalysisOptionSet(analysis_kind=[AnalysisKind.PEP316], per_condition_timeout=seconds, report_all=True)
    start = perf_counter()
    found = run_checkables([ConditionCheckable(FunctionInfo.from_fn(body), DEFAULT_OPTIONS.overlay(options), conditions)])
    states, messages = tuple(m.state.name for m in found), tuple(m.message for m in found)
    return Explored(states, messages, tuple(counterexamples), paths, perf_counter() - start)


def _condition(kind: ConditionExprType, evaluate: Callable[[Mapping[str, Any]], bool], words: str) -> ConditionExpr:
    return ConditionExpr(kind, evaluate, __file__, 1, words)


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


# The slowest first, so that both workers end at about the same time.
_FILES = (tree_contracts, key_contracts, node_contracts)

CONTRACTS: dict[str, Contract] = {c.name: c for file in _FILES for c in file.CONTRACTS}

assert len(CONTRACTS) == sum(len(file.CONTRACTS) for file in _FILES), "two contracts have the same name"


def decide(contract: Contract, seconds: float) -> Decided:
    """Decide the function under its contract, then the twin, each within `seconds`."""
    right, wrong = explore(contract, contract.function, seconds), explore(contract, contract.twin, seconds)
    judged, twin = judge(contract, contract.function, right), judge(contract, contract.twin, wrong)
    return Decided(contract, judged, twin, right.paths, right.seconds + wrong.seconds)


def decide_all(seconds: float, progress: Callable[[Decided, int], None]) -> tuple[Decided, ...]:
    """Decide every contract, and return the results in the order of `CONTRACTS`.

    `progress` is called with each result and the number of results so far.
    """
    with workers() as pool:
        waiting = [pool.submit(decide, contract, seconds) for contract in CONTRACTS.values()]
        for done, future in enumerate(as_completed(waiting), 1):
            progress(future.result(), done)
        return tuple(future.result() for future in waiting)
