"""What was proved, as tables for a person and as JSON for machines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from textwrap import indent
from typing import Any, TypeVar

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.proofs.proof_results import (
    CONFIRMED,
    CONTRADICTED,
    PREFIXES,
    PROVED,
    Campaign,
    Cell,
    Composed,
    Opinion,
    Result,
    Run,
)
from radixcheck.verification.report.countermodel import drawn, worded

Listed = TypeVar("Listed", Cell, Result)

FOLDED = 4  # reasons for trust, or claims about one policy, that are shown one by one
COLOURS: dict[str, str] = {Verdict.PROVED: "green", Verdict.REFUTED: "cyan"}  # of what is expected; anything else is bold red


def prove(found: Campaign) -> list[Any]:
    """The model of each refutation, the matrix, the operations, the claims, what is assumed, and one last line that says it all."""
    cells, others = _split(found.results)
    keyed = [r for r in others if r.policy in POLICIES and r.as_expected]
    trusted = [r for r in others if r.name.startswith(PREFIXES) and r.as_expected]
    if len(trusted) > FOLDED:
        others = [r for r in others if r not in trusted]
    kept = {result.name: result for result in cells}
    parts: list[Any] = [_models(others)]
    parts += [_matrix(cells, kept), Text()] if cells else []
    parts += [_operations(found.promised), Text()] if found.promised else []
    rows = [r for r in others if r not in keyed] if len(keyed) > FOLDED else others
    parts += [_claims(rows), Text()] if rows else []
    parts += [_by_policy(keyed), Text()] if len(keyed) > FOLDED else []
    parts += [_trust(trusted), Text()] if len(trusted) > FOLDED else []
    parts += [_failure(result) for result in found.failed]
    parts.append(Text(f"assumed: {len(found.axioms)} axioms of prefixes ({', '.join(found.axioms)})", "dim"))
    parts.append(Text(f"assumed of finite sums and trees, in verification/proofs/laws.py: {'; '.join(found.laws)}", "dim"))
    return [*parts, _last(found)]


def growing(planned: Sequence[Cell], found: Mapping[str, Result]) -> Group:
    """The matrix as far as it is decided."""
    failed = sum(not result.as_expected for result in found.values())
    line = f"{len(found)} of {len(planned)} conditions decided, {failed} not as expected"
    return Group(Text(line, "bold red" if failed else "bold"), _matrix(_split(planned)[0], found))


def _split(results: Iterable[Listed]) -> tuple[list[Listed], list[Listed]]:
    """What a transition keeps, and all else."""
    listed = list(results)
    return [r for r in listed if r.transition and not r.sentence], [r for r in listed if r.sentence or not r.transition]


def _shown(names: Sequence[str], found: Mapping[str, Result]) -> Text:
    decided = [found[name] for name in names if name in found]
    wrong = [r for r in decided if not r.as_expected]
    if wrong:
        return Text(" ".join(r.verdict for r in wrong), "bold red")
    if len(decided) < len(names):
        return Text("·", "dim")
    return Text("✓", "green") if names else Text("")


def _matrix(planned: Sequence[Cell] | Sequence[Result], found: Mapping[str, Result]) -> Table:
    rows: dict[str, dict[str, list[str]]] = {}
    for cell in planned:
        rows.setdefault(cell.formula, {}).setdefault(cell.transition, []).append(cell.name)
    columns = list(dict.fromkeys(cell.transition for cell in planned))
    table = _table("kept by", *columns)
    for formula, names in rows.items():
        table.add_row(formula, *(_shown(names.get(column, ()), found) for column in columns))
    return table


def _operations(promised: Sequence[Composed]) -> Table:
    columns = list(dict.fromkeys(each.operation for each in promised))
    verdicts = {(each.promise, each.operation): each.verdict for each in promised}
    table = _table("promised by", *columns)
    for promise in dict.fromkeys(each.promise for each in promised):
        row = (verdicts.get((promise, column), "") for column in columns)
        table.add_row(promise, *(Text("✓", "green") if word == PROVED else Text(word, "bold red") for word in row))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _claims(results: list[Result]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("theorem or claim", "verdict", "s", "sentence"):
        table.add_column(column, overflow="fold", justify="right" if column == "s" else "left")
    for r in results:
        colour = COLOURS.get(r.verdict, "bold red") if r.as_expected else "bold red"
        seconds = max(each.seconds for each in r.decided)
        note = f"  ({r.questions})" if r.questions else ""
        table.add_row(r.name, Text(r.verdict, colour), f"{seconds:.1f}", (r.sentence or "follows from the state formulas") + note)
    return table


def _by_policy(results: Sequence[Result]) -> Table:
    """Claims that are made of each policy, a line for each."""
    verdicts = {(r.name.removesuffix(f"-{r.policy}"), r.policy): r.verdict for r in results}
    table = _table("claim", *POLICIES)
    for claim in dict.fromkeys(claim for claim, _ in verdicts):
        words = (verdicts.get((claim, policy), "") for policy in POLICIES)
        table.add_row(claim, *(Text(word, COLOURS.get(word, "bold red")) for word in words))
    return table


def _trust(results: Sequence[Result]) -> Text:
    taken, failed, needed = (sum(r.name.startswith(prefix) for r in results) for prefix in PREFIXES)
    words = f"{taken} steps can be taken where all formulas hold, {failed} formulas can fail where all others do, "
    return Text(f"{words}{needed} are missed by a proof: by states that were run (--property {results[0].name} shows the first)")


def _models(results: list[Result]) -> Text:
    text = Text()
    for r in results:
        if r.model is not None:
            text.append(f"{r.name} REFUTED", "bold")
            text.append(f"  {r.sentence}\n{indent(worded(r.model), '  ')}\n{_run(r.run) if r.run else ''}\n")
    return text


def _run(run: Run) -> str:
    steps = "; ".join(run.operations)
    return f"  the same in {run.cache}: {steps}: {run.property} {run.text}\n"


def _failure(result: Result) -> Padding:
    each = ", ".join(f"seed {d.seed}: {d.verdict} in {d.seconds:.1f} s" for d in result.decided)
    return Padding(Text(f"{result.name}: expected {result.expected}; {each}", "bold red"), (0, 0, 1, 0))


def _last(found: Campaign) -> Text:
    count, seeds = len(found.results), ", ".join(map(str, found.seeds))
    many, more = ("s" if number > 1 else "" for number in (count, len(found.seeds)))
    decided = f"{count} condition{many} with seed{more} {seeds}, {found.solver}, {found.seconds:.0f} s: "
    expected = sum(r.as_expected for r in found.results)
    proved = sum(r.as_expected and r.expected == Verdict.PROVED for r in found.results)
    unknown = sum(Verdict.UNKNOWN in r.verdict for r in found.results)
    if found.promised:
        kept = sum(each.verdict == PROVED for each in found.promised)
        decided = f"{kept} of {len(found.promised)} promises of operations follow from them\n{decided}"
    words = f"{expected} as expected ({proved} PROVED, {expected - proved} REFUTED), {count - expected} not, {unknown} UNKNOWN"
    return Text.assemble(decided, (words, "green" if expected == count else "bold red"))


def second(opinions: Sequence[Opinion]) -> list[Any]:
    """How many proofs the second solver confirms, and which it does not."""
    slowest = max(opinions, key=lambda opinion: opinion.seconds)
    confirmed = [opinion for opinion in opinions if opinion.answer == CONFIRMED]
    line = f"cvc5 confirms {len(confirmed)} of {len(opinions)} proofs, each with all hypotheses; {_contradicted(opinions)} contradicted; "
    line += f"slowest {slowest.name}, {slowest.seconds:.1f} s"
    others = [Text(f"{o.name}: {o.answer} after {o.seconds:.1f} s", "yellow") for o in opinions if o.answer != CONFIRMED]
    return [*others, Text(line, "green" if not others else "yellow")]


def _contradicted(opinions: Iterable[Opinion]) -> int:
    return sum(opinion.answer == CONTRADICTED for opinion in opinions)


def status(found: Campaign, opinions: Sequence[Opinion] = ()) -> Status:
    """Return REFUTED if a verdict is not as expected or the second solver contradicts a proof; UNDECIDED if a verdict is UNKNOWN.

    A proof that the second solver does not find changes nothing.
    """
    if _contradicted(opinions):
        return Status.REFUTED
    if not found.failed:
        return Status.HOLDS
    return Status.UNDECIDED if all(Verdict.UNKNOWN in r.verdict for r in found.failed) else Status.REFUTED


def to_json(found: Campaign, opinions: Sequence[Opinion] = ()) -> dict[str, Any]:
    """Everything, per cell: verdict, time, seed and hypotheses of each attempt; and what a second solver says."""
    head = {"solver": found.solver, "seeds": found.seeds, "seconds": found.seconds, "axioms": found.axioms, "laws": found.laws}
    cells = [_cell(r) for r in found.results]
    operations = [asdict(each) for each in found.promised]
    return {**head, "cells": cells, "operations": operations, "cvc5": [asdict(opinion) for opinion in opinions]}


def to_store(found: Campaign) -> dict[str, Any]:
    """The same for a report, with the pictures of claims that are wrong."""
    wrong = {r.name: r.model for r in found.results if r.model and not r.name.startswith(PREFIXES)}
    return to_json(found) | {"pictures": {name: drawn(name, model) for name, model in wrong.items()}}


def _cell(r: Result) -> dict[str, Any]:
    """A result, with its model as text."""
    return {**asdict(r), "model": r.model and worded(r.model), "verdict": r.verdict}
