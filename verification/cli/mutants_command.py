"""`radixcheck mutants`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import Seconds, options
from radixcheck.verification.cli.output import answer, check_store, subject_output
from radixcheck.verification.cli.trace_argument import refuse_options
from radixcheck.verification.core.status import Status
from radixcheck.verification.report import console

Part = TypeVar("Part")


@click.command(cls=Command)
@click.argument("names", nargs=-1)
@click.option("--seeds", type=click.IntRange(1), help="run only the state machine, with this many seeds, and count those that find it")
@click.option(
    "--clean", is_flag=True, help="count false positives instead: correct caches in 10 configurations (or 19), --seeds each (200)"
)
@click.option("--store", type=click.Path(path_type=Path, dir_okay=False), help="write the results there, as JSON")
@click.option("--seconds", type=Seconds(0.1), default=900, show_default=True, help="cut off a search after this time: it is undecided")
@options("seed", "json")
def mutants(names: Sequence[str], seeds: int | None, clean: bool, store: Path | None, seconds: float, seed: int, as_json: bool) -> Status:
    """Run every mutant, or those with these NAMES, under every detector, and show what kills it.

    A name is one of the catalogue, or module:attribute of a Mutant of your own; with --clean, of a correct cache. The searches are bounded
    by examples, runs and states, so that the load of the machine does not change the result.
    """
    from radixcheck.verification.mutants.kill_matrix import PLAN
    from radixcheck.verification.report import false_positives_view, mutants_view
    from radixcheck.verification.runs import mutants_job as jobs

    check_store(store)
    if clean:
        refuse_options("--clean", ("seed", "seconds"), "each cache is run with the seeds from 0 on")
        with subject_output(), console.live("mutants --clean") as show:
            cleaned = jobs.clean_request(names, seeds)
            positives = jobs.false_positives(cleaned, _each(lambda so_far: show(false_positives_view.growing(so_far))))
        return answer(positives, as_json, lambda: false_positives_view.false_positives(positives), store)
    with subject_output():
        chosen = jobs.named(names)
    if seeds:
        refuse_options(
            "--seeds", ("seed", "seconds"), "each mutant is searched with the seeds from 0 on, and each search ends by its steps"
        )
        with subject_output(), console.live("mutants --seeds") as show:
            measured = jobs.reliability(
                jobs.ReliabilityRequest(chosen, seeds), _each(lambda so_far: show(mutants_view.growing_reliability(so_far, len(chosen))))
            )
        return answer(measured, as_json, lambda: mutants_view.reliability(measured), store)
    with subject_output(), console.live("mutants") as show:
        matrix = jobs.kill_matrix(
            jobs.MatrixRequest(chosen, replace(PLAN, seed=seed, seconds=seconds)),
            _each(lambda so_far: show(mutants_view.growing_matrix(so_far, len(chosen)))),
        )
    return answer(matrix, as_json, lambda: mutants_view.matrix(matrix), store)


def _each(show: Callable[[Sequence[Part]], None]) -> Callable[[Part], None]:
    """Return a function that shows every part that it was called with so far."""
    so_far: list[Part] = []

    def add(part: Part) -> None:
        so_far.append(part)
        show(so_far)

    return add
