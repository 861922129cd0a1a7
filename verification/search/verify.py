"""Searches a subject for violations under every policy and page size, and gives each property a verdict.

What is done follows from a plan (`search_plan.py`). Time is only a ceiling: the report of a search that reached it says what is missing,
and is UNDECIDED. A task that ends its process, or whose call does not return, has found a fault: its trace are the operations so far.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TypeVar

from radixcheck.spec.property import Property
from radixcheck.verification.checker.blame import SOFT
from radixcheck.verification.checker.formulas import compiled
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.catalogue import MISUSE, OF_HOST_HEAP, PROBED, properties_of
from radixcheck.verification.core.choices import declared_choices
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.edges import excluded, never_taken
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import WORKERS, WorkerLost
from radixcheck.verification.operations import REQUEST_OPERATIONS, TREE_OPERATIONS
from radixcheck.verification.probes.all_probes import NEEDED
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.attribution import attributed
from radixcheck.verification.search.lost import of_lost
from radixcheck.verification.search.machine import never_fired
from radixcheck.verification.search.run import LONG_TRACE
from radixcheck.verification.search.search_plan import Task, rounds, stretch_seconds
from radixcheck.verification.search.search_results import NOT_SHOWN, Bounds, PropertyVerdict, Report
from radixcheck.verification.search.shrink import share, shrink
from radixcheck.verification.stretch.dimensions import unplanned
from radixcheck.verification.subjects.registry import isolated

SHRINK_SECONDS = 6.0  # after the ceiling of the search
SHARE_SECONDS = 2.0  # after that
RESTART_SECONDS = 12.0  # of shrinking a trace that ends the process: each attempt starts another one
LATE_SECONDS = SHRINK_SECONDS + SHARE_SECONDS
ELSEWHERE = ("MEM_BOUND", "EVICT_COST", "MATCH_COST", "VERB_COST", "NO_ALIAS")  # cannot be counted, or overwritten, in another process
LOCKED = ("LOCK_COUNT", "LOCK_NONNEG", "COUNT", "EVICT_UNLOCKED", "PROTECTED", "MATCH_FRESH")  # exercised by locks only
LOCKING = ("lock", "start")

T = TypeVar("T")


Progress = Callable[[float, str], None]  # share done, and what


@dataclass(slots=True)
class Search:
    """A search in progress: what it has found so far."""

    subject: Subject
    bounds: Bounds
    result: RunResult = field(default_factory=RunResult)
    machine: RunResult = field(default_factory=RunResult)  # of the state machine alone
    lost: bool = False  # a task has lost its process: another one would too
    unfinished: list[str] = field(default_factory=list)  # why the plan was not carried out

    def run(self, pool: Executor, progress: Progress) -> None:
        """Carry out the plan, until its end, the ceiling, an interrupt or the end of a round in which something was found."""
        plan = list(rounds(self.subject, self.bounds))
        total, done = sum(map(len, plan)), 0
        try:
            for tasks in plan:
                for _ in self._round(pool, tasks):
                    done += 1
                    progress(done / total, self.so_far)
                if self.result.found or self.unfinished:
                    return
        except KeyboardInterrupt:
            self.unfinished.append(f"it was interrupted after {done} of {total} parts of the search")

    @property
    def so_far(self) -> str:
        """What was done and found."""
        return f"{self.result.steps:,} operations, {len(self.result.found)} properties refuted"

    def _round(self, pool: Executor, tasks: list[Task]) -> Iterator[None]:
        """Perform the tasks, a few at a time; yield after each."""
        due, waiting = tasks[::-1], dict[Future[RunResult], Task]()
        while (due and not self.lost) or waiting:
            if self.bounds.deadline.passed:
                return self._give_up(len(due) + len(waiting), len(tasks))
            while due and not self.lost and len(waiting) <= WORKERS:
                task = due.pop()
                waiting[pool.submit(task)] = task
            for future in wait(waiting, timeout=min(0.5, self.bounds.deadline.left), return_when=FIRST_COMPLETED).done:
                self._add(waiting.pop(future), future)
                yield
        return None

    def _give_up(self, missing: int, tasks: int) -> None:
        made = (
            f"{self.result.steps:,} operations were made when the time was over, and {missing} of {tasks} parts of this round were missing"
        )
        self.unfinished.append(f"{made}: give more --seconds, or fewer --operations")

    def _add(self, task: Task, future: Future[RunResult]) -> None:
        try:
            part = future.result()
        except WorkerLost as lost:
            return self._add_lost(lost)
        except MemoryError:  # of the checker: a subject's own is an answer
            return self.unfinished.append("a part of the search ran out of memory: give a smaller --pool or smaller pages")
        except UsageError as wrong:  # raised while a cache was made: what was found before counts all the same
            if not self.result.found:
                raise
            return self.unfinished.append(str(wrong))
        self.result.merge(part)
        if task.of_machine:
            self.machine.merge(part)
        return None

    def _add_lost(self, lost: WorkerLost) -> None:
        """Record that a call has ended its process, or did not return."""
        found = of_lost(lost)
        if found is None:
            return self.unfinished.append(str(lost))
        self.lost = True
        return self.result.merge(RunResult(runs=1, steps=len(found.trace), found={found.violation.property: found}))


def verify(pool: Executor, subject: Subject, bounds: Bounds, progress: Progress) -> Report:
    """Search, shrink what is found, and judge each property. `progress(share done, what)` is called at least once a second."""
    start = monotonic()
    search = Search(subject, bounds)
    search.run(pool, progress)
    result, machine = search.result, search.machine
    found = _smaller(pool, search, progress)
    result.found |= {f.violation.property: f for f in found}  # a peek that changes a black box is found only now
    idle = never_fired(machine) if machine.runs else ()
    supports, sizes = replace(subject.supports, modes=bounds.modes), bounds.page_sizes  # only the modes that were searched
    verdicts = judged(result, supports, subject.white_box, bounds.misused)
    elapsed = monotonic() - start
    return Report(
        *(subject.name, bounds, verdicts, tuple(found), result.steps, result.runs, elapsed, idle, tuple(search.unfinished)),
        edges=dict(result.edges),
        impossible_edges=excluded(supports, sizes),
        missing_edges=never_taken(result.edges, supports, sizes),
        envelope=result.envelope,
        choices=declared_choices(subject.supports.choices, bounds.modes),
        reaches=(unplanned(stretch_seconds(subject, bounds)) if bounds.stretch else {}) | result.reaches,
    )


def _smaller(pool: Executor, search: Search, progress: Progress) -> list[Found]:
    """Return what was found with shorter traces, as far as the time allows."""
    try:
        ceiling = Deadline(search.bounds.deadline.ends + SHRINK_SECONDS)
        return smaller(pool, search.subject, search.result.found, ceiling, progress)
    except KeyboardInterrupt:
        return list(search.result.found.values())


def smaller(pool: Executor, subject: Subject, faults: Mapping[str, Found], ceiling: Deadline, progress: Progress) -> list[Found]:
    """Return faults with shorter traces, the most direct first, as far as the time allows: none is shrunk after the ceiling."""
    starting = Deadline(min(ceiling.ends, Deadline.after(RESTART_SECONDS).ends))
    limits = {id_: starting if found.ends_process else ceiling for id_, found in faults.items()}
    shorter = [found for found in faults.values() if _is_long(found)]
    shrinkable = {id_: found for id_, found in faults.items() if not _is_long(found)}
    jobs = {id_: pool.submit(shrink, _shrunk_on(subject, found), found, limits[id_]) for id_, found in shrinkable.items()}
    for i, (id_, job) in enumerate(jobs.items()):
        progress(i / len(jobs), f"shrinking the trace of {id_}")
        shorter.append(replace(_or_else(job, faults[id_], ceiling), ends_process=faults[id_].ends_process))
    apart = [found for found in shorter if found.ends_process or _is_long(found)]
    together = [found for found in shorter if found not in apart]
    ceiling = Deadline(ceiling.ends + SHARE_SECONDS)
    shared = _or_else(pool.submit(share, subject, together, ceiling), together, ceiling)
    return _or_else(pool.submit(attributed, subject, shared), shared, ceiling) + apart


def _is_long(found: Found) -> bool:
    """Return whether a trace is not shrunk: the scenario that found it has looked for a shorter one, and each attempt takes seconds."""
    return len(found.trace) > LONG_TRACE


def _shrunk_on(subject: Subject, found: Found) -> Subject:
    """Return the subject to replay traces on: in a process of its own, if the fault ends the process."""
    return isolated(subject) if found.ends_process else subject


def _or_else(job: "Future[T]", otherwise: T, ceiling: Deadline) -> T:
    """Return the result of a job; the other value if there is none by then."""
    try:
        return job.result(ceiling.left)
    except (TimeoutError, WorkerLost, UsageError):
        return otherwise


def judged(result: RunResult, supports: Supports, white_box: bool, misused: bool = False) -> tuple[PropertyVerdict, ...]:
    """Return the verdict on every property from the counts of the runs."""
    return tuple(_judge(p, result, supports, white_box) for p in properties_of(supports) if p is not MISUSE or misused)


def _judge(p: Property, result: RunResult, supports: Supports, white_box: bool) -> PropertyVerdict:
    checked, exercised = result.tally.checked[p.id], result.tally.exercised[p.id]
    note = f"fails only where {result.followed[p.id]} does" if p.id in result.followed else ""
    if p.id in result.found:
        return PropertyVerdict(p, Verdict.REFUTED, checked, exercised)
    reason = _hidden(p, supports, white_box, checked)
    if reason:
        return PropertyVerdict(p, Verdict.NOT_OBSERVABLE, checked, exercised, reason)
    if not exercised:
        return PropertyVerdict(p, Verdict.NOT_EXERCISED, checked, exercised, "every check of it was vacuous")
    return PropertyVerdict(p, Verdict.TESTED, checked, exercised, note)


def _attributes(id_: str, policy: str) -> frozenset[str]:
    states, posts = compiled(policy)
    ready = (r for r in (*states, *(r for rs in posts.values() for r in rs)) if r.property.id == id_)
    return next((r.reads for r in ready), frozenset()) & frozenset(SOFT)


def _hidden(p: Property, supports: Supports, white_box: bool, checked: int) -> str:
    """Return why this property cannot be observed on a subject; empty if it can."""
    if p.id == "ISOLATION" and not supports.namespaces:
        return "it has no namespaces"
    if p.id == "MEM_BOUND" and supports.remembers:
        return supports.remembers
    lacking = _lacking(p, supports)
    if lacking or checked:
        return lacking
    if not supports.here and (p.id in ELSEWHERE or p.kind == "event"):
        return "it runs in another process"
    if p.heap:
        return "it shows no heap of host leaves" if p.id in OF_HOST_HEAP else "it shows no heap"
    if p.kind == "event":
        return "it shows no events"
    if p.id == "LEAFSET":
        return "it keeps no index of leaves"
    reads = _attributes(p.id, supports.policies[0]) - supports.attributes
    if reads:
        return f"it shows no {min(reads)}"
    return "" if white_box else NOT_SHOWN


def _lacking(p: Property, supports: Supports) -> str:
    """Return which operations the property needs and the subject lacks; empty if it lacks none."""
    can, wanted = {*supports.operations, *supports.host_operations}, set(LOCKING if p.id in LOCKED else p.operations)
    missing = NEEDED - can if p.id in PROBED else wanted if can.isdisjoint(wanted) else set()
    for kind, whole, all_of_them in ((supports.requests, REQUEST_OPERATIONS, "request"), (supports.tree, TREE_OPERATIONS, "tree")):
        if missing - supports.without and not kind and missing <= set(whole):
            return f"it has no {all_of_them} operations"
    return f"it has no {' and no '.join(sorted(missing))}" if missing else ""
