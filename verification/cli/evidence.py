"""Commands that show why the checks can be believed: proofs, contracts, mutants, and the answers that rest on them."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from shutil import which
from time import monotonic

import click

from radixcheck.verification.cli.options import Seconds, options
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console
from radixcheck.verification.subjects.registry import resolve


@click.command()
@click.option("--property", "properties", multiple=True, help="id of a formula or claim, or name of a condition (repeatable)")
@click.option("--transition", "transitions", multiple=True, help="name of a transition (repeatable)")
@click.option("--policy", "policies", multiple=True, help="conditions that compare its keys, or those of any policy (repeatable)")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="worker processes")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="of the solver and the order of hypotheses")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="everything once with each of so many seeds")
@click.option("--confirm", is_flag=True, help="ask a second solver, cvc5, about every proof")
@click.option("--mutate", is_flag=True, help="change the specification, one thing at a time, and see the proofs notice")
@click.option("--store", type=click.Path(path_type=Path, dir_okay=False), help="write the results there, as JSON")
@options("json")
def prove(jobs: int, seed: int, seeds: int, confirm: bool, mutate: bool, store: Path | None, as_json: bool, **asked: Sequence[str]) -> int:
    """Prove every formula under every transition, unbounded; refute what is wrong, with a model."""
    _writable(store)
    if mutate:
        if any(asked.values()) or confirm or seeds > 1:
            raise UsageError("--mutate judges every mutant, with one seed: leave the other choices out")
        return _mutate(seed, store, as_json)
    try:
        from radixcheck.verification.proofs import prove as campaign
        from radixcheck.verification.proofs.proof_results import Opinion
        from radixcheck.verification.report import prove_view as proofs
        from radixcheck.verification.review_6907.proof_suite import PROOFS
    except ImportError as error:
        raise UsageError(str(error)) from error

    fields = {"properties": ("formula", "name"), "transitions": ("transition",), "policies": ("policy",)}
    for option, of in fields.items():
        known = tuple(word for field in of for word in campaign.known(PROOFS, field))
        for value in asked[option]:
            if value not in known:
                near = ", ".join(get_close_matches(value, known, n=3, cutoff=0))
                raise UsageError(f"no condition has the {of[0]} {value!r}: the nearest are {near}")
    names = campaign.chosen(PROOFS, asked["properties"], asked["transitions"], asked["policies"])
    if not names:
        raise UsageError("no condition is all of that: leave out a property, a transition or a policy")
    planned = [campaign.cells(PROOFS)[name] for name in names]
    with console.live() as show:
        found = campaign.campaign(PROOFS, names, range(seed, seed + seeds), jobs, lambda results: show(proofs.growing(planned, results)))
    opinions: Sequence[Opinion] = ()
    if confirm:
        with console.progress("asking cvc5") as progress:
            opinions = campaign.second_opinions(PROOFS, names, jobs, progress)
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
        from radixcheck.verification.proofs.spec_mutants.generate_mutants import mutants
        from radixcheck.verification.proofs.spec_mutants.judge_mutants import judge_all
        from radixcheck.verification.report import spec_mutants_view as mutation
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


@click.command()
@click.option("--seconds", type=Seconds(1), default=60, show_default=True, help="of processor time, at most, for one function")
@options("json")
def contracts(seconds: float, as_json: bool) -> int:
    """Check the pure functions of the caches for all inputs within stated bounds, by symbolic execution."""
    try:
        from radixcheck.verification.contracts import run_contracts as campaign
        from radixcheck.verification.contracts.contract_results import status
        from radixcheck.verification.report import contracts_view as report
    except ImportError as error:
        raise UsageError(str(error)) from error

    start, total = monotonic(), len(campaign.CONTRACTS)
    with console.progress("contracts") as progress:
        decided = campaign.decide_all(seconds, lambda each, done: progress(done / total, f"{each.contract.name}: {each.judged.verdict}"))
    if as_json:
        click.echo(json.dumps(report.to_json(decided), indent=1))
    else:
        console.show(report.contracts(decided, monotonic() - start))
    return status(decided)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--seeds", type=click.IntRange(1), help="run the state machine alone, with so many seeds, and count those that find it")
@click.option("--clean", is_flag=True, help="count false positives instead: correct caches in 10 configurations, with --seeds each (200)")
@click.option("--store", type=click.Path(path_type=Path, dir_okay=False), help="write the results there, as JSON")
@click.option("--seconds", type=Seconds(0.1), default=5, show_default=True, help="of one search")
@options("seed", "json")
def mutants(names: Sequence[str], seeds: int | None, clean: bool, store: Path | None, seconds: float, seed: int, as_json: bool) -> int:
    """Run every mutant, or those with these NAMES, under every detector, and show what kills it.

    A name is one of the catalogue, or module:attribute of a Mutant of your own; with --clean, of a correct cache.
    """
    from radixcheck.verification.mutants.false_positives import SEEDS, SUBJECTS
    from radixcheck.verification.report import false_positives_view as alarms
    from radixcheck.verification.report import mutants_view as kills

    _writable(store)
    with console.live() as show:
        outcome: alarms.Alarms | kills.Matrix | kills.Reliabilities
        if clean:
            subjects = [resolve(name) for name in names or SUBJECTS]
            outcome = alarms.alarms(subjects, seeds or SEEDS, show)
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


@click.command()
@click.argument("names", nargs=-1)
@options("seed", "json")
def facts(names: Sequence[str], seed: int, as_json: bool) -> int:
    """Try claims of sglang#6907 that no property of a cache decides, or those with these NAMES.

    Each is expected to hold or to be refuted; exit status 1: one comes out otherwise.
    """
    try:
        from radixcheck.verification.report import facts_view as shown
        from radixcheck.verification.review_6907.facts import FACTS, decide
    except ImportError as error:
        raise UsageError(str(error)) from error

    for name in names:
        if name not in FACTS:
            raise UsageError(f"no fact is named {name!r}: choose from {', '.join(FACTS)}")
    with console.progress("facts"):
        decided = [decide(FACTS[name], seed) for name in names or FACTS]
    if as_json:
        click.echo(json.dumps(shown.to_json(decided), indent=1))
    else:
        console.show(shown.facts(decided))
    return shown.status(decided)


@click.command()
@click.option("--subject", help="only those of this cache")
@click.option("--python", help="an interpreter that has the packages; without it, this one")
@options("json")
def findings(subject: str | None, python: str | None, as_json: bool) -> int:
    """Repeat what was found in the caches that people run: each by its trace, and by a script on the package alone.

    Exit status 1: one is not as it is written down. 3: one could not be run here.
    """
    from radixcheck.verification.findings import finding, repeat
    from radixcheck.verification.findings.finding_results import Repeated
    from radixcheck.verification.report import findings_view as shown

    if subject is not None and subject not in finding.subjects():
        raise UsageError(f"there is no finding of {subject!r}: choose from {', '.join(finding.subjects())}")
    if python is not None and which(python) is None:
        raise UsageError(f"there is no interpreter {python!r}: give the path of a Python that has the packages")
    repeated, chosen = list[Repeated](), finding.findings(subject)
    with redirect_stdout(sys.stderr), console.progress("findings") as tell:
        for each in chosen:
            tell(len(repeated) / len(chosen), each.id)
            repeated.append(repeat.repeat(each, python))
    compared = [c for c in finding.comparisons() if subject in (None, c.left, c.right)]
    searched = [s for s in finding.searches() if subject in (None, s.subject)]
    if as_json:
        click.echo(json.dumps(shown.to_json(repeated, compared, searched), indent=1))
    else:
        console.show(shown.findings(repeated, compared, searched))
    return shown.status(repeated)
