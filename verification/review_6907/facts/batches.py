"""Claims of sglang#6907 about preparing a batch: a chain flattens to the same tokens (C8), and when `as_tensor` copies (C9)."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from random import Random

import torch
from torch import Tensor

from radixcheck.optimized.batch import Batches, HostBatches, StagedBatches
from radixcheck.reference.batch import flattened
from radixcheck.verification.review_6907.fact_results import Tried

Lists = list[list[int]]
TOKEN_MAX = 2**63 - 1
FIXED: tuple[Lists, ...] = ([], [[]], [[], [], []], [[TOKEN_MAX]], [[*range(200_000)], [], [7]], [[1]] * 3_000)
RANDOM = 200  # batches
REQUESTS_MAX, TOKENS_MAX = 12, 40  # of a random one


def lists_of(seed: int) -> Iterator[Lists]:
    """Yield empty, ragged, long and wide batches."""
    random = Random(seed)
    yield from FIXED
    for _ in range(RANDOM):
        requests = random.randrange(REQUESTS_MAX)
        yield [[random.randint(0, TOKEN_MAX) for _ in range(random.randrange(TOKENS_MAX))] for _ in range(requests)]


def equal(seed: int, chained: Callable[[Sequence[Sequence[int]]], list[int]] = flattened) -> Tried:
    """Try whether sums of lists, the chain, and our batches from lists and from arrays hold the same tokens, lengths and starts."""
    makers: tuple[Batches, ...] = (HostBatches(), StagedBatches("cpu"))
    cases = 0
    for lists in lists_of(seed):
        cases += 1
        tokens: list[int] = sum(lists, [])  # noqa: RUF017 - as before sglang#6907
        lengths = [len(one) for one in lists]
        if chained(lists) != tokens:
            return Tried(cases, f"the chain of {len(lists)} lists is not their sum", "")
        for maker in makers:
            for held in (lists, [array("q", one) for one in lists]):
                if [part.tolist() for part in maker.prepare(held)] != [tokens, lengths, [0, *accumulate(lengths)]]:
                    return Tried(cases, f"{type(maker).__name__} makes another batch of {len(lists)} requests", "")
    return Tried(cases, "", f"{cases:,} batches: sum, chain, and ours from lists and arrays, by one and by two copies")


def _of_list(numbers: list[int]) -> tuple[Tensor, Callable[[], None]]:
    def change() -> None:
        numbers[0] += 1

    return torch.as_tensor(numbers), change


def _of_tensor(numbers: list[int]) -> tuple[Tensor, Callable[[], None]]:
    held = torch.tensor(numbers)

    def change() -> None:
        held[0] += 1

    return torch.as_tensor(held), change


def _of_buffer(numbers: list[int]) -> tuple[Tensor, Callable[[], None]]:
    held = array("q", numbers)

    def change() -> None:
        held[0] += 1

    return torch.as_tensor(torch.frombuffer(held, dtype=torch.int64)), change


def _of_tensor_converted(numbers: list[int]) -> tuple[Tensor, Callable[[], None]]:
    held = torch.tensor(numbers)

    def change() -> None:
        held[0] += 1

    return torch.as_tensor(held, dtype=torch.int32), change


def _ours(numbers: list[int]) -> tuple[Tensor, Callable[[], None]]:
    held = array("q", numbers)

    def change() -> None:
        held[0] += 1

    return HostBatches().prepare([held]).tokens, change


Made = Callable[[list[int]], tuple[Tensor, Callable[[], None]]]  # a tensor, and a function that changes its source
SHARING: dict[str, tuple[Made, bool]] = {  # True: the tensor changes with its source
    "as_tensor of a list": (_of_list, False),
    "as_tensor of a tensor": (_of_tensor, True),
    "as_tensor of a tensor, to another type": (_of_tensor_converted, False),
    "as_tensor of an array's buffer": (_of_buffer, True),
    "a batch of ours, of an array": (_ours, False),
}


def aliasing(seed: int, sharing: dict[str, tuple[Made, bool]] = SHARING) -> Tried:
    """Try whether a tensor shares memory with its source exactly where `sharing` says so, by changing the source."""
    random, cases = Random(seed), 0
    for name, (made, shared) in sharing.items():
        for size in (1, 2, 1_000):
            cases += 1
            tensor, change = made([random.randrange(1_000) for _ in range(size)])
            before = int(tensor[0])
            change()
            if (int(tensor[0]) != before) != shared:
                return Tried(cases, f"{name} {'copies' if shared else 'shares memory'}", "")
    return Tried(cases, "", f"{', '.join(name for name, (_, shared) in sharing.items() if shared)}: shared; the others: copied")
