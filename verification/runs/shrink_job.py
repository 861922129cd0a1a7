"""The job of `radixcheck replay --shrink`: shrink a fault, and write it as a test or as a trace."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from radixcheck.verification.core import traces
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.progress import Progress, Tell
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.operations import Trace
from radixcheck.verification.runs.trace_results import TEST, TRACE, ShrinkOutcome
from radixcheck.verification.search.search_results import CEILING_SECONDS
from radixcheck.verification.search.shrink import Effort
from radixcheck.verification.trace_replay.judge import violations_of
from radixcheck.verification.trace_replay.regression_test import text
from radixcheck.verification.trace_replay.replay_results import Shrunk
from radixcheck.verification.trace_replay.stepped import DETERMINISM

PER_SECOND = 2_000  # operations of attempts planned for each second


@dataclass(frozen=True, slots=True)
class ShrinkTo:
    """The file to write, a test (.py) or a trace (.jsonl), and how far to shrink."""

    out: Path
    seconds: float  # for which the attempts are planned, in operations; some time later they are cut off


@dataclass(frozen=True, slots=True)
class Origin:
    """A fault to be shrunk."""

    subject: str  # its name
    property: str  # that is broken
    factory: Factory
    trace: Trace
    sentence: str  # where it was found first
    shrink: Callable[[Effort, Tell], Shrunk | None]  # None: it does not occur again


def shrink_to(target: ShrinkTo, origin: Origin | None, progress: Progress) -> ShrinkOutcome:
    """Shrink a fault and write the file. Return why nothing was written if there is no fault or it does not occur again."""
    out = target.out
    if origin is None:
        return ShrinkOutcome(out, None, f"nothing was found at an operation, so there is nothing to shrink: {out} was not written")
    if out.suffix == TEST and origin.property == DETERMINISM:
        why = f"one run, as a test makes it, does not show {DETERMINISM}: {out} was not written; give a name that ends in {TRACE}"
        return ShrinkOutcome(out, None, why)
    with progress(f"shrink {len(origin.trace):,} operations") as tell:
        shrunk = origin.shrink(Effort(int(target.seconds * PER_SECOND), Deadline.after(target.seconds + CEILING_SECONDS)), tell)
    if shrunk is None:
        again = f"the {len(origin.trace):,} recorded operations do not break {origin.property} again in a cache of their own"
        return ShrinkOutcome(out, None, f"{again}: {out} was not written")
    found = shrunk.found
    said = next(
        (v for v in violations_of(origin.factory, found.config, found.trace, origin.property) if v.property == origin.property), None
    )
    if said:  # what the test will say, in the same words
        shrunk = replace(shrunk, found=replace(found, violation=said))
    if out.suffix == TRACE:
        traces.write(out, Recorded(found.config, found.trace, origin.subject, found.violation.property))
    else:
        with out.open("x", encoding="utf-8") as file:
            file.write(text(origin.subject, origin.sentence, shrunk))
    return ShrinkOutcome(out, shrunk)
