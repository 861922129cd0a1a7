"""The main job: search a subject for wrong steps under every policy and page size, and give each property a verdict."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from time import monotonic

from radixcheck.spec.property import Property
from radixcheck.verification.checker.blame import SOFT
from radixcheck.verification.checker.formulas import compiled
from radixcheck.verification.core.catalogue import CATALOGUE, MISUSE
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.core.workers import WORKERS, Here, workers
from radixcheck.verification.operations import REQUEST_OPERATIONS, TREE_OPERATIONS
from radixcheck.verification.protocol import Setup, Supports
from radixcheck.verification.search.machine import BATCH, hypothesis_batches, never_fired
from radixcheck.verification.search.probes import POOL_PAGES as PROBE_PAGES
from radixcheck.verification.search.probes import PROBED, SCENES, probed
from radixcheck.verification.search.run import Config, Found, RunResult, random_run
from radixcheck.verification.search.shrink import share, shrink
from radixcheck.verification.subjects.registry import Subject, UsageError, name_of, resolve

POOL_PAGES = (6, 10, 16, 24)
LONG_EVERY, LONG_STEPS, LONG_PAGES, LONG_KEY = 5, 2_400, 160, 40  # slices that begin with one long run; pages of its pool, and of a key
LONG_FROM = 5.0  # seconds of a search: a shorter one has no time for that
SHRINK_SECONDS, SHRINK_PER_STEP = 4.0, 0.005
SLICE_SECONDS = 1.0  # of one task; less where less than that was asked for in all
SLICES_MIN = 4  # however slow the machine: what only these runs show would be left undecided
EXAMPLES_MIN = 100  # of the state machine: fewer may leave a rule unfired by chance
ELSEWHERE = ("MEM_BOUND", "EVICT_COST", "MATCH_COST", "NO_ALIAS")  # what cannot be counted, or overwritten, in another process
LOCKED = ("LOCK_COUNT", "LOCK_NONNEG", "COUNT", "EVICT_UNLOCKED", "PROTECTED", "MATCH_FRESH")  # what only locks can show
LOCKING = ("lock", "start")
STRIDE = 8  # every so many steps, and in every so-manieth run at all steps, the formulas are evaluated


@dataclass(frozen=True, slots=True)
class Options:
    """What to search, and for how long."""

    policies: tuple[str, ...]
    page_sizes: tuple[int, ...]
    seconds: float = 40
    seed: int = 0
    pool: int | None = None  # tokens; None: several small pools
    device: str = "cpu"
    misused: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one property."""

    property: Property
    verdict: str  # TESTED, REFUTED, NOT EXERCISED, NOT OBSERVABLE
    checked: int  # states or calls
    exercised: int  # of them non-vacuous
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome for one subject."""

    subject: str
    options: Options
    verdicts: tuple[Verdict, ...]
    found: tuple[Found, ...]  # shrunk, one for each refuted property
    steps: int
    runs: int
    seconds: float
    idle_rules: tuple[str, ...]  # rules of the state machine that never fired

    @property
    def status(self) -> int:
        """Exit status: 1 refuted, 3 undecided, 0 holds."""
        if self.found:
            return 1
        return 3 if self.idle_rules or any(v.verdict == "NOT EXERCISED" for v in self.verdicts) else 0


def supported(subject: Subject, device: str = "cpu") -> tuple[Supports, bool]:
    """What a subject declares, and whether it shows its inside. Raises `UsageError` if it cannot be made."""
    factory = resolve(subject)
    try:
        made = factory(Setup(1, "lru", WatchedPool(64, 1), device))
    except UsageError:
        raise
    except Exception as error:  # whatever a user's factory raises
        raise UsageError(f"the factory of {name_of(subject)!r} raised {type(error).__name__}: {error}") from error
    supports = getattr(made, "supports", None)
    if not isinstance(supports, Supports):
        raise UsageError(f"subject {name_of(subject)!r} has no attribute `supports` of type protocol.Supports: see README")
    return supports, hasattr(made, "observe")


def verify(subject: Subject, options: Options, progress: Callable[[float, str], None]) -> Report:
    """Search, shrink, judge. `progress(share done, what)` is called at least once a second.

    A subject that has a name is run in worker processes, a factory in this one: others may be unable to import it.
    """
    start = monotonic()
    supports, transparent = supported(subject, options.device)
    result = RunResult()
    machine = RunResult()
    with workers() if isinstance(subject, str) else Here() as pool:
        for part, of_machine in _search(pool, subject, options, progress):
            result.merge(part)
            if of_machine:
                machine.merge(part)
        jobs = {id_: pool.submit(_shrink, subject, found) for id_, found in result.found.items()}
        found = []
        for i, (id_, job) in enumerate(jobs.items()):
            progress(i / len(jobs), f"shrinking the trace of {id_}")
            found.append(job.result())
    found = share(resolve(subject), found)
    idle = never_fired(machine) if machine.runs else ()
    verdicts = judged(result, supports, transparent, options.misused)
    order = list(CATALOGUE)
    found.sort(key=lambda f: order.index(f.violation.property))
    elapsed = monotonic() - start
    return Report(name_of(subject), options, verdicts, tuple(found), result.steps, result.runs, elapsed, idle)


def _search(pool: Executor, subject: Subject, options: Options, progress: Callable[[float, str], None]) -> Iterator[tuple[RunResult, bool]]:
    """Rounds over all configurations until the time is over; half of it once something is refuted."""
    configs = [(policy, size) for size in options.page_sizes for policy in options.policies]
    start, refuted, submitted = monotonic(), False, 0
    budget = options.seconds
    waiting: dict[Future[RunResult], bool] = {}
    tasks = [(_probe, (subject, options), False), (_machine, (subject, options), True)]
    while waiting or tasks or submitted < SLICES_MIN or monotonic() - start < budget:
        while len(waiting) < WORKERS + 1 and (tasks or submitted < SLICES_MIN or monotonic() - start < budget):
            if tasks:
                function, arguments, of_machine = tasks.pop(0)
                waiting[pool.submit(function, *arguments)] = of_machine
            else:
                policy, size = configs[submitted % len(configs)]
                waiting[pool.submit(_slice, subject, policy, size, options, submitted)] = False
                submitted += 1
        done, _ = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
        for future in done:
            part = future.result()
            yield part, waiting.pop(future)
            if part.found and not refuted:
                refuted, budget = True, max(options.seconds / 2, len(configs) * SLICE_SECONDS / WORKERS)
        share = min(1.0, (monotonic() - start) / budget)
        progress(share, f"{submitted} slices of {len(configs)} configurations")


def _slice(subject: Subject, policy: str, page_size: int, options: Options, number: int) -> RunResult:
    """Plain random runs under one policy and page size, for about a second; some slices begin with a long one over a large tree, for what
    only many victims, many ticks or long edges show."""
    factory, result, end = resolve(subject), RunResult(), monotonic() + min(SLICE_SECONDS, options.seconds)
    k, first = 0, number + number // (len(options.policies) * len(options.page_sizes))  # of a slow subject one run is all, each time
    if number % LONG_EVERY == LONG_EVERY // 2 and options.seconds >= LONG_FROM:
        config = Config(policy, page_size, options.pool or page_size * LONG_PAGES, options.device)
        seed = (options.seed << 32) + (number << 16) - 1
        result.merge(random_run(factory, config, seed, LONG_STEPS, 4 * STRIDE, options.misused, longest=LONG_KEY))
    while k == 0 or monotonic() < end:
        turn = first + k
        pool = options.pool or page_size * POOL_PAGES[(turn + turn // STRIDE) % len(POOL_PAGES)]
        config = Config(policy, page_size, pool, options.device)
        stride = 1 if turn % STRIDE == 0 else STRIDE
        result.merge(random_run(factory, config, (options.seed << 32) + (number << 16) + k, 120, stride, options.misused))
        k += 1
    return result


def _machine(subject: Subject, options: Options) -> RunResult:
    """The Hypothesis state machine, which draws its own configurations. Of a slow subject it makes fewer examples, but never too few."""
    result, end = RunResult(), monotonic() + options.seconds / 2
    examples = max(EXAMPLES_MIN, int(options.seconds * 3))
    found = hypothesis_batches(resolve(subject), options.policies, options.page_sizes, options.seed, examples, misused=options.misused)
    for batches, part in enumerate(found, 1):
        result.merge(part)
        if monotonic() > end and batches * BATCH >= EXAMPLES_MIN:
            break
    return result


def _probe(subject: Subject, options: Options) -> RunResult:
    """The program checks that need a scene of their own."""
    result = RunResult()
    for size in options.page_sizes[:2]:
        result.merge(probed(resolve(subject), Config(options.policies[0], size, PROBE_PAGES * size, options.device)))
        if result.found:
            break
    return result


def _shrink(subject: Subject, found: Found) -> Found:
    return shrink(resolve(subject), found, SHRINK_SECONDS + SHRINK_PER_STEP * len(found.trace))


def judged(result: RunResult, supports: Supports, transparent: bool, misused: bool = False) -> tuple[Verdict, ...]:
    """Every property's verdict on a subject, from what its runs counted."""
    return tuple(_judge(p, result, supports, transparent) for p in CATALOGUE.values() if p is not MISUSE or misused)


def _judge(p: Property, result: RunResult, supports: Supports, transparent: bool) -> Verdict:
    """One property's verdict from the counts."""
    checked, exercised = result.tally.checked[p.id], result.tally.exercised[p.id]
    note = f"fails only where {result.followed[p.id]} does" if p.id in result.followed else ""
    if p.id in result.found:
        return Verdict(p, "REFUTED", checked, exercised)
    reason = _hidden(p, supports, transparent, checked)
    if reason:
        return Verdict(p, "NOT OBSERVABLE", checked, exercised, reason)
    if not exercised:
        return Verdict(p, "NOT EXERCISED", checked, exercised, "no state or call gave it anything to say")
    return Verdict(p, "TESTED", checked, exercised, note)


def _attributes(id_: str, policy: str) -> frozenset[str]:
    """The attributes that a property's formula reads."""
    states, posts = compiled(policy)
    ready = (r for r in (*states, *(r for rs in posts.values() for r in rs)) if r.property.id == id_)
    return next((r.reads for r in ready), frozenset()) & frozenset(SOFT)


def _hidden(p: Property, supports: Supports, transparent: bool, checked: int) -> str:
    """Why a subject cannot be judged by this property; empty if it can."""
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
    return "" if transparent else "it does not show its inside"


def _lacking(p: Property, supports: Supports) -> str:
    """Which operations, that alone could show the property, a subject lacks; empty if it has them."""
    can, wanted = set(supports.operations), set(LOCKING if p.id in LOCKED else p.operations)
    missing = SCENES - can if p.id in PROBED else wanted if can.isdisjoint(wanted) else set()
    for kind, whole, all_of_them in ((supports.requests, REQUEST_OPERATIONS, "request"), (supports.tree, TREE_OPERATIONS, "tree")):
        if missing - supports.without and not kind and missing <= set(whole):
            return f"it has no {all_of_them} operations"
    return f"it has no {' and no '.join(sorted(missing))}" if missing else ""
