"""Runs of the checker: random operations, or a given trace, under one configuration."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.formulas import Tally
from radixcheck.verification.checker.misuse import misuses_for
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.search.generate import PAGES_MAX, PROFILES, operations

REPLICATED = 0.125  # share of clean runs that a second replica repeats


@dataclass(slots=True)
class RunResult:
    """What one run, or several merged ones, did and found: the first violation of each property, by its id."""

    steps: int = 0
    runs: int = 0
    lost: int = 0  # runs at whose end the subject did not answer any more
    tally: Tally = field(default_factory=Tally)
    fired: Counter[str] = field(default_factory=Counter)  # operations by name
    edges: Counter[str] = field(default_factory=Counter)  # edges taken, by id
    found: dict[str, Found] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)  # property -> number of operations, with the one that first broke it
    consequences: dict[str, Found] = field(default_factory=dict)  # violations that follow from another one

    @classmethod
    def of(cls, parts: Iterable["RunResult"]) -> "RunResult":
        """Return the merged results."""
        result = cls()
        for part in parts:
            result.merge(part)
        return result

    @property
    def followed(self) -> dict[str, str]:
        """For each property that was broken as a consequence: the property whose violation caused it."""
        return {id_: found.violation.follows_from for id_, found in self.consequences.items()}

    def broken(self, id_: str) -> Found | None:
        """Return how a property was broken, also as a consequence of another; None if it was not."""
        return self.found.get(id_) or self.consequences.get(id_)

    def merge(self, other: "RunResult") -> None:
        """Add another result; of two traces for one property keep the shorter."""
        for id_, steps in other.after.items():
            self.after.setdefault(id_, self.steps + steps)
        self.steps += other.steps
        self.runs += other.runs
        self.lost += other.lost
        self.tally.add(other.tally)
        self.fired.update(other.fired)
        self.edges.update(other.edges)
        for ours, theirs in ((self.found, other.found), (self.consequences, other.consequences)):
            for id_, found in theirs.items():
                if id_ not in ours or len(found.trace) < len(ours[id_].trace):
                    ours[id_] = found

    def record(self, violations: Iterable[Violation], trace: Iterable[Op], config: Config) -> None:
        """Keep the violations of properties that were not broken before."""
        for v in violations:
            kept = self.consequences if v.follows_from else self.found
            if v.property not in kept:
                kept[v.property] = Found(v, tuple(trace), config)
                self.after.setdefault(v.property, len(kept[v.property].trace))


def new_checker(factory: Factory, config: Config, stride: int) -> Checker:
    """Return a checker of a fresh subject. Formulas are evaluated after every `stride` operations."""
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
    """Run random operations. Profile and keys follow from the seed, so that the same call does the same again."""
    random = Random(f"{config} {seed}")
    checker = new_checker(factory, config, stride)
    profile = PROFILES[random.choice(sorted(PROFILES))]
    wrong_calls = misuses_for(checker.supports) if misused else ()
    result, trace = RunResult(runs=1, tally=checker.tally, edges=checker.edges.taken), list[Op]()
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
    """Perform the same operations on a second replica: answers and victims must be the same."""
    replica = new_checker(factory, config, stride=len(trace) + 1)
    result.tally.count("DETERMINISM", any(freed for *_, freed in checker.answers))
    for k, op in enumerate(trace):
        replica.step(op)
        if replica.answers != checker.answers[: len(replica.answers)]:
            text = f"a second replica answered {replica.answers[-1]}, the first {checker.answers[len(replica.answers) - 1]}"
            return result.record([Violation("DETERMINISM", text)], trace[: k + 1], config)
    return None


def replay(factory: Factory, config: Config, trace: Iterable[Op], replicas: int = 1) -> RunResult:
    """Run a trace with every formula evaluated after every operation. Operations whose guard does not hold are left out.

    With more replicas the trace is repeated on each of them, until one answers differently.
    """
    checker = new_checker(factory, config, stride=1)
    result, done = RunResult(runs=1, tally=checker.tally, edges=checker.edges.taken), list[Op]()
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
