"""The result of `radixcheck diff` at the terminal."""

from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.short_text import brief, counted
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.style import COLOURS, Tone, colour, status_colour, warning
from radixcheck.verification.report.wording import TRACE_MAX, legend, policies_text
from radixcheck.verification.runs.run_results import DiffOutcome
from radixcheck.verification.search.search_results import Difference

DIFFERENT = "   <-- answered differently"


def diff(outcome: DiffOutcome) -> list[Any]:
    """Return each kind of difference, and whether the two subjects agree."""
    o, b = outcome.comparison, outcome.bounds
    bound = f"{o.steps:,} operations in {o.runs:,} runs, {policies_text(b.policies)} x page sizes {', '.join(map(str, b.page_sizes))}"
    lines: list[Any] = [warning(f"not compared: {sentence}") for sentence in outcome.apart]
    if o.diverged:
        lines.append(warning(f"{o.diverged:,} runs ended early: both departed from the specification alike"))
    lines += [warning(f"unfinished: {sentence}") for sentence in o.unfinished]
    for d in o.differences:
        lines += _difference(outcome, d)
    if o.faults:
        word = f"differ in {len(o.faults)} kinds of answer" if len(o.faults) > 1 else "differ in one kind of answer"
    else:
        word = ("agree as far as they were compared," if o.unfinished else "agree") if o.steps else "were not compared"
    declared = len(o.differences) - len(o.faults)
    but = f", but for {declared} declared" if declared else ""
    names = f"{outcome.left} and {outcome.right} "
    return [*lines, Text.assemble(names, (word, status_colour(outcome.status)), f"{but} over {bound}, seed {b.seed}")]


def _difference(outcome: DiffOutcome, d: Difference) -> list[Any]:
    departs = " and ".join(map(outcome.name, d.kind.departs)) + (" departs" if len(d.kind.departs) < 2 else " depart")
    first = max(1, len(d.trace) - TRACE_MAX + 1)
    shown = [f"{i:>3}  {brief(str(op))}" + DIFFERENT * (i == len(d.trace)) for i, op in enumerate(d.trace[first - 1 :], first)]
    trace = "\n".join([*shown, *legend(d.trace[first - 1 :])])
    kind = COLOURS[Tone.UNDECIDED] if d.is_declared else colour(Verdict.REFUTED)
    head = Text.assemble((d.kind.what, kind), f"  {departs} from the specification; ")
    head.append(f"{d.runs:,} runs; {counted(len(d.trace), 'operation')} under {d.config}:\n{trace}")
    sides = ((outcome.left, d.left), (outcome.right, d.right), ("the specification", d.specification))
    lines: list[Any] = [head]
    lines += [Padding(Text(f"before the last one, as specified:\n{d.before}"), (0, 0, 0, 2))] if d.before else []
    lines += [*(Padding(Text(f"{name}: {answer}"), (0, 0, 0, 2)) for name, answer in sides)]
    lines += [Padding(Text(f"why: {outcome.name(d.kind.departs[0])} {d.why}"), (0, 0, 0, 2))] if d.why and d.kind.departs else []
    lines += [Padding(warning(f"declared by {outcome.name(side)}: {why}"), (0, 0, 0, 2)) for side, why in d.declared.items()]
    return [*lines, Text()]
