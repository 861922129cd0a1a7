"""Two caches side by side: the same operations, and every answer, refusal, size and victim compared.

The specification runs along: it says which operations make sense, and who departs from it where the two differ. Differences are sorted
into kinds, by what differs and who departs: each kind is reported once, with the smallest trace that was found for it and the number of
runs that ended in it. A kind that the cache declares (`Supports.choices`) is shown apart from the others, with the reason it gives.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from random import Random
from time import monotonic

from radixcheck.spec.values import Sizes
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.core.workers import WORKERS, workers
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.search.run import Config, Factory
from radixcheck.verification.search.shrink import in_pages_of_one, minimise
from radixcheck.verification.search.sides import Said, Side, Specification
from radixcheck.verification.subjects.registry import resolve

STEPS = 400  # of one run
POOL_PAGES = (6, 10, 16, 24)
SLICE_SECONDS = 2.0
SHRINK_SECONDS = 6.0  # of one kind
ALONG_SECONDS = 60.0  # the same, of a trace of thousands of operations
TOLD_EVERY = 200  # operations
SHOWN_MAX = 6  # pages
WORDS_MAX = 100  # characters of a key
LEFT, RIGHT = "left", "right"


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs (a field of `Said`, of which group of operations), and which of the two departs from the specification."""

    what: str
    departs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """An operation that the two answer differently, with what led to it."""

    kind: Kind
    config: Config
    trace: Trace
    left: str
    right: str
    specification: str
    runs: int = 1  # that ended like this
    declared: Mapping[str, str] = field(default_factory=dict)  # by which of those that depart, and why

    @property
    def is_declared(self) -> bool:
        """Whether every side that departs has said that it does."""
        return bool(self.kind.departs) and set(self.kind.departs) <= set(self.declared)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was compared. `parted` counts runs that ended early because both left the specification together."""

    steps: int = 0
    runs: int = 0
    parted: int = 0
    kinds: Mapping[Kind, Difference] = field(default_factory=dict)

    def __add__(self, other: "Outcome") -> "Outcome":
        kinds = dict(self.kinds)
        for kind, new in other.kinds.items():
            old = kinds.get(kind)
            shorter = new if old is None or len(new.trace) < len(old.trace) else old
            kinds[kind] = replace(shorter, runs=new.runs + (old.runs if old else 0))
        return Outcome(self.steps + other.steps, self.runs + other.runs, self.parted + other.parted, kinds)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """One for each kind, the undeclared first, and the frequent before the rare."""
        return tuple(sorted(self.kinds.values(), key=lambda d: (d.is_declared, -d.runs)))

    @property
    def faults(self) -> tuple[Difference, ...]:
        """Those that nobody has declared."""
        return tuple(d for d in self.differences if not d.is_declared)


class Pair:
    """Two subjects and the specification. It has what the generator of operations asks of a checker."""

    def __init__(self, left: Factory, right: Factory, config: Config) -> None:
        self.oracle = Oracle(config.policy, config.page_size, config.pool // config.page_size)
        self._specification = Specification(self.oracle)
        self._left, self._right = Side(left, config), Side(right, config)
        self.engine = self._left.engine
        self.each: tuple[Supports, Supports] = (self.engine.subject.supports, self._right.engine.subject.supports)
        a, b = self.each
        self.supports = replace(
            a,
            tree=a.tree and b.tree,
            requests=a.requests and b.requests,
            namespaces=a.namespaces and b.namespaces,
            without=a.without | b.without,
        )
        self.parted = False

    def allowed(self, op: Op) -> bool:
        """Whether a caller can make this call now."""
        return op.name in self.supports.operations and self.oracle.allowed(op)

    def step(self, op: Op) -> tuple[Kind, str, str, str] | None:
        """The kind, both answers and the specification's, if the two differ."""
        fresh = self._specification.fresh(op)
        due = self._specification.perform(op, fresh)
        left, right = self._left.perform(op, fresh), self._right.perform(op, fresh)
        what = left.departs(right)
        if not what:
            self.parted = self.parted or left != due
            return None
        departs = tuple(name for name, said in ((LEFT, left), (RIGHT, right)) if said.departs(due))
        kind = Kind(_group(op, what), departs)
        return kind, self._show(left, self._left.words), self._show(right, self._right.words), self._show(due, "")

    def _show(self, said: Said, crash: str) -> str:
        words = [f"raised {crash}" if crash else f"refused with {said.refusal}" if said.refusal else "answered"]
        words += [f"{said.length} tokens"] if said.length is not None else []
        words += [f"slots of {self._shown(said.contents[-1:])}"] if said.contents else []
        words += [f"freed {self._shown(said.victims)}"] if said.victims else []
        words += [said.pool] if said.pool else []
        sizes = said.sizes
        words.append(f"sizes {sizes.available} + {sizes.evictable} + {sizes.protected}" if isinstance(sizes, Sizes) else sizes)
        return ", ".join(words)

    def _shown(self, positions: Sequence[int]) -> str:
        """Prefixes whose last page is meant."""
        known = [brief(blame.shown(self.oracle.positions, q)) if q >= 0 else "what nobody wrote" for q in positions[:SHOWN_MAX]]
        return " ".join(known) + (f" and {len(positions) - SHOWN_MAX} more" if len(positions) > SHOWN_MAX else "")


def brief(text: str) -> str:
    """Without the middle of a long list of tokens.

    >>> brief("[" + "1 " * 60 + "2]")
    '[1 1 1 1 1 1 1 1 1 1 1 1 ... 1 1 1 1 1 1 1 2]'
    """
    return text if len(text) <= WORDS_MAX else f"{text[: WORDS_MAX // 4].rstrip()} ... {text[-WORDS_MAX // 6 :].lstrip()}"


def _group(op: Op, what: str) -> str:
    """One name for what has one cause: an eviction is the same in whichever operation it happens."""
    if what == "victims" and op.name in ("evict", "alloc", "start", "decode", "insert"):
        return "victims of an eviction"
    if what in ("crash", "pool", "refusal", "sizes", "victims"):
        return {"victims": "slots given back", "pool": "misuse of the pool"}.get(what, what) + f" in {op.name}"
    if what == "length" and op.name != "evict":
        return "length of what is cached"
    return f"{what} of {op.name}"


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
            kind = differs[0]
            sides = zip((LEFT, RIGHT), pair.each, strict=True)
            declared = {side: supports.choices[kind.what] for side, supports in sides if kind.what in supports.choices}
            return Outcome(len(trace), 1, 0, {kind: Difference(kind, config, tuple(trace), *differs[1:], declared=declared)})
        if pair.parted:
            break
    return Outcome(len(trace), 1, pair.parted)


def along(
    left: str, right: str, config: Config, trace: Trace, progress: Callable[[float, str], None], seconds: float = ALONG_SECONDS
) -> Outcome:
    """Compare two named caches along given operations, as a replay records them, up to the first that they answer differently."""
    a, b = resolve(left), resolve(right)

    def told() -> Iterator[Op]:
        for done, op in enumerate(trace):
            if done % TOLD_EVERY == 0:
                progress(done / len(trace), f"{done:,} operations")
            yield op

    outcome = _run(Pair(a, b, config), config, told())
    progress(1.0, "looking for fewer operations")
    return replace(outcome, kinds={kind: _smallest(a, b, found, seconds) for kind, found in outcome.kinds.items()})


def _smallest(left: Factory, right: Factory, found: Difference, seconds: float = SHRINK_SECONDS) -> Difference:
    """The same kind at the end of a shorter trace; in pages of one token, if it is there as well."""

    def under(config: Config, trace: Trace) -> Difference | None:
        return _run(Pair(left, right, config), config, trace).kinds.get(found.kind)

    plain = None
    if found.config.page_size > 1 and all(1 in supports.page_sizes for supports in Pair(left, right, found.config).each):
        plain = under(*in_pages_of_one(found.config, found.trace))
    best = plain or found
    small = minimise(best, lambda trace: under(best.config, trace), best.config.page_size, seconds)
    return replace(small, runs=found.runs)


def _slice(left: str, right: str, configs: Sequence[Config], seed: int, seconds: float) -> Outcome:
    """Runs over all configurations in turn, for about `seconds`."""
    a, b, end, k, outcome = resolve(left), resolve(right), monotonic() + seconds, 0, Outcome()
    while k == 0 or monotonic() < end:
        outcome += compare(a, b, configs[(seed + k) % len(configs)], seed + k)
        k += 1
    return outcome


def _shrunk(left: str, right: str, found: Difference) -> Difference:
    return _smallest(resolve(left), resolve(right), found)


def diff(
    left: str,
    right: str,
    configs: Sequence[Config],
    seed: int,
    seconds: float,
    operations_wanted: int | None,
    progress: Callable[[float, str], None],
) -> Outcome:
    """Compare two named caches on both cores until the time is over or, if a number is given, so many operations were compared."""
    start, outcome, number = monotonic(), Outcome(), 0
    wanted = operations_wanted or 0

    def share() -> float:
        return outcome.steps / wanted if wanted else (monotonic() - start) / seconds

    with workers() as pool:
        while share() < 1:
            jobs = []
            for _ in range(WORKERS):
                number += 1
                jobs.append(pool.submit(_slice, left, right, configs, (seed << 32) + (number << 20), min(SLICE_SECONDS, seconds)))
            for job in jobs:
                outcome += job.result()
            progress(min(1.0, share()), f"{outcome.steps:,} operations, {len(outcome.kinds)} kinds of difference")
        smaller = [pool.submit(_shrunk, left, right, found) for found in outcome.differences]
        kinds = {job.result().kind: job.result() for job in smaller}
    return replace(outcome, kinds=kinds)
