"""The input of a forward pass: the tokens of all requests of a batch in one list, and where those of each begin.

request      0           1      2
tokens    [ 5 6 7 ]   [ ]    [ 8 9 ]   ->   5 6 7 8 9
lengths      3           0      2
starts    0           3      3         5        request i has tokens[starts[i] : starts[i + 1]]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from radixcheck.spec.values import BadKey, check_sequence, check_tokens


@dataclass(frozen=True, slots=True)
class Batch:
    """The requests of one batch, end to end."""

    tokens: list[int]
    lengths: list[int]  # one for each request
    starts: list[int]  # one more than there are requests: the last is where the tokens end


def prepare(requests: Sequence[Sequence[int]]) -> Batch:
    """Return the batch of these requests, in this order. Raises BadKey."""
    check_sequence(requests, BadKey)
    checked = [check_tokens(tokens) for tokens in requests]
    lengths = [len(tokens) for tokens in checked]
    return Batch(flattened(checked), lengths, [0, *accumulate(lengths)])


def flattened(requests: Sequence[Sequence[int]]) -> list[int]:
    """Return all tokens in one list, each copied once (C8: what sglang#6907 proposes)."""
    return list(chain.from_iterable(requests))
