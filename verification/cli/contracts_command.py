"""`radixcheck contracts`."""

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import Seconds, options
from radixcheck.verification.cli.output import answer, extras
from radixcheck.verification.core.status import Status
from radixcheck.verification.report import console


@click.command(cls=Command)
@click.option("--seconds", type=Seconds(1), default=60, show_default=True, help="of processor time, at most, for one function")
@options("json")
def contracts(seconds: float, as_json: bool) -> Status:
    """Check the pure functions of the caches for all inputs within stated bounds, by symbolic execution."""
    with extras():
        from radixcheck.verification.report import contracts_view
        from radixcheck.verification.runs.contracts_job import ContractsRequest, decide_contracts

    outcome = decide_contracts(ContractsRequest(seconds), console.progress)
    return answer(outcome, as_json, lambda: contracts_view.contracts(outcome))
