"""The results of `radixcheck replay --events` and `radixcheck record` at the terminal."""

from shlex import quote
from typing import Any

from rich.text import Text

from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.program import program
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.event_streams.stream_results import RouterSeen, StreamFault, StreamFolded, place
from radixcheck.verification.report.style import colour, styled_status, table, warning
from radixcheck.verification.runs.events_results import EventsOutcome, RecordOutcome

SHOWN = 5  # faults


def events(outcome: EventsOutcome) -> list[Any]:
    """Return what a stream showed: the resident set by tier, the verdicts, the faults, and what is not decided."""
    f = outcome.folded
    shown = table("events", "")
    for name, value in (_rows(f, outcome.verdicts) | (_router(outcome.router) if outcome.router else {})).items():
        shown.add_row(name, value)
    lines: list[Any] = [shown]
    lines += [_refuted(fault) for fault in f.faults[:SHOWN]]
    lines += _more(f.fault_counts, len(f.faults[:SHOWN]), "faults")
    lines += [Text(printable(f"{each.property} in doubt at {place(each)}: {each.sentence}")) for each in f.doubtful[:SHOWN]]
    lines += _more(f.doubtful_counts, len(f.doubtful[:SHOWN]), "faults in doubt, which may be none")
    lines += [warning(printable(f"not decided: {doubt.why}; what would decide it: {doubt.decides}")) for doubt in f.doubts]
    if f.unnoticed:
        lines.append(Text(f"not noticed: {f.unnoticed}"))
    return [*lines, Text.assemble(printable(outcome.stream) + " ", styled_status(outcome.status))]


def _router(seen: RouterSeen) -> dict[str, str]:
    """Return what a router knows, beside what the server had."""
    total = max(1, seen.prompt_tokens)
    rates = (
        f"{seen.predicted_tokens / total:.1%} of {seen.prompt_tokens:,} prompt tokens predicted, {seen.cached_tokens / total:.1%} cached"
    )
    wrong = f"; {seen.wrong_tokens:,} tokens predicted and not cached, {seen.missed_tokens:,} cached and not predicted"
    unasked = f"; {seen.not_looked_up:,} come after batches that are not there" if seen.not_looked_up else ""
    only = f"{seen.pages_of_router:,} the router's only, {seen.pages_of_server:,} the server's only"
    pages = {"router: pages of the device": f"{seen.pages_of_both:,} of both, {only}"}
    return pages | ({"router: hit rate": f"{seen.requests:,} requests, {rates}{wrong}{unasked}"} if seen.requests or unasked else {})


def _rows(f: StreamFolded, verdicts: dict[str, Verdict]) -> dict[str, str]:
    """Return the counts, and what each tier holds."""
    span = "" if f.last is None else f", {f.first:,} to {f.last:,}"
    of = {kind: f" ({pages:,} pages)" for kind, pages in f.pages.items()}
    return {
        "batches": f"{f.batches:,}{span}",
        "events": ", ".join(f"{count:,} {kind}{of.get(kind, '')}" for kind, count in f.events.items()) or "0",
        **(
            {"copies": f"{f.copies:,} pages stored again while they were there: a router that keeps a set loses them early"}
            if f.copies
            else {}
        ),
        **{f"resident: {tier}": f"{len(t.ids):,} pages, {t.tokens:,} tokens; at most {t.peak:,} pages" for tier, t in f.tiers.items()},
        "verdicts": ", ".join(f"{id_} {verdict}" for id_, verdict in verdicts.items()),
        "time": f"{f.seconds:.1f} s",
    }


def _refuted(fault: StreamFault) -> Text:
    return Text.assemble((f"{fault.property} REFUTED", colour(Verdict.REFUTED)), printable(f" at {place(fault)}: {fault.sentence}"))


def _more(counts: Any, shown: int, what: str) -> list[Any]:
    """Return a line about those that are not shown, by property."""
    rest = sum(counts.values()) - shown
    return [warning(f"{rest:,} more {what}; all: " + ", ".join(f"{id_} {count:,}" for id_, count in counts.items()))] if rest > 0 else []


def recorded(outcome: RecordOutcome) -> list[Any]:
    """Return what was recorded."""
    span = "" if outcome.last is None else f", {outcome.first:,} to {outcome.last:,}"
    lines: list[Any] = [Text(printable(f"{outcome.batches:,} batches{span}, of {outcome.address} are in {outcome.file}"))]
    if outcome.missing:
        lines.append(
            warning(f"{outcome.missing:,} batches before the last one did not come; with --replay-endpoint the server is asked for them")
        )
    if outcome.stopped:
        lines.append(warning(printable(f"it ended early: {outcome.stopped}")))
    end = "the server had sent no more" if outcome.complete else "whether the server had sent more is not known: no replay socket said so"
    return [*lines, Text(f"when it ended, {end}"), Text(printable(f"replay it: {program()} replay --events {quote(outcome.path)}"))]
