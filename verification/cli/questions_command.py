"""`radixcheck questions`: the questions of the review, with the verdicts of stored results."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from radixcheck.verification.cli.options import options
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console
from radixcheck.verification.review_6907.answers import ANSWERS, Answer, sources


def chosen(ids: Sequence[str]) -> tuple[Answer, ...]:
    """Return the answers to the questions with these ids, or to all if there are none. Raise UsageError for an unknown id."""
    answers = {answer.id: answer for answer in ANSWERS}
    for id_ in ids:
        if id_ not in answers:
            raise UsageError(f"no question has the id {id_!r}: choose from {', '.join(answers)}")
    return tuple(answers[id_] for id_ in dict.fromkeys(ids)) or ANSWERS


@click.command()
@click.argument("ids", nargs=-1)
@options("results", "json")
def questions(ids: Sequence[str], results: Path, as_json: bool) -> int:
    """List the questions of the review of sglang#6907, or those with these IDS, as Q1, C3 or L5.

    Verdicts come from stored results (`radixcheck report` stores them); nothing is run. JSON adds URL, answer and evidence.
    """
    from radixcheck.verification.report import questions_view as view
    from radixcheck.verification.runs.results import present

    answers = chosen(ids)
    found = view.answered(present(results, sources(answers)), answers)
    if as_json:
        click.echo(json.dumps(view.listing_json(found), indent=1))
    else:
        console.show(view.listing(found, results))
    return 0
