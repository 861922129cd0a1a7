"""Compares the whole state of a cache with a host tier with the specification, and evaluates formulas in turn.

If the subject shows paths, only what has changed since the last agreement is compared (`tiered_agreement.py`). The whole is abstracted, as
for any other subject, where that finds a difference, and where a formula is due.
"""

from collections import Counter, deque

from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.formulas import Compiled, index_findings
from radixcheck.verification.checker.incremental.tiered_agreement import TieredAgreement
from radixcheck.verification.checker.incremental.whole_state import FORMULA_EVERY, LINEAR, by_rank
from radixcheck.verification.checker.judge_state import difference, formula_failed
from radixcheck.verification.core.catalogue import OF_HOST_HEAP
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op

OF_TIERS = ("UNIFORM", "DEVICE_CLOSED", "HOST_CLOSED", "HOST_SOUND", "ARRIVAL", "HOST_ARRIVAL", "SPAN", "SOURCE", "TARGET")
HOST_LINEAR = (*OF_TIERS, *sorted(OF_HOST_HEAP))


class WholeTiers:
    """Comparisons of the whole state. `local`: the subject shows paths, so that each clock reading is seen when it is new; otherwise times
    are compared by their order, with one clock reading for each access."""

    def __init__(
        self, run: CheckedRun, formulas: tuple[Compiled, ...], agreement: TieredAgreement, looked: Counter[str], local: bool
    ) -> None:
        self._run, self._agreement, self._looked, self._local = run, agreement, looked, local and not run.hidden
        self._formulas = deque(r for r in formulas if r.property.id in (*LINEAR, *HOST_LINEAR) and not r.reads & run.hidden)

    def judge(self, op: Op) -> list[Violation]:
        """Compare every state function; at every `FORMULA_EVERY`-th call evaluate the next formula too."""
        return self._judge(op, int(self._looked["whole states"] % FORMULA_EVERY == 0))

    def judge_all(self) -> list[Violation]:
        """Compare every state function, and evaluate every formula."""
        return self._judge(Op("peek"), len(self._formulas))

    def _judge(self, op: Op, formulas: int) -> list[Violation]:
        self._looked["whole states"] += 1
        self._run.tally.count("REFINEMENT")
        due = list(self._formulas)[:formulas]
        self._formulas.rotate(-formulas)
        return [] if self._local and self._agrees() and not due else self._compare(op, due)

    def _agrees(self) -> bool:
        """Whether a comparison of what has changed shows that nothing differs."""
        run = self._run
        seen = run.engine.observe()
        if not self._agreement.holds(seen) or index_findings(run.oracle.model.state, seen, run.abstraction.places):
            return False
        run.count_indices(seen)
        return True

    def _compare(self, op: Op, due: list[Compiled]) -> list[Violation]:
        run = self._run
        if not self._local:
            by_rank(run.abstraction.clock, run.engine.observe(), run.oracle.model.state, run.hidden)
        out, different = run.observe(), run.differing(run.hidden)
        for formula in self._formulas if different else due:
            state = run.seen_by(formula.property)
            out += [] if state is None else formula_failed(run, formula.property.id, run.tally.evaluate(formula, state), seen=state)
        return out or [difference(run, op, name, False) for name in different[:1]]
