"""Containers of slots, of whatever type a cache uses: lists, arrays and tensors."""

from array import array
from collections.abc import Sequence
from importlib import import_module
from itertools import chain
from typing import Any

from radixcheck.verification.checker import plain_values


def as_ints(slots: Any) -> tuple[int, ...]:
    """Convert slots to integers from any container (a list, an array, a tensor)."""
    listed = slots.tolist() if hasattr(slots, "tolist") else slots
    return tuple(plain_values.items_of(listed, "slots")) if isinstance(listed, Sequence) else (listed,)


def overwrite(container: Any) -> bool:
    """Overwrite every slot in a container with -1 (an unsigned array with 0). Return whether it can be written to."""
    if type(container) is list:
        container[:] = [-1] * len(container)
    elif hasattr(container, "fill_"):  # a tensor
        container.fill_(-1)
    elif hasattr(container, "fill"):  # an array of NumPy
        container.fill(-1)
    elif isinstance(container, array):
        container[:] = array(container.typecode, [-container.typecode.islower()] * len(container))
    else:
        return False
    return True


def joined(parts: Sequence[Any]) -> Any:
    """Return the slots of these containers in one container of the same type.

    >>> joined([[4, 5], [0, 1]])
    [4, 5, 0, 1]
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    if hasattr(first, "new_tensor"):
        return first.new_tensor([slot for part in parts for slot in as_ints(part)])
    if hasattr(first, "__array__"):
        return import_module("numpy").concatenate(parts)
    return type(first)(chain.from_iterable(parts))
