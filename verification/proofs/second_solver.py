"""Asks a second solver, cvc5, what Z3 was asked, in the text that `smtlib` writes.

A proof that both find does not rest on an error in one of them. What both are told (the axioms, the laws of sums, the
hypotheses, the goal as `after` rewrites it) is the same: of that a second solver says nothing.
"""

import re
from collections.abc import Mapping

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.proofs.conditions import Condition
from radixcheck.verification.proofs.smtlib import script

try:
    import cvc5
except ImportError as missing:
    raise ImportError("a second opinion on the proofs needs cvc5: pip install 'radixcheck[verify]'") from missing

CONFIRMED, CONTRADICTED, UNDECIDED = Verdict.CONFIRMED, Verdict.CONTRADICTED, Verdict.UNDECIDED
LIMIT = 10.0  # seconds for one goal and one setting
# Left where it is: lifted out of a quantified formula, an `ite` makes many formulas of one, and some proofs take three times as long.
PROVE = {"ite-lift-quant": "none"}
REFUTE = {**PROVE, "finite-model-find": "true"}  # tries few things of each sort, then more: that can say `sat`


def ask(text: str, seconds: float = LIMIT) -> str:
    """The answer to the one question of a script: `unsat`, `sat`, or `unknown` if no setting finds it in the time.

    Raises ValueError if the script is refused or does not ask exactly once.
    """
    answers = (_answer(text, {**options, "tlimit-per": str(int(1000 * seconds))}) for options in (PROVE, REFUTE))
    return next((answer for answer in answers if answer != "unknown"), "unknown")


def _answer(text: str, options: Mapping[str, str]) -> str:
    solver = cvc5.Solver(cvc5.TermManager())
    for option, value in options.items():
        solver.setOption(option, value)
    parser, said = cvc5.InputParser(solver), ""
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "script")
    try:
        while not (command := parser.nextCommand()).isNull():
            said += command.invoke(solver, parser.getSymbolManager())
    except RuntimeError as refused:
        raise ValueError(f"cvc5 does not accept the script: {refused}") from refused
    answer = re.sub(r"^unknown \(\w+\)$", "unknown", said.strip())  # it adds its reason
    if answer not in ("unsat", "sat", "unknown"):
        raise ValueError(f"cvc5 does not answer the script: {said!r}")
    return answer


def confirm(condition: Condition, seconds: float = LIMIT) -> str:
    """Whether every goal follows from all hypotheses, in the second solver's view.

    A goal that it can make fail is a contradiction where Z3 has a proof: one of the two is wrong. Elsewhere it says that
    what is assumed does not suffice, and not that the formula is false: the solver may take a sum for any number.
    """
    answers = {ask(script(condition, list(condition.hypotheses), goal), seconds) for goal in condition.goals}
    if "sat" in answers:
        return CONTRADICTED
    return UNDECIDED if "unknown" in answers else CONFIRMED
