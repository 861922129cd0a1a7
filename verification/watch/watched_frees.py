"""The frees of an allocator of SGLang, each once: its methods call each other."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import torch
from torch import Tensor

Freed = Callable[[Tensor], None]
WHOLE = ("free", "free_segment", "free_full", "free_full_segment")  # their first argument: slots
PARTS = ("free_segments", "free_full_segments")  # their first argument: pairs of slots and a position
PAGES = "free_page_ids"
GROUP_END = "free_group_end"  # frees again what was held back since the group began


def watch_frees(allocator: Any, freed: Freed) -> None:
    """Tell `freed` what each outermost free of this allocator gives back: some are views of rows, which are written to later."""
    page_size: int = allocator.page_size
    inside = False

    def around(name: str, given: Callable[[Any], list[Tensor]]) -> None:
        method = getattr(allocator, name, None)
        if method is None:
            return

        def watched(*arguments: Any, **named: Any) -> Any:
            nonlocal inside
            if inside:
                return method(*arguments, **named)
            if arguments and not isinstance(arguments[0], Tensor):
                arguments = ([*arguments[0]], *arguments[1:])  # may be an iterator
            inside = True
            try:
                result = method(*arguments, **named)
            finally:
                inside = False
            for slots in given(arguments[0] if arguments else next(iter(named.values()), None)):
                if len(slots):
                    freed(slots.to(torch.int64))
            return result

        setattr(allocator, name, update_wrapper(watched, method))

    for name in WHOLE:
        around(name, lambda slots: [slots])
    for name in PARTS:
        around(name, lambda segments: [slots for slots, _ in segments])
    around(PAGES, lambda pages: [_slots_of(pages, page_size)])
    around(GROUP_END, lambda _: [])


def _slots_of(pages: Tensor, page_size: int) -> Tensor:
    return (pages[:, None] * page_size + torch.arange(page_size, device=pages.device)).reshape(-1)
