"""`radixcheck doctor`."""

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import answer
from radixcheck.verification.core.status import Status
from radixcheck.verification.report import console


@click.command(cls=Command)
@click.option("--python", help="the interpreter that runs SGLang  [default: this one]")
@options("json")
def doctor(python: str | None, as_json: bool) -> Status:
    """Say whether the SGLang of a Python can serve with `--radix-cache-backend radixcheck`, and what to run."""
    from radixcheck.verification.report import doctor_view
    from radixcheck.verification.runs.doctor_job import doctor as ask

    outcome = ask(python, console.progress)
    return answer(outcome, as_json, lambda: doctor_view.doctor(outcome))
