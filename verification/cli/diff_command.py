"""`radixcheck diff`."""

from pathlib import Path
from typing import Any

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import Seconds, command_deadline, given, options
from radixcheck.verification.cli.output import print_json, subject_output
from radixcheck.verification.cli.trace_argument import refuse_options
from radixcheck.verification.core.deadline import NEVER
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console
from radixcheck.verification.subjects.registry import resolve


@click.command(cls=Command)
@click.argument("left")
@click.argument("right")
@options("policy", "page-size", "pool", "host-pool", "mode", "device", "seed")
@click.option("--seconds", type=Seconds(0.5), default=30, show_default=True, help="size of the comparison; cut off some time later")
@click.option("--operations", type=click.IntRange(1), help="compare this many operations; cut off only if --seconds is given too")
@click.option("--trace", type=click.Path(path_type=Path), help="compare along this trace (Mooncake format) instead")
@click.option("--sample", is_flag=True, help="compare along the small trace that comes with the package")
@click.option("--limit", type=click.IntRange(1), help="requests to read of a trace")
@options("json")
def diff(
    left: str,
    right: str,
    operations: int | None,
    trace: Path | None,
    sample: bool,
    limit: int | None,
    device: str,
    seconds: float,
    as_json: bool,
    **bounds: Any,
) -> int:
    """Run two caches side by side and compare every answer, refusal, size and victim. Each kind of difference is shown once.

    Each is named as for `verify`; a cache in another process is named exec:COMMAND, or NAME@PYTHON for an adapter in another environment.
    """
    from radixcheck.verification.runs.checked_bounds import check_choices, shared_bounds

    if trace is not None and sample:
        raise UsageError("give one trace: a file, or --sample")
    along = trace is not None or sample
    if along:
        refuse_options(
            trace or "--sample", ("operations", "seed"), "the requests of the trace are compared, all or as many as --limit says"
        )
        for option in ("policies", "page_sizes", "modes"):
            if len(bounds[option]) > 1:
                raise UsageError(f"a trace is compared under one of {', '.join(map(str, bounds[option]))}: give one")
    else:
        refuse_options("a search", ("limit",), "it bounds a trace; give --trace or --sample")
    bounded = along or operations is not None  # by the operations alone, unless --seconds is given
    deadline = NEVER if bounded and "seconds" not in given() else command_deadline(seconds)
    how = {"device": device, "seconds": seconds, "deadline": deadline, **bounds}
    check_choices(bounds["policies"], bounds["page_sizes"], bounds["modes"])
    with subject_output():
        a, b = resolve(left, device), resolve(right, device)
        both = shared_bounds(a, b, **how)

        from radixcheck.verification.runs.diff_job import AlongRequest, DiffRequest, compare, compare_along

        if along:
            outcome = compare_along(AlongRequest(a, b, both, trace, limit or 0), console.progress)
        else:
            outcome = compare(DiffRequest(a, b, both, operations), console.progress)
    if as_json:
        print_json(outcome.to_json())
    else:
        from radixcheck.verification.report import diff_view

        console.show(diff_view.diff(outcome))
    return outcome.status
