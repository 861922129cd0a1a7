"""What to check, compared with what a subject supports before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.config import Config
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.search.diff import POOL_PAGES

REQUEST_PAGES = 5  # of the longest request that the drivers make


@dataclass(frozen=True, slots=True)
class Request:
    """The policies, page sizes, pool, device and seed with which to check a subject."""

    policies: tuple[str, ...]
    page_sizes: tuple[int, ...]  # tokens
    pool: int | None  # tokens; None: several small pools
    device: str
    seed: int

    def both(self, other: "Request") -> "Request":
        """Return what two requests share. Raise UsageError if they share no policy or no page size."""
        policies = tuple(p for p in self.policies if p in other.policies)
        sizes = tuple(s for s in self.page_sizes if s in other.page_sizes)
        if not policies or not sizes:
            raise UsageError("the two subjects share no policy or no page size")
        return Request(policies, sizes, self.pool, self.device, self.seed)

    def configs(self) -> tuple[Config, ...]:
        """Return a configuration for each policy, page size and pool."""
        return tuple(
            Config(policy, size, self.pool or size * pages, self.device)
            for pages in POOL_PAGES
            for size in self.page_sizes
            for policy in self.policies
        )


def request_for(
    subject: Subject, policies: Sequence[str], page_sizes: Sequence[int], pool: int | None = None, device: str = "cpu", seed: int = 0
) -> Request:
    """Return what to check. Without policies or page sizes: all that the subject supports. Raise UsageError if it does not support them."""
    check(subject, policies, page_sizes)
    sizes = tuple(page_sizes) or subject.supports.page_sizes
    need = REQUEST_PAGES * max(sizes)
    if pool is not None and pool < need:
        raise UsageError(f"--pool {pool} is smaller than one request of {REQUEST_PAGES} pages of {max(sizes)}: give at least {need}")
    return Request(tuple(policies) or subject.supports.policies, sizes, pool, device, seed)


def check(subject: Subject, policies: Sequence[str], page_sizes: Sequence[int]) -> None:
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
