"""`radixcheck findings`."""

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import answer, subject_output
from radixcheck.verification.core.status import Status
from radixcheck.verification.report import console


@click.command(cls=Command)
@click.option("--subject", help="only the findings of this cache")
@click.option("--python", help="an interpreter that has the packages  [default: this one]")
@options("json")
def findings(subject: str | None, python: str | None, as_json: bool) -> Status:
    """Repeat what was found in the caches of other projects: each by its trace, and by a script that uses only the package."""
    from radixcheck.verification.report import findings_view
    from radixcheck.verification.runs.findings_job import findings_request, repeat_findings

    request = findings_request(subject, python)
    with subject_output():
        outcome = repeat_findings(request, console.progress)
    return answer(outcome, as_json, lambda: findings_view.findings(outcome))
