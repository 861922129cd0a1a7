"""`radixcheck report`: what is asked, checked for sense, and handed on."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from shutil import which

import click

from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.questions_command import chosen
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console
from radixcheck.verification.subjects.registry import names_of, resolve


@click.command()
@click.option("--subject", "named", multiple=True, help="put this cache in the place of the change that was submitted (repeatable)")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("radixcheck-report"), show_default=True)
@click.option("--question", "ids", multiple=True, help="answer only these, here: ids, as Q1, C3 or L5 (repeatable)")
@click.option("--python", help="an interpreter that has the caches of others: they are measured, and what was found in them is repeated")
@options("results", "json")
def report(named: Sequence[str], out: Path, results: Path, ids: Sequence[str], python: str | None, as_json: bool) -> int:
    """Answer the reviewers' questions with evidence, as one HTML file, as Markdown for a pull request, and as JSON.

    Results are read from --results; what is missing there, or older than the sources, is run and stored first. Exit status: that of the
    cache under review (default: optimized), never that of the historical ones; 1 too if an answer is not borne out.
    """
    try:
        from radixcheck.verification.report import questions_view as questions
        from radixcheck.verification.report import report_files as written
    except ImportError as error:
        raise UsageError(str(error)) from error

    answers = chosen(ids)
    if python is not None and which(python) is None:
        raise UsageError(f"there is no interpreter {python!r}: give the path of a Python that has the caches")
    subjects = tuple(dict.fromkeys(one for name in named for one in names_of(name)))
    for subject in subjects:
        resolve(subject)
    with redirect_stdout(sys.stderr):
        make = written.answers if ids else partial(written.report, out=out)
        made = make(answers, subjects, results, python, console.progress)
    if as_json:
        click.echo(json.dumps(questions.to_json(made.answered), indent=1))
    else:
        console.show(questions.text(made.answered) if ids else questions.brief(made.answered))
    for path in made.paths:
        print(f"wrote {path}", file=sys.stderr)
    return made.status
