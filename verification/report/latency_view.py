"""The result of `radixcheck live --latency` at the terminal."""

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from radixcheck.verification.core.status import Status
from radixcheck.verification.live.latency_results import Claim, Comparison, LatencyOutcome, Row
from radixcheck.verification.report.style import WORDS, Tone, of_status, styled, table, toned


def latency(outcome: LatencyOutcome) -> list[Any]:
    """Return a row for each cache, a row for each two of them, what was checked, what follows and what does not."""
    parts: list[Any] = [Text(f"{outcome.engine}, {outcome.model}"), *_conversion(outcome), Text()]
    parts += [_rows(outcome.measured.rows()), Text(), _comparisons(outcome.measured.comparisons()), Text()]
    checked = table("cache", "check", "verdict", "what was seen")
    for check in outcome.checks:
        checked.add_row(check.backend, check.check, styled(check.verdict), check.text)
    parts += [checked, Text(), *map(_claim, outcome.claims), Text("What cannot be concluded:", "bold")]
    parts += [toned(f"  {sentence}", Tone.DIM) for sentence in outcome.limits]
    good = sum(check.status == Status.HOLDS for check in outcome.checks)
    about = outcome.about
    how = f"load {about['load_before']} before, {about['cores']} cores; {about['how']}"
    line = f"{good} of {len(outcome.checks)} checks hold; that all was measured {WORDS[outcome.status]}"
    return [*parts, Text(), Text(how), of_status(line, outcome.status)]


def _conversion(outcome: LatencyOutcome) -> Iterator[Text]:
    if (found := outcome.conversion) is not None:
        equal = f"{found.equal} of {found.prompts} prompts have the same likeliest next token as with the reader of {found.file}"
        difference = f"two logits differ by {found.largest_difference:.2g} at most"
        yield toned(f"converted: {equal}; {difference}", Tone.GOOD if found.right else Tone.BAD)


def _rows(rows: tuple[Row, ...]) -> Any:
    numbers = ("requests", "first token, ms", "total, ms", "cache, us", "of the total")
    shown = table("requests", "cache", *numbers[1:], "cached tokens", numbers=numbers)
    for row in rows:
        figures = (str(row.first), str(row.total), str(row.cache_us), f"{row.share.median:.3%}")
        shown.add_row(str(row.requests), row.cache, *figures, f"{row.cached_tokens:,} of {row.prompt_tokens:,}")
    return shown


def _comparisons(comparisons: Iterator[Comparison]) -> Any:
    shown = table("requests", "latency", "one", "other", "medians, one by other", "conclusion", numbers=("requests",))
    for each in comparisons:
        shown.add_row(str(each.requests), each.figure, each.one, each.other, f"{each.ratio:.3f}", each.word)
    return shown


def _claim(claim: Claim) -> Text:
    return Text.assemble(styled(claim.verdict), f"  {claim.id} ({claim.questions}): {claim.sentence} {claim.text}.")
