"""`radixcheck facts`."""

from collections.abc import Sequence

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import answer, extras
from radixcheck.verification.core.status import Status
from radixcheck.verification.report import console


@click.command(cls=Command)
@click.argument("names", nargs=-1)
@options("seed", "json")
def facts(names: Sequence[str], seed: int, as_json: bool) -> Status:
    """Try claims of sglang#6907 that no property of a cache decides, or those with these NAMES.

    Each is expected to hold or to be refuted.
    """
    with extras():
        from radixcheck.verification.report import facts_view
        from radixcheck.verification.runs.facts_job import facts_request, try_facts

    outcome = try_facts(facts_request(names, seed), console.progress)
    return answer(outcome, as_json, lambda: facts_view.facts(outcome))
