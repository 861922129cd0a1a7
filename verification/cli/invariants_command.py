"""`radixcheck invariants`."""

import click

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import print_json
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import catalogue_view, console


@click.command(cls=Command)
@options("json")
@click.option("--policy", default="lru", show_default=True, help="for formulas that compare keys")
def invariants(as_json: bool, policy: str) -> int:
    """List every property: id, kind, sentence, formula."""
    from radixcheck.verification.core.catalogue import EVERY, HOST_FORMULAS

    if policy not in POLICIES:
        raise UsageError(f"unknown policy {policy!r}: choose from {', '.join(POLICIES)}")
    rows = catalogue_view.property_rows(EVERY.values(), POLICIES[policy], HOST_FORMULAS)
    if as_json:
        print_json(rows)
    else:
        console.show(catalogue_view.invariants(rows))
    return Status.HOLDS
