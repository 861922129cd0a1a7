"""How fast the checker checks, and what another process costs. Tables are printed and nothing is judged, as times differ.

    python tests/speed.py checker                     checked operations per second, and what the formulas take
    python tests/speed.py remote [NAME@PYTHON ...]    a cache in this process and in another

Each time is the best of some repetitions. `checker` measures processor time of this process. `remote` measures wall-clock time, because
switching between processes counts as processor time of neither: run it on an idle machine. With names it measures these alone, in their
environments; the last column is what the cache itself takes.
"""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from random import Random
from time import perf_counter, process_time

from places import TESTS

from radixcheck.spec.run.state import State
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.formulas import Compiled, Tally, compiled
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import Setup
from radixcheck.verification.remote.remote_subject import RemoteSubject
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.search.machine import hypothesis_batches
from radixcheck.verification.search.run import random_run
from radixcheck.verification.subjects.reference_subject import reference_subject
from radixcheck.verification.subjects.registry import ELSEWHERE, resolve

POLICIES = ("lru", "lfu", "priority")
PAGE_SIZES = (1, 2, 16)
SUBJECTS = ("reference", "model", "optimized", "base")  # measured in this process and in another
REPEATS = 7
STATES = 12  # of each size


def runs(factory: Factory, policies: Iterable[str] = ("lru",), stride: int = 8) -> RunResult:
    """One plain run for each configuration, on one replica."""
    result = RunResult()
    configs = [Config(policy, size, size * pool) for policy in policies for size in PAGE_SIZES for pool in (6, 10, 16, 24)]
    for seed, config in enumerate(configs):
        result.merge(random_run(factory, config, seed, stride=stride, replicated=0))
    return result


# What checking costs.


def seconds(work: Callable[[], object]) -> float:
    """The least processor time that some work takes."""
    times = []
    for _ in range(REPEATS):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


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


def checker() -> Iterator[str]:
    """Checked operations per second by driver and stride, then the times of formulas."""

    def examples(stride: int) -> RunResult:
        return RunResult.of(hypothesis_batches(reference_subject, POLICIES, PAGE_SIZES, seed=1, examples=60, stride=stride))

    drivers: dict[str, Callable[..., RunResult]] = {"random_run": partial(runs, reference_subject, POLICIES), "hypothesis_run": examples}
    yield f"{'driver':<28}{'checked operations per second':>32}"
    for name, driver in drivers.items():
        for stride in (1, 8):
            yield f"{f'{name}, stride {stride}':<28}{driver(stride=stride).steps / seconds(partial(driver, stride=stride)):>32,.0f}"
    small, large = formula_times(6), formula_times(20)
    yield f"\n{'state formulas, us':<28}{'6 nodes':>16}{'20 nodes':>16}"
    yield f"{'all':<28}{small[0]:>16.1f}{large[0]:>16.1f}"
    for id_ in sorted(small[1], key=lambda id_: -large[1][id_]):
        yield f"{id_:<28}{small[1][id_]:>16.1f}{large[1][id_]:>16.1f}"


# What another process costs.


def inside(name: str) -> float:
    """Seconds that the process of a Python cache has spent inside the cache so far."""
    subject = resolve(name)(Setup(1, "lru", WatchedPool(8, 1)))
    return subject.spent() if isinstance(subject, RemoteSubject) else 0.0


def clocked(factory: Factory) -> tuple[float, int]:
    """Seconds of the clock for each operation of the runs, and how many operations those are."""
    start = perf_counter()
    steps = runs(factory).steps
    return (perf_counter() - start) / steps, steps


def best(name: str) -> tuple[float, float]:
    """The least seconds for an operation, and those of them that a cache elsewhere took itself."""
    times = []
    for _ in range(REPEATS):
        before = inside(name)
        elapsed, steps = clocked(resolve(name))
        times.append((elapsed, (inside(name) - before) / steps))
    return min(times)


def remote(*names: str) -> Iterator[str]:
    """One line for each cache: operations per second here and there, the difference, and the part of the cache."""
    yield f"{'':16}{'in process':>14}{'in another':>14}{'more':>14}{'of the cache':>14}"
    yield f"{'':16}{'operations/s':>14}{'operations/s':>14}{'us/operation':>14}{'us/operation':>14}"
    for name in names:
        elsewhere, cache = best(name)
        yield f"{name.partition(ELSEWHERE)[0]:16}{'-':>14}{1 / elsewhere:14,.0f}{'-':>14}{1e6 * cache:14,.0f}"
    for name in () if names else SUBJECTS:
        (here, _), (elsewhere, cache) = best(name), best(f"{name}@{sys.executable}")
        yield f"{name:16}{1 / here:14,.0f}{1 / elsewhere:14,.0f}{1e6 * (elsewhere - here):14,.0f}{1e6 * cache:14,.0f}"
    if not names and (node := shutil.which("node")):
        program = resolve(f"exec:{node} {TESTS / 'subjects' / 'radix.mjs'}")
        elapsed, _ = min(clocked(program) for _ in range(REPEATS))
        yield f"{'radix.mjs':16}{'-':>14}{1 / elapsed:14,.0f}{'-':>14}{'-':>14}"


if __name__ == "__main__":
    what, *names = sys.argv[1:] or ["checker"]
    for line in {"checker": checker, "remote": remote}[what](*names):
        print(line, flush=True)
