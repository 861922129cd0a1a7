"""The checker under Hypothesis: a search through all of its examples, and a test case for a test suite.

`hypothesis_run` collects all it finds; `state_machine_test` and `machine_run` fail at the first fault and let Hypothesis shrink it.

A rule that never fires has shown nothing. `hypothesis_run` counts each under its name, and `never_fired` tells those
left at zero: a run with any is undecided, not passed.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import product
from typing import Any
from unittest import TestCase

from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from radixcheck.verification.core.config import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.rules import Machine, MisusedMachine, Plan, WantedFailed, rule_names
from radixcheck.verification.search.run import RunResult

# Examples that Hypothesis makes at a time. After the tenth it goes on to vary each new example up to five times: most
# of a longer run would be near copies of the rest, and it finds less than as many examples in batches.
BATCH = 10
POOLS = (4, 6, 10, 16, 24)  # pages; a key has up to four and an unfinished one, so the smallest pools refuse


def plan_for(factory: Factory, policies: Sequence[str], page_sizes: Sequence[int], stride: int, strict: bool, wanted: str = "") -> Plan:
    """Every policy with every page size and pool."""
    choices = product(policies, page_sizes, POOLS)
    return Plan(factory, tuple(Config(policy, size, size * pool) for policy, size, pool in choices), stride, strict, wanted)


def machine_class(plan: Plan, misused: bool) -> type[Machine]:
    """A state machine that follows a plan."""
    base = MisusedMachine if misused else Machine
    return type(base.__name__, (base,), {"plan": plan, "__doc__": base.__doc__})


def hypothesis_run(
    factory: Factory,
    policies: Sequence[str],
    page_sizes: Sequence[int],
    seed: int,
    examples: int,
    steps: int = 50,
    stride: int = 8,
    misused: bool = False,
) -> RunResult:
    """Search through all examples, whatever is found. `fired` counts rules by name, those that never fired with zero.

    The seed repeats a run under the same version of Hypothesis; the traces of what was found repeat it under any.
    """
    result = RunResult()
    for part in hypothesis_batches(factory, policies, page_sizes, seed, examples, steps, stride, misused):
        result.merge(part)
    return result


def hypothesis_batches(
    factory: Factory,
    policies: Sequence[str],
    page_sizes: Sequence[int],
    seed: int,
    examples: int,
    steps: int = 50,
    stride: int = 8,
    misused: bool = False,
    wanted: str = "",
) -> Iterator[RunResult]:
    """The same search, a batch at a time. It is over once the wanted property has failed, if one is named, or the subject is lost."""
    for first in range(0, examples, BATCH):
        number = min(BATCH, examples - first)
        plan = plan_for(factory, policies, page_sizes, stride, strict=False, wanted=wanted)
        how = _settings(number, steps, phases=(Phase.generate,), database=None, verbosity=Verbosity.quiet)
        with suppress(WantedFailed):
            run_state_machine_as_test(seeded(seed * examples + first)(machine_class(plan, misused)), settings=how)
        yield plan.result
        if plan.result.broken(wanted) or plan.result.lost:  # to lose a subject, by a time limit, takes longer than all the rest
            return


def never_fired(result: RunResult) -> tuple[str, ...]:
    """The rules that a run left at zero; every rule, if no example ran at all."""
    names = result.fired or rule_names(Supports(), misused=False)
    return tuple(sorted(name for name in names if not result.fired[name]))


def state_machine_test(
    factory: Factory, policies: Sequence[str] = ("lru",), page_sizes: Sequence[int] = (1, 2), stride: int = 8, misused: bool = False
) -> type[TestCase]:
    """A test case for a test suite: `TestMyCache = state_machine_test(my_factory)`.

    Hypothesis shrinks what it finds and keeps it in its database. Other settings: assign `TestMyCache.settings`.
    """
    machine = machine_class(plan_for(factory, policies, page_sizes, stride, strict=True), misused)
    case: type[TestCase] = machine.TestCase
    case.settings = _settings(examples=200, steps=50)  # type: ignore[attr-defined]
    return case


def machine_run(factory: Factory, policies: Sequence[str], page_sizes: Sequence[int], seed: int, examples: int, steps: int) -> RunResult:
    """The same at once, repeatable by its seed. Raises AssertionError at the first fault, shrunk, and says its operations."""
    plan = plan_for(factory, policies, page_sizes, stride=8, strict=True)
    phases = (Phase.reuse, Phase.generate, Phase.shrink)  # not to explain, which takes longest: the operations say it
    how = _settings(examples, steps, phases=phases, verbosity=Verbosity.quiet)
    run_state_machine_as_test(seeded(seed)(machine_class(plan, misused=False)), settings=how)
    return plan.result


def _settings(examples: int, steps: int, **others: Any) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        **others,
    )
