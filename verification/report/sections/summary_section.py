"""The head of a report: the verdict in one line, each question with its answer, what the verdicts mean, and what is not covered."""

from collections import Counter
from collections.abc import Iterable, Iterator

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.operations import Op
from radixcheck.verification.report.blocks import (
    Badge,
    Block,
    Inline,
    Items,
    Lead,
    Link,
    Paragraph,
    Part,
    Section,
    Table,
    Terms,
    WebLink,
    Words,
    anchor,
    link,
)
from radixcheck.verification.report.glossary import MARKS, MEANINGS
from radixcheck.verification.report.sections.questions_section import named
from radixcheck.verification.report.style import status_words
from radixcheck.verification.report.wording import kill_counts, not_killed
from radixcheck.verification.review_6907.answers import PAIRS, PROVE
from radixcheck.verification.review_6907.questions import THREAD
from radixcheck.verification.review_6907.short_answers import LACKS
from radixcheck.verification.runs.answer_results import Answered
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import SPECIFICATION, Stored

ORDER = (
    Verdict.PROVED,
    Verdict.EXHAUSTED,
    Verdict.TESTED,
    Verdict.MEASURED,
    Verdict.REFUTED,
    Verdict.NOT_EXERCISED,
    Verdict.NOT_OBSERVABLE,
    Verdict.OPEN,
)
DECIDED = (Verdict.PROVED, Verdict.EXHAUSTED, Verdict.TESTED, Verdict.REFUTED)
OF_STATUS = {Status.HOLDS: Verdict.TESTED, Status.REFUTED: Verdict.REFUTED}  # any other is UNDECIDED
ASKED = "Q1"  # what the review was about most
TRACE_MAX = 6  # operations that fit into a line


def section(data: ReportData) -> Section:
    """Return the section."""
    blocks: list[Block] = [] if data.replaced else list(_change(data))
    blocks += [Lead(_word(data.stored(name)), _judged(name, data.stored(name), data.replaced)) for name in data.subjects]
    blocks.append(Paragraph((*_counted(data.answers.answered), *_kills(data.kill_matrix))))
    blocks.append(Part("answers", "Every question and its answer", [_answers(data)], label="answers"))
    if data.replaced:
        blocks += [
            Part(anchor("properties", name), f"Every property of {name}", [_properties(data, name)], label=name) for name in data.subjects
        ]
    blocks.append(Part("legend", "How sure: what the verdicts mean", [_legend()], label="verdicts"))
    blocks.append(Part("uncovered", "Not covered", [Items(list(_uncovered(data)))], label="not covered"))
    versions = "; ".join(f"{name} {version}" for name, version in data.versions.items())
    return Section("summary", "Verdict", [*blocks, Paragraph(f"Made by {versions}.")])


def _word(stored: Stored) -> str:
    return OF_STATUS.get(Status(stored["status"]), Verdict.UNDECIDED)


def _change(data: ReportData) -> Iterator[Block]:
    """Yield the verdict on the submitted change, and what it lacks."""
    stored = data.results.stored.get(PAIRS)
    if stored is None:
        return
    place = WebLink(THREAD, "sglang#6907")
    if stored["status"] != Status.REFUTED:
        yield Lead(_word(stored), (place, f" as submitted {status_words(stored['status'])}: {_share(stored)}."))
        return
    first = stored["refuted"][0]
    known = {each.answer.id: each for each in data.answers.answered if each.verdict in DECIDED}
    words: list[Inline] = [place, f" is not right as submitted: it breaks {_share(stored)}. "]
    if ASKED in known:
        words += [link("question", ASKED), f" {known[ASKED].answer.question.sentence} {known[ASKED].short} "]
    length = len(first["trace"])
    yield Lead(Verdict.REFUTED, (*words, f"{length} operations break ", link("trace", PAIRS, first["property"]), f": {_trace(first)}."))
    lacks = [(what, ids) for what, ids in LACKS if all(id_ in known for id_ in ids)]
    if lacks:
        yield Paragraph("What it lacks to be right:")
        yield Items([(what, " (", *_spaced(link("question", id_) for id_ in ids), ")") for what, ids in lacks])


def _share(stored: Stored) -> str:
    words = Counter(p["verdict"] for p in stored["properties"])
    return f"{words[Verdict.REFUTED]} of the {sum(words[word] for word in DECIDED)} properties that could be checked"


def _trace(refuted: Stored) -> str:
    operations = [str(Op.from_json(op)) for op in refuted["trace"]]
    shown = "; ".join(operations) if len(operations) <= TRACE_MAX else f"{len(operations):,} operations"
    return f"`{shown}`"


def _judged(name: str, stored: Stored, replaced: bool) -> Words:
    counted = Counter(p["verdict"] for p in stored["properties"])
    whose = "" if replaced else "This project's cache, "
    words: list[Inline] = [f"{whose}`{name}`{'' if replaced else ','} {status_words(stored['status'])}: "]
    for i, word in enumerate(word for word in ORDER if counted[word]):
        words += [f"{', ' if i else ''}{counted[word]} ", Badge(word)]
    done = f", in {stored['operations']:,} operations under {len(stored['policies'])} policies and pages of "
    words.append(f"{done}{', '.join(map(str, stored['page_sizes']))} tokens, seed {stored['seed']}.")
    broken = [p["id"] for p in stored["properties"] if p["verdict"] == Verdict.REFUTED]
    if broken:
        words += [" Refuted: ", *_spaced(link("trace", name, id_) for id_ in broken), "."]
    return tuple(words)


def _spaced(parts: Iterable[Inline]) -> Iterator[Inline]:
    for i, part in enumerate(parts):
        yield from (", ", part) if i else (part,)


def _kills(matrix: Stored) -> Iterator[Inline]:
    """Yield how many mutants were killed as they must be, and the others by name."""
    yield " "
    yield Link("kills", "Kill matrix")
    yield f": {kill_counts([each['verdict'] for each in matrix['mutants']])}"
    for i, each in enumerate(not_killed(matrix)):
        yield f"{', ' if i else ': '}`{each['mutant']}` "
        yield Badge(each["verdict"])
    yield "."


def _counted(answered: Iterable[Answered]) -> Iterator[Inline]:
    """Yield how many answers have each verdict, those without a result first."""
    words = Counter(each.verdict for each in answered)
    yield f"{sum(words.values())} questions: "
    for i, word in enumerate(sorted(words, key=lambda word: ORDER.index(Verdict(word)) if word in ORDER else -1)):
        yield f"{', ' if i else ''}{words[word]} "
        yield Badge(word)
    yield "."


def _answers(data: ReportData) -> Table:
    """Return a row for each question: what was asked, the answer, how sure it is, about which cache, and where that is shown."""
    rows: list[tuple[Words, ...]] = []
    for each in data.answers.answered:
        question = (link("question", each.answer.id), f" {each.answer.question.sentence}")
        rows.append((question, each.short, Badge(each.verdict), ", ".join(map(_about, each.about)), tuple(_evidence(data, each))))
    return Table(("question", "answer", "how sure", "about", "evidence"), rows)


def _about(name: str) -> str:
    return name if name == SPECIFICATION or " " in name else f"`{name}`"


def _evidence(data: ReportData, each: Answered) -> Iterator[Inline]:
    for evidence, result in each.results[:1]:
        yield named(data, evidence, result.verdict if result else Verdict.MISSING)
    if len(each.results) > 1:
        yield " "
        yield Link(anchor("question", each.answer.id), f"and {len(each.results) - 1} more")


def _properties(data: ReportData, name: str) -> Table:
    """Return a row for each property of a cache under review, those that were refuted first."""
    found = sorted(data.stored(name)["properties"], key=lambda p: p["verdict"] != Verdict.REFUTED)
    rows: list[tuple[Words, ...]] = []
    for p in found:
        where = link("trace", name, p["id"]) if p["verdict"] == Verdict.REFUTED else link("property", p["id"])
        seen = f"{p['non_vacuous']:,} of {p['checked']:,} states or calls were non-vacuous" if p["checked"] else p["note"]
        rows.append((where, Badge(p["verdict"]), EVERY[p["id"]].sentence if p["id"] in EVERY else "", seen))
    return Table(("property", "how sure", "what it says", "how far"), rows)


def _legend() -> Terms:
    meanings: list[tuple[Inline, Words]] = [(Badge(word), meaning) for word, meaning in MEANINGS.items()]
    return Terms([*meanings, MARKS])


def _uncovered(data: ReportData) -> Iterator[Words]:
    for each in data.answers.answered:
        if each.answer.open:
            yield link("question", each.answer.id), f": {each.answer.open}"
    for name, stored in data.verified:
        if name in data.subjects:
            yield from _unseen(name, stored)
    yield "one thread, one process: what several threads or ranks do to one cache is not specified"
    if data.replaced:
        return
    if any(e["verdict"] == Verdict.UNDECIDED for explorations in data.explored.values() for e in explorations):
        yield "an exploration was given up before all states were visited (", Link("exploration", "exploration"), ")"
    cells = sum(c["verdict"] == Verdict.PROVED for c in data.stored(PROVE)["cells"])
    yield f"the {cells} proofs are about the specification: programs are tied to it by runs, at every operation"
    if not any(row["verdict"] == Verdict.REPEATED for row in data.findings["findings"]):
        yield Link("field", "findings in released caches"), " are shown as they were recorded: `--python PATH` repeats them"


def _unseen(name: str, stored: Stored) -> Iterator[Words]:
    for word in (Verdict.NOT_EXERCISED, Verdict.NOT_OBSERVABLE):
        ids = [p["id"] for p in stored["properties"] if p["verdict"] == word]
        if ids:
            yield f"of `{name}` ", Badge(word), f": {', '.join(ids)}"
