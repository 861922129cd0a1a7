"""Judges the observed state of a subject that shows its inside: handles, differences, and storage shared with a caller."""

from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.signature import TREE
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.difference_text import difference_text
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Observation


def judge_handle(run: CheckedRun, done: Performed) -> list[Violation]:
    """The node that a match returns must end where the match ends."""
    if done.op.name != "match" or done.refused or done.diverged or not hasattr(run.engine.subject, "locate"):
        return []
    found = run.oracle.call.found
    run.tally.count("LOCK_SPAN", found != EPS)
    place = run.abstraction.places.get(run.engine.locate(run.engine.handles[done.op.key]))
    if place == found:
        return []
    length = run.oracle.positions.length
    at = "outside the tree" if place is None else f"at the end of {length[place]} tokens"
    return [Violation("LOCK_SPAN", f"expected the node of the match at the end of {length[found]} tokens, found it {at}")]


def difference(run: CheckedRun, op: Op, name: str, refused: bool) -> Violation:
    """The violation for one state function that differs, where no formula is broken."""
    seen, spec = run.seen, run.oracle.model.state
    text = difference_text(run.oracle.positions, name, getattr(seen, name), getattr(spec, name))
    id_ = blame.of_traces(op) if refused else blame.of_difference(op, name, seen, spec)
    return Violation(id_, f"after {op.name}, {name}: {text}")


def divergence(run: CheckedRun, done: Performed) -> Violation:
    """The violation for pages that the specification cannot have taken: wrong victims, or wrong pages."""
    evicted = sorted(page for page in run.engine.pool.freed if run.before.owner[page] == TREE)
    deviated = done.op.name in EVICTING and evicted != sorted(run.oracle.call.freed)
    return Violation("ORDER" if deviated else "REFINEMENT", done.diverged)


def judge_alias(run: CheckedRun) -> list[Violation]:
    """Overwrite the slots that were passed in or returned, as a caller that reuses its arrays does: no slot in the cache may change."""
    if run.observation is None:
        return []
    shown = _slots(run.observation)  # copied first: an observation may contain the subject's own lists
    if not run.engine.overwrite_lent():
        return []
    run.tally.count("NO_ALIAS")
    if shown == _slots(run.engine.observe()):
        return []
    return [Violation("NO_ALIAS", "the caller overwrote its own array of slots, and slots in the cache changed")]


def _slots(seen: Observation) -> tuple[object, ...]:
    nodes = tuple((n.name, tuple(n.slots)) for n in seen.nodes)
    return (nodes, tuple((h, tuple(r.slots)) for h, r in seen.requests.items()))
