"""What was asked for, against what a subject supports: checked before anything is run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.protocol import Supports
from radixcheck.verification.subjects.registry import Subject, UsageError, name_of

if TYPE_CHECKING:
    from radixcheck.verification.runs.outcome import Request


def asked_of(
    subject: Subject, policies: Sequence[str], page_sizes: Sequence[int], pool: int | None = None, device: str = "cpu", seed: int = 0
) -> "Request":
    """What to check, with all that the subject supports where nothing is asked for. Raises `UsageError`."""
    from radixcheck.verification.runs.outcome import Request

    supports = check(subject, policies, page_sizes, device)
    sizes = tuple(page_sizes) or supports.page_sizes
    if pool is not None and pool < 5 * max(sizes):
        need = 5 * max(sizes)
        raise UsageError(f"--pool {pool} is smaller than one request of 5 pages of {max(sizes)}: give at least {need}")
    return Request(tuple(policies) or supports.policies, sizes, pool, device, seed)


def check(subject: Subject, policies: Sequence[str], page_sizes: Sequence[int], device: str) -> Supports:
    """Whether these can be used together; what the subject supports. Raises `UsageError`."""
    from radixcheck.verification.search.verify import supported

    for policy in policies:
        if policy not in POLICIES:
            raise UsageError(f"unknown policy {policy!r}: choose from {', '.join(POLICIES)}")
    for size in page_sizes:
        if size < 1:
            raise UsageError(f"page size {size} makes no sense: give 1 or more tokens")
    _check_device(device)
    supports, _ = supported(subject, device)
    for size in page_sizes:
        if size not in supports.page_sizes:
            listed = ", ".join(map(str, supports.page_sizes))
            raise UsageError(f"{name_of(subject)} does not support page size {size}: it declares {listed}")
    for policy in policies:
        if policy not in supports.policies:
            raise UsageError(f"{name_of(subject)} does not support policy {policy!r}: it declares {', '.join(supports.policies)}")
    return supports


def _check_device(device: str) -> None:
    if device == "cpu":
        return
    kind, _, number = device.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise UsageError(f"unknown device {device!r}: give cpu, cuda or cuda:N")
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError("--device cuda needs torch: pip install 'radixcheck[torch]'") from error
    if int(number or 0) >= torch.cuda.device_count():
        raise UsageError(f"--device {device}: this machine has {torch.cuda.device_count()} such devices; use --device cpu")
