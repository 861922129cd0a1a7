"""Judges a subject that does not show its inside, by its sizes and by the pages that it frees."""

from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.values import Sizes
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.core.found import Violation


def judge_black_box(run: CheckedRun, done: Performed, wrong: bool) -> list[Violation]:
    """Return the first difference. `wrong`: the answer was not right, so that differences would only follow from that."""
    s, freed, expected = run.oracle.model.state, sorted(run.engine.pool.freed), sorted(run.oracle.call.freed)
    run.tally.count("REFINEMENT")
    run.tally.count("COUNT", s.protected > 0)
    evicting = done.op.name in EVICTING
    if evicting:
        for id_ in ("ORDER", "EVICT_EXACT"):
            run.tally.count(id_, bool(freed))
    if wrong:
        return []
    if done.diverged:
        return [Violation("EVICT_EXACT" if evicting else "REFINEMENT", done.diverged)]
    if not done.refused and freed != expected:
        id_ = blame.of_freed(done.op, s, set(freed), set(expected))
        return [Violation(id_, f"expected pages {expected} to be freed, found {freed}")]
    sizes = Sizes(s.available, s.evictable, s.protected)
    if run.engine.sizes() != sizes:
        return [Violation("COUNT", f"expected {sizes}, found {run.engine.sizes()}")]
    return []
