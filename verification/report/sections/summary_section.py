"""The summary: what was checked, the verdicts, and what is not covered."""

from collections import Counter
from collections.abc import Iterator

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import Badge, Block, Inline, Items, Link, Paragraph, Section, Table, Words, link
from radixcheck.verification.report.style import status_words
from radixcheck.verification.report.wording import kill_counts, not_killed
from radixcheck.verification.review_6907.answers import PROVE
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Stored

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


def section(data: ReportData) -> Section:
    """Return the section."""
    blocks: list[Block] = [Paragraph(_judged(name, data.stored(name))) for name in data.subjects]
    blocks += [Paragraph(_kills(data.kill_matrix)), _answers(data), Paragraph("Not covered:"), Items(list(_uncovered(data)))]
    versions = "; ".join(f"{name} {version}" for name, version in data.versions.items())
    return Section("summary", "Summary", [*blocks, Paragraph(f"Made by {versions}.")])


def _judged(name: str, stored: Stored) -> Words:
    counted = Counter(p["verdict"] for p in stored["properties"])
    words: list[Inline] = [f"`{name}` {status_words(stored['status'])}: "]
    for i, word in enumerate(word for word in ORDER if counted[word]):
        words += [f"{', ' if i else ''}{counted[word]} ", Badge(word)]
    done = f", in {stored['operations']:,} operations under {len(stored['policies'])} policies and pages of "
    words.append(f"{done}{', '.join(map(str, stored['page_sizes']))} tokens, seed {stored['seed']}.")
    broken = [p["id"] for p in stored["properties"] if p["verdict"] == Verdict.REFUTED]
    if broken:
        words.append(" Refuted: ")
        for i, id_ in enumerate(broken):
            words += [", " if i else "", link("trace", name, id_)]
        words.append(".")
    return tuple(words)


def _kills(matrix: Stored) -> Words:
    """Return how many mutants were killed as they must be, and the others by name."""
    words: list[Inline] = [Link("kills", "Kill matrix"), f": {kill_counts([each['verdict'] for each in matrix['mutants']])}"]
    for i, each in enumerate(not_killed(matrix)):
        words += [", " if i else ": ", f"`{each['mutant']}` ", Badge(each["verdict"])]
    return (*words, ".")


def _answers(data: ReportData) -> Table:
    """Return a table of the questions by verdict."""
    by_word: dict[str, list[Inline]] = {}
    for each in data.answers.answered:
        listed = by_word.setdefault(each.verdict, [])
        listed += [" "] if listed else []
        listed.append(link("question", each.answer.id))
    rows = sorted(by_word.items(), key=lambda row: ORDER.index(row[0]) if row[0] in ORDER else -1)
    counted = [(Badge(word), str(sum(isinstance(part, Link) for part in parts)), tuple(parts)) for word, parts in rows]
    return Table(("verdict", "answers", "claims and questions"), counted, numbers=("answers",))


def _uncovered(data: ReportData) -> Iterator[Words]:
    for each in data.answers.answered:
        if each.answer.open:
            yield link("question", each.answer.id), f": {each.answer.open}"
    for name, stored in data.verified:
        if name in data.subjects:
            yield from _unseen(name, stored)
    if any(e["verdict"] == Verdict.UNDECIDED for explorations in data.explored.values() for e in explorations):
        yield "an exploration was given up before all states were visited (", Link("exploration", "exploration"), ")"
    cells = sum(c["verdict"] == Verdict.PROVED for c in data.stored(PROVE)["cells"])
    yield f"the {cells} proofs are about the specification: programs are tied to it by runs, at every operation"
    yield "one thread, one process: what several threads or ranks do to one cache is not specified"
    if not any(row["verdict"] == Verdict.REPEATED for row in data.findings["findings"]):
        yield Link("field", "findings in released caches"), " are shown as they were recorded: `--python PATH` repeats them"


def _unseen(name: str, stored: Stored) -> Iterator[Words]:
    for word in (Verdict.NOT_EXERCISED, Verdict.NOT_OBSERVABLE):
        ids = [p["id"] for p in stored["properties"] if p["verdict"] == word]
        if ids:
            yield f"of `{name}` ", Badge(word), f": {', '.join(ids)}"
