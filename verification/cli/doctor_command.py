"""`radixcheck doctor`."""

import click

from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import answer
from radixcheck.verification.core.status import Status
from radixcheck.verification.report import console


@click.command()
@click.option("--python", help="the interpreter that runs SGLang  [default: this one]")
@options("json")
def doctor(python: str | None, as_json: bool) -> Status:
    """Say whether the SGLang of a Python can serve with `--radix-cache-backend radixcheck`, and what to run.

    Exit status 0: it is ready. 1: a part is there and does not fit. 3: a part is missing, or did not answer.
    """
    from radixcheck.verification.report import doctor_view
    from radixcheck.verification.runs.doctor_job import doctor as ask

    outcome = ask(python, console.progress)
    return answer(outcome, as_json, lambda: doctor_view.doctor(outcome))
