"""How fast the checker checks: `python tests/bench_checker.py` prints tables and judges nothing, as times differ.

All times are processor time of this process, each the best of some repetitions: what else runs meanwhile hardly shows.
"""

from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from time import process_time

from radixcheck.spec.run.state import State
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.formulas import Compiled, Tally, compiled
from radixcheck.verification.core.found import Config
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.search.machine import hypothesis_batches
from radixcheck.verification.search.run import RunResult, random_run
from radixcheck.verification.subjects.reference_subject import reference_subject

POLICIES = ("lru", "lfu", "priority")
PAGE_SIZES = (1, 2, 16)
CONFIGS = [Config(policy, size, size * pool) for policy in POLICIES for size in PAGE_SIZES for pool in (6, 10, 16, 24)]
REPEATS = 5
STATES = 12  # of each size


def seconds(work: Callable[[], object]) -> float:
    """The least time that some work takes."""
    times = []
    for _ in range(REPEATS):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


def random_runs(stride: int) -> RunResult:
    """One plain run for each configuration. No seed is a multiple of eight: those are run on two replicas."""
    result = RunResult()
    for seed, config in enumerate(CONFIGS):
        result.merge(random_run(reference_subject, config, 8 * seed + 1, stride=stride))
    return result


def examples(stride: int) -> RunResult:
    """Examples of the state machine."""
    return RunResult.of(hypothesis_batches(reference_subject, POLICIES, PAGE_SIZES, seed=1, examples=60, stride=stride))


def drivers() -> Iterable[tuple[str, float]]:
    """Checked operations per second, by driver and stride."""
    for name, driver in (("random_run", random_runs), ("hypothesis_run", examples)):
        for stride in (1, 8):
            steps = driver(stride).steps
            yield f"{name}, stride {stride}", steps / seconds(partial(driver, stride))


def states_of(nodes: int) -> list[State]:
    """States with this many nodes and something held, as a run of the reference shows them."""
    found: list[State] = []
    seed = 0
    while len(found) < STATES:
        seed += 1
        checker = Checker(reference_subject, "lru", 1, 64, stride=10**9)
        for op in operations(checker, Random(seed), PROFILES["no eviction"]):
            checker.step(op)
            if len(checker.seen.node) == nodes and checker.seen.held:
                found.append(checker.seen)
            if len(checker.seen.node) >= nodes or checker.steps > 400:
                break
    return found


def evaluate(formulas: Iterable[Compiled], states: Iterable[State]) -> None:
    """Check each formula and its witness on each state, as the checker does on every stride-th step."""
    tally = Tally()
    for state in states:
        for ready in formulas:
            assert tally.evaluate(ready, state) is None, ready.property.id


def formula_times(nodes: int) -> tuple[float, dict[str, float]]:
    """Microseconds for one state: of all state formulas together, and of each by its id."""
    states = states_of(nodes)
    formulas = [ready for ready in compiled("lru")[0] if not ready.property.heap]
    together = seconds(partial(evaluate, formulas, states * 10)) / STATES / 10
    each = {f.property.id: seconds(partial(evaluate, [f], states * 10)) / STATES / 10 for f in formulas}
    return together * 1e6, {id_: s * 1e6 for id_, s in each.items()}


def main() -> None:
    """Print both tables."""
    print(f"{'driver':<28}{'checked operations per second':>32}")
    for name, speed in drivers():
        print(f"{name:<28}{speed:>32,.0f}")
    small, large = formula_times(6), formula_times(20)
    print(f"\n{'state formulas, us':<28}{'6 nodes':>16}{'20 nodes':>16}")
    print(f"{'all':<28}{small[0]:>16.1f}{large[0]:>16.1f}")
    for id_ in sorted(small[1], key=lambda id_: -large[1][id_]):
        print(f"{id_:<28}{small[1][id_]:>16.1f}{large[1][id_]:>16.1f}")


if __name__ == "__main__":
    main()
