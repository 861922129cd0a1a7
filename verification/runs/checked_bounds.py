"""The bounds of a search, compared with what a subject supports before anything runs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.page_sizes import drawn_from, sizes_text
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import PAGES_MAX
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.protocol import MODES
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
    stretch: bool = True,
    deadline: Deadline | None = None,
    modes: Sequence[str] = (),
    host_pool: int | None = None,
) -> Bounds:
    """Return the bounds of a search. Without policies: all that the subject supports; without page sizes: `drawn_from` those; without
    operations: in proportion to the seconds; without a deadline: these seconds and CEILING_SECONDS from now; without modes: all that the
    subject supports, and it is searched without a host tier too.

    Raise UsageError if the subject does not support them, or if a request of a page size that was given, or of every one that was drawn,
    does not fit into the pool.
    """
    check_supported(subject, policies, page_sizes)
    check_tier(subject, modes, host_pool)
    sizes, too_large = _fitting(tuple(page_sizes) or drawn_from(subject.supports.page_sizes), pool, some=not page_sizes)
    if pool is not None and pool // min(sizes) > PAGES_MAX:
        pages = f"{pool // min(sizes):,} pages of {min(sizes)}"
        raise UsageError(f"--pool {pool}: {pages} are too many to be checked: give at most {PAGES_MAX * min(sizes)}")
    if operations is None:
        operations = planned_operations(seconds, subject.supports.here)
    deadline = deadline or Deadline.after(seconds + CEILING_SECONDS)
    chosen = tuple(policies) or subject.supports.policies
    modes = tuple(modes) or subject.supports.modes
    larger = subject.supports.larger_host
    return Bounds(chosen, sizes, seconds, seed, pool, device, misused, operations, stretch, deadline, too_large, modes, host_pool, larger)


def shared_bounds(left: Subject, right: Subject, policies: Sequence[str] = (), page_sizes: Sequence[int] = (), **how: Any) -> Bounds:
    """Return the bounds of a comparison, from the same arguments as `bounds_for`. Raise UsageError also if two subjects share none."""
    for subject in (left, right):
        check_supported(subject, policies, page_sizes)
    shared = tuple(policies) or tuple(p for p in left.supports.policies if p in right.supports.policies)
    sizes = tuple(page_sizes) or drawn_from(left.supports.page_sizes, right.supports.page_sizes)
    if not shared or not sizes:
        raise UsageError("the two subjects share no policy or no page size")
    fitting, too_large = _fitting(sizes, how.get("pool"), some=not page_sizes)
    modes = tuple(how.pop("modes", ())) or tuple(mode for mode in left.supports.modes if mode in right.supports.modes)
    check_tier(right, modes, None)
    if not modes and how.get("host_pool") is not None:
        raise UsageError("--host-pool: the two subjects share no mode of a host tier")
    larger = left.supports.larger_host or right.supports.larger_host
    return replace(bounds_for(left, shared, fitting, modes=modes, **how), too_large=too_large, modes=modes, larger_host=larger)


def _fitting(sizes: tuple[int, ...], pool: int | None, some: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the page sizes of which a request fits into the pool, and the others. `some`: it is enough if there are any."""
    fitting = tuple(size for size in sizes if pool is None or REQUEST_PAGES * size <= pool)
    if pool is not None and (not fitting or (fitting != sizes and not some)):
        size = min(sizes) if some else max(sizes)
        need = REQUEST_PAGES * size
        raise UsageError(f"--pool {pool} is smaller than one request of {REQUEST_PAGES} pages of {size}: give at least {need}")
    return fitting, tuple(size for size in sizes if size not in fitting)


def check_choices(policies: Sequence[str] = (), page_sizes: Sequence[int] = (), modes: Sequence[str] = ()) -> None:
    """Raise UsageError unless there are such policies, page sizes and modes, whatever a cache supports."""
    for policy in policies:
        if policy not in POLICIES:
            raise UsageError(f"unknown policy {policy!r}: choose from {', '.join(POLICIES)}")
    for size in page_sizes:
        if size < 1:
            raise UsageError(f"page size {size} is too small: give 1 or more tokens")
    for mode in modes:
        if mode not in MODES:
            raise UsageError(f"unknown mode {mode!r}: choose from {', '.join(MODES)}")


def check_supported(subject: Subject, policies: Sequence[str], page_sizes: Sequence[int]) -> None:
    """Raise UsageError unless the subject supports these policies and page sizes."""
    check_choices(policies, page_sizes)
    supports = subject.supports
    for policy in policies:
        if policy not in supports.policies:
            raise UsageError(f"{subject.name} does not support policy {policy!r}: it declares {', '.join(supports.policies)}")
    for size in page_sizes:
        if size not in supports.page_sizes:
            raise UsageError(f"{subject.name} does not support page size {size}: it declares {sizes_text(supports.page_sizes)}")


def check_tier(subject: Subject, modes: Sequence[str], host_pool: int | None) -> None:
    """Raise UsageError unless the subject supports these modes of a host tier, and such a host pool."""
    check_choices(modes=modes)
    known = subject.supports.modes
    for mode in modes:
        if mode not in known:
            declared = f"it declares {', '.join(known)}" if known else "it declares no host tier"
            raise UsageError(f"{subject.name} does not support mode {mode!r}: {declared}")
    if host_pool is not None and not known:
        raise UsageError(f"--host-pool {host_pool}: {subject.name} declares no host tier")
    if host_pool is not None and host_pool < 1:
        raise UsageError(f"--host-pool {host_pool} is too small: give 1 or more tokens")


def check_config(subject: Subject, config: Config) -> None:
    """Raise UsageError unless the subject supports the configuration of a run."""
    check_supported(subject, (config.policy,), (config.page_size,))
    if config.mode:
        check_tier(subject, (config.mode,), None)
