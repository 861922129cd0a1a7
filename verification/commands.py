"""The command line: what is asked, checked for sense, and handed on. Exit status: 0 holds, 1 refuted, 2 wrong use, 3 undecided."""

import json
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import click

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.operations import Op
from radixcheck.verification.report import console, tables
from radixcheck.verification.subjects.registry import UsageError, known, names_of

POOL = 320_000  # tokens of a replay

Decorator = Callable[[Any], Any]


def _options(*names: str) -> Decorator:
    """The options that several commands share."""
    every = {
        "seed": click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="of the random choices"),
        "policy": click.option("--policy", "policies", multiple=True, help=f"{', '.join(POLICIES)} (repeatable)"),
        "page-size": click.option("--page-size", "page_sizes", type=int, multiple=True, help="tokens (repeatable)"),
        "pool": click.option("--pool", type=int, help="size of the slot pool, in tokens"),
        "device": click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N"),
        "json": click.option("--json", "as_json", is_flag=True, help="print JSON for machines"),
    }

    def decorate(function: Any) -> Any:
        for name in reversed(names):
            function = every[name](function)
        return function

    return decorate


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="radixcheck")
def cli() -> None:
    """Decides whether a radix (prefix) KV cache is correct, with evidence."""


@cli.command()
@click.argument("subject", default="optimized")
@_options("policy", "page-size", "pool", "device", "seed")
@click.option("--seconds", type=click.FloatRange(0.5), default=40, show_default=True, help="of search")
@click.option("--misuse", "misused", is_flag=True, help="also call outside the guards: typed error, unchanged state")
@_options("json")
def verify(subject: str, seconds: float, misused: bool, as_json: bool, **chosen: Any) -> int:
    """Check SUBJECT (default: optimized) against the specification, then replay the sample trace.

    SUBJECT is a name from `radixcheck subjects` or module:factory.
    """
    from radixcheck.verification.report.outcome import verify_and_replay

    status, outputs = 0, []
    for name in names_of(subject):
        request = _request(name, **chosen)
        with redirect_stdout(sys.stderr):  # what a subject prints is no part of the answer
            outcome = verify_and_replay(name, request, seconds, misused, console.progress)
        status = max(status, outcome.status, key=(0, 3, 1).index)
        outputs.append(outcome.to_json())
        if not as_json:
            console.show(tables.verify(outcome))
    if as_json:
        click.echo(json.dumps(outputs if len(outputs) > 1 else outputs[0], indent=1))
    return status


@cli.command()
@click.argument("trace", required=False, type=click.Path(path_type=Path))
@click.option("--sample", is_flag=True, help="the small trace that comes with the package")
@click.option("--subject", default="optimized", show_default=True)
@click.option("--policy", default="lru", show_default=True)
@click.option("--page-size", type=int, default=16, show_default=True, help="tokens")
@click.option("--pool", type=int, default=POOL, show_default=True, help="tokens")
@click.option("--running", type=click.IntRange(1), default=32, show_default=True, help="requests at a time")
@click.option("--tokens-per-id", type=click.IntRange(1), default=16, show_default=True, help="tokens of one hash id")
@click.option("--limit", type=click.IntRange(1), help="requests to read")
@click.option("--shrink", "out", type=click.Path(path_type=Path), help="write the few operations that show a fault there, a pytest file")
@click.option("--seconds", type=click.FloatRange(0.5), default=60, show_default=True, help="of processor time for shrinking, at most")
@_options("device", "json")
def replay(trace: Path | None, sample: bool, out: Path | None, seconds: float, as_json: bool, **asked: Any) -> int:
    """Replay a TRACE (Mooncake format, JSON lines) with every operation checked."""
    from radixcheck.verification.replay.replay import Settings
    from radixcheck.verification.report import shortened
    from radixcheck.verification.report.outcome import SAMPLE_POOL, replay_trace

    if (trace is None) == (not sample):
        raise UsageError("give one trace: a file, or --sample")
    subject, limit = asked.pop("subject"), asked.pop("limit") or 0
    _check(subject, (asked["policy"],), (asked["page_size"],), asked["device"])
    if sample and asked["pool"] == POOL:
        asked["pool"] = SAMPLE_POOL
    if out is not None:
        shortened.check_new(out)
    recorded: list[Op] = []
    with redirect_stdout(sys.stderr):
        outcome = replay_trace(trace, subject, Settings(**asked), limit, console.progress, recorded.append if out else _ignored)
        short = shortened.shorten(outcome, recorded, out, seconds, console.progress) if out is not None else None
    if as_json:
        click.echo(json.dumps(outcome.to_json() | ({"shrunk": short.to_json()} if short else {}), indent=1))
    else:
        console.show([*tables.replay(outcome), *(short.parts() if short else ())])
    return outcome.status


def _ignored(op: Op) -> None:
    """What nobody wants to shrink need not be kept."""


@cli.command()
@click.argument("left")
@click.argument("right")
@_options("policy", "page-size", "pool", "device", "seed")
@click.option("--seconds", type=click.FloatRange(0.5), default=30, show_default=True)
@_options("json")
def diff(left: str, right: str, seconds: float, as_json: bool, **chosen: Any) -> int:
    """Run two caches side by side and compare every answer, refusal, size and victim."""
    from radixcheck.verification.report.outcome import compare

    a, b = _request(left, **chosen), _request(right, **chosen)
    with redirect_stdout(sys.stderr):
        outcome = compare(left, right, a.both(b), seconds, console.progress)
    if as_json:
        click.echo(json.dumps(outcome.to_json(), indent=1))
    else:
        console.show(tables.diff(outcome))
    return outcome.status


@cli.command()
@click.argument("subject", default="optimized")
@click.option("--scope", "scopes", multiple=True, help="tree or requests (repeatable); default: both")
@_options("policy", "page-size")
@click.option("--cores", type=click.IntRange(1), default=2, show_default=True, help="worker processes")
@click.option("--limit", type=click.IntRange(1), help="states of one exploration, after which it is given up")
@click.option("--seconds", type=click.FloatRange(0.5), default=90, show_default=True, help="the same, in time")
@_options("json")
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
    from radixcheck.verification.report import explore as exploration

    status, outputs = 0, []
    for name in names_of(subject):
        start = monotonic()
        bounds = exploration.bounds(name, _check(name, policies, page_sizes, "cpu"), scopes, policies, page_sizes, limit, seconds)
        with redirect_stdout(sys.stderr), console.live() as show:
            results = exploration.explorations(name, bounds, cores, lambda so_far: show(exploration.table(so_far)))
        status = max(status, exploration.status(results), key=(0, 3, 1).index)
        outputs.append(exploration.to_json(name, results))
        if not as_json:
            console.show(exploration.explored(name, results, monotonic() - start))
    if as_json:
        click.echo(json.dumps(outputs if len(outputs) > 1 else outputs[0], indent=1))
    return status


@cli.command()
@click.option("--property", "properties", multiple=True, help="id of a formula or claim, or name of a condition (repeatable)")
@click.option("--transition", "transitions", multiple=True, help="name of a transition (repeatable)")
@click.option("--policy", "policies", multiple=True, help="conditions that compare its keys, or those of any policy (repeatable)")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="worker processes")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="of the solver and the order of hypotheses")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="everything once with each of so many seeds")
@click.option("--confirm", is_flag=True, help="ask a second solver, cvc5, about every proof")
@click.option("--mutate", is_flag=True, help="change the specification, one thing at a time, and see the proofs notice")
@click.option("--store", type=click.Path(path_type=Path, dir_okay=False), help="write the results there, as JSON")
@_options("json")
def prove(jobs: int, seed: int, seeds: int, confirm: bool, mutate: bool, store: Path | None, as_json: bool, **asked: Sequence[str]) -> int:
    """Prove every formula under every transition, unbounded; refute what is wrong, with a model."""
    _writable(store)
    if mutate:
        if any(asked.values()) or confirm or seeds > 1:
            raise UsageError("--mutate judges every mutant, with one seed: leave the other choices out")
        return _mutate(seed, store, as_json)
    try:
        from radixcheck.verification.proofs import campaign
        from radixcheck.verification.report import proofs
    except ImportError as error:
        raise UsageError(str(error)) from error

    fields = {"properties": ("formula", "name"), "transitions": ("transition",), "policies": ("policy",)}
    for option, of in fields.items():
        known = tuple(word for field in of for word in campaign.known(field))
        for value in asked[option]:
            if value not in known:
                near = ", ".join(get_close_matches(value, known, n=3, cutoff=0))
                raise UsageError(f"no condition has the {of[0]} {value!r}: the nearest are {near}")
    names = campaign.chosen(asked["properties"], asked["transitions"], asked["policies"])
    if not names:
        raise UsageError("no condition is all of that: leave out a property, a transition or a policy")
    planned = campaign.planned(names)
    with console.live() as show:
        found = campaign.campaign(names, range(seed, seed + seeds), jobs, lambda results: show(proofs.growing(planned, results)))
    opinions: Sequence[campaign.Opinion] = ()
    if confirm:
        with console.progress("asking cvc5") as progress:
            opinions = campaign.second_opinions(names, jobs, progress)
    written = json.dumps(proofs.to_json(found, opinions), indent=1)
    if store is not None:
        store.write_text(written + "\n")
    if as_json:
        click.echo(written)
    else:
        console.show([*proofs.prove(found), *(proofs.second(opinions) if opinions else ())])
    return proofs.status(found, opinions)


def _writable(store: Path | None) -> None:
    """Whether results can be stored there, before they are computed. Raises `UsageError`."""
    try:
        if store is not None:
            store.open("a").close()
    except OSError as error:
        raise UsageError(f"--store {store}: cannot be written ({error.strerror}); give another file") from error


def _mutate(seed: int, store: Path | None, as_json: bool) -> int:
    """The specification itself under test."""
    try:
        from radixcheck.verification.proofs.mutation import judge_all, mutants
        from radixcheck.verification.report import mutation
    except ImportError as error:
        raise UsageError(str(error)) from error

    start, done, total = monotonic(), count(1), len(mutants())
    with console.progress("mutating") as progress:
        judged = judge_all(lambda each: progress(next(done) / total, f"{each.mutant.name}: {each.verdict}"), seed)
    written = json.dumps(mutation.to_json(judged), indent=1)
    if store is not None:
        store.write_text(written + "\n")
    if as_json:
        click.echo(written)
    else:
        console.show(mutation.mutate(judged, monotonic() - start))
    return mutation.status(judged)


@cli.command()
@click.option("--seconds", type=click.FloatRange(1), default=60, show_default=True, help="of processor time, at most, for one function")
@_options("json")
def contracts(seconds: float, as_json: bool) -> int:
    """Check the pure functions of the caches for all inputs within stated bounds, by symbolic execution."""
    try:
        from radixcheck.verification.contracts import campaign
        from radixcheck.verification.report import contracts as report
    except ImportError as error:
        raise UsageError(str(error)) from error

    start, total = monotonic(), len(campaign.CONTRACTS)
    with console.progress("contracts") as progress:
        decided = campaign.decide_all(seconds, lambda each, done: progress(done / total, f"{each.contract.name}: {each.judged.verdict}"))
    if as_json:
        click.echo(json.dumps(report.to_json(decided), indent=1))
    else:
        console.show(report.contracts(decided, monotonic() - start))
    return campaign.status(decided)


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--seeds", type=click.IntRange(1), help="run the state machine alone, with so many seeds, and count those that find it")
@click.option("--clean", is_flag=True, help="count false alarms instead: right caches in 10 configurations, with --seeds each (200)")
@click.option("--store", type=click.Path(path_type=Path, dir_okay=False), help="write the results there, as JSON")
@click.option("--seconds", type=click.FloatRange(0.1), default=5, show_default=True, help="of one search")
@_options("seed", "json")
def mutants(names: Sequence[str], seeds: int | None, clean: bool, store: Path | None, seconds: float, seed: int, as_json: bool) -> int:
    """Run every mutant, or those with these NAMES, under every detector, and show what kills it.

    A name is one of the catalogue, or module:attribute of a Mutant of your own; with --clean, of a cache that is right.
    """
    from radixcheck.verification.report import alarms, kills

    _writable(store)
    with console.live() as show:
        outcome: alarms.Alarms | kills.Matrix | kills.Reliabilities
        if clean:
            outcome = alarms.alarms(names, seeds, show)
        else:
            outcome = kills.reliability(names, seeds, show) if seeds else kills.matrix(names, seed, seconds, show)
    written = json.dumps(outcome.to_json(), indent=1)
    if store is not None:
        store.write_text(written + "\n")
    if as_json:
        click.echo(written)
    else:
        console.show(outcome.parts())
    return outcome.status


@cli.command()
@click.option("--results", type=click.Path(path_type=Path, file_okay=False), default=Path("radixcheck-results"), show_default=True)
@click.option("--question", "ids", multiple=True, help="id, as Q1, C3 or L5 (repeatable)")
@click.option("--text", "form", flag_value="text", default="text", help="print text for a person (the default)")
@click.option("--json", "form", flag_value="json", help="print JSON for machines")
def report(results: Path, ids: Sequence[str], form: str) -> int:
    """Answer the reviewers' questions from stored results; what is missing, or older than the sources, is run and stored first."""
    try:
        from radixcheck.verification.report import questions
        from radixcheck.verification.report.answers import ANSWERS
        from radixcheck.verification.report.results import collect
    except ImportError as error:
        raise UsageError(str(error)) from error

    answers = {answer.id: answer for answer in ANSWERS}
    for id_ in ids:
        if id_ not in answers:
            raise UsageError(f"no question has the id {id_!r}: choose from {', '.join(answers)}")
    with redirect_stdout(sys.stderr):
        found = questions.answered(collect(results, console.progress), [answers[id_] for id_ in ids] or ANSWERS)
    if form == "json":
        click.echo(json.dumps(questions.to_json(found), indent=1))
    else:
        console.show(questions.text(found))
    return questions.status(found)


@cli.command()
@_options("json")
def subjects(as_json: bool) -> int:
    """List the caches that can be named."""
    rows = known()
    if as_json:
        click.echo(json.dumps([{"name": n.name, "where": n.where, "what": n.sentence} for n in rows], indent=1))
    else:
        console.show(tables.subjects(rows))
    return 0


@cli.command()
@_options("json")
@click.option("--policy", default="lru", show_default=True, help="for formulas that compare keys")
def invariants(as_json: bool, policy: str) -> int:
    """List every property: id, kind, sentence, formula."""
    from radixcheck.verification.catalogue import CATALOGUE

    if policy not in POLICIES:
        raise UsageError(f"unknown policy {policy!r}: choose from {', '.join(POLICIES)}")
    rows = tables.property_rows(CATALOGUE.values(), POLICIES[policy])
    if as_json:
        click.echo(json.dumps(rows, indent=1))
    else:
        console.show(tables.invariants(rows))
    return 0


def _request(subject: str, policies: Sequence[str], page_sizes: Sequence[int], pool: int | None, device: str, seed: int) -> Any:
    """What was asked, against what the subject supports."""
    from radixcheck.verification.report.outcome import Request

    supports = _check(subject, policies, page_sizes, device)
    sizes = tuple(page_sizes) or supports.page_sizes
    if pool is not None and pool < 5 * max(sizes):
        need = 5 * max(sizes)
        raise UsageError(f"--pool {pool} is smaller than one request of 5 pages of {max(sizes)}: give at least {need}")
    return Request(tuple(policies) or supports.policies, sizes, pool, device, seed)


def _check(subject: str, policies: Sequence[str], page_sizes: Sequence[int], device: str) -> Any:
    """Whether these can be used together. Raises `UsageError`."""
    from radixcheck.verification.search.verify import supported

    for policy in policies:
        if policy not in POLICIES:
            raise UsageError(f"unknown policy {policy!r}: choose from {', '.join(POLICIES)}")
    for size in page_sizes:
        if size < 1:
            raise UsageError(f"page size {size} makes no sense: give 1 or more tokens")
    _check_device(device)
    supports, _ = supported(subject, device)
    for size in page_sizes:
        if size not in supports.page_sizes:
            listed = ", ".join(map(str, supports.page_sizes))
            raise UsageError(f"{subject} does not support page size {size}: it declares {listed}")
    for policy in policies:
        if policy not in supports.policies:
            raise UsageError(f"{subject} does not support policy {policy!r}: it declares {', '.join(supports.policies)}")
    return supports


def _check_device(device: str) -> None:
    if device == "cpu":
        return
    kind, _, number = device.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise UsageError(f"unknown device {device!r}: give cpu, cuda or cuda:N")
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError("--device cuda needs torch: pip install 'radixcheck[torch]'") from error
    if int(number or 0) >= torch.cuda.device_count():
        raise UsageError(f"--device {device}: this machine has {torch.cuda.device_count()} such devices; use --device cpu")


def run(arguments: Sequence[str]) -> int:
    """One command, and its exit status."""
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # torch says so; nothing here uses NumPy
    try:
        result = cli.main(list(arguments), prog_name="radixcheck", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leave:
        return int(leave.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        return 2
    except UsageError as wrong:
        print(f"radixcheck: {wrong}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, click.Abort):
        print("radixcheck: interrupted; nothing was decided", file=sys.stderr)
        return 3
