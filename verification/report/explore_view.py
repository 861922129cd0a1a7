"""Explorations of one cache: which are run, and the table, the shortest traces and the last line that say what came of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeVar

from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.found import Found
from radixcheck.verification.core.status import Status, Verdict, worst
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.explore.explore import explore
from radixcheck.verification.explore.explore_results import Explored
from radixcheck.verification.explore.scopes import SCOPES, Scope
from radixcheck.verification.protocol import Supports
from radixcheck.verification.report.pictures import scene
from radixcheck.verification.report.tables import fault
from radixcheck.verification.report.wording import styled

T = TypeVar("T")
COLOURS = {Verdict.EXHAUSTED: "green", Verdict.REFUTED: "bold red", Verdict.UNDECIDED: "yellow"}
POLICIES = ("lru",)
PAGE_SIZES = (1, 2)  # tokens; of more tokens in a page only the last would differ


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is explored, and when it is given up."""

    scopes: tuple[Scope, ...]
    policies: tuple[str, ...]
    page_sizes: tuple[int, ...]  # tokens
    limit: int | None  # states of one exploration
    seconds: float  # of one exploration


def bounds(
    subject: Subject, scopes: Sequence[str], policies: Sequence[str], page_sizes: Sequence[int], limit: int | None, seconds: float
) -> Bounds:
    """Return the bounds. Without scopes, policies or page sizes: those of the defaults that the subject declares. Raise UsageError."""
    supports = subject.supports
    if not supports.here:
        raise UsageError(f"{subject.name} runs in another process, where explore cannot go back to an earlier state: use verify")
    for name in scopes:
        if name not in SCOPES:
            raise UsageError(f"unknown scope {name!r}: choose from {', '.join(SCOPES)}")
        if not _served(SCOPES[name], supports):
            raise UsageError(f"{subject.name} does not declare the operations of scope {name!r}: {SCOPES[name].sentence}")
    return Bounds(
        tuple(SCOPES[name] for name in scopes) or tuple(scope for scope in SCOPES.values() if _served(scope, supports)),
        tuple(policies) or _declared(POLICIES, supports.policies),
        tuple(page_sizes) or _declared(PAGE_SIZES, supports.page_sizes),
        limit,
        seconds,
    )


def _served(scope: Scope, supports: Supports) -> bool:
    names = {op.name for op in scope.alphabet(1, "lru")}
    return (supports.requests if scope.requests else supports.tree) and supports.without.isdisjoint(names)


def _declared(defaults: tuple[T, ...], declared: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(each for each in defaults if each in declared) or declared[:1]


def explorations(subject: Subject, within: Bounds, cores: int, progress: Callable[[Sequence[Explored]], None]) -> tuple[Explored, ...]:
    """Run one exploration after the other. `progress` is called with those that are done and the current one."""
    done = list[Explored]()
    for policy, scope, page_size in product(within.policies, within.scopes, within.page_sizes):

        def grown(growing: Explored) -> None:
            progress((*done, growing))

        done.append(explore(subject, scope, policy, page_size, within.limit, within.seconds, cores, grown))
    return tuple(done)


def table(explored: Sequence[Explored]) -> Table:
    """One row for each exploration."""
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("scope", "policy", "page"):
        shown.add_column(name)
    for name in ("states", "transitions", "depth", "closed", "seconds", "states/min", "transitions/min"):
        shown.add_column(name, justify="right")
    shown.add_column("verdict")
    for e in explored:
        counts = (f"{e.states:,}", f"{e.transitions:,}", str(e.depth), "yes" if e.closed else "no", f"{e.seconds:.1f}")
        rates = (f"{e.a_minute(e.states):,}", f"{e.a_minute(e.transitions):,}")
        shown.add_row(e.scope.name, e.policy, str(e.page_size), *counts, *rates, Text(e.verdict, COLOURS[e.verdict]))
    return shown


def explored(subject: Subject, results: Sequence[Explored], seconds: float) -> list[Any]:
    """Shortest traces first, then the table, the bounds in words, and the verdict."""
    parts: list[Any] = []
    for e in results:
        parts += _faults(subject, e)
    parts += [table(results), Text()]
    parts += [Text(f"{scope.name}: {scope.sentence}") for scope in dict.fromkeys(e.scope for e in results)]
    parts += [Text(line, "yellow") for line in dict.fromkeys(line for e in results for line in _reserves(e))]
    said = frozenset[str]().union(*(e.exercised for e in results))
    total = f"{sum(e.states for e in results):,} states, {sum(e.transitions for e in results):,} transitions, {seconds:.0f} s"
    where = "in every state within these bounds" if not status(results) else "within these bounds"
    return [
        *parts,
        Text.assemble(f"{subject.name} ", styled(status(results)), f" {where}: {total}, {len(said)} properties were non-vacuous"),
    ]


def _reserves(e: Explored) -> Iterator[str]:
    """What keeps an exploration from saying all."""
    where = f"{e.scope.name}, {e.policy}, pages of {e.page_size}"
    if not e.closed and not e.found:
        yield f"{where}: not closed; every sequence of {e.depth} operations was taken, and some longer ones"
    if not e.shown:
        yield f"{where}: the cache does not show all that its future depends on, so that not every state of it was seen"
    if e.opaque:
        yield f"{where}: objects of type {e.opaque} cannot be written back, so that each state was reached from the start (slow)"


def _faults(subject: Subject, e: Explored) -> list[Any]:
    """The traces that break something, each with all that it breaks."""
    by_trace: dict[Any, list[Found]] = {}
    for found in e.found:
        by_trace.setdefault(found.trace, []).append(found)
    return [part for together in by_trace.values() for part in fault(together, scene(subject, together[0]))]


def status(results: Sequence[Explored]) -> Status:
    """Return the worst status."""
    return worst(e.status for e in results)


def to_json(subject: str, results: Sequence[Explored]) -> dict[str, Any]:
    """Everything, for machines."""
    return {"subject": subject, "status": status(results), "explorations": [_one(e) for e in results]}


def _one(e: Explored) -> dict[str, Any]:
    return {
        **{"scope": e.scope.name, "bound": e.scope.sentence, "policy": e.policy, "page_size": e.page_size, "verdict": e.verdict},
        **{"states": e.states, "transitions": e.transitions, "depth": e.depth, "closed": e.closed, "shown": e.shown},
        **{"opaque": e.opaque, "seconds": round(e.seconds, 1), "states_a_minute": e.a_minute(e.states)},
        **{"transitions_a_minute": e.a_minute(e.transitions), "exercised": sorted(e.exercised)},
        "refuted": [
            {
                "property": found.violation.property,
                "text": found.violation.text,
                "config": found.config.to_json(),
                "trace": [op.to_json() for op in found.trace],
            }
            for found in e.found
        ],
    }
