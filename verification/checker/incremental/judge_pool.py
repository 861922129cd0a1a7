"""What the incremental checker compares after every operation: the pages freed, the sizes, and the row that was answered."""

from collections import Counter

from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.values import Sizes
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.core.found import Violation


def judge_freed(run: CheckedRun, done: Performed, looked: Counter[str]) -> list[Violation]:
    """Compare the pages freed, in any order: a cache may free the slots of several victims at once."""
    name, call, id_ = done.op.name, run.oracle.call, "SLOT_PARTITION"
    freed, expected = sorted(run.engine.pool.freed), [] if done.refused else sorted(call.freed)
    if name in EVICTING:
        id_ = "ORDER" if len(freed) == len(expected) else "EVICT_EXACT"
    if freed != expected:
        return [Violation(id_, f"{name}: expected pages {expected} to be freed, found {freed}")]
    if done.diverged:
        return [Violation("REFINEMENT", done.diverged)]
    looked["victims"] += 0 if done.refused else len(call.victims)
    return []


def judge_sizes(run: CheckedRun, done: Performed, looked: Counter[str]) -> list[Violation]:
    """Compare the three sizes."""
    s, found = run.oracle.model.state, run.engine.sizes()
    looked["sizes"] += 1
    if found == (s.available, s.evictable, s.protected):
        return []
    expected = Sizes(s.available, s.evictable, s.protected)
    return [Violation("COUNT", f"after {done.op.name}: expected {expected}, found {found}")]


def judge_row(run: CheckedRun, done: Performed, looked: Counter[str]) -> list[Violation]:
    """Compare the pages of the slots answered with those that the request holds: none may be a duplicate that was just freed."""
    op, slots = done.op, done.answer.slots
    if done.refused or slots is None or op.name not in ("start", "chunk", "decode"):
        return []
    s, h, size = run.oracle.model.state, op.holder, run.engine.page_size
    tok = s.tok[h]
    path = (tok,) if op.name == "decode" else run.oracle.positions.path(tok)
    found, expected = [slot // size for slot in slots[::size]], [s.row[h, q] for q in path]
    looked["rows"] += 1
    if found == expected:
        return []
    return [Violation("NO_UAF", f"request {h}: expected slots of pages {expected}, found {found}")]
