"""`radixcheck verify`."""

from pathlib import Path
from typing import Any

import click

from radixcheck.verification.cli.options import Seconds, command_deadline, one_subject, options
from radixcheck.verification.cli.output import print_json_of_each, subject_output
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.report import console
from radixcheck.verification.search.search_results import SECONDS
from radixcheck.verification.subjects.registry import names_of, resolve


@click.command()
@one_subject(click.argument("subject", required=False))
@options("policy", "page-size", "pool", "host-pool", "mode", "device", "seed")
@click.option("--seconds", type=Seconds(0.5), default=SECONDS, show_default=True, help="size of the search; it ends 30 s later at most")
@click.option("--operations", type=click.IntRange(1), help="random operations of the search; default: in proportion to --seconds")
@click.option(
    "--misuse", "misused", is_flag=True, help="also call outside the guards: each call must raise a typed error and change nothing"
)
@click.option("--no-stretch", "stretch", is_flag=True, default=True, flag_value=False, help="do not take counts and values past thresholds")
@click.option("--traces", "folder", type=click.Path(path_type=Path), help="write the smallest trace of each refuted property into DIR")
@options("junit", "summary", "json")
def verify(
    subject: str, folder: Path | None, junit: Path | None, summary: Path | None, as_json: bool, device: str, seconds: float, **bounds: Any
) -> int:
    """Check SUBJECT (default: optimized) against the specification, then replay the sample trace.

    SUBJECT is a name from `radixcheck subjects` or module:factory. A cache in another process: --exec, or SUBJECT with --python.
    """
    from radixcheck.verification.report import verify_view
    from radixcheck.verification.report.verify_files import Files, TraceFolder
    from radixcheck.verification.runs.checked_bounds import bounds_for
    from radixcheck.verification.runs.verify_job import VerifyRequest, verify_subject

    files, traces = Files(junit, summary), TraceFolder(folder)
    files.check()
    traces.check(names_of(subject))
    statuses, outputs = list[Status](), []
    names = names_of(subject)
    ceiling = command_deadline(seconds)
    for i, name in enumerate(names):
        with subject_output():
            cache = resolve(name, device)
            share = Deadline.after(ceiling.left / (len(names) - i))
            chosen = bounds_for(cache, device=device, seconds=seconds / len(names), deadline=share, **bounds)
            outcome = verify_subject(VerifyRequest(cache, chosen), console.progress)
        statuses.append(outcome.status)
        written = traces.write(name, outcome.report.found)
        outputs.append(outcome.to_json() | ({"traces": written} if folder else {}))
        if not as_json:
            console.show([*verify_view.verify(outcome), *verify_view.show_commands(written.values())])
    files.write(outputs)
    if as_json:
        print_json_of_each(outputs)
    return worst(statuses)
