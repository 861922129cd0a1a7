"""Which slots the tree has, and comparisons of slots that never wait for a device."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

Told = Callable[[], None]  # reports a comparison that has failed
Place = tuple[int, str]  # the number of a call, and its verb


class Verdicts:
    """Takes the results of comparisons. On a CPU they are read at once; on another device when its stream has reached them, so that a
    finding there may be reported some calls after its own, as one of its own call."""

    def __init__(self, event: Callable[[], Any] | None) -> None:
        """Take what makes an event of the device; None: its results can be read at once."""
        self.about: Place = (0, "")  # the call that compares now
        self._event = event
        self._pending: deque[tuple[Any, Tensor, Place, Told]] = deque()  # event, a copy of the result on the host, the call, what to tell

    def take(self, bad: Tensor, told: Told) -> None:
        """Take the result of a comparison: `bad` holds one boolean."""
        if self._event is None:
            if bad:
                told()
            return
        event, copy = self._event(), torch.empty((), dtype=torch.bool, pin_memory=bad.is_cuda)
        copy.copy_(bad, non_blocking=True)
        event.record()
        self._pending.append((event, copy, self.about, told))

    def poll(self) -> None:
        """Tell what has failed of the comparisons that are done, about the calls that compared."""
        now = self.about
        while self._pending and self._pending[0][0].query():
            _, bad, self.about, told = self._pending.popleft()
            if bad:
                told()
        self.about = now


class SlotTable:
    """For each slot of the pool, whether the tree has it."""

    def __init__(self, slots: int, device: torch.device) -> None:
        self.verdicts = Verdicts(torch.cuda.Event if device.type == "cuda" else None)
        self._place = torch.zeros(slots, dtype=torch.int32, device=device)  # in the run that brought it, from 1; 0: the tree has it not
        self._counted = torch.arange(1, slots + 1, dtype=torch.int32, device=device)
        self._last = slots - 1

    def clear(self) -> None:
        """Forget all slots."""
        self._place.zero_()

    def claim(self, slots: Tensor, told: Told) -> None:
        """The tree gets these slots. Failed: it had one of them, one occurs twice, or one is outside the pool."""
        inside = slots.clamp(0, self._last)
        had = self._place[inside].any()
        numbers = self._counted[: len(slots)]
        self._place[inside] = numbers
        self.verdicts.take(had | (self._place[inside] != numbers).any() | (inside != slots).any(), told)

    def release(self, slots: Tensor) -> None:
        """The tree has these slots no more."""
        self._place[slots.clamp(0, self._last)] = 0

    def expect_foreign(self, slots: Tensor, told: Told) -> None:
        """Failed: the tree has one of these slots."""
        self.verdicts.take(self._place[slots.clamp(0, self._last)].any(), told)

    def expect_equal(self, found: Tensor, expected: Tensor, told: Told) -> None:
        """Failed: the two differ, in length or in a slot."""
        if found.shape != expected.shape:
            told()
        else:
            self.verdicts.take((found != expected).any(), told)


def joined(parts: Sequence[Tensor], nothing: Tensor) -> Tensor:
    """Return the parts one behind the other."""
    return parts[0] if len(parts) == 1 else torch.cat(list(parts)) if parts else nothing
