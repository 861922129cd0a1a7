"""Runs CrossHair on one contract: every path of the law and of the function in it, with symbolic integers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from radixcheck.verification.contracts.contract import Arguments, Contract, Function

try:
    from crosshair.condition_parser import ConditionExpr, ConditionExprType, Conditions
    from crosshair.core import ConditionCheckable
    from crosshair.core_and_libs import run_checkables
    from crosshair.fnutil import FunctionInfo
    from crosshair.options import DEFAULT_OPTIONS, AnalysisKind, AnalysisOptionSet
except ImportError as error:
    raise ImportError("contracts need CrossHair: pip install 'radixcheck[verify]'") from error


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
