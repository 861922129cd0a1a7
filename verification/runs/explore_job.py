"""The job of `radixcheck explore`: explore one subject in several scopes, policies and page sizes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from time import monotonic
from typing import TypeVar

from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.explore.explore import explore
from radixcheck.verification.explore.explore_results import Explored
from radixcheck.verification.explore.scopes import SCOPES, Scope
from radixcheck.verification.operations import Trace
from radixcheck.verification.runs.checked_bounds import check_supported
from radixcheck.verification.runs.run_results import ExploreOutcome, Scene
from radixcheck.verification.runs.scene import scene

T = TypeVar("T")
POLICIES = ("lru",)
PAGE_SIZES = (1, 2)  # tokens; longer pages differ from these in their last token only


@dataclass(frozen=True, slots=True)
class ExploreRequest:
    """A subject, what to explore, and when to give up."""

    subject: Subject
    scopes: tuple[Scope, ...]
    policies: tuple[str, ...]
    page_sizes: tuple[int, ...]  # tokens
    limit: int | None  # states of one exploration
    seconds: float  # of all explorations together
    cores: int = 2


def explore_request(
    subject: Subject,
    scopes: Sequence[str] = (),
    policies: Sequence[str] = (),
    page_sizes: Sequence[int] = (),
    *,
    limit: int | None = None,
    seconds: float = 600,
    cores: int = 2,
) -> ExploreRequest:
    """Return a request. Without scopes, policies or page sizes: those of the defaults that the subject declares. Raise UsageError."""
    supports = subject.supports
    check_supported(subject, policies, page_sizes)
    if not supports.here:
        raise UsageError(f"{subject.name} runs in another process, where explore cannot go back to an earlier state: use verify")
    for name in scopes:
        if name not in SCOPES:
            raise UsageError(f"unknown scope {name!r}: choose from {', '.join(SCOPES)}")
        if not SCOPES[name].served_by(supports):
            raise UsageError(f"{subject.name} does not declare the operations of scope {name!r}: {SCOPES[name].sentence}")
    return ExploreRequest(
        subject,
        tuple(SCOPES[name] for name in scopes) or tuple(scope for scope in SCOPES.values() if scope.served_by(supports)),
        tuple(policies) or _declared(POLICIES, supports.policies),
        tuple(page_sizes) or _declared(PAGE_SIZES, supports.page_sizes),
        limit,
        seconds,
        cores,
    )


def _declared(defaults: tuple[T, ...], declared: Sequence[T]) -> tuple[T, ...]:
    return tuple(each for each in defaults if each in declared) or tuple(declared[:1])


def _ignore(so_far: Sequence[Explored]) -> None:
    """Report nothing."""


def explore_subject(request: ExploreRequest, progress: Callable[[Sequence[Explored]], None] = _ignore) -> ExploreOutcome:
    """Run one exploration after the other. `progress` is called with those that are done and the current one."""
    start, done, subject = monotonic(), list[Explored](), request.subject
    deadline = Deadline.after(request.seconds)
    for policy, scope, page_size in product(request.policies, request.scopes, request.page_sizes):

        def grown(growing: Explored) -> None:
            progress((*done, growing))

        done.append(explore(subject, scope, policy, page_size, request.limit, deadline, request.cores, grown))
    seconds = monotonic() - start
    return ExploreOutcome(subject.name, tuple(done), tuple(scene_ for e in done for scene_ in _scenes(subject, e)), seconds)


def _scenes(subject: Subject, explored: Explored) -> Iterator[tuple[tuple[Found, ...], Scene | None]]:
    """Yield the properties that each trace breaks, with its scene."""
    by_trace: dict[Trace, list[Found]] = {}
    for found in explored.found:
        by_trace.setdefault(found.trace, []).append(found)
    yield from ((tuple(together), scene(subject, together[0])) for together in by_trace.values())
