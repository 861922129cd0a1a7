"""The result of `radixcheck diff` at the terminal."""

from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.short_text import brief
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.style import COLOURS, Tone, colour, status_colour, warning
from radixcheck.verification.report.wording import TRACE_MAX
from radixcheck.verification.runs.run_results import DiffOutcome
from radixcheck.verification.search.search_results import Difference


def diff(outcome: DiffOutcome) -> list[Any]:
    """Return each kind of difference, and whether the two subjects agree."""
    o, b = outcome.comparison, outcome.bounds
    bound = f"{o.steps:,} operations in {o.runs:,} runs, {len(b.policies)} policies x page sizes {', '.join(map(str, b.page_sizes))}"
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
    trace = "\n".join(f"{i:>3}  {brief(str(op))}" for i, op in enumerate(d.trace[-TRACE_MAX:], max(1, len(d.trace) - TRACE_MAX + 1)))
    kind = COLOURS[Tone.UNDECIDED] if d.is_declared else colour(Verdict.REFUTED)
    head = Text.assemble((d.kind.what, kind), f"  {departs} from the specification; ")
    head.append(f"{d.runs:,} runs; {len(d.trace)} operations under {d.config}:\n{trace}")
    sides = ((outcome.left, d.left), (outcome.right, d.right), ("the specification", d.specification))
    lines = [head, *(Padding(Text(f"{name}: {answer}"), (0, 0, 0, 2)) for name, answer in sides)]
    lines += [Padding(warning(f"declared by {outcome.name(side)}: {why}"), (0, 0, 0, 2)) for side, why in d.declared.items()]
    return [*lines, Text()]
