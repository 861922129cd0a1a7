"""Outcomes of `radixcheck verify` as GitHub Markdown, for the summary of a step or a comment on a pull request.

Messages of a subject are escaped, so that none of their characters is interpreted as Markdown or HTML. The text has at most `LENGTH_MAX`
characters: what does not fit is counted instead.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.status import SEVERITY, Verdict
from radixcheck.verification.report.style import status_mark, status_words
from radixcheck.verification.report.wording import agreement, kills, operations

Json = Mapping[str, Any]

LENGTH_MAX = 9_900  # characters of all subjects together
LENGTH_MIN = 2_000  # characters that one subject may have, however many there are
LAST = 200  # characters that are kept for the last line
OPERATIONS_MAX = 8  # of a trace in a row
WORDS_MAX = 120  # characters of a name, an operation, or another text of a subject
KILLS_MAX = 600  # characters about the mutants
SPECIAL = re.compile(r"[^a-zA-Z0-9 ,;/%()-]")  # anything that Markdown, HTML or GitHub may interpret


def summary(outcomes: Sequence[Json], matrix: Json | None = None) -> str:
    """Return the text, from the objects that `radixcheck verify --json` prints, and a kill matrix; refuted subjects come first."""
    ordered = sorted(outcomes, key=lambda outcome: SEVERITY.index(outcome["status"]), reverse=True)
    blocks = [] if matrix is None else [f"{status_mark(matrix['status'])} mutants: {escaped(kills(matrix), KILLS_MAX)}\n"]
    left = LENGTH_MAX - LAST - sum(map(len, blocks))
    for i, outcome in enumerate(ordered):
        block = _subject(outcome, max(LENGTH_MIN, left // (len(ordered) - i)))
        if len(block) > left:
            return "\n".join([*blocks, f"And {len(ordered) - i} more subjects, for which there is no room.\n"])
        blocks.append(block)
        left -= len(block) + 1
    return "\n".join(blocks)


def escaped(words: str, length: int = WORDS_MAX) -> str:
    """Return words as code, in one line of at most `length` characters.

    >>> escaped("a|b <i>")
    '<code>a&#124;b &#60;i&#62;</code>'
    """
    line = " ".join(words.split())
    line = line if len(line) <= length else line[: length - 1] + "…"
    return "<code>" + SPECIAL.sub(lambda c: f"&#{ord(c[0])};", line) + "</code>"


def _subject(outcome: Json, room: int) -> str:
    """Return the text of one subject: headline, refuted properties as far as there is room, what was not covered, and the command."""
    head, tail = list(_head(outcome)), [*_uncovered(outcome), "", f"Again: {escaped(outcome['command'], 300)}", ""]
    rows = [_row(row, found) for row, found in _refuted(outcome)]
    if not rows:
        return "\n".join([*head, *tail])
    table = ["", "| property | answers | smallest trace |", "|---|---|---|"]
    left = room - sum(len(line) + 1 for line in (*head, *table, *tail))
    kept = list[str]()
    for row in rows:
        left -= len(row) + 1
        if left < 0:
            break
        kept.append(row)
    more = ["", f"{len(rows) - len(kept)} more refuted properties are in the report of the command."] if len(kept) < len(rows) else []
    return "\n".join([*head, *table, *kept, *more, *tail])


def _head(outcome: Json) -> Iterator[str]:
    words = [row["verdict"] for row in outcome["properties"]]
    counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    yield f"### {status_mark(outcome['status'])} {escaped(outcome['subject'])} {status_words(outcome['status'])}"
    yield ""
    under = f"policies {', '.join(outcome['policies'])}, pages of {', '.join(map(str, outcome['page_sizes']))}, seed {outcome['seed']}"
    yield f"{counts}. {outcome['operations']:,} operations in {outcome['runs']:,} runs, {under}."
    if outcome["reference"]:
        yield from ("", f"{status_mark(outcome['reference']['status'])} {escaped(agreement(outcome['reference'])[1], 300)}")
    if outcome["replay"]:
        replay = outcome["replay"]
        result = (
            escaped(f"{replay['fault']['property']}: {replay['fault']['text']}", 300) if replay["fault"] else status_words(replay["status"])
        )
        yield from ("", f"{status_mark(replay['status'])} replay of {replay['requests']:,} requests: {result}")


def _refuted(outcome: Json) -> Iterator[tuple[Json, Json]]:
    rows = {row["id"]: row for row in outcome["properties"]}
    for found in sorted(outcome["refuted"], key=lambda each: len(each["trace"])):
        yield rows[found["property"]], found


def _row(row: Json, found: Json) -> str:
    listed = operations(found)
    shown = listed if len(listed) <= OPERATIONS_MAX else [*listed[:3], f"({len(listed) - 6} more)", *listed[-3:]]
    trace = "<br>".join(escaped(op) for op in shown)
    words = f"**{row['id']}** {EVERY[row['id']].sentence}<br>{escaped(found['text'])}"
    return f"| {words} | {' '.join(row['questions'])} | {trace} |"


def _uncovered(outcome: Json) -> Iterator[str]:
    """Yield what was not covered, by reason."""
    reasons = dict[str, list[str]]()
    for row in outcome["properties"]:
        if row["verdict"] not in (Verdict.TESTED, Verdict.REFUTED):
            reasons.setdefault(f"{row['verdict']} ({escaped(row['note'])})", []).append(row["id"])
    reasons["Undecided"] = [escaped(gap, 300) for gap in outcome["undecided"]]
    parts = (("replay", "the replay of a trace"), ("reference", "the comparison with the reference"))
    reasons["Not run"] = [name for part, name in parts if not outcome[part]]
    lines = [f"- {reason}: {', '.join(names)}" for reason, names in reasons.items() if names]
    yield from ("", "Not covered:", "", *lines) if lines else ()
