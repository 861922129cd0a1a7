"""Compares two caches: performs the same operations on both and compares every answer, refusal, size and victim.

The model of the specification performs the operations too: it determines which of them are allowed, and which cache departs from the
specification where the two differ. A kind of difference is what differs and which caches depart. Each kind is reported once, with the
smallest trace that was found and the number of runs that ended in it. A kind that a cache declares (`Supports.choices`) is listed
separately, with the reason that it declares.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from random import Random
from time import monotonic

from radixcheck.spec.values import Sizes
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.short_text import brief
from radixcheck.verification.core.subject import Factory, Subject
from radixcheck.verification.core.workers import WORKERS, workers_for
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.search.search_results import Bounds, Comparison, Difference, Kind
from radixcheck.verification.search.shrink import in_pages_of_one, minimise
from radixcheck.verification.search.sides import Answered, Side, Specification

STEPS = 400  # of one run
SLICE_SECONDS = 2.0
SHRINK_SECONDS = 6.0  # of one kind
ALONG_SECONDS = 60.0  # the same, of a trace of thousands of operations
PROGRESS_EVERY = 200  # operations
SHOWN_MAX = 6  # pages
LEFT, RIGHT = "left", "right"


class Pair:
    """Two subjects and the specification. It has the methods of a checker that the generator of operations needs."""

    def __init__(self, left: Factory, right: Factory, config: Config) -> None:
        self.oracle = Oracle(config.policy, config.page_size, config.pool // config.page_size)
        self._specification = Specification(self.oracle)
        self._left, self._right = Side(left, config), Side(right, config)
        self.engine = self._left.engine
        self.each: tuple[Supports, Supports] = (self.engine.subject.supports, self._right.engine.subject.supports)
        a, b = self.each
        both = {name: getattr(a, name) and getattr(b, name) for name in ("tree", "requests", "namespaces")}
        self.supports = replace(a, without=a.without | b.without, **both)
        self.diverged = False

    def allowed(self, op: Op) -> bool:
        """Return whether both have the operation and its guard holds now."""
        return op.name in self.supports.operations and self.oracle.allowed(op)

    def step(self, op: Op) -> tuple[Kind, str, str, str] | None:
        """Perform the operation. Return the kind, both answers and that of the specification if the two differ, else None."""
        fresh = self._specification.fresh(op)
        due = self._specification.perform(op, fresh)
        left, right = self._left.perform(op, fresh), self._right.perform(op, fresh)
        what = left.departs(right)
        if not what:
            self.diverged = self.diverged or left != due
            return None
        departs = tuple(name for name, answer in ((LEFT, left), (RIGHT, right)) if answer.departs(due))
        kind = Kind(_group(op, what), departs)
        return kind, self._show(left, self._left.words), self._show(right, self._right.words), self._show(due, "")

    def _show(self, answer: Answered, crash: str) -> str:
        words = [f"raised {crash}" if crash else f"refused with {answer.refusal}" if answer.refusal else "answered"]
        words += [f"{answer.length} tokens"] if answer.length is not None else []
        words += [f"slots of {self._shown(answer.contents[-1:])}"] if answer.contents else []
        words += [f"freed {self._shown(answer.victims)}"] if answer.victims else []
        words += [answer.pool] if answer.pool else []
        sizes = answer.sizes
        words.append(f"sizes {sizes.available} + {sizes.evictable} + {sizes.protected}" if isinstance(sizes, Sizes) else sizes)
        return ", ".join(words)

    def _shown(self, positions: Sequence[int]) -> str:
        """Return the prefixes that end at these positions."""
        known = [brief(prefix_text(self.oracle.positions, q)) if q >= 0 else "never written" for q in positions[:SHOWN_MAX]]
        return " ".join(known) + (f" and {len(positions) - SHOWN_MAX} more" if len(positions) > SHOWN_MAX else "")


def _group(op: Op, what: str) -> str:
    """Return the name of a difference. One cause has one name: an eviction has the same name in every operation that evicts."""
    if what == "victims" and op.name in ("evict", "alloc", "start", "decode", "insert"):
        return "victims of an eviction"
    if what in ("crash", "pool", "refusal", "sizes", "victims"):
        return {"victims": "slots given back", "pool": "misuse of the pool"}.get(what, what) + f" in {op.name}"
    if what == "length" and op.name != "evict":
        return "length of what is cached"
    return f"{what} of {op.name}"


def compare(left: Factory, right: Factory, config: Config, seed: int) -> Comparison:
    """Compare two caches in one run."""
    random = Random(f"{config} {seed}")
    pair = Pair(left, right, config)
    stream = operations(pair, random, PROFILES[random.choice(sorted(PROFILES))])
    return _run(pair, config, islice(stream, STEPS))


def _run(pair: Pair, config: Config, stream: Iterable[Op]) -> Comparison:
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
            return Comparison(len(trace), 1, 0, {kind: Difference(kind, config, tuple(trace), *differs[1:], declared=declared)})
        if pair.diverged:
            break
    return Comparison(len(trace), 1, pair.diverged)


def along(
    left: Factory, right: Factory, config: Config, trace: Trace, progress: Callable[[float, str], None], seconds: float = ALONG_SECONDS
) -> Comparison:
    """Compare two caches along given operations, up to the first that they answer differently."""

    def reported() -> Iterator[Op]:
        for done, op in enumerate(trace):
            if done % PROGRESS_EVERY == 0:
                progress(done / len(trace), f"{done:,} operations")
            yield op

    outcome = _run(Pair(left, right, config), config, reported())
    progress(1.0, "looking for fewer operations")
    return replace(outcome, kinds={kind: _smallest(left, right, found, seconds) for kind, found in outcome.kinds.items()})


def _smallest(left: Factory, right: Factory, found: Difference, seconds: float = SHRINK_SECONDS) -> Difference:
    """Return the same kind of difference with a shorter trace, in pages of one token if it occurs there too."""

    def under(config: Config, trace: Trace) -> Difference | None:
        return _run(Pair(left, right, config), config, trace).kinds.get(found.kind)

    plain = None
    if found.config.page_size > 1 and all(1 in supports.page_sizes for supports in Pair(left, right, found.config).each):
        plain = under(*in_pages_of_one(found.config, found.trace))
    best = plain or found
    small = minimise(best, lambda trace: under(best.config, trace), best.config.page_size, seconds)
    return replace(small, runs=found.runs)


def _slice(left: Factory, right: Factory, configs: Sequence[Config], seed: int, seconds: float) -> Comparison:
    """Compare two caches under all configurations in turn, for about `seconds`."""
    end, k, outcome = monotonic() + seconds, 0, Comparison()
    while k == 0 or monotonic() < end:
        outcome += compare(left, right, configs[(seed + k) % len(configs)], seed + k)
        k += 1
    return outcome


def diff(
    left: Subject, right: Subject, bounds: Bounds, operations_wanted: int | None, progress: Callable[[float, str], None]
) -> Comparison:
    """Compare two caches until the time is over or, if `operations_wanted` is given, that many operations were compared."""
    start, outcome, number = monotonic(), Comparison(), 0
    configs, seconds = bounds.configs(), bounds.seconds
    wanted = operations_wanted or 0

    def share() -> float:
        return outcome.steps / wanted if wanted else (monotonic() - start) / seconds

    with workers_for(left, right) as pool:
        while share() < 1:
            jobs = []
            for _ in range(WORKERS):
                number += 1
                jobs.append(pool.submit(_slice, left, right, configs, (bounds.seed << 32) + (number << 20), min(SLICE_SECONDS, seconds)))
            for job in jobs:
                outcome += job.result()
            progress(min(1.0, share()), f"{outcome.steps:,} operations, {len(outcome.kinds)} kinds of difference")
        smaller = [pool.submit(_smallest, left, right, found) for found in outcome.differences]
        kinds = {job.result().kind: job.result() for job in smaller}
    return replace(outcome, kinds=kinds)
