"""The plan of a search: which tasks make it up. It follows from the subject, the bounds and the seed, never from a clock.

So a search does the same on a busy machine as on a quiet one. Tasks come in rounds: all of a round are performed, and after a round in
which something was found no other begins.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import Any

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.page_sizes import drawn_from
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.probes.all_probes import MISUSING, OF_HOST, PROBES, probed
from radixcheck.verification.probes.all_probes import POOL_PAGES as PROBE_PAGES
from radixcheck.verification.search.machine import BATCH, hypothesis_batches
from radixcheck.verification.search.run import random_run
from radixcheck.verification.search.search_results import POOL_PAGES, Bounds, planned_operations
from radixcheck.verification.stretch.dimensions import DIMENSIONS, planned
from radixcheck.verification.stretch.stretch import stretched

STEPS, RUNS = 120, 8  # operations of one run, and runs of one slice
LONG_EVERY, LONG_STEPS, LONG_PAGES, LONG_KEY = 5, 2_400, 160, 40  # every 5th slice begins with one long run; pages of its pool and of a key
LONG_FROM = 7_200  # planned operations: a shorter search makes no long run
SLICES_MIN = 4  # some properties are exercised by these runs only
EXAMPLES_MIN = 100  # of the state machine: with fewer, a rule may never fire by chance
OPERATIONS_PER_EXAMPLE = 300  # planned random operations for each further example
EXAMPLES = 2 * BATCH  # of one task
PROBED_SIZE_MAX = 64  # tokens; the keys of a chain of 1,500 larger pages would take gigabytes
TIERED_OF = 3  # of so many runs all but one have a host tier, if the subject has one
STRIDE = 8  # the formulas are evaluated on every 8th step, and in every 8th run on every step


@dataclass(frozen=True, slots=True)
class Task:
    """A part of the search: a function that can be pickled, and its arguments. It returns the same whenever it is called."""

    function: Callable[..., RunResult]
    arguments: tuple[Any, ...]
    operations: int = 0  # planned, random
    of_machine: bool = False

    def __call__(self) -> RunResult:
        """Return its result."""
        return self.function(*self.arguments)


def rounds(subject: Subject, bounds: Bounds) -> Iterator[list[Task]]:
    """Yield the tasks of each round: first some of each kind, then the rest in two halves."""
    random_tasks, machine = slices(subject, bounds), machine_tasks(subject, bounds)
    first = max(SLICES_MIN, len(random_tasks) // 4)
    half = first + (len(random_tasks) - first + 1) // 2
    early = EXAMPLES_MIN // EXAMPLES
    yield [*probe_tasks(subject, bounds), *machine[:early], *random_tasks[:first]]
    yield [*stretch_tasks(subject, bounds), *machine[early:], *random_tasks[first:half]]
    yield random_tasks[half:]


def slices(subject: Subject, bounds: Bounds) -> list[Task]:
    """Return the tasks that run random operations."""
    tasks, left = list[Task](), bounds.operations
    while left > 0 or len(tasks) < SLICES_MIN:
        tasks.append(slice_task(subject, bounds, len(tasks)))
        left -= tasks[-1].operations
    return tasks


def slice_task(subject: Subject, bounds: Bounds, number: int, covered: bool = False) -> Task:
    """Return the task with this number. `covered`: it records the coverage too."""
    long_run = bounds.operations >= LONG_FROM and number % LONG_EVERY == LONG_EVERY // 2
    long_steps = LONG_STEPS if long_run else 0
    return Task(run_slice, (subject, bounds, number, long_steps, covered), RUNS * STEPS + long_steps)


def run_slice(subject: Subject, bounds: Bounds, number: int, long_steps: int, covered: bool = False) -> RunResult:
    """Run random operations, each run under the next policy and page size.

    Some slices begin with one long run over a large tree, for faults that need many victims, many ticks or long edges.
    """
    result, configs = RunResult(), _configs(bounds)
    seed = (bounds.seed << 32) + (number << 16)
    if long_steps:
        policy, size = configs[number // LONG_EVERY % len(configs)]
        config = Config(policy, size, bounds.pool_for(size, LONG_PAGES), bounds.device)
        config = next(iter(_long_tiered(bounds, config, number)), config)
        result.merge(random_run(subject, config, seed + RUNS, long_steps, 4 * STRIDE, bounds.misused, longest=LONG_KEY, covered=covered))
    for k in range(RUNS):
        run = number * RUNS + k
        (policy, size), turn = configs[run % len(configs)], run + run // STRIDE + run // len(configs)
        config = Config(policy, size, bounds.pool_for(size, POOL_PAGES[turn % len(POOL_PAGES)]), bounds.device)
        if (run + run // len(configs)) % TIERED_OF:
            config = next(iter(bounds.tiered(config, run)), config)
        result.merge(random_run(subject, config, seed + k, STEPS, 1 if turn % STRIDE == 0 else STRIDE, bounds.misused, covered=covered))
    return result


def _long_tiered(bounds: Bounds, config: Config, number: int) -> tuple[Config, ...]:
    """Return the configuration of a long run with a host tier, in every second slice that begins with one, over pools as large."""
    if number // LONG_EVERY % 2:
        return ()
    host_pool = 2 * config.pool if bounds.host_pool is None else bounds.host_pool // config.page_size * config.page_size
    return tuple(replace(tiered, pool=config.pool, host_pool=host_pool) for tiered in bounds.tiered(config, number))


def _configs(bounds: Bounds) -> list[tuple[str, int]]:
    """Return each policy with each page size, in an order that mixes them."""
    pairs = [(policy, size) for size in bounds.page_sizes for policy in bounds.policies]
    Random(bounds.seed).shuffle(pairs)
    return pairs


def machine_tasks(subject: Subject, bounds: Bounds) -> list[Task]:
    """Return the tasks that run the Hypothesis state machine, which draws its own configurations."""
    examples = max(EXAMPLES_MIN, bounds.operations // OPERATIONS_PER_EXAMPLE)
    return [machine_task(subject, bounds, first) for first in range(0, examples, EXAMPLES)]


def machine_task(subject: Subject, bounds: Bounds, first: int) -> Task:
    """Return the task that begins with this example."""
    return Task(_machine, (subject, bounds, first), of_machine=True)


def _machine(subject: Subject, bounds: Bounds, first: int) -> RunResult:
    """Run some examples of the state machine."""
    seed = (bounds.seed << 16) + first
    where = (subject, bounds.policies, bounds.page_sizes, seed, EXAMPLES)
    return RunResult.of(hypothesis_batches(*where, misused=bounds.misused, modes=bounds.modes))


def stretch_tasks(subject: Subject, bounds: Bounds) -> list[Task]:
    """Return one task for each dimension, the longest first."""
    names = planned(stretch_seconds(subject, bounds)) if bounds.stretch else ()
    return [Task(stretched, (subject, name, bounds, bounds.seed)) for name in sorted(names, key=lambda name: -DIMENSIONS[name].seconds)]


def stretch_seconds(subject: Subject, bounds: Bounds) -> float:
    """Return the seconds of a search that makes as many random operations."""
    return bounds.operations / planned_operations(1.0, subject.supports.here)


def probe_tasks(subject: Subject, bounds: Bounds) -> list[Task]:
    """Return one task for each probe and each of two page sizes."""
    names = (*PROBES, *MISUSING) if bounds.misused else PROBES
    sizes = [size for size in bounds.page_sizes if size <= PROBED_SIZE_MAX][:2] or drawn_from(subject.supports.page_sizes)[:1]
    configs = [Config(bounds.policies[0], size, PROBE_PAGES * size, bounds.device) for size in sizes]
    host_pool = subject.supports.host_size(configs[0].pool, PROBE_PAGES * sizes[0])
    tiers = [replace(configs[0], host_pool=host_pool, mode=mode) for mode in bounds.modes]
    every = [*product(configs, names), *product(tiers, OF_HOST)]
    return [Task(probed, (subject, config, name)) for config, name in every]
