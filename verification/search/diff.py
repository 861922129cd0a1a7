"""Compares two caches: performs the same operations on both and compares every answer, refusal, size and victim.

The model of the specification performs the operations too: it determines which of them are allowed, and which cache departs from the
specification where the two differ. A kind of difference is what differs and which caches depart. Each kind is reported once, with the
smallest trace that was found and the number of runs that ended in it. A kind that a cache declares (`Supports.choices`) is listed
separately, with the reason that it declares.

A comparison is planned in operations, and each run follows from its number: the result does not depend on the load of the machine. A
comparison that its deadline cuts off is unfinished.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import replace
from itertools import islice
from math import isinf
from random import Random
from typing import TypeVar

from radixcheck.spec.run.state import State
from radixcheck.spec.values import Sizes
from radixcheck.verification.checker.checked_run import KEPT_PAGES
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.checker.reasons.case import Case, snapshot
from radixcheck.verification.checker.reasons.eviction_reasons import victims_text
from radixcheck.verification.checker.spec_tree import spec_tree
from radixcheck.verification.core.choices import reason
from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.short_text import brief, counted
from radixcheck.verification.core.subject import Factory, Subject
from radixcheck.verification.core.tree_text import tree
from radixcheck.verification.core.workers import workers_for
from radixcheck.verification.operations import FAIL, Op, Trace
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.search.search_results import Bounds, Comparison, Difference, Kind
from radixcheck.verification.search.shrink import OPERATIONS, PER_OPERATION, Effort, in_pages_of_one, minimise
from radixcheck.verification.search.sides import Answered, side, specification

STEPS = 400  # of one run
PER_SECOND = 2_000  # operations planned for each second of the bounds: a third of what two idle cores perform, so that load has room
START = 100  # operations that take as long as the start of a run
SLICE_RUNS = 5
ROUND = 4  # slices, at whose end the comparison may end
LATE_SECONDS = 4.0  # after the deadline, for the tasks to end: one that takes longer hangs
PROGRESS_EVERY = 200  # operations
SHOWN_MAX = 6  # pages
LEFT, RIGHT = "left", "right"


class Pair:
    """Two subjects and the specification. It has the methods of a checker that the generator of operations needs."""

    def __init__(self, left: Factory, right: Factory, config: Config) -> None:
        self._config = config
        self._specification, self.oracle, self.host = specification(config)
        self._left, self._right = side(left, config, self.oracle.positions), side(right, config, self.oracle.positions)
        self.engine = self._left.engine
        self.each: tuple[Supports, Supports] = (self.engine.supports, self._right.engine.supports)
        a, b = self.each
        both = {name: getattr(a, name) and getattr(b, name) for name in ("tree", "requests", "namespaces")}
        modes = tuple(mode for mode in a.modes if mode in b.modes)
        self.supports = replace(a, without=a.without | b.without, modes=modes, **both)
        self.diverged = False
        if self.host is not None:
            self.host.oracle.can_fail = FAIL not in self.supports.without

    def allowed(self, op: Op) -> bool:
        """Return whether both have the operation and its guard holds now."""
        known = self.supports.operations + (self.supports.host_operations if self.host else ())
        return op.name in known and self.oracle.allowed(op)

    def step(self, op: Op) -> Difference | None:
        """Perform the operation. Return how the two differ, without the operations; None if they do not."""
        fresh = self._specification.fresh(op)
        kept = len(self.oracle.model.state.owner) <= KEPT_PAGES
        before = snapshot(self.oracle.model.state) if kept else None
        due = self._specification.perform(op, fresh)
        left, right = self._left.perform(op, fresh), self._right.perform(op, fresh)
        what = left.departs(right)
        if not what:
            self.diverged = self.diverged or left != due
            return None
        departs = tuple(name for name, answer in ((LEFT, left), (RIGHT, right)) if answer.departs(due))
        kind = Kind(_group(op, what), departs)
        answers = (self._show(left, self._left.words), self._show(right, self._right.words), self._show(due, ""))
        why = self._why(before, left if LEFT in departs else right) if before and what == "victims" else ""
        return Difference(kind, self._config, (), *answers, why=why, before=tree(spec_tree(before)) if before else "")

    def _why(self, before: State, wrong: Answered) -> str:
        """Return why the specification has other victims than the side that departs."""
        policy, call, p = self._config.policy, self.oracle.call, self.oracle.positions
        return victims_text(Case(p, policy, call, before, self.oracle.model.state), {q for q in wrong.victims if q in before.cached})

    def _show(self, answer: Answered, crash: str) -> str:
        words = [f"raised {crash}"] if crash else [f"refused with {answer.refusal}"] if answer.refusal else []
        words += [counted(answer.length, "token")] if answer.length is not None else []
        words += [f"slots of {self._shown(answer.contents[-1:])}"] if answer.contents else []
        words += [f"freed {self._shown(answer.victims)}"] if answer.victims else []
        words += [answer.pool] if answer.pool else []
        words += [f"{counted(answer.host_length, 'token')} on the host"] if answer.host_length is not None else []
        words += [f"copies of {counted(answer.moved, 'token')}"] if answer.moved is not None else []
        words += [f"freed on the host {self._shown(answer.host_victims)}"] if answer.host_victims else []
        words += [f"copies {', '.join(map(str, answer.tickets))}"] if answer.tickets else []
        words += [f"{answer.host_free} free on the host"] if answer.host_free else []
        sizes = answer.sizes
        if not isinstance(sizes, Sizes):
            return ", ".join([*words, sizes])
        return "; ".join([", ".join(words) or "done", f"free {sizes.available}  evictable {sizes.evictable}  protected {sizes.protected}"])

    def _shown(self, positions: Sequence[int]) -> str:
        """Return the prefixes that end at these positions."""
        known = [brief(prefix_text(self.oracle.positions, q)) if q >= 0 else "never written" for q in positions[:SHOWN_MAX]]
        return " ".join(known) + (f" and {len(positions) - SHOWN_MAX} more" if len(positions) > SHOWN_MAX else "")


def _group(op: Op, what: str) -> str:
    """Return the name of a difference. One cause has one name: an eviction has the same name in every operation that evicts."""
    if what == "victims" and op.name in ("evict", "alloc", "start", "decode", "insert"):
        return "victims of an eviction"
    if what == "host_victims":
        return "slots given back on the host in poll" if op.name == "poll" else "victims of a host eviction"
    if what in ("crash", "pool", "refusal", "sizes", "victims"):
        return {"victims": "slots given back", "pool": "misuse of the pool"}.get(what, what) + f" in {op.name}"
    if what == "length" and op.name not in ("evict", "evict_host"):
        return "length of what is cached"
    return f"{what} of {op.name}"


def compare(left: Factory, right: Factory, config: Config, seed: int, deadline: Deadline = NEVER) -> Comparison:
    """Compare two caches in one run."""
    random = Random(f"{config} {seed}")
    pair = Pair(left, right, config)
    stream = operations(pair, random, PROFILES[random.choice(sorted(PROFILES))])
    return _run(pair, config, islice(stream, STEPS), deadline)


def _run(pair: Pair, config: Config, stream: Iterable[Op], deadline: Deadline = NEVER) -> Comparison:
    trace: list[Op] = []
    for op in stream:
        if not pair.allowed(op):
            continue
        if deadline.passed:
            return Comparison(len(trace), 1, unfinished=(CUT_OFF,))
        trace.append(op)
        differs = pair.step(op)
        if differs:
            kind = differs.kind
            sides = zip((LEFT, RIGHT), pair.each, strict=True)
            declared = {side: why for side, supports in sides if (why := reason(supports.choices, kind.what))}
            return Comparison(len(trace), 1, 0, {kind: replace(differs, trace=tuple(trace), declared=declared)})
        if pair.diverged:
            break
    return Comparison(len(trace), 1, pair.diverged)


CUT_OFF = "the time was over before all planned operations were compared"


def along(
    left: Factory, right: Factory, config: Config, trace: Trace, progress: Callable[[float, str], None], deadline: Deadline = NEVER
) -> Comparison:
    """Compare two caches along given operations, up to the first that they answer differently."""

    def reported() -> Iterator[Op]:
        for done, op in enumerate(trace):
            if done % PROGRESS_EVERY == 0:
                progress(done / len(trace), f"{done:,} operations")
            yield op

    outcome = _run(Pair(left, right, config), config, reported(), deadline)
    progress(1.0, "looking for fewer operations")
    return replace(outcome, kinds={kind: _smallest(left, right, found, deadline) for kind, found in outcome.kinds.items()})


def _smallest(left: Factory, right: Factory, found: Difference, deadline: Deadline) -> Difference:
    """Return the same kind of difference with a shorter trace, in pages of one token if it occurs there too."""
    effort = Effort(OPERATIONS + PER_OPERATION * len(found.trace), deadline)

    def under(config: Config, trace: Trace) -> Difference | None:
        return _run(Pair(left, right, config), config, effort.performed(trace)).kinds.get(found.kind)

    plain = None
    if found.config.page_size > 1 and all(1 in supports.page_sizes for supports in Pair(left, right, found.config).each):
        plain = under(*in_pages_of_one(found.config, found.trace))
    best = plain or found
    small = minimise(best, lambda trace: under(best.config, trace), best.config.page_size, effort)
    return replace(small, runs=found.runs)


def _slice(left: Factory, right: Factory, bounds: Bounds, number: int) -> Comparison:
    """Compare two caches in SLICE_RUNS runs, under the configurations in turn."""
    configs, outcome = bounds.configs(), Comparison()
    for run in range(number * SLICE_RUNS, (number + 1) * SLICE_RUNS):
        outcome += compare(left, right, configs[run % len(configs)], (bounds.seed << 32) + run, bounds.deadline)
        if outcome.unfinished:
            break
    return outcome


class _Late(Exception):
    """A task has not ended in time."""


Result = TypeVar("Result")


def _results(jobs: Sequence["Future[Result]"], deadline: Deadline) -> Iterator[Result]:
    """Yield the results in the order of the jobs. Raise _Late if one has not ended soon after the deadline."""
    for job in jobs:
        done, _ = wait([job], timeout=None if isinf(deadline.left) else deadline.left + LATE_SECONDS)
        if not done:
            raise _Late
        yield job.result()


class _Rounds:
    """A comparison, round by round."""

    def __init__(self, left: Subject, right: Subject, bounds: Bounds, operations_wanted: int | None) -> None:
        self._left, self._right, self._bounds = left, right, bounds
        self._wanted, self._start = (operations_wanted, 0) if operations_wanted else (int(bounds.seconds * PER_SECOND), START)
        self.outcome, self._number = Comparison(), 0

    @property
    def share(self) -> float:
        """Return the share of the planned operations that was compared."""
        return (self.outcome.steps + self._start * self.outcome.runs) / self._wanted

    def run(self, pool: Executor, progress: Callable[[float, str], None]) -> None:
        """Compare as planned, or until the deadline; then look for shorter traces."""
        while self.share < 1 and not self.outcome.unfinished:
            self._round(pool)
            progress(min(1.0, self.share), f"{self.outcome.steps:,} operations, {len(self.outcome.kinds)} kinds of difference")
        deadline = self._bounds.deadline
        smaller = [pool.submit(_smallest, self._left, self._right, found, deadline) for found in self.outcome.differences]
        self.outcome = replace(self.outcome, kinds={found.kind: found for found in _results(smaller, deadline)})

    def _round(self, pool: Executor) -> None:
        numbers, self._number = range(self._number, self._number + ROUND), self._number + ROUND
        jobs = [pool.submit(_slice, self._left, self._right, self._bounds, number) for number in numbers]
        for part in _results(jobs, self._bounds.deadline):
            self.outcome += part


def diff(
    left: Subject, right: Subject, bounds: Bounds, operations_wanted: int | None, progress: Callable[[float, str], None]
) -> Comparison:
    """Compare two caches in so many operations; if `operations_wanted` is None, in as many as are planned for the seconds of the bounds."""
    rounds = _Rounds(left, right, bounds, operations_wanted)
    try:
        with workers_for(left, right) as pool:  # its processes are terminated if the block raises
            rounds.run(pool, progress)
    except _Late:
        return replace(rounds.outcome, unfinished=(CUT_OFF,))
    return rounds.outcome
