"""KV that shows what it is for: each item of a store is the content tag of the prefix that its token ends, on both tiers."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from radixcheck.optimized import Tags
from radixcheck.optimized.kv_store import KVStore
from radixcheck.optimized.tags import HasTokens
from radixcheck.spec.values import Key, Namespace

LENGTH_MAX = 256  # tokens of a key


class Given(NamedTuple):
    """Slots to be checked."""

    slots: Tensor


def tags_over(layer: Tensor, number: int, namespaces: Sequence[Namespace]) -> Tags:
    """Tags that are kept in a layer, on either tier: other ones in each layer, the same on both tiers."""
    tags = Tags(0, layer.device)
    tags.content = layer
    for namespace in (*(("layer", before) for before in range(number)), *namespaces):
        tags.write(layer[:0], Key((), namespace), 0)  # which numbers the namespace
    return tags


class TaggedKV:
    """The tags of a store of int64 whose items have no dimension."""

    def __init__(self, store: KVStore, namespaces: Sequence[Namespace] = ((),)) -> None:
        self.device = [tags_over(layer, number, namespaces) for number, layer in enumerate(store.device)]
        self.host = [tags_over(layer, number, namespaces) for number, layer in enumerate(store.host)]
        scratch = [torch.zeros(LENGTH_MAX, dtype=torch.int64) for _ in store.host]
        self._expected = [tags_over(layer, number, namespaces) for number, layer in enumerate(scratch)]

    def compute(self, slots: Tensor, key: HasTokens, start: int = 0) -> None:
        """Write what a forward pass would: the KV of the tokens from `start` on."""
        for tags in self.device:
            tags.write(slots, key, start)

    def check(self, slots: Tensor, key: HasTokens) -> None:
        """Raise TagMismatch unless each slot of the device holds the token of `key` at its place, in every layer."""
        for tags in self.device:
            tags.check(Given(slots), key)

    def wrong(self, slots: Tensor, key: HasTokens, start: int, on_host: bool) -> list[int]:
        """Return the places of tokens from `start` on whose slot, on one tier, holds something else in some layer."""
        found = set[int]()
        for expected, tags in zip(self._expected, self.host if on_host else self.device, strict=True):
            expected.write(torch.arange(len(key.tokens)), key, 0)
            differ = tags.content[slots].cpu() != expected.content[start : start + len(slots)]
            found.update((differ.nonzero().view(-1) + start).tolist())
        return sorted(found)
