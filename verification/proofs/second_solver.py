"""Asks a second solver, cvc5, the same questions as Z3, in the text that `smtlib` writes.

A proof that both solvers find does not depend on an error in one of them. Both get the same axioms, laws of sums, hypotheses, and
goal as `after` rewrites it: the second solver does not check those.
"""

import re
from collections.abc import Mapping

from radixcheck.verification.core.installing import install_command
from radixcheck.verification.proofs.conditions import Condition
from radixcheck.verification.proofs.decide import slices
from radixcheck.verification.proofs.proof_results import CONFIRMED, CONTRADICTED, UNDECIDED
from radixcheck.verification.proofs.smtlib import script

try:
    import cvc5
except ImportError as missing:
    raise ImportError(f"a second opinion on the proofs needs cvc5: {install_command('verify')}") from missing

LIMIT = 10.0  # seconds for one goal and one setting
# An `ite` stays inside a quantified formula: to lift it out makes many formulas of one, and some proofs take three times as long.
PROVE = {"ite-lift-quant": "none"}
REFUTE = {**PROVE, "finite-model-find": "true"}  # tries few things of each sort, then more: this can answer `sat`


def ask(text: str, seconds: float = LIMIT) -> str:
    """Return the answer to the one query of a script: `unsat`, `sat`, or `unknown` if no setting finds one in time.

    Raise ValueError if cvc5 rejects the script, or if the script does not have exactly one query.
    """
    answers = (_answer(text, {**options, "tlimit-per": str(int(1000 * seconds))}) for options in (PROVE, REFUTE))
    return next((answer for answer in answers if answer != "unknown"), "unknown")


def _answer(text: str, options: Mapping[str, str]) -> str:
    solver = cvc5.Solver(cvc5.TermManager())
    for option, value in options.items():
        solver.setOption(option, value)
    parser, output = cvc5.InputParser(solver), ""
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "script")
    try:
        while not (command := parser.nextCommand()).isNull():
            output += command.invoke(solver, parser.getSymbolManager())
    except RuntimeError as refused:
        raise ValueError(f"cvc5 does not accept the script: {refused}") from refused
    answer = re.sub(r"^unknown \(\w+\)$", "unknown", output.strip())  # cvc5 adds the reason
    if answer not in ("unsat", "sat", "unknown"):
        raise ValueError(f"cvc5 does not answer the script: {output!r}")
    return answer


def confirm(condition: Condition, seconds: float = LIMIT) -> str:
    """Return whether every goal follows from the hypotheses according to the second solver.

    If Z3 has a proof, a goal that can fail is a contradiction: one of the solvers is wrong. Otherwise it means that the assumptions do
    not suffice, not that the formula is false, because the solver may give a sum any value.
    """
    answers = {_answer_of(condition, i, seconds) for i in range(len(condition.goals))}
    if "sat" in answers:
        return CONTRADICTED
    return UNDECIDED if "unknown" in answers else CONFIRMED


def _answer_of(condition: Condition, goal: int, seconds: float) -> str:
    """Return the answer for one goal, from all hypotheses; if there is none in time, from few."""
    answer = ask(script(condition, list(condition.hypotheses), condition.goals[goal]), seconds)
    texts = (script(few, names, few.goals[goal]) for few, names in slices(condition)) if answer == "unknown" else ()
    limit = str(int(1000 * seconds))
    return "unsat" if any(_answer(text, {**PROVE, "tlimit-per": limit}) == "unsat" for text in texts) else answer
