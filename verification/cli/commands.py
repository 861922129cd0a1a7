"""The command line. The exit status is a `Status`: 0 holds, 1 refuted, 2 wrong use, 3 undecided."""

import json
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from errno import ENOSPC
from io import TextIOWrapper
from pathlib import Path
from time import monotonic
from typing import Any

import click

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.cli import evidence
from radixcheck.verification.cli.bench_command import bench
from radixcheck.verification.cli.options import Seconds, one_subject, options
from radixcheck.verification.cli.questions_command import questions
from radixcheck.verification.cli.report_command import report
from radixcheck.verification.cli.show_command import show
from radixcheck.verification.cli.trace_files import replay_trace_file
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.core.traces import PAGES_MAX, is_trace
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import Op
from radixcheck.verification.report import console, tables
from radixcheck.verification.runs.request import check, request_for
from radixcheck.verification.subjects.registry import PEERS, known, names_of, resolve, served_by


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="radixcheck")
def cli() -> None:
    """Decides whether a radix (prefix) KV cache is correct, with evidence."""


for command in (evidence.prove, evidence.contracts, evidence.mutants, evidence.facts, evidence.findings, report, questions, bench, show):
    cli.add_command(command)


@cli.command()
@one_subject(click.argument("subject", required=False))
@options("policy", "page-size", "pool", "device", "seed")
@click.option("--seconds", type=Seconds(0.5), default=40, show_default=True, help="of search")
@click.option("--misuse", "misused", is_flag=True, help="also call outside the guards: typed error, unchanged state")
@click.option("--traces", "folder", type=click.Path(path_type=Path), help="write the smallest trace of each refuted property into DIR")
@options("junit", "summary", "json")
def verify(
    subject: str,
    seconds: float,
    misused: bool,
    folder: Path | None,
    junit: Path | None,
    summary: Path | None,
    device: str,
    as_json: bool,
    **chosen: Any,
) -> int:
    """Check SUBJECT (default: optimized) against the specification, then replay the sample trace.

    SUBJECT is a name from `radixcheck subjects` or module:factory. A cache in another process: --exec, or SUBJECT with --python.
    """
    from radixcheck.verification.report.verify_files import Files, TraceFolder
    from radixcheck.verification.runs.outcome import verify_and_replay

    files = Files(junit, summary)
    files.check()
    kept = TraceFolder(folder)
    kept.check(names_of(subject))
    statuses, outputs = list[Status](), []
    for name in names_of(subject):
        with redirect_stdout(sys.stderr):  # what a subject prints is not part of the answer
            cache = resolve(name, device)
            request = request_for(cache, device=device, **chosen)
            outcome = verify_and_replay(cache, request, seconds, misused, console.progress)
        statuses.append(outcome.status)
        written = kept.write(name, outcome.report.found)
        outputs.append(outcome.to_json() | ({"traces": written} if folder else {}))
        if not as_json:
            console.show([*tables.verify(outcome), *tables.to_show(written.values())])
    files.write(outputs)
    if as_json:
        click.echo(json.dumps(outputs if len(outputs) > 1 else outputs[0], indent=1))
    return worst(statuses)


@cli.command()
@click.argument("trace", required=False, type=click.Path(path_type=Path))
@click.option("--sample", is_flag=True, help="the small trace that comes with the package")
@one_subject(click.option("--subject", help="[default: optimized]"))
@click.option("--policy", default="lru", show_default=True)
@click.option("--page-size", type=int, default=16, show_default=True, help="tokens")
@click.option("--pool", type=int, help="tokens  [default: 320000, or 6000 of the sample]")
@click.option("--running", type=click.IntRange(1), default=32, show_default=True, help="requests at a time")
@click.option("--tokens-per-id", type=click.IntRange(1), default=16, show_default=True, help="tokens of one hash id")
@click.option("--limit", type=click.IntRange(1), help="requests to read")
@click.option(
    "--shrink", "out", type=click.Path(path_type=Path), help="write the few operations that show a fault: a test (.py) or a trace (.jsonl)"
)
@click.option("--seconds", type=Seconds(0.5), default=60, show_default=True, help="of processor time for shrinking, at most")
@options("device", "json")
def replay(trace: Path | None, sample: bool, out: Path | None, seconds: float, as_json: bool, **given: Any) -> int:
    """Replay a TRACE with every operation checked: requests (Mooncake format, JSON lines), or operations, as verify --traces writes them.

    A trace of operations has its policy, page size, pool and device in its first line, and the subject to use if none is named.
    """
    from radixcheck.verification.replay.replay import Settings
    from radixcheck.verification.report import shrunk_view as shortened
    from radixcheck.verification.runs.outcome import POOL, SAMPLE_POOL, replay_trace

    if (trace is None) == (not sample):
        raise UsageError("give one trace: a file, or --sample")
    if trace is not None and is_trace(trace):
        return replay_trace_file(trace, out, seconds, as_json)
    subject, limit = resolve(given.pop("subject"), given["device"]), given.pop("limit") or 0
    check(subject, (given["policy"],), (given["page_size"],))
    if given["pool"] is not None and given["pool"] // given["page_size"] > PAGES_MAX:
        raise UsageError(f"--pool {given['pool']}: is too large to be checked: give at most {PAGES_MAX * given['page_size']}")
    given["pool"] = given["pool"] if given["pool"] is not None else SAMPLE_POOL if sample else POOL
    if out is not None:
        shortened.check_new(out)
    recorded: list[Op] = []
    with redirect_stdout(sys.stderr):
        outcome = replay_trace(trace, subject, Settings(**given), limit, console.progress, recorded.append if out else _ignored)
        fault = shortened.of_replay(subject, outcome, recorded)
        short = shortened.shorten(fault, out, seconds, console.progress) if out is not None else None
    if as_json:
        click.echo(json.dumps(outcome.to_json() | ({"shrunk": short.to_json()} if short else {}), indent=1))
    else:
        console.show([*tables.replay(outcome), *(short.parts() if short else ())])
    return outcome.status


def _ignored(op: Op) -> None:
    """Do not record the operation."""


@cli.command()
@click.argument("left")
@click.argument("right")
@options("policy", "page-size", "pool", "device", "seed")
@click.option("--seconds", type=Seconds(0.5), default=30, show_default=True)
@click.option("--operations", type=click.IntRange(1), help="compare so many, however long that takes")
@click.option("--trace", type=click.Path(path_type=Path), help="compare along this trace (Mooncake format) instead")
@click.option("--sample", is_flag=True, help="compare along the small trace that comes with the package")
@click.option("--limit", type=click.IntRange(1), help="requests to read of a trace")
@options("json")
def diff(
    left: str,
    right: str,
    seconds: float,
    operations: int | None,
    trace: Path | None,
    sample: bool,
    limit: int | None,
    device: str,
    as_json: bool,
    **chosen: Any,
) -> int:
    """Run two caches side by side and compare every answer, refusal, size and victim. Each kind of difference is shown once.

    Exit status 1: they differ in something that neither declares (`choices` in what it supports).

    Each is named as for `verify`; a cache in another process is named exec:COMMAND, or NAME@PYTHON for an adapter in another environment.
    """
    from radixcheck.verification.runs.outcome import compare, compare_along

    if trace is not None and sample:
        raise UsageError("give one trace: a file, or --sample")
    with redirect_stdout(sys.stderr):
        a, b = resolve(left, device), resolve(right, device)
        both = request_for(a, device=device, **chosen).both(request_for(b, device=device, **chosen))
        if trace is not None or sample:
            outcome = compare_along(a, b, both, trace, limit or 0, console.progress)
        else:
            outcome = compare(a, b, both, seconds, console.progress, operations)
    if as_json:
        click.echo(json.dumps(outcome.to_json(), indent=1))
    else:
        console.show(tables.diff(outcome))
    return outcome.status


@cli.command()
@one_subject(click.argument("subject", required=False))
@click.option("--scope", "scopes", multiple=True, help="tree or requests (repeatable); default: both")
@options("policy", "page-size")
@click.option("--cores", type=click.IntRange(1), default=2, show_default=True, help="worker processes")
@click.option("--limit", type=click.IntRange(1), help="states of one exploration, after which it is given up")
@click.option("--seconds", type=Seconds(0.5), default=90, show_default=True, help="the same, in time")
@options("json")
def explore(
    subject: str,
    scopes: Sequence[str],
    policies: Sequence[str],
    page_sizes: Sequence[int],
    cores: int,
    limit: int | None,
    seconds: float,
    as_json: bool,
) -> int:
    """Visit every state of SUBJECT (default: optimized) within small bounds, breadth first: the first fault has the shortest trace.

    Without other choices: policy lru, pages of 1 and 2 tokens. Exit status 3: undecided, as not all states were visited.
    """
    from radixcheck.verification.report import explore_view as exploration

    statuses, outputs = list[Status](), []
    for name in names_of(subject):
        start, cache = monotonic(), resolve(name)
        check(cache, policies, page_sizes)
        bounds = exploration.bounds(cache, scopes, policies, page_sizes, limit, seconds)
        with redirect_stdout(sys.stderr), console.live() as show:
            results = exploration.explorations(cache, bounds, cores, lambda so_far: show(exploration.table(so_far)))
        statuses.append(exploration.status(results))
        outputs.append(exploration.to_json(name, results))
        if not as_json:
            console.show(exploration.explored(cache, results, monotonic() - start))
    if as_json:
        click.echo(json.dumps(outputs if len(outputs) > 1 else outputs[0], indent=1))
    return worst(statuses)


@cli.command()
@click.option("--python", help="the interpreter under which the caches of other projects are looked for (default: this one)")
@options("json")
def subjects(as_json: bool, python: str | None) -> int:
    """List the caches that can be named, with the installed version or how to install it."""
    from radixcheck.verification.remote.presence import presence

    rows, commands = known(), {name: served_by(name, python or sys.executable) for name in PEERS}
    with console.progress("subjects") as progress:
        there = presence(commands, progress)
    if as_json:
        shown = [{"name": n.name, "where": n.where, "what": n.sentence, **there.get(n.name, {})} for n in rows]
        click.echo(json.dumps(shown, indent=1))
    else:
        console.show(tables.subjects(rows, there))
    return 0


@cli.command()
@options("json")
@click.option("--policy", default="lru", show_default=True, help="for formulas that compare keys")
def invariants(as_json: bool, policy: str) -> int:
    """List every property: id, kind, sentence, formula."""
    from radixcheck.verification.core.catalogue import CATALOGUE

    if policy not in POLICIES:
        raise UsageError(f"unknown policy {policy!r}: choose from {', '.join(POLICIES)}")
    rows = tables.property_rows(CATALOGUE.values(), POLICIES[policy])
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    else:
        console.show(tables.invariants(rows))
    return 0


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # torch says so; nothing here uses NumPy
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # where the encoding lacks the lines of a picture
    try:
        result = cli.main(list(arguments), prog_name="radixcheck", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leave:
        return int(leave.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        return Status.WRONG_USE
    except UsageError as wrong:
        print(f"radixcheck: {wrong}", file=sys.stderr)
        return Status.WRONG_USE
    except OSError as error:  # of standard output: errors of named files are UsageErrors
        if error.errno != ENOSPC:
            raise
        print(f"radixcheck: the result cannot be written: {error.strerror}", file=sys.stderr)
        _to_nowhere()
        return Status.UNDECIDED
    except SystemExit:  # of click, after a broken pipe, or of a subject, whose exit status has no meaning here
        print("radixcheck: interrupted before the result was printed; nothing was decided", file=sys.stderr)
        _to_nowhere()
        return Status.UNDECIDED
    except (KeyboardInterrupt, click.Abort):
        print("radixcheck: interrupted; nothing was decided", file=sys.stderr)
        return Status.UNDECIDED


def _to_nowhere() -> None:
    """Discard buffered output, which the interpreter would try to write again, and fail, at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
