"""`radixcheck subjects`."""

import sys

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import print_json
from radixcheck.verification.core.engine_caches import PEERS
from radixcheck.verification.core.status import Status
from radixcheck.verification.report import catalogue_view, console
from radixcheck.verification.subjects.registry import known, served_by


@click.command(cls=Command)
@click.option("--python", help="the interpreter in which to look for the caches of other projects (default: this one)")
@options("json")
def subjects(as_json: bool, python: str | None) -> int:
    """List the caches that can be named, with the installed version or how to install it."""
    from radixcheck.verification.remote.presence import presence

    rows, commands = known(), {name: served_by(name, python or sys.executable) for name in PEERS}
    with console.progress("subjects") as progress:
        there = presence(commands, progress)
    if as_json:
        print_json([{"name": n.name, "where": n.where, "what": n.sentence, **there.get(n.name, {})} for n in rows])
    else:
        console.show(catalogue_view.subjects(rows, there))
    return Status.HOLDS
