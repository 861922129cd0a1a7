"""`radixcheck campaign`."""

import shlex
from collections.abc import Sequence
from contextlib import closing
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from radixcheck.verification.campaign.shard import USUAL
from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import given, named, one_subject, options
from radixcheck.verification.cli.output import print_json_of_each, subject_output
from radixcheck.verification.cli.trace_argument import refuse_options
from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console
from radixcheck.verification.subjects.registry import as_argument, names_of, resolve

if TYPE_CHECKING:
    from radixcheck.verification.campaign.executors import ShardExecutor

OPERATIONS = 1_000_000
WORDS = {"policies": "policy", "page_sizes": "page-size", "modes": "mode"}  # options that are given once for each value
_Folder = click.Path(path_type=Path, file_okay=False)


@click.command(cls=Command)
@one_subject(click.argument("subject", required=False))
@click.option("--local", type=click.IntRange(1), default=2, show_default=True, help="worker processes of this machine")
@click.option("--ray", "address", help="perform it on a Ray cluster: its address, or auto for the one of this machine")
@click.option("--operations", type=click.IntRange(1), default=OPERATIONS, show_default=True, help="random operations that are planned")
@click.option("--hours", type=click.FloatRange(0, min_open=True), help="end after this time; the same command goes on")
@click.option("--store", type=_Folder, help="the folder of results  [default: one of its own in radixcheck-results/campaigns]")
@click.option("--kind", "kinds", multiple=True, help="search, stretch, explore, mutants, prove (repeatable)  [default: search, stretch]")
@options("policy", "page-size", "pool", "host-pool", "mode", "device", "seed")
@click.option("--guided", is_flag=True, help="half of the random runs go on from runs that reached something new")
@click.option("--corpus", type=_Folder, help="traces that are replayed first; those that reach something new are added")
@click.option("--export", type=_Folder, help="with --corpus: write its traces, and a test that replays them, into DIR")
@click.option("--show", type=_Folder, help="the page of the campaign in this folder; nothing is run")
@click.option("--check", type=_Folder, help="check that the store in this folder is complete and undamaged; nothing is run")
@options("json")
def campaign(
    subject: str,
    local: int,
    address: str | None,
    hours: float | None,
    store: Path | None,
    kinds: Sequence[str],
    guided: bool,
    corpus: Path | None,
    export: Path | None,
    show: Path | None,
    check: Path | None,
    as_json: bool,
    device: str,
    **bounds: Any,
) -> int:
    """Check SUBJECT (default: optimized) for long, in shards that are stored one by one.

    A campaign that was stopped, or killed, goes on when the same command is given again. The result is the same with any number of workers.
    """
    from radixcheck.verification.campaign.corpus import Corpus
    from radixcheck.verification.runs.campaign_job import check_kinds

    if show is not None or check is not None:
        refuse_options(
            "--show" if show is not None else "--check", sorted(given() - {"show", "check", "json", "as_json"}), "nothing is run"
        )
        return _stored(show, check, as_json)
    check_kinds(kinds)
    if export is not None and corpus is None:
        raise UsageError("--export writes the traces of a corpus: give --corpus too")
    if corpus is not None and export is not None:
        Corpus(corpus).check()
        Corpus(corpus).export(export)  # a folder that cannot be written is known before the campaign
    if hours is not None and not isfinite(hours):
        raise UsageError(f"--hours {hours}: give a number of hours, or leave it out")
    names, statuses, outputs = names_of(subject), list[Status](), list[Any]()
    deadline = NEVER if hours is None else Deadline.after(hours * 3600)
    for name in names:
        place = _store(store, name, names)
        request = {"store": place, "corpus": corpus, "deadline": deadline, "kinds": tuple(kinds) or USUAL, "guided": guided}
        with subject_output(), closing(_executor(local, address)) as executor:
            outcome = _run(name, executor, device, bounds, request)
        if export is not None and corpus is not None:
            Corpus(corpus).export(export)
        statuses.append(outcome["status"])
        outputs.append(outcome)
        if not as_json:
            from radixcheck.verification.report.campaign_view import page

            console.show(page(outcome))
    if as_json:
        print_json_of_each(outputs)
    return worst(statuses)


def _run(name: str, executor: "ShardExecutor", device: str, bounds: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Run the campaign of one subject, and return its result as stored."""
    from radixcheck.verification.runs.campaign_job import CampaignRequest, run_campaign
    from radixcheck.verification.runs.checked_bounds import bounds_for

    cache = resolve(name, device)
    chosen = bounds_for(cache, device=device, **bounds)
    command = _command(name, request, {"device": device if device != "cpu" else None, **bounds})
    return run_campaign(CampaignRequest(cache, chosen, command=command, **request), executor, console.progress).to_json()


def _executor(local: int, address: str | None) -> "ShardExecutor":
    """Return who performs the shards. Raise UsageError."""
    from radixcheck.verification.campaign.executors import LocalExecutor
    from radixcheck.verification.campaign.ray_executor import RayExecutor

    if address is None:
        return LocalExecutor(local)
    if named("local"):
        raise UsageError("give --local or --ray, not both")
    return RayExecutor(address)


def _stored(show: Path | None, check: Path | None, as_json: bool) -> int:
    """Show what is stored, or check it. Nothing is run."""
    from radixcheck.verification.report.campaign_view import page
    from radixcheck.verification.runs.campaign_job import check_store, read_summary

    if show is not None and check is not None:
        raise UsageError("give --show or --check, not both")
    if check is not None:
        checked = check_store(check)
        if as_json:
            print_json_of_each([checked.to_json()])
        else:
            console.show([checked.sentence])
        return checked.status
    assert show is not None
    data = read_summary(show)
    if as_json:
        print_json_of_each([data])
    else:
        console.show(page(data))
    return int(data["status"])


def _store(store: Path | None, name: str, names: Sequence[str]) -> Path | None:
    """Return the folder of one subject of several; None: the one that follows from its plan."""
    return store / name.replace(":", "-") if store is not None and len(names) > 1 else store


def _command(name: str, request: dict[str, Any], bounds: dict[str, Any]) -> str:
    """Return the command that goes on with a campaign, or repeats it."""
    words = ["radixcheck", "campaign", *as_argument(name)]
    given = {"kind": request["kinds"] if request["kinds"] != USUAL else (), **bounds}
    for option, value in {**given, "store": request["store"], "corpus": request["corpus"]}.items():
        each = value if isinstance(value, tuple) else () if value is None else (value,)
        words += [word for one in each for word in (f"--{WORDS.get(option, option.replace('_', '-'))}", f"{one}")]
    return shlex.join([*words, *(["--guided"] if request["guided"] else [])])
