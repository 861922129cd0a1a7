"""What a match found, and its slots, which are put together only for those who ask."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from radixcheck.optimized.node import Node


class Matched(NamedTuple):
    """The longest cached prefix of a key, in whole pages; says what `radixcheck.spec.values.Match` says."""

    length: int  # tokens
    node: Node  # handle of the node that ends there; `lock` takes it
    pieces: Sequence[Tensor]  # slots as the nodes have them: nobody writes into these, and a split makes new ones

    @property
    def slots(self) -> Tensor:
        """One slot for each of these tokens, in order, as they were at the match: a new tensor for each reader."""
        return joined(self.pieces)


class Inserted(NamedTuple):
    """What came of an insert."""

    present: int  # tokens that were cached already; the slots behind these that the caller gave, in whole pages, are the tree's now
    match: Matched  # the whole pages of the key, all of them cached now


def joined(pieces: Sequence[Tensor]) -> Tensor:
    """These, of which there is one at least, in a tensor with storage of its own, made by one operation."""
    return pieces[0].clone() if len(pieces) == 1 else torch.cat(tuple(pieces))
