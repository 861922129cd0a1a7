"""The result of `radixcheck explore` at the terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from radixcheck.verification.explore.explore_results import Explored
from radixcheck.verification.report.style import styled, styled_status, warning
from radixcheck.verification.report.style import table as new_table
from radixcheck.verification.report.verify_view import fault
from radixcheck.verification.runs.run_results import ExploreOutcome

NUMBERS = ("states", "transitions", "depth", "closed", "seconds", "states/min", "transitions/min")


def table(explored: Sequence[Explored]) -> Table:
    """Return a table with a row for each exploration."""
    shown = new_table("scope", "policy", "page", *NUMBERS, "verdict", numbers=NUMBERS)
    for e in explored:
        counts = (f"{e.states:,}", f"{e.transitions:,}", str(e.depth), "yes" if e.closed else "no", f"{e.seconds:.1f}")
        rates = (f"{e.a_minute(e.states):,}", f"{e.a_minute(e.transitions):,}")
        shown.add_row(e.scope.name, e.policy, str(e.page_size), *counts, *rates, styled(e.verdict))
    return shown


def explore(outcome: ExploreOutcome) -> list[Any]:
    """Return the shortest traces, the table, the bounds in words, and the verdict."""
    results = outcome.explored
    parts = [part for together, scene in outcome.scenes for part in fault(together, scene)]
    parts += [table(results), Text()]
    parts += [Text(f"{scope.name}: {scope.sentence}") for scope in dict.fromkeys(e.scope for e in results)]
    parts += map(warning, dict.fromkeys(line for e in results for line in _reserves(e)))
    exercised = frozenset[str]().union(*(e.exercised for e in results))
    total = f"{sum(e.states for e in results):,} states, {sum(e.transitions for e in results):,} transitions, {outcome.seconds:.0f} s"
    where = "in every state within these bounds" if outcome.holds else "within these bounds"
    verdict = (f"{outcome.subject} ", styled_status(outcome.status), f" {where}: {total}, {len(exercised)} properties were non-vacuous")
    return [*parts, Text.assemble(*verdict)]


def _reserves(e: Explored) -> Iterator[str]:
    """Yield what an exploration leaves open."""
    where = f"{e.scope.name}, {e.policy}, pages of {e.page_size}"
    if not e.closed and not e.found:
        why = {"time": "not closed when the time was over", "states": "not closed at the limit of states"}.get(e.given_up, "not closed")
        yield f"{where}: {why}; every sequence of {e.depth} operations was taken, and some longer ones"
    if not e.shown:
        yield f"{where}: the cache does not show all that its future depends on, so that not every state of it was seen"
    if e.opaque:
        yield f"{where}: objects of type {e.opaque} cannot be restored, so that each state was reached from the start (slow)"
