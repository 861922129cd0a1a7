"""The result of `radixcheck watch` at the terminal."""

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from rich.text import Text

from radixcheck.verification.core.installing import install_command
from radixcheck.verification.core.program import program
from radixcheck.verification.core.status import Status
from radixcheck.verification.report.style import WORDS, Tone, of_status, table, toned, warning
from radixcheck.verification.watch.watch_results import ITSELF, Finding, WatchedCache, WatchOutcome

SHOWN = 10  # findings of one cache
ENGINES_OWN = "sglang"  # caches whose names begin so are replayed under the interpreter of the server


def watch(outcome: WatchOutcome) -> list[Any]:
    """Return a table for each cache, its findings with the commands that repeat them, and what is not decided."""
    parts: list[Any] = []
    for cache in outcome.caches:
        parts += [_counts(cache), Text(), *_findings(outcome, cache)]
    parts += [warning(line) for line in (*outcome.notes, *outcome.unread)]
    if outcome.undecided and outcome.undecided not in (*outcome.notes, *outcome.unread):
        parts.append(warning(outcome.undecided + (f": {_cure()}" if not outcome.caches else "")))
    return [*parts, of_status(_last_line(outcome), outcome.status)]


def _cure() -> str:
    install = install_command("", "PATH", "--no-deps")
    return f"install this package in the environment of the server ({install}), and ask: radixcheck doctor --python PATH"


def _last_line(outcome: WatchOutcome) -> str:
    calls = sum(cache.calls.total() for cache in outcome.caches)
    found = sum(count for cache in outcome.caches for property_, count in cache.found.items() if property_ not in ITSELF)
    ended = outcome.ended
    how = "" if ended is None else f"; the command {'was interrupted' if ended.interrupted else f'ended with status {ended.status}'}"
    words = WORDS[outcome.status] if outcome.status != Status.HOLDS else "nothing was found"
    return f"{calls:,} calls watched, {found:,} finding{'' if found == 1 else 's'}: {words}{how}; the files are in {outcome.folder}"


def _counts(cache: WatchedCache) -> Any:
    shown = table(f"process {cache.name}", "")
    for name, value in _rows(cache).items():
        shown.add_row(name, value)
    return shown


def _rows(cache: WatchedCache) -> dict[str, str]:
    cost = f"{cache.us_per_call:,.1f} us a call with a budget of {cache.budget_us}, {cache.longest / 1_000:,.0f} us at most"
    rows = {
        "cache": f"{cache.cache} of {cache.version}, {cache.nodes:,} nodes now",
        "calls": _listed(cache.calls) or "0",
        "time": f"{cost}; {cache.nanoseconds / 1e9:,.2f} s in all",
        "touched paths": f"{cache.path_checks:,} nodes checked; the budget left out {cache.skipped:,} checks, {cache.skipped_share:.1%}",
        "rest of the tree": f"{cache.window_checks:,} nodes checked, {cache.rounds:,} times round",
    }
    if cache.shadow:
        s = cache.shadow
        cost = f"{s.nanoseconds / 1_000 / max(1, s.calls):,.1f} us a call of the time above"
        compared = f"{s.calls:,} calls compared, {cost}; {s.differences:,} differences, {s.rebuilds:,} times made anew"
        rows["shadow"] = compared + (f"; {s.left_out:,} calls left out" if s.left_out else "") + (f": {s.paused}" if s.paused else "")
    if cache.raised:
        rows["raised"] = f"{cache.raised:,} calls ended with an error of the cache"
    if cache.departures:
        rows["accepted departures"] = _listed(cache.departures)
    if cache.found:
        rows["findings"] = _listed(cache.found)
    if cache.aborted:
        rows["ended"] = f"by the watch, at a finding of {cache.aborted}"
    elif not cache.ended:
        rows["ended"] = "it was killed: calls of its last second may be missing here; no finding is"
    return rows


def _findings(outcome: WatchOutcome, cache: WatchedCache) -> Iterator[Any]:
    for finding in cache.findings[:SHOWN]:
        tone = Tone.UNDECIDED if finding.property in ITSELF else Tone.BAD
        where = f"call {finding.call:,}" + (f", {finding.verb}" if finding.verb else "")
        yield toned(f"{finding.property} at {where}: {finding.text}", tone)
        if finding.trace:
            yield Text("  " + _command(outcome, cache, finding), no_wrap=True, overflow="ignore")  # one line, to be copied
    more = cache.found.total() - len(cache.findings[:SHOWN])
    if more > 0:
        yield warning(f"{more:,} more findings; {len(cache.findings):,} are written in full in findings-{cache.name}.jsonl")
    if cache.findings:
        yield Text()


def _command(outcome: WatchOutcome, cache: WatchedCache, finding: Finding) -> str:
    """Return the command that repeats a finding."""
    python = f" --python {quote(cache.python)}" if cache.cache.startswith(ENGINES_OWN) else ""
    return f"{program()} replay {quote(str(outcome.folder / finding.trace))}{python}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))
