"""Outcomes as tables and lines for a person at a terminal."""

from collections.abc import Iterable, Mapping
from shlex import quote
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixcheck.spec.policies import Policy
from radixcheck.spec.property import Property
from radixcheck.spec.run.text import text
from radixcheck.verification.core.catalogue import CATALOGUE
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.report.pictures import Scene
from radixcheck.verification.report.wording import TRACE_MAX, numbered, styled
from radixcheck.verification.review_6907.questions import THREAD, urls
from radixcheck.verification.runs.outcome import DiffOutcome, ReplayOutcome, VerifyOutcome
from radixcheck.verification.search.diff import Difference, brief
from radixcheck.verification.search.verify import PropertyVerdict
from radixcheck.verification.subjects.registry import Named

COLOURS = {Verdict.TESTED: "green", Verdict.REFUTED: "bold red", Verdict.NOT_EXERCISED: "yellow", Verdict.NOT_OBSERVABLE: "dim"}


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        right = column in ("checked", "non-vacuous")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def verify(outcome: VerifyOutcome) -> list[Any]:
    """The traces of what is refuted, the replay, the table, and one last line that says it all."""
    parts = faults(outcome)
    if outcome.replayed:
        parts += [*replay(outcome.replayed), Text()]
    if outcome.agreement:
        parts += [*diff(outcome.agreement), Text()]
    table = _table("property", "kind", "checked", "non-vacuous", "verdict", "note")
    for v in outcome.report.verdicts:
        verdict = Text(v.verdict, COLOURS[v.verdict])
        table.add_row(v.property.id, v.property.kind, f"{v.checked:,}", f"{v.exercised:,}", verdict, _note(v))
    return [*parts, table, Text(), *last_lines(outcome)]


def _note(v: PropertyVerdict) -> str:
    return v.note or (v.property.questions if v.verdict == Verdict.REFUTED else "")


def faults(outcome: VerifyOutcome) -> list[Any]:
    """Each trace once, with all that it refutes."""
    shown: dict[tuple[object, ...], list[Found]] = {}
    for found, _ in outcome.scenes:
        shown.setdefault((found.trace, found.config), []).append(found)
    scenes = {id(found): scene for found, scene in outcome.scenes}
    return [part for together in shown.values() for part in fault(together, scenes[id(together[0])])]


def fault(together: list[Found], scene: Scene | None) -> list[Any]:
    """One trace, with every property that it breaks."""
    parts: list[Any] = []
    for found in together:
        p = CATALOGUE[found.violation.property]
        questions = f"  ({p.questions})" if p.questions else ""
        parts.append(Text.assemble((f"{p.id} REFUTED", "bold red"), f"{questions}  {p.sentence}"))
        parts.append(Padding(Text(found.violation.text), (0, 0, 0, 2)))
    found = together[0]
    lines = numbered(found.trace)
    parts.append(Padding(Text(f"{len(found.trace)} operations under {found.config}:\n" + "\n".join(lines)), (0, 0, 0, 2)))
    if scene:
        before, after = Text("before the last one:\n" + scene.before), Text("after it:\n" + scene.after)
        pictures = Table(box=None, show_header=False, padding=(0, 6, 0, 0))
        pictures.add_row(before, after)
        parts.append(Padding(pictures, (0, 0, 0, 2)))
        if scene.orphans:
            parts.append(Padding(Text(scene.orphans), (0, 0, 0, 2)))
    return [*parts, Text()]


def last_lines(outcome: VerifyOutcome) -> list[Any]:
    """What was done, and the verdict on the subject."""
    r = outcome.report
    count = {word: sum(v.verdict == word for v in r.verdicts) for word in COLOURS}
    bound = (
        f"{r.steps:,} operations in {r.runs:,} runs, {len(r.options.policies)} policies x page sizes "
        f"{', '.join(map(str, r.options.page_sizes))}, seed {r.options.seed}, {r.seconds:.0f} s"
    )
    words = ", ".join([f"{n} {word}" for word, n in count.items() if n] + _beside(outcome))
    lines: list[Any] = [Text(f"{bound}")]
    if r.idle_rules:
        lines.append(Text(f"undecided: rules that never fired: {', '.join(r.idle_rules)}", "yellow"))
    lines.append(Text.assemble(f"{r.subject} ", styled(outcome.status), f": {words}"))
    return lines


def _beside(outcome: VerifyOutcome) -> list[str]:
    """Return what refutes the subject, or leaves it undecided, apart from the properties."""
    against = (("comparison with the reference", outcome.agreement), ("replay of the sample", outcome.replayed))
    return [f"{what} {Verdict.REFUTED if part.status == Status.REFUTED else 'undecided'}" for what, part in against if part and part.status]


def to_show(files: Iterable[str]) -> list[Any]:
    """How to see the traces that were written."""
    return [Text(f"show it: radixcheck show {quote(file)}") for file in files]


def diff(outcome: DiffOutcome) -> list[Any]:
    """Agreement, or each kind of difference."""
    o, r = outcome.outcome, outcome.request
    names = f"{outcome.left} and {outcome.right}"
    bound = f"{o.steps:,} operations in {o.runs:,} runs, {len(r.policies)} policies x page sizes {', '.join(map(str, r.page_sizes))}"
    lines: list[Any] = [Text(f"not compared: {sentence}", "yellow") for sentence in outcome.apart]
    if o.diverged:
        lines.append(Text(f"{o.diverged:,} runs ended early: both departed from the specification alike", "yellow"))
    for d in o.differences:
        lines += _difference(outcome, d)
    if o.faults:
        word = (f"differ in {len(o.faults)} kinds of answer" if len(o.faults) > 1 else "differ in one kind of answer", "bold red")
    else:
        word = ("agree", "green") if o.steps else ("were not compared", "yellow")
    declared = len(o.differences) - len(o.faults)
    but = f", but for {declared} declared" if declared else ""
    return [*lines, Text.assemble(f"{names} ", word, f"{but} over {bound}, seed {r.seed}")]


def _difference(outcome: DiffOutcome, d: Difference) -> list[Any]:
    who = {"left": outcome.left, "right": outcome.right}
    departs = " and ".join(who[side] for side in d.kind.departs) + (" departs" if len(d.kind.departs) < 2 else " depart")
    trace = "\n".join(f"{i:>3}  {brief(str(op))}" for i, op in enumerate(d.trace[-TRACE_MAX:], max(1, len(d.trace) - TRACE_MAX + 1)))
    head = Text.assemble((d.kind.what, "yellow" if d.is_declared else "bold red"), f"  {departs} from the specification; ")
    head.append(f"{d.runs:,} runs; {len(d.trace)} operations under {d.config}:\n{trace}")
    sides = ((outcome.left, d.left), (outcome.right, d.right), ("the specification", d.specification))
    lines = [head, *(Padding(Text(f"{name}: {answer}"), (0, 0, 0, 2)) for name, answer in sides)]
    lines += [Padding(Text(f"declared by {who[side]}: {why}", "yellow"), (0, 0, 0, 2)) for side, why in d.declared.items()]
    return [*lines, Text()]


def subjects(rows: Iterable[Named], there: Mapping[str, Mapping[str, str]]) -> list[Any]:
    """The caches that can be named; of those of other projects the version that is there, or how to get one."""
    table = _table("name", "what it is", "version")
    for n in rows:
        said = there.get(n.name, {"version": ""})
        table.add_row(n.name, n.sentence, said.get("version", said.get("missing")))
    words = "as-submitted stands for both readings; module:factory for a cache of your own; exec:COMMAND and NAME@PYTHON for one elsewhere"
    return [table, Text(), Text(words)]


def property_rows(properties: Iterable[Property], policy: Policy) -> list[dict[str, Any]]:
    """The catalogue as rows."""
    return [
        {
            "id": p.id,
            "kind": p.kind,
            "sentence": p.sentence,
            "formula": text(p.formula(policy)) if p.formula else None,
            "witness": text(p.witness(policy)) if p.witness else None,
            "mutant": p.mutant,
            "questions": p.questions,
            "question_urls": urls(p.questions.split()),
        }
        for p in properties
    ]


def invariants(rows: Iterable[dict[str, Any]]) -> list[Any]:
    """Return a block for each property (id and kind, sentence, formula), and where the ids of questions lead."""
    parts: list[Any] = []
    for row in rows:
        questions = f"  ({row['questions']})" if row["questions"] else ""
        parts.append(Text.assemble((row["id"], "bold"), f"  {row['kind']}{questions}"))
        parts.append(Padding(Text(row["sentence"]), (0, 0, 0, 2)))
        if row["formula"]:
            parts.append(Padding(Text(row["formula"], "cyan"), (0, 0, 0, 2)))
    return [*parts, Text(), Text(f"in brackets: questions of the review {THREAD}; `radixcheck questions` lists them")]


def replay(outcome: ReplayOutcome) -> list[Any]:
    """Figures of a replay, what was checked how often, and the fault if there is one."""
    r, s = outcome.replayed, outcome.settings
    table = _table("replay", "")
    rate = f"{r.hit_rate:.1%} of {r.prompt_tokens:,} prompt tokens"
    rows = {
        f"{outcome.trace} through {outcome.subject}": f"{s.policy}, pages of {s.page_size}, pool of {s.pool:,}, {s.running} running",
        "requests": f"{r.requests:,}, {sum(r.operations.values()):,} operations, {r.refused:,} refused for want of room",
        "hit rate": rate,
        "evictions": f"{r.victims:,} nodes, {r.evicted_tokens:,} tokens",
        "leaks": f"{r.leaked:,} tokens; still locked: {r.protected:,}",
        "checked": "; ".join(f"{name} {count:,}" for name, count in r.looked.items()),
        "formulas": ", ".join(f"{name} {count:,}" for name, count in r.formulas.items()),
        "time": f"{r.seconds:.1f} s",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    parts: list[Any] = [table]
    if not r.local:
        parts.append(Text("the subject shows no paths: only the comparisons of the whole state looked inside", "yellow"))
    if r.fault:
        f = r.fault
        where = f"at operation {f.step:,} ({f.operation}), request {f.request:,}"
        parts.append(Text.assemble((f"{f.violation.property} REFUTED", "bold red"), f" {where}: {f.violation.text}"))
    if outcome.unread:
        parts.append(Text(f"{outcome.unread}; the {r.requests:,} requests before it were replayed", "yellow"))
    return [*parts, Text.assemble(f"{outcome.subject} ", styled(outcome.status), f" on {outcome.trace}")]
