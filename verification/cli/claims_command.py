"""`radixcheck claims`."""

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import print_json
from radixcheck.verification.core.status import Status
from radixcheck.verification.report import console


@click.command(cls=Command)
@click.argument("words", nargs=-1)
@options("json")
def claims(words: tuple[str, ...], as_json: bool) -> Status:
    """List what this project claims, each with its command and its files; with WORDS: the claims that have all of them.

    Nothing is run.
    """
    from radixcheck.verification.core.claim_table import matching
    from radixcheck.verification.report import claims_view

    found = matching(words)
    if as_json:
        print_json(claims_view.listing_json(found))
    else:
        console.show(claims_view.listing(found))
    return Status.HOLDS
