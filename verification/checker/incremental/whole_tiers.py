"""Compares the whole state of a cache with a host tier with the specification, and evaluates formulas in turn."""

from collections import Counter, deque

from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.formulas import Compiled
from radixcheck.verification.checker.incremental.whole_state import FORMULA_EVERY, LINEAR, by_rank
from radixcheck.verification.checker.judge_state import difference, formula_failed
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op

HOST_LINEAR = ("UNIFORM", "DEVICE_CLOSED", "HOST_CLOSED", "HOST_SOUND", "ARRIVAL", "HOST_ARRIVAL", "SPAN", "SOURCE", "TARGET")


class WholeTiers:
    """Comparisons of the whole state, each from scratch. Times are compared by their order, with one clock reading for each access."""

    def __init__(self, run: CheckedRun, formulas: tuple[Compiled, ...], looked: Counter[str]) -> None:
        self._run, self._looked = run, looked
        self._formulas = deque(r for r in formulas if r.property.id in (*LINEAR, *HOST_LINEAR) and not r.reads & run.hidden)

    def judge(self, op: Op) -> list[Violation]:
        """Compare every state function; at every `FORMULA_EVERY`-th call evaluate the next formula too."""
        return self._judge(op, int(self._looked["whole states"] % FORMULA_EVERY == 0))

    def judge_all(self) -> list[Violation]:
        """Compare every state function, and evaluate every formula."""
        return self._judge(Op("peek"), len(self._formulas))

    def _judge(self, op: Op, formulas: int) -> list[Violation]:
        run = self._run
        self._looked["whole states"] += 1
        run.tally.count("REFINEMENT")
        by_rank(run.abstraction.clock, run.engine.observe(), run.oracle.model.state, run.hidden)
        out, different = run.observe(), run.differing(run.hidden)
        due = list(self._formulas)[: len(self._formulas) if different else formulas]
        self._formulas.rotate(-formulas)
        for formula in due:
            state = run.seen_by(formula.property)
            out += [] if state is None else formula_failed(run, formula.property.id, run.tally.evaluate(formula, state))
        return out or [difference(run, op, name, False) for name in different[:1]]
