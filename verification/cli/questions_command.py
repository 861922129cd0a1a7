"""`radixcheck questions`: the questions of the review, with the verdicts of stored results."""

from collections.abc import Sequence
from pathlib import Path

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import print_json
from radixcheck.verification.core.status import Status
from radixcheck.verification.report import console


@click.command(cls=Command)
@click.argument("ids", nargs=-1)
@options("results", "json")
def questions(ids: Sequence[str], results: Path, as_json: bool) -> Status:
    """List the questions of the review of sglang#6907, or those with these IDS, as Q1, C3 or L5.

    Verdicts come from stored results (`radixcheck report` stores them); nothing is run. JSON adds URL, answer and evidence.
    """
    from radixcheck.verification.report import questions_view
    from radixcheck.verification.runs.answer_results import answer_from, chosen

    outcome = answer_from(results, chosen(ids))
    if as_json:
        print_json(questions_view.listing_json(outcome))
    else:
        console.show(questions_view.listing(outcome, results))
    return Status.HOLDS
