"""One run: a configuration, a stream of operations, and what was found."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.formulas import Tally
from radixcheck.verification.checker.misuse import misuses_for
from radixcheck.verification.core.config import Config
from radixcheck.verification.core.found import Found, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.search.generate import PAGES_MAX, PROFILES, operations

REPLICATED = 0.125  # share of clean runs that a second replica repeats


@dataclass(slots=True)
class RunResult:
    """What one run, or several merged, did and found: the first occurrence of each property, by its id."""

    steps: int = 0
    runs: int = 0
    lost: int = 0  # runs at whose end the subject could not be asked any more
    tally: Tally = field(default_factory=Tally)
    fired: Counter[str] = field(default_factory=Counter)  # operations by name
    found: dict[str, Found] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)  # property -> operations up to and with the one that first broke it
    consequences: dict[str, Found] = field(default_factory=dict)  # what was broken only because something else was

    @property
    def followed(self) -> dict[str, str]:
        """Of each property that was broken as a consequence: the property of which."""
        return {id_: found.violation.follows_from for id_, found in self.consequences.items()}

    def broken(self, id_: str) -> Found | None:
        """How a property was broken, be it as a consequence of another; None if it was not."""
        return self.found.get(id_) or self.consequences.get(id_)

    def merge(self, other: "RunResult") -> None:
        """Add another run; of two traces for one property the shorter is kept."""
        for id_, steps in other.after.items():
            self.after.setdefault(id_, self.steps + steps)
        self.steps += other.steps
        self.runs += other.runs
        self.lost += other.lost
        self.tally.add(other.tally)
        self.fired.update(other.fired)
        for ours, theirs in ((self.found, other.found), (self.consequences, other.consequences)):
            for id_, found in theirs.items():
                if id_ not in ours or len(found.trace) < len(ours[id_].trace):
                    ours[id_] = found

    def record(self, violations: Iterable[Violation], trace: Iterable[Op], config: Config) -> None:
        """Keep what is new."""
        for v in violations:
            kept = self.consequences if v.follows_from else self.found
            if v.property not in kept:
                kept[v.property] = Found(v, tuple(trace), config)
                self.after.setdefault(v.property, len(kept[v.property].trace))


def new_checker(factory: Factory, config: Config, stride: int) -> Checker:
    """A checker of a fresh subject."""
    return Checker(factory, config.policy, config.page_size, config.pool, stride, config.device)


def random_run(
    factory: Factory,
    config: Config,
    seed: int,
    steps: int = 120,
    stride: int = 8,
    misused: bool = False,
    replicated: float = REPLICATED,
    longest: int = PAGES_MAX,
) -> RunResult:
    """One run of the plain driver; profile and keys follow from the seed, so the same call does the same again."""
    random = Random(f"{config} {seed}")
    checker = new_checker(factory, config, stride)
    profile = PROFILES[random.choice(sorted(PROFILES))]
    wrong_calls = misuses_for(checker.supports) if misused else ()
    result, trace = RunResult(runs=1, tally=checker.tally), list[Op]()
    for op in operations(checker, random, profile, longest):
        result.fired[op.name] += 1
        trace.append(op)
        result.record(checker.step(op), trace, config)
        if wrong_calls and random.random() < 0.2 and not checker.stopped:
            trace.append(Op(random.choice(wrong_calls)))
            result.record(checker.step(trace[-1]), trace, config)
        if checker.stopped or len(trace) >= steps:
            break
    result.steps = checker.steps
    if not checker.stopped and random.random() < replicated:
        _second_replica(factory, config, trace, checker, result)
    return result


def _second_replica(factory: Factory, config: Config, trace: Sequence[Op], checker: Checker, result: RunResult) -> None:
    """The same operations on a second replica: answers and victims must be the same."""
    replica = new_checker(factory, config, stride=len(trace) + 1)
    result.tally.count("DETERMINISM", any(freed for *_, freed in checker.answers))
    for k, op in enumerate(trace):
        replica.step(op)
        if replica.answers != checker.answers[: len(replica.answers)]:
            text = f"a second replica answered {replica.answers[-1]}, the first {checker.answers[len(replica.answers) - 1]}"
            return result.record([Violation("DETERMINISM", text)], trace[: k + 1], config)
    return None


def replay(factory: Factory, config: Config, trace: Iterable[Op], replicas: int = 1) -> RunResult:
    """Run a given trace with every formula after every step; operations that cannot be called are left out.

    With more replicas the same is done on each, until one answers otherwise.
    """
    checker = new_checker(factory, config, stride=1)
    result, done = RunResult(runs=1, tally=checker.tally), list[Op]()
    for op in trace:
        if checker.stopped:
            break
        if checker.allowed(op):
            done.append(op)
            result.fired[op.name] += 1
            result.record(checker.step(op), done, config)
    for _ in range(replicas - 1):
        if not result.found:
            _second_replica(factory, config, done, checker, result)
    result.steps = checker.steps
    return result
