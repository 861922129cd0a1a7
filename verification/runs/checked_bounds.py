"""The bounds of a search, compared with what a subject supports before anything runs."""

from collections.abc import Sequence

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.search.search_results import CEILING_SECONDS, SECONDS, Bounds, planned_operations

REQUEST_PAGES = 5  # of the longest request that the drivers make


def bounds_for(
    subject: Subject,
    policies: Sequence[str] = (),
    page_sizes: Sequence[int] = (),
    *,
    pool: int | None = None,
    device: str = "cpu",
    seed: int = 0,
    seconds: float = SECONDS,
    misused: bool = False,
    operations: int | None = None,
    deadline: Deadline | None = None,
) -> Bounds:
    """Return the bounds of a search. Without policies or page sizes: all that the subject supports; without operations: in proportion to
    the seconds; without a deadline: these seconds and CEILING_SECONDS from now.

    Raise UsageError if the subject does not support them, or if a request does not fit into the pool.
    """
    check_supported(subject, policies, page_sizes)
    sizes = tuple(page_sizes) or subject.supports.page_sizes
    need = REQUEST_PAGES * max(sizes)
    if pool is not None and pool < need:
        raise UsageError(f"--pool {pool} is smaller than one request of {REQUEST_PAGES} pages of {max(sizes)}: give at least {need}")
    if operations is None:
        operations = planned_operations(seconds, subject.supports.here)
    deadline = deadline or Deadline.after(seconds + CEILING_SECONDS)
    chosen = tuple(policies) or subject.supports.policies
    return Bounds(chosen, sizes, seconds, seed, pool, device, misused, operations, deadline)


def check_supported(subject: Subject, policies: Sequence[str], page_sizes: Sequence[int]) -> None:
    """Raise UsageError unless the subject supports these policies and page sizes."""
    supports = subject.supports
    for policy in policies:
        if policy not in POLICIES:
            raise UsageError(f"unknown policy {policy!r}: choose from {', '.join(POLICIES)}")
        if policy not in supports.policies:
            raise UsageError(f"{subject.name} does not support policy {policy!r}: it declares {', '.join(supports.policies)}")
    for size in page_sizes:
        if size < 1:
            raise UsageError(f"page size {size} is too small: give 1 or more tokens")
        if size not in supports.page_sizes:
            listed = ", ".join(map(str, supports.page_sizes))
            raise UsageError(f"{subject.name} does not support page size {size}: it declares {listed}")
