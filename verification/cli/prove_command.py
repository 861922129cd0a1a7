"""`radixcheck prove`."""

from collections.abc import Sequence
from pathlib import Path

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import answer, check_store, extras
from radixcheck.verification.cli.trace_argument import refuse_options
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console

SEEDS = 2  # one could be lucky


@click.command(cls=Command)
@click.option("--property", "properties", multiple=True, help="id of a formula or claim, or name of a condition (repeatable)")
@click.option("--transition", "transitions", multiple=True, help="name of a transition (repeatable)")
@click.option("--policy", "policies", multiple=True, help="conditions that compare its keys, or those of any policy (repeatable)")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="worker processes")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="of the solver and the order of hypotheses")
@click.option("--seeds", type=click.IntRange(1), default=None, show_default=str(SEEDS), help="decide everything with this many seeds")
@click.option("--confirm", is_flag=True, help="ask a second solver, cvc5, about every proof")
@click.option("--mutate", is_flag=True, help="judge mutants of the specification: each makes one change that the proofs must notice")
@click.option("--store", type=click.Path(path_type=Path, dir_okay=False), help="write the results there, as JSON")
@options("json")
def prove(
    jobs: int, seed: int, seeds: int | None, confirm: bool, mutate: bool, store: Path | None, as_json: bool, **chosen: Sequence[str]
) -> Status:
    """Prove every formula under every transition, without bounds; refute wrong claims by a model."""
    check_store(store)
    if mutate:
        if any(chosen.values()) or confirm or seeds is not None:
            raise UsageError("--mutate judges every mutant, with one seed: leave the other choices out")
        refuse_options("--mutate", ("jobs",), "the mutants are judged one after another")
        return _mutate(seed, store, as_json)
    with extras():
        from radixcheck.verification.report import prove_view
        from radixcheck.verification.runs import prove_job

    request = prove_job.prove_request(**chosen, seeds=range(seed, seed + (seeds or SEEDS)), workers=jobs)
    with console.live("prove") as show:
        outcome = prove_job.prove(request, lambda results: show(prove_view.growing(request.cells, results)))
    if confirm:
        outcome = prove_job.confirm(request, outcome, console.progress)
    return answer(outcome, as_json, lambda: prove_view.prove(outcome), store)


def _mutate(seed: int, store: Path | None, as_json: bool) -> Status:
    """Judge the mutants of the specification."""
    with extras():
        from radixcheck.verification.report import spec_mutants_view
        from radixcheck.verification.runs.prove_job import SpecMutantsRequest, judge_spec_mutants

    outcome = judge_spec_mutants(SpecMutantsRequest(seed), console.progress)
    return answer(outcome, as_json, lambda: spec_mutants_view.spec_mutants(outcome), store)
