"""The result of `radixcheck prove` at the terminal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from textwrap import indent
from typing import Any, TypeVar

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.proofs.proof_results import CONFIRMED, HOST, PREFIXES, PROVED, Cell, Composed, Result, Run
from radixcheck.verification.report.style import Tone, as_expected, styled, table, toned, warning
from radixcheck.verification.runs.countermodel import as_text
from radixcheck.verification.runs.evidence_results import ProveOutcome

Shown = TypeVar("Shown", Cell, Result)
Listed = TypeVar("Listed", Cell, Result, Composed)

COLUMNS = 10  # of one part of the matrix of the host machine
FOLDED = 4  # more reasons for trust, or claims about one policy, are shown in one line or table
KEPT = toned("✓", Tone.GOOD)


def prove(outcome: ProveOutcome) -> list[Any]:
    """Return the models, the matrix, the operations, the claims, the assumptions, and lines that count."""
    found = outcome.campaign
    cells, others = _split(found.results)
    keyed = [r for r in others if r.policy in POLICIES and r.as_expected]
    trusted = [r for r in others if r.name.startswith(PREFIXES) and r.as_expected]
    if len(trusted) > FOLDED:
        others = [r for r in others if r not in trusted]
    kept = {result.name: result for result in cells}
    parts: list[Any] = [_models(others)]
    parts += [part for matrix in _matrices(cells, kept) for part in (matrix, Text())]
    parts += [part for promised in _by_machine(found.promised, lambda each: each.operation) for part in (_operations(promised), Text())]
    rows = [r for r in others if r not in keyed] if len(keyed) > FOLDED else others
    parts += [_claims(rows), Text()] if rows else []
    parts += [_by_policy(keyed), Text()] if len(keyed) > FOLDED else []
    parts += [_trust(trusted), Text()] if len(trusted) > FOLDED else []
    parts += [_failure(result) for result in found.failed]
    parts.append(toned(f"assumed: {len(found.axioms)} axioms of prefixes ({', '.join(found.axioms)})", Tone.DIM))
    parts.append(toned(f"assumed of finite sums and trees, in verification/proofs/laws.py: {'; '.join(found.laws)}", Tone.DIM))
    return [*parts, _last(outcome), *_second(outcome)]


def growing(planned: Sequence[Cell], found: Mapping[str, Result]) -> Group:
    """Return the matrix as far as it is decided."""
    failed = sum(not result.as_expected for result in found.values())
    line = f"{len(found)} of {len(planned)} conditions decided, {failed} not as expected"
    return Group(toned(line, Tone.BAD) if failed else Text(line, "bold"), *_matrices(_split(planned)[0], found)[:1])


def _split(results: Iterable[Shown]) -> tuple[list[Shown], list[Shown]]:
    """Return the cells of the matrix, and the others."""
    listed = list(results)
    return [r for r in listed if r.transition and not r.sentence], [r for r in listed if r.sentence or not r.transition]


def _cell(names: Sequence[str], found: Mapping[str, Result]) -> Text:
    decided = [found[name] for name in names if name in found]
    wrong = [r for r in decided if not r.as_expected]
    if wrong:
        return toned(" ".join(r.verdict for r in wrong), Tone.BAD)
    if len(decided) < len(names):
        return toned("·", Tone.DIM)
    return KEPT if names else Text()


def _by_machine(listed: Iterable[Listed], name: Callable[[Listed], str]) -> list[list[Listed]]:
    """Return what is about a cache without a host tier, then what is about one with a host tier, without empty lists."""
    machines: dict[bool, list[Listed]] = {False: [], True: []}
    for each in listed:
        machines[name(each).startswith(HOST)].append(each)
    return [each for each in machines.values() if each]


def _matrices(planned: Iterable[Shown], found: Mapping[str, Result]) -> list[Table]:
    """Return the matrix of each machine, in parts that are narrow enough for a terminal."""
    tables = []
    for cells in _by_machine(planned, lambda cell: cell.transition):
        columns = list(dict.fromkeys(cell.transition for cell in cells))
        wide = COLUMNS if cells[0].transition.startswith(HOST) else len(columns)
        parts = (columns[i : i + wide] for i in range(0, len(columns), wide))
        tables += [_matrix([cell for cell in cells if cell.transition in part], found) for part in parts]
    return tables


def _matrix(planned: Sequence[Cell] | Sequence[Result], found: Mapping[str, Result]) -> Table:
    rows: dict[str, dict[str, list[str]]] = {}
    for cell in planned:
        rows.setdefault(cell.formula, {}).setdefault(cell.transition, []).append(cell.name)
    columns = list(dict.fromkeys(cell.transition for cell in planned))
    shown = table("kept by", *columns, gap=1)
    for formula, names in rows.items():
        shown.add_row(formula, *(_cell(names.get(column, ()), found) for column in columns))
    return shown


def _operations(promised: Sequence[Composed]) -> Table:
    columns = list(dict.fromkeys(each.operation for each in promised))
    verdicts = {(each.promise, each.operation): each.verdict for each in promised}
    shown = table("promised by", *columns, gap=1)
    for promise in dict.fromkeys(each.promise for each in promised):
        row = (verdicts.get((promise, column), "") for column in columns)
        shown.add_row(promise, *(KEPT if verdict == PROVED else as_expected(verdict, expected=False) for verdict in row))
    return shown


def _claims(results: list[Result]) -> Table:
    shown = table("theorem or claim", "verdict", "s", "sentence", numbers=("s",))
    for r in results:
        seconds = max(each.seconds for each in r.decided)
        note = f"  ({r.questions})" if r.questions else ""
        sentence = (r.sentence or "follows from the state formulas") + note
        shown.add_row(r.name, as_expected(r.verdict, r.as_expected), f"{seconds:.1f}", sentence)
    return shown


def _by_policy(results: Sequence[Result]) -> Table:
    """Return the claims that are made about each policy, a row for each claim."""
    verdicts = {(r.name.removesuffix(f"-{r.policy}"), r.policy): r.verdict for r in results}
    shown = table("claim", *POLICIES, gap=1)
    for claim in dict.fromkeys(claim for claim, _ in verdicts):
        shown.add_row(claim, *(styled(verdicts.get((claim, policy), "")) for policy in POLICIES))
    return shown


def _trust(results: Sequence[Result]) -> Text:
    taken, failed, needed = (sum(r.name.startswith(prefix) for r in results) for prefix in PREFIXES)
    words = f"{taken} steps can be taken where all formulas hold, {failed} formulas can fail where all others do, "
    return Text(f"{words}{needed} are missed by a proof: by states that were run (--property {results[0].name} shows the first)")


def _models(results: list[Result]) -> Text:
    text = Text()
    for r in results:
        if r.model is not None:
            text.append(f"{r.name} REFUTED", "bold")
            text.append(f"  {r.sentence}\n{indent(as_text(r.model), '  ')}\n{_run(r.run) if r.run else ''}\n")
    return text


def _run(run: Run) -> str:
    steps = "; ".join(run.operations)
    return f"  the same in {run.cache}: {steps}: {run.property} {run.text}\n"


def _failure(result: Result) -> Padding:
    each = ", ".join(f"seed {d.seed}: {d.verdict} in {d.seconds:.1f} s" for d in result.decided)
    return Padding(toned(f"{result.name}: expected {result.expected}; {each}", Tone.BAD), (0, 0, 1, 0))


def _last(outcome: ProveOutcome) -> Text:
    found = outcome.campaign
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
    return Text.assemble(decided, toned(words, Tone.GOOD if expected == count else Tone.BAD))


def _second(outcome: ProveOutcome) -> list[Text]:
    """Return how many proofs the second solver confirms, and which it does not."""
    opinions = outcome.opinions
    if not opinions:
        return []
    slowest = max(opinions, key=lambda opinion: opinion.seconds)
    others = [warning(f"{o.name}: {o.answer} after {o.seconds:.1f} s") for o in opinions if o.answer != CONFIRMED]
    line = f"cvc5 confirms {len(opinions) - len(others)} of {len(opinions)} proofs, each from all hypotheses or from fewer; "
    line += f"{outcome.contradicted} contradicted; slowest {slowest.name}, {slowest.seconds:.1f} s"
    return [*others, toned(line, Tone.UNDECIDED if others else Tone.GOOD)]
