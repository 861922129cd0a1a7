"""A small store whose pages hold known numbers, and copies of pages of it."""

import torch
from late_copies import Failing, Late
from torch import Tensor

from radixcheck.optimized.kv_copier import KVCopier, KVTicket
from radixcheck.optimized.kv_store import KVBuffers

PAGE, PAGES, HOST_PAGES = 2, 8, 12


def buffers(device: str = "cpu") -> Failing:
    """A store whose device slots hold 100 times the layer, and their number, and whose host slots hold 0."""
    store = Failing(2, PAGES * PAGE, HOST_PAGES * PAGE, (), torch.int64, device)
    for number, layer in enumerate(store.device):
        layer.copy_(torch.arange(len(layer), device=device) + 100 * number)
    return store


def page(*numbers: int, size: int = PAGE) -> Tensor:
    """The slots of these pages."""
    return torch.tensor([number * size + i for number in numbers for i in range(size)])


def held(store: KVBuffers | Late, *numbers: int, host: bool = False) -> list[list[int]]:
    """What each layer holds in these pages, less what distinguishes the layers."""
    found = [layer.cpu()[page(*numbers)] - 100 * number for number, layer in enumerate(store.host if host else store.device)]
    return [layer.tolist() for layer in found]


def both(*values: int) -> list[list[int]]:
    """The same in two layers."""
    return [list(values)] * 2


def held_of(source: int) -> list[list[int]]:
    return both(2 * source, 2 * source + 1)


def move(copier: KVCopier, up: bool, sources: Tensor, targets: Tensor, device: str = "cpu") -> KVTicket:
    """Queue a copy of slots that are given on the CPU."""
    return copier.copy(up, sources if up else sources.to(device), targets.to(device) if up else targets)
