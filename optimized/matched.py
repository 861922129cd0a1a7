"""The result of a match. Its slots are joined only when they are read."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from radixcheck.optimized.node import Node


class Matched(NamedTuple):
    """The longest cached prefix of a key, in whole pages: has the fields of `radixcheck.spec.values.Match`."""

    length: int  # tokens
    node: Node  # handle of the node that ends there; `lock` takes it
    pieces: Sequence[Tensor]  # the slots of each node on the path; never written to: a split makes new ones

    @property
    def slots(self) -> Tensor:
        """One slot for each of these tokens, in order, as they were at the match: a new tensor (int64, one dimension) at each read."""
        return joined(self.pieces)


class Inserted(NamedTuple):
    """The result of an insert."""

    present: int  # tokens that were cached already; the tree owns the caller's other slots of whole pages now
    match: Matched  # the whole pages of the key, all cached now


def joined(pieces: Sequence[Tensor]) -> Tensor:
    """Return these tensors, at least one, joined in one with a storage of its own; one operation."""
    return pieces[0].clone() if len(pieces) == 1 else torch.cat(tuple(pieces))
