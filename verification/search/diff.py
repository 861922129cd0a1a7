"""Two caches side by side: the same operations, and every answer, refusal, size and victim compared.

The specification runs along: it says which operations make sense, and which side is right where they differ.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from time import monotonic

from radixcheck.spec.signature import FREE
from radixcheck.spec.values import CacheError
from radixcheck.verification.model.reader import Refused
from radixcheck.verification.model.state import State
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.refinement.engine import Engine, SubjectFailed
from radixcheck.verification.refinement.oracle import Oracle
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.search.run import Config, Factory
from radixcheck.verification.search.shrink import minimise
from radixcheck.verification.search.workers import WORKERS, workers
from radixcheck.verification.subjects.registry import resolve

STEPS = 400  # of one run
POOL_PAGES = (6, 10, 16, 24)
SHRINK_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Difference:
    """The first operation of a run that the two answer differently, with what led to it."""

    config: Config
    trace: Trace
    left: str
    right: str
    specification: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was compared. `parted` counts runs that ended early because both left the specification together."""

    steps: int = 0
    runs: int = 0
    parted: int = 0
    difference: Difference | None = None

    def __add__(self, other: "Outcome") -> "Outcome":
        both = [d for d in (self.difference, other.difference) if d]
        shortest = min(both, key=lambda d: len(d.trace), default=None)
        return Outcome(self.steps + other.steps, self.runs + other.runs, self.parted + other.parted, shortest)


class _FreePages:
    """Any free pages of the specification, chosen when they are needed: after an eviction."""

    def __init__(self, state: State, count: int) -> None:
        self._state, self._count = state, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        free = [page for page, owner in enumerate(self._state.owner) if owner == FREE]
        return iter(free[: self._count])


class _Side:
    """One of the two, and which tokens the engine wrote into the pages that it handed out."""

    def __init__(self, factory: Factory, config: Config) -> None:
        self.engine = Engine(factory, config.policy, config.page_size, config.pool, config.device)
        self._holds: dict[int, int] = {}  # page -> position
        self.crash = ""  # in words, of the last operation

    def perform(self, op: Op, fresh: Sequence[int]) -> tuple[object, ...]:
        """What can be compared: lengths, refusals, sizes, and the tokens whose slots were freed."""
        answer = self.engine.perform(op)
        pool = self.engine.pool
        written = dict(zip(pool.allocated, fresh, strict=False))
        held = self._holds | written if op.name == "insert" else self._holds  # all others free before they allocate
        freed = tuple(sorted(held.get(page, -1) for page in pool.freed))
        self._holds.update(written)
        try:
            sizes: object = self.engine.sizes()
        except SubjectFailed as failed:
            sizes = str(failed)
        self.crash = f": {answer.error}" if answer.error and not answer.refused else ""
        error = type(answer.error).__name__ if answer.error else ""
        return (answer.length, error, sizes, freed, len(answer.slots or ()), bool(pool.findings))


class Pair:
    """Two subjects and the specification. It has what the generator of operations asks of a checker."""

    def __init__(self, left: Factory, right: Factory, config: Config) -> None:
        self.oracle = Oracle(config.policy, config.page_size, config.pool // config.page_size)
        self._left, self._right = _Side(left, config), _Side(right, config)
        self.engine = self._left.engine
        a, b = self.engine.subject.supports, self._right.engine.subject.supports
        both = {"tree": a.tree and b.tree, "requests": a.requests and b.requests, "namespaces": a.namespaces and b.namespaces}
        self.supports = replace(a, **both, without=a.without | b.without)
        self.parted = False

    def allowed(self, op: Op) -> bool:
        """Whether a caller can make this call now."""
        return op.name in self.supports.operations and self.oracle.allowed(op)

    def step(self, op: Op) -> tuple[str, str, str] | None:
        """Both answers and the specification's if the two differ."""
        fresh = self._fresh(op)
        specification = "admitted"
        try:
            self.oracle.run(op, _FreePages(self.oracle.model.state, len(fresh)))
        except (CacheError, Refused) as refusal:
            specification = type(refusal).__name__
        left, right = self._left.perform(op, fresh), self._right.perform(op, fresh)
        said = "admitted" if left[1] == "" else left[1]
        self.parted = self.parted or said != specification
        return None if left == right else (_show(left, self._left.crash), _show(right, self._right.crash), specification)

    def _fresh(self, op: Op) -> Sequence[int]:
        """The positions that the engine will write into pages taken by this operation."""
        p, model = self.oracle.positions, self.oracle.model
        key = p.of(op.key)
        match op.name:
            case "insert" | "alloc":
                return p.path(key)
            case "start":
                return p.path(key)[p.level[model.deepest(p.cut(key))] :]
            case "decode":
                tail = model.state.tok[op.holder]
                return (-tail,) if p.whole[tail] else ()
        return ()


def _show(answer: tuple[object, ...], crash: str) -> str:
    length, error, sizes, freed, slots, broken = answer
    words = [f"{'raised' if crash else 'refused with'} {error}{crash}" if error else "answered"]
    words += [f"{length} tokens"] if length is not None else []
    words += [f"{slots} slots"] if slots else []
    assert isinstance(freed, tuple)
    words += [f"freed {len(freed)} pages"] if freed else []
    words += ["misused the pool"] if broken else []
    return ", ".join([*words, str(sizes)])


def compare(left: Factory, right: Factory, config: Config, seed: int) -> Outcome:
    """One run of two caches."""
    random = Random(f"{config} {seed}")
    pair = Pair(left, right, config)
    stream = operations(pair, random, PROFILES[random.choice(sorted(PROFILES))])
    return _run(pair, config, islice(stream, STEPS))


def _run(pair: Pair, config: Config, stream: Iterable[Op]) -> Outcome:
    trace: list[Op] = []
    for op in stream:
        if not pair.allowed(op):
            continue
        trace.append(op)
        differs = pair.step(op)
        if differs:
            return Outcome(len(trace), 1, 0, Difference(config, tuple(trace), *differs))
        if pair.parted:
            break
    return Outcome(len(trace), 1, pair.parted)


def _smallest(left: Factory, right: Factory, found: Difference) -> Difference:
    """The difference at the end of a shorter trace."""

    def again(trace: Trace) -> Difference | None:
        return _run(Pair(left, right, found.config), found.config, trace).difference

    return minimise(found, again, found.config.page_size, SHRINK_SECONDS)


def _slice(left: str, right: str, configs: Sequence[Config], seed: int, seconds: float) -> Outcome:
    """Runs over all configurations in turn, for about `seconds`."""
    a, b, end, k, outcome = resolve(left), resolve(right), monotonic() + seconds, 0, Outcome()
    while k == 0 or (monotonic() < end and outcome.difference is None):
        outcome += compare(a, b, configs[k % len(configs)], seed + k)
        k += 1
    return outcome


def diff(left: str, right: str, configs: Sequence[Config], seed: int, seconds: float, progress: Callable[[float], None]) -> Outcome:
    """Compare two named caches on both cores until the time is over or they differ."""
    start, outcome, number = monotonic(), Outcome(), 0
    with workers() as pool:
        while monotonic() - start < seconds and outcome.difference is None:
            jobs = []
            for _ in range(WORKERS):
                number += 1
                jobs.append(pool.submit(_slice, left, right, configs, (seed << 32) + (number << 20), min(1.0, seconds)))
            for job in jobs:
                outcome += job.result()
            progress(min(1.0, (monotonic() - start) / seconds))
    if outcome.difference is None:
        return outcome
    return replace(outcome, difference=_smallest(resolve(left), resolve(right), outcome.difference))
