"""`radixcheck verify`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import Seconds, command_deadline, one_subject, options
from radixcheck.verification.cli.output import complain, later, print_json_of_each, subject_output
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console
from radixcheck.verification.search.search_results import SECONDS
from radixcheck.verification.subjects.registry import names_of, resolve


@click.command(cls=Command)
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
    from radixcheck.verification.report.verify_files import Files, TraceFolder
    from radixcheck.verification.runs.checked_bounds import bounds_for, check_choices

    files, traces, names = Files(junit, summary), TraceFolder(folder), names_of(subject)
    files.check()
    traces.check(names)
    check_choices(bounds["policies"], bounds["page_sizes"], bounds["modes"])
    ceiling = command_deadline(seconds)
    with subject_output():
        caches = [resolve(name, device) for name in names]
        searches = [(cache, bounds_for(cache, device=device, seconds=seconds / len(names), **bounds)) for cache in caches]

    from radixcheck.verification.report import plan_view, verify_view
    from radixcheck.verification.runs.verify_job import VerifyRequest, verify_subject

    statuses, outputs, troubles = list[Status](), [], list[UsageError]()
    for i, (cache, search) in enumerate(searches):
        console.say(plan_view.plan(cache.name, search))
        share = Deadline.after(ceiling.left / (len(names) - i))
        with subject_output():
            outcome = verify_subject(VerifyRequest(cache, replace(search, deadline=share)), console.progress)
        statuses.append(outcome.status)
        written = dict[str, str]()
        with later(troubles, f"--traces {folder}"):
            written = traces.write(cache.name, outcome.report.found)
        outputs.append(outcome.to_json() | ({"traces": written} if folder else {}))
        if not as_json:
            console.show(verify_view.verify(outcome, written.values()))
    if as_json:
        print_json_of_each(outputs)
    with later(troubles, f"--junit {junit}"):
        files.write(outputs)
    return worst([*statuses, *complain(troubles)])
