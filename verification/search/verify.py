"""Searches a subject for violations under every policy and page size, and gives each property a verdict."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from time import monotonic

from radixcheck.spec.property import Property
from radixcheck.verification.checker.blame import SOFT
from radixcheck.verification.checker.formulas import compiled
from radixcheck.verification.core.catalogue import CATALOGUE, MISUSE, PROBED
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.page_sizes import drawn_from
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.workers import WORKERS, workers_for
from radixcheck.verification.operations import REQUEST_OPERATIONS, TREE_OPERATIONS
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.machine import BATCH, hypothesis_batches, never_fired
from radixcheck.verification.search.probes import POOL_PAGES as PROBE_PAGES
from radixcheck.verification.search.probes import SCENES, probed
from radixcheck.verification.search.run import RunResult, random_run
from radixcheck.verification.search.search_results import POOL_PAGES, Bounds, PropertyVerdict, Report
from radixcheck.verification.search.shrink import share, shrink

LONG_EVERY, LONG_STEPS, LONG_PAGES, LONG_KEY = 5, 2_400, 160, 40  # every 5th slice begins with one long run; pages of its pool and of a key
LONG_FROM = 5.0  # seconds of a search: a shorter one makes no long run
SHRINK_SECONDS, SHRINK_PER_STEP = 4.0, 0.005
SLICE_SECONDS = 1.0  # of one task; less in a shorter search
SLICES_MIN = 4  # on the slowest machine too: some properties are exercised by these runs only
EXAMPLES_MIN = 100  # of the state machine: with fewer, a rule may never fire by chance
ELSEWHERE = ("MEM_BOUND", "EVICT_COST", "MATCH_COST", "NO_ALIAS")  # cannot be counted, or overwritten, in another process
PROBED_SIZE_MAX = 64  # tokens; the keys of a chain of 1,500 larger pages would take gigabytes
LOCKED = ("LOCK_COUNT", "LOCK_NONNEG", "COUNT", "EVICT_UNLOCKED", "PROTECTED", "MATCH_FRESH")  # exercised by locks only
LOCKING = ("lock", "start")
STRIDE = 8  # the formulas are evaluated on every 8th step, and in every 8th run on every step


def verify(subject: Subject, bounds: Bounds, progress: Callable[[float, str], None]) -> Report:
    """Search, shrink what is found, and judge each property. `progress(share done, what)` is called at least once a second."""
    start = monotonic()
    result, machine = RunResult(), RunResult()
    with workers_for(subject) as pool:
        for part, of_machine in _search(pool, subject, bounds, progress):
            result.merge(part)
            if of_machine:
                machine.merge(part)
        seconds = {id_: SHRINK_SECONDS + SHRINK_PER_STEP * len(found.trace) for id_, found in result.found.items()}
        jobs = {id_: pool.submit(shrink, subject, found, seconds[id_]) for id_, found in result.found.items()}
        found = []
        for i, (id_, job) in enumerate(jobs.items()):
            progress(i / len(jobs), f"shrinking the trace of {id_}")
            found.append(job.result())
    found = share(subject, found)
    idle = never_fired(machine) if machine.runs else ()
    verdicts = judged(result, subject.supports, subject.white_box, bounds.misused)
    order = list(CATALOGUE)
    found.sort(key=lambda f: order.index(f.violation.property))
    elapsed = monotonic() - start
    return Report(subject.name, bounds, verdicts, tuple(found), result.steps, result.runs, elapsed, idle)


def _search(pool: Executor, subject: Subject, bounds: Bounds, progress: Callable[[float, str], None]) -> Iterator[tuple[RunResult, bool]]:
    """Yield results, and whether they are of the state machine, until the time is over; after a refutation, half of the time is enough."""
    configs = [(policy, size) for size in bounds.page_sizes for policy in bounds.policies]
    start, refuted, submitted = monotonic(), False, 0
    budget = bounds.seconds
    waiting: dict[Future[RunResult], bool] = {}
    tasks = [(_probe, (subject, bounds), False), (_machine, (subject, bounds), True)]
    while waiting or tasks or submitted < SLICES_MIN or monotonic() - start < budget:
        while len(waiting) < WORKERS + 1 and (tasks or submitted < SLICES_MIN or monotonic() - start < budget):
            if tasks:
                function, arguments, of_machine = tasks.pop(0)
                waiting[pool.submit(function, *arguments)] = of_machine
            else:
                policy, size = configs[submitted % len(configs)]
                waiting[pool.submit(_slice, subject, policy, size, bounds, submitted)] = False
                submitted += 1
        done, _ = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in done:
            part = future.result()
            yield part, waiting.pop(future)
            if part.found and not refuted:
                refuted, budget = True, max(bounds.seconds / 2, len(configs) * SLICE_SECONDS / WORKERS)
        share = min(1.0, (monotonic() - start) / budget)
        progress(share, f"{submitted} slices of {len(configs)} configurations")


def _slice(subject: Subject, policy: str, page_size: int, bounds: Bounds, number: int) -> RunResult:
    """Run random operations under one policy and page size, for about a second.

    Some slices begin with one long run over a large tree, for faults that need many victims, many ticks or long edges.
    """
    result, end = RunResult(), monotonic() + min(SLICE_SECONDS, bounds.seconds)
    k, first = 0, number + number // (len(bounds.policies) * len(bounds.page_sizes))  # a slow subject gets one run in each slice
    if number % LONG_EVERY == LONG_EVERY // 2 and bounds.seconds >= LONG_FROM:
        config = Config(policy, page_size, bounds.pool or page_size * LONG_PAGES, bounds.device)
        seed = (bounds.seed << 32) + (number << 16) - 1
        result.merge(random_run(subject, config, seed, LONG_STEPS, 4 * STRIDE, bounds.misused, longest=LONG_KEY))
    while k == 0 or monotonic() < end:
        turn = first + k
        pool = bounds.pool_for(page_size, POOL_PAGES[(turn + turn // STRIDE) % len(POOL_PAGES)])
        config = Config(policy, page_size, pool, bounds.device)
        stride = 1 if turn % STRIDE == 0 else STRIDE
        result.merge(random_run(subject, config, (bounds.seed << 32) + (number << 16) + k, 120, stride, bounds.misused))
        k += 1
    return result


def _machine(subject: Subject, bounds: Bounds) -> RunResult:
    """Run the Hypothesis state machine, which draws its own configurations. A slow subject gets fewer examples, at least EXAMPLES_MIN."""
    result, end = RunResult(), monotonic() + bounds.seconds / 2
    examples = max(EXAMPLES_MIN, int(bounds.seconds * 3))
    found = hypothesis_batches(subject, bounds.policies, bounds.page_sizes, bounds.seed, examples, misused=bounds.misused)
    for batches, part in enumerate(found, 1):
        result.merge(part)
        if monotonic() > end and batches * BATCH >= EXAMPLES_MIN:
            break
    return result


def _probe(subject: Subject, bounds: Bounds) -> RunResult:
    result = RunResult()
    sizes = [size for size in bounds.page_sizes if size <= PROBED_SIZE_MAX][:2]
    for size in sizes or drawn_from(subject.supports.page_sizes)[:1]:
        result.merge(probed(subject, Config(bounds.policies[0], size, PROBE_PAGES * size, bounds.device)))
        if result.found:
            break
    return result


def judged(result: RunResult, supports: Supports, white_box: bool, misused: bool = False) -> tuple[PropertyVerdict, ...]:
    """Return the verdict on every property from the counts of the runs."""
    return tuple(_judge(p, result, supports, white_box) for p in CATALOGUE.values() if p is not MISUSE or misused)


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
    lacking = _lacking(p, supports)
    if lacking or checked:
        return lacking
    if not supports.here and p.id in ELSEWHERE:
        return "it runs in another process"
    if p.heap:
        return "it shows no heap"
    if p.id == "LEAFSET":
        return "it keeps no index of leaves"
    reads = _attributes(p.id, supports.policies[0]) - supports.attributes
    if reads:
        return f"it shows no {min(reads)}"
    return "" if white_box else "it does not show its inside"


def _lacking(p: Property, supports: Supports) -> str:
    """Return which operations the property needs and the subject lacks; empty if it lacks none."""
    can, wanted = set(supports.operations), set(LOCKING if p.id in LOCKED else p.operations)
    missing = SCENES - can if p.id in PROBED else wanted if can.isdisjoint(wanted) else set()
    for kind, whole, all_of_them in ((supports.requests, REQUEST_OPERATIONS, "request"), (supports.tree, TREE_OPERATIONS, "tree")):
        if missing - supports.without and not kind and missing <= set(whole):
            return f"it has no {all_of_them} operations"
    return f"it has no {' and no '.join(sorted(missing))}" if missing else ""
