"""MATCH_FRESH: a match that was made before other operations, or by a start that was refused, must not be used as it was."""

from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op

SIGNS = {  # the use of a stale match breaks one of these
    "start": frozenset({"MATCH_SOUND", "ISOLATION", "MATCH_MAX", "ADMISSION"}),
    "lock": frozenset({"LOCK_COUNT", "LOCK_SPAN", "NO_ORPHAN", "MATCH_FRESH", "PROTECTED", "COUNT"}),
}
CONSEQUENCES = {  # and perhaps some of these, but nothing else
    "start": frozenset({"NO_UAF", "SLOT_PARTITION", "LOCK_SPAN", "NO_ORPHAN", "EVICT_EXACT"}),
    "lock": frozenset[str](),
}


class Freshness:
    """Which matches of a run are stale."""

    def __init__(self) -> None:
        self._matched_at: dict[object, int] = {}  # key -> step of the last match
        self._refused_starts: set[object] = set()  # keys

    def judge(self, run: CheckedRun, op: Op, out: list[Violation]) -> list[Violation]:
        """Return MATCH_FRESH if an operation that may use a stale match breaks just what such a use breaks. `out`: what it broke."""
        stale = self._is_stale(op, run.steps)
        if op.name in SIGNS:
            run.tally.count("MATCH_FRESH", stale)
        self._note(run, op)
        broken = [v for v in out if not v.follows_from]
        if not stale or not _is_stale_use(op, broken):
            return []
        return [Violation("MATCH_FRESH", f"the match used is stale, other operations came after it: {broken[0].text}")]

    def _is_stale(self, op: Op, step: int) -> bool:
        if op.name == "lock":
            return self._matched_at.get(op.key, step) < step - 1
        return op.name == "start" and op.key in self._refused_starts

    def _note(self, run: CheckedRun, op: Op) -> None:
        if op.name == "match":
            self._matched_at[op.key] = run.steps
        if op.name == "start" and op.holder not in run.oracle.model.state.held:
            self._refused_starts.add(op.key)


def _is_stale_use(op: Op, broken: list[Violation]) -> bool:
    properties = {v.property for v in broken} - set(blame.SOFT.values())  # the use of a stale match refreshes another path
    return bool(properties & SIGNS[op.name]) and properties <= SIGNS[op.name] | CONSEQUENCES[op.name]
