"""What a forward pass is given of a batch: all tokens in one list, and where each request's lie in it.

request      0           1      2
tokens    [ 5 6 7 ]   [ ]    [ 8 9 ]   ->   5 6 7 8 9
lengths      3           0      2
starts    0           3      3         5        request i has tokens[starts[i] : starts[i + 1]]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from radixcheck.spec.values import check_tokens


@dataclass(frozen=True, slots=True)
class Batch:
    """The requests of one batch, end to end."""

    tokens: list[int]
    lengths: list[int]  # one for each request
    starts: list[int]  # one more than requests: the last is where the tokens end


def prepared(requests: Sequence[Sequence[int]]) -> Batch:
    """The batch of these requests, in this order. Raises `BadKey` for what is no token."""
    for tokens in requests:
        check_tokens(tokens)
    lengths = [len(tokens) for tokens in requests]
    return Batch(flattened(requests), lengths, [0, *accumulate(lengths)])


def flattened(requests: Sequence[Sequence[int]]) -> list[int]:
    """All tokens, each moved once (C8: what sglang#6907 proposes)."""
    return list(chain.from_iterable(requests))


def flattened_quadratic(requests: Sequence[list[int]]) -> list[int]:
    """The same, as it was before: each sum is a new list, so that the first tokens are moved once for each request behind them.

    >>> flattened_quadratic([[5, 6, 7], [], [8, 9]]) == flattened([[5, 6, 7], [], [8, 9]])
    True
    """
    return sum(requests, [])  # noqa: RUF017 - that is the point
