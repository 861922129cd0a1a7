"""The result of `radixcheck verify` at the terminal."""

from collections.abc import Iterable, Sequence
from shlex import quote
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.choices import CHOICES
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.page_sizes import sizes_text
from radixcheck.verification.core.program import program
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.report import diff_view, replay_view
from radixcheck.verification.report.edges_view import edges_grid
from radixcheck.verification.report.envelope_view import envelope, reaches
from radixcheck.verification.report.style import colour, side_by_side, styled, styled_status, table, warning
from radixcheck.verification.report.wording import operation_lines, policies_text, trees, version
from radixcheck.verification.runs.run_results import Scene, VerifyOutcome, found_json
from radixcheck.verification.search.search_results import NOT_SHOWN

NAMED_MAX = 4  # refuted properties that the last line names
COUNTED = (Verdict.REFUTED, Verdict.TESTED, Verdict.NOT_EXERCISED, Verdict.NOT_OBSERVABLE)


def verify(outcome: VerifyOutcome, files: Iterable[str] = ()) -> list[Any]:
    """Return the traces of what is refuted, the replay, the comparison, the table, how to show the traces that were written into `files`,
    and the last line with the verdict.
    """
    parts = faults(outcome)
    if outcome.replayed:
        parts += [*replay_view.replay(outcome.replayed), Text()]
    if outcome.agreement:
        parts += [*diff_view.diff(outcome.agreement), Text()]
    shown = table("property", "kind", "checked", "non-vacuous", "verdict", "note", numbers=("checked", "non-vacuous"))
    for v in outcome.report.verdicts:
        note = v.note or (v.property.questions if v.verdict == Verdict.REFUTED else "")
        shown.add_row(v.property.id, v.property.kind, f"{v.checked:,}", f"{v.exercised:,}", styled(v.verdict), note)
    return [
        *parts,
        shown,
        Text(),
        edges_grid(outcome.report),
        Text(),
        *envelope(outcome.report.envelope),
        *reaches(outcome.report),
        *show_commands(files),
        *last_lines(outcome),
    ]


def faults(outcome: VerifyOutcome) -> list[Any]:
    """Return each trace once, with all properties that it refutes."""
    shown: dict[tuple[object, ...], list[Found]] = {}
    for found, _ in outcome.scenes:
        shown.setdefault((found.trace, found.config), []).append(found)
    scenes = {id(found): scene for found, scene in outcome.scenes}
    head = [Text(f"{len(shown)} traces break something, the most direct first; they may show one fault:"), Text()] if len(shown) > 1 else []
    return [*head, *(part for together in shown.values() for part in fault(together, scenes[id(together[0])]))]


def fault(together: Sequence[Found], scene: Scene | None) -> list[Any]:
    """Return one trace, with every property that it breaks."""
    parts: list[Any] = []
    for found in (f for f in together if not f.violation.follows_from):
        p = EVERY[found.violation.property]
        questions = f"  ({p.questions})" if p.questions else ""
        parts.append(Text.assemble((f"{p.id} REFUTED", colour(Verdict.REFUTED)), f"{questions}  {found.violation.text}"))
        parts.append(_indented(Text(f"must hold: {p.sentence}")))
    for v in (f.violation for f in together if f.violation.follows_from):
        parts.append(
            _indented(Text.assemble((f"{v.property} REFUTED", colour(Verdict.REFUTED)), f", follows from {v.follows_from}: {v.text}"))
        )
    told = found_json(together[0], scene)
    parts.append(_indented(Text("\n".join(operation_lines(told)))))
    if shown := trees(told):
        parts.append(_indented(side_by_side(*(f"{title}\n{drawn}" for title, drawn in shown))))
    if scene and scene.orphans:
        parts.append(_indented(Text(scene.orphans)))
    return [*parts, Text()]


def _indented(part: Any) -> Padding:
    return Padding(part, (0, 0, 0, 2))


def last_lines(outcome: VerifyOutcome) -> list[Any]:
    """Return what was done, and the verdict on the subject: a line that can be quoted."""
    r = outcome.report
    count = {word: sum(v.verdict == word for v in r.verdicts) for word in COUNTED}
    sizes = f"page size{'s' * (len(r.bounds.page_sizes) > 1)} {', '.join(map(str, r.bounds.page_sizes))}"
    where = f"{policies_text(r.bounds.policies)} x {sizes}{_modes(r.bounds.modes)}"
    bound = f"{r.steps:,} operations in {r.runs:,} runs, {where}, seed {r.bounds.seed}, {r.seconds:.0f} s"
    but = [f"but for {len(r.choices)} declared choice{'s' * (len(r.choices) > 1)}"] if r.choices else []
    named = {Verdict.REFUTED: _refuted_by(outcome)}
    words = ", ".join([f"{n} {word}{named.get(word, '')}" for word, n in count.items() if n] + not_holding(outcome) + but)
    lines: list[Any] = [Text(f"{bound}")]
    if r.bounds.too_large:
        lines.append(Text(f"page sizes left out, because a request would not fit into the pool: {sizes_text(r.bounds.too_large)}"))
    lines += [
        Text(f"it declares {name!r}, which was followed: {CHOICES[name].sentence}. Its reason: {why}") for name, why in r.choices.items()
    ]
    if hidden := sum(v.note == NOT_SHOWN for v in r.verdicts):
        lines.append(Text(f"{hidden} more properties are checked of a cache that shows its inside: write observe() and locate()"))
    lines += [warning(f"undecided: {why}") for why in r.gaps]
    how = f"{r.steps:,} operations, seed {r.bounds.seed}, radixcheck {version()}"
    verdict = Text.assemble(f"{r.subject} ", styled_status(outcome.status), f": {words}; {how}", no_wrap=True, overflow="ignore")
    return [*lines, verdict]


def _refuted_by(outcome: VerifyOutcome) -> str:
    """Return the properties that are refuted, the first NAMED_MAX, but for those that follow from others."""
    ids = [found.violation.property for found in outcome.report.found if not found.violation.follows_from]
    more = f" and {len(ids) - NAMED_MAX} more" if len(ids) > NAMED_MAX else ""
    return f" ({', '.join(ids[:NAMED_MAX])}{more})" if ids else ""


def _modes(modes: Sequence[str]) -> str:
    return f", with and without a host tier ({', '.join(modes)})" if modes else ""


def not_holding(outcome: VerifyOutcome) -> list[str]:
    """Return what refutes the subject or leaves it undecided, apart from the properties."""
    against = (("comparison with the reference", outcome.agreement), ("replay of the sample", outcome.replayed))
    return [f"{what} {Verdict.REFUTED if part.status == Status.REFUTED else 'undecided'}" for what, part in against if part and part.status]


def show_commands(files: Iterable[str]) -> list[Any]:
    """Return the commands that show the traces that were written."""
    return [Text(f"show it: {program()} show {quote(file)}", no_wrap=True, overflow="ignore") for file in files]
