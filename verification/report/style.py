"""How verdicts and tables look: one tone for each verdict, shown as a colour, a CSS class or a mark."""

from collections.abc import Collection
from enum import StrEnum

from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.status import Status, Verdict


class Tone(StrEnum):
    """The meaning of a colour. The value is a CSS class of the page."""

    GOOD = "good"
    BAD = "bad"
    UNDECIDED = "undecided"
    DIM = "dim"  # not applicable


TONES: dict[str, Tone] = {
    **dict.fromkeys((Verdict.PROVED, Verdict.EXHAUSTED, Verdict.TESTED, Verdict.MEASURED, Verdict.CONFIRMED), Tone.GOOD),
    **dict.fromkeys((Verdict.KILLED, Verdict.CAUGHT, Verdict.EQUIVALENT, Verdict.REPEATED), Tone.GOOD),
    **dict.fromkeys((Verdict.REFUTED, Verdict.SURVIVED, Verdict.NOT_AS_EXPECTED, Verdict.MISSING, Verdict.GONE), Tone.BAD),
    **dict.fromkeys((Verdict.CONTRADICTED, Verdict.ANOTHER_PROPERTY, Verdict.ANOTHER_DETECTOR), Tone.BAD),
    **dict.fromkeys((Verdict.NOT_OBSERVABLE, Verdict.NO_TRACE), Tone.DIM),
}  # any other verdict is undecided
STATUS_TONES = {Status.HOLDS: Tone.GOOD, Status.REFUTED: Tone.BAD}
COLOURS = {Tone.GOOD: "green", Tone.BAD: "bold red", Tone.UNDECIDED: "yellow", Tone.DIM: "dim"}  # at the terminal
MARKS = {Tone.GOOD: "✅", Tone.BAD: "❌", Tone.UNDECIDED: "❔", Tone.DIM: "⚪"}  # in Markdown
WORDS = {Status.HOLDS: "holds", Status.REFUTED: "is refuted", Status.WRONG_USE: "is undecided", Status.UNDECIDED: "is undecided"}


def tone(verdict: str) -> Tone:
    """Return the tone of a verdict.

    >>> tone(Verdict.NOT_EXERCISED).name, tone(Verdict.REFUTED).name
    ('UNDECIDED', 'BAD')
    """
    return TONES.get(verdict, Tone.UNDECIDED)


def colour(verdict: str) -> str:
    """Return the colour of a verdict at the terminal."""
    return COLOURS[tone(verdict)]


def status_colour(status: int) -> str:
    """Return the colour of a status at the terminal."""
    return COLOURS[STATUS_TONES.get(Status(status), Tone.UNDECIDED)]


def status_mark(status: int) -> str:
    """Return the mark of a status in Markdown."""
    return MARKS[STATUS_TONES.get(Status(status), Tone.UNDECIDED)]


def status_words(status: int) -> str:
    """Return the words for the status of a subject."""
    return WORDS[Status(status)]


def styled_status(status: int) -> tuple[str, str]:
    """Return the words for the status of a subject, and their colour."""
    return status_words(status), status_colour(status)


def styled(verdict: str) -> Text:
    """Return a verdict in its colour."""
    return Text(verdict, colour(verdict))


def toned(words: str, tone: Tone) -> Text:
    """Return words in the colour of a tone."""
    return Text(words, COLOURS[tone])


def of_status(words: str, status: int) -> Text:
    """Return words in the colour of a status."""
    return Text(words, status_colour(status))


def as_expected(verdict: str, expected: bool) -> Text:
    """Return a verdict in its colour, or as BAD if it is not the expected one."""
    return styled(verdict) if expected else toned(verdict, Tone.BAD)


def warning(words: str) -> Text:
    """Return a line about something that is undecided or was left out."""
    return toned(words, Tone.UNDECIDED)


def table(*columns: str, numbers: Collection[str] = (), unbroken: Collection[str] = (), gap: int = 2) -> Table:
    """Return an empty table without a frame, with `gap` spaces between columns.

    `numbers`: columns that are aligned to the right; `unbroken`: columns whose lines are not wrapped.
    """
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, gap, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold", no_wrap=column in unbroken)
    return made


def side_by_side(*texts: str) -> Table:
    """Return texts next to each other."""
    made = Table(box=None, show_header=False, padding=(0, 6 if len(texts) < 3 else 3, 0, 0))
    made.add_row(*map(Text, texts))
    return made
