"""The checker: one operation on the subject and on the model, then everything that must hold.

Every step compares the subject's abstract state with the model's, all functions of it. On every `stride`-th step, and whenever
anything differs, the catalogue's formulas are evaluated on the observed states: they say which property is broken. Where only an
attribute deviates (time, hits, priority, creation), the run continues from the observed values, so that one fault does not hide the
next. Formulas that read a deviating attribute are not evaluated any more, since their failure would only follow from it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from radixcheck.verification.checker import blame, judge_state
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.engine import SubjectFailed
from radixcheck.verification.checker.judge_answer import judge_answer, judge_black_box
from radixcheck.verification.checker.judge_events import EventLog
from radixcheck.verification.checker.misuse import judge_misuse
from radixcheck.verification.core.found import Tier, Violation
from radixcheck.verification.core.printable import error_text, let_interrupt_pass, printable
from radixcheck.verification.operations import Op, is_misuse

TEXT_MAX = 2_000  # characters of a violation
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


class Checker(CheckedRun):
    """Checks one subject along one run. Formulas are evaluated at least every `stride` steps."""

    emits = True

    def __init__(
        self, factory: Any, policy: str, page_size: int, pool: int, stride: int = 1, device: str = "cpu", tier: Tier | None = None
    ) -> None:
        super().__init__(factory, policy, page_size, pool, device, tier)
        self.stride = stride
        self.freshness = Freshness()
        self._events = EventLog(page_size, self.oracle.positions) if self.engine.has("take_events") else None

    def step(self, op: Op) -> list[Violation]:
        """Perform and check one operation. Return the violations, one for each property. After a hard fault `stopped` is true."""
        if self.stopped or not self.allowed(op):
            return []
        self.steps += 1
        return self.guarded(partial(self._step, op))

    def guarded(self, judge: Callable[[], list[Violation]]) -> list[Violation]:
        """Return the violations. If the subject cannot be observed, or what it shows raises while it is compared, that is a violation."""
        try:
            out = judge()
        except SubjectFailed as failed:
            self.stopped = True
            out = [Violation("REFINEMENT", str(failed))]
        except BaseException as error:
            let_interrupt_pass(error)
            if not self.engine.shows_objects:
                raise
            self.stopped = True  # names of nodes are objects of the subject: comparing them runs its code
            out = [Violation("REFINEMENT", f"what the cache shows cannot be compared ({error_text(error)})")]
        return [v._replace(text=printable(v.text, TEXT_MAX)) for v in out]

    def _step(self, op: Op) -> list[Violation]:
        if is_misuse(op.name):
            out = judge_misuse(self, op.name)
            self.stopped = bool(out)
            return out
        done = self.perform(op)
        out = self.engine.findings + (self.host.oracle.findings if self.host else []) + judge_answer(self, done)
        if done.comparable:
            out += self._judge_inside(done, bool(out))
        self.stopped = self.stopped or not done.comparable or any(map(blame.is_hard, out))
        if self._events and not self.stopped:
            out += self._events.judge(self)
        out += self.freshness.judge(self, op, out)
        return list({v.property: v for v in reversed(out)}.values())[::-1]  # the first of each property

    def _judge_inside(self, done: Performed, wrong: bool) -> list[Violation]:
        try:
            return self._judge_state(done, wrong) if self.transparent else judge_black_box(self, done, wrong)
        except SubjectFailed as failed:
            return [Violation("REFINEMENT", str(failed))]

    def _judge_state(self, done: Performed, wrong: bool) -> list[Violation]:
        """Judge the observed state. `wrong`: the answer was not right."""
        out = self.observe() + judge_state.judge_handle(self, done)
        different = [] if done.diverged else self.differing(self.tainted)
        due = self.steps % self.stride == 0
        if due or wrong or out or different or done.diverged:
            out += self._judge_formulas(done)
        self.tally.count("REFINEMENT")
        if not (out or wrong):
            out += self._unexplained(done, different)
        out = self._continue(done, different, out)
        return out + (judge_state.judge_alias(self) if due and not out else [])

    def _judge_formulas(self, done: Performed) -> list[Violation]:
        out = judge_state.judge_postconditions(self, done)
        return out + self._judge_state_formulas({name: id_ for name, id_ in blame.SOFT.items() if blame.breaks(out, id_)})

    def _judge_state_formulas(self, deviating: Mapping[str, str]) -> list[Violation]:
        return judge_state.judge_state_formulas(self, deviating)

    def _unexplained(self, done: Performed, different: Sequence[str]) -> list[Violation]:
        """The first difference, for which no formula names a property."""
        if done.diverged:
            return [judge_state.divergence(self, done)]
        return [judge_state.difference(self, done.op, name, done.refused) for name in different[:1]]

    def _continue(self, done: Performed, different: Sequence[str], out: list[Violation]) -> list[Violation]:
        """Adopt attributes that deviate, or stop.

        A start refreshes times and then evicts: where the times deviate, its victims may, and what they are is not judged.
        """
        cause = self._deviation(out)
        if done.op.name == "start" and cause and (done.diverged or different):
            self.stopped = True
            out = [v._replace(follows_from=cause) if v.property in ("ORDER", "REFINEMENT") else v for v in out]
        self.stopped = self.stopped or bool(done.diverged) or not set(different) <= set(blame.SOFT)
        if not self.stopped:
            self.adopt(different)
        return out

    def _deviation(self, out: Sequence[Violation]) -> str:
        """The property of the first attribute that deviates, in this step or before; empty: none does."""
        now = [v.property for v in out if v.property in blame.SOFT.values()]
        before = [blame.SOFT[name] for name in sorted(self.tainted - self.hidden)]
        return next(iter(now + before), "")
