"""Copies of KV that fail: no ticket is lost, and none is done while the device may still write."""

import pytest
import torch
from kv_pages import buffers, held, held_of, move, page
from late_copies import Late, LateEvent
from torch import Tensor

from radixcheck.optimized.kv_copier import KVCopier


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA error: unspecified launch failure"), torch.OutOfMemoryError("no staging"), MemoryError()]
)
def test_a_transfer_that_raises_fails_its_copies_and_they_can_be_issued_again(device: str, error: Exception) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    store.error, store.numbers = error, [1]
    load = move(copier, True, page(0), page(7), device)
    backups = [move(copier, False, page(number), page(number), device) for number in (3, 1)]

    assert copier.flush() == 3
    for ticket in (load, *backups):
        ticket.wait()

    assert [ticket.done for ticket in (load, *backups)] == [True] * 3
    assert [ticket.failed for ticket in (load, *backups)] == [False, True, True]
    assert [ticket.error for ticket in (load, *backups)] == [None, error, error]
    assert load.wait_on_device()
    assert not backups[0].wait_on_device()
    again = move(copier, False, page(3), page(3), device)
    again.wait()
    assert (again.failed, held(store, 3, host=True)) == (False, held_of(3))


def test_backups_behind_a_failed_load_fail(device: str) -> None:
    """The device's slots are not read, so each of them may be what the load was to fill."""
    store = buffers(device)
    copier = KVCopier(store)
    store.error, store.numbers = RuntimeError("planted"), [0]
    backup, load = move(copier, False, page(4), page(1), device), move(copier, True, page(0), page(4), device)

    copier.flush()

    assert (load.failed, backup.failed) == (True, True)


def test_copies_behind_a_failed_one_fail_where_they_may_have_needed_it(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    store.error, store.numbers = RuntimeError("planted"), [1]
    copies = [(False, 5, 5), (False, 3, 1), (True, 1, 4), (False, 6, 6)]
    tickets = [move(copier, up, page(source), page(target), device) for up, source, target in copies]

    copier.flush()
    for ticket in tickets:
        ticket.wait()

    assert [ticket.failed for ticket in tickets] == [False, True, True, True]
    assert held(store, 4) == held_of(4)
    assert held(store, 5, host=True) == held_of(5)


def test_a_copy_that_fails_half_way_is_not_done_before_its_first_half_is() -> None:
    """Until then the device writes its targets: they must not be freed."""
    late = Halting(buffers())
    copier = KVCopier(late, late)
    ticket = move(copier, False, page(0, 1), page(0, 1))

    copier.flush()

    assert (ticket.done, ticket.failed, str(ticket.error)) == (False, False, "half way")
    assert not ticket.wait_on_device()
    assert (ticket.done, ticket.failed) == (True, True)


class Halting(Late):
    """It records the first half, and raises."""

    def backup(self, device_slots: Tensor, host_slots: Tensor) -> None:
        """Record half of it."""
        half = len(host_slots) // 2
        super().backup(device_slots[:half], host_slots[:half])
        raise RuntimeError("half way")


@pytest.mark.parametrize("question", ["done", "wait"])
def test_an_event_that_reports_an_error_fails_the_copy(question: str) -> None:
    late = Late(buffers())
    copier = KVCopier(late, late)
    ticket = move(copier, False, page(0), page(0))
    copier.flush()
    late.broken = RuntimeError("an illegal memory access was encountered")

    if question == "wait":
        ticket.wait()

    assert (ticket.done, ticket.failed, ticket.error) == (True, True, late.broken)


def test_a_stream_that_cannot_record_an_event_fails_its_copies() -> None:
    late = Broken(buffers())
    copier = KVCopier(late, late)
    tickets = [move(copier, False, page(0), page(0)), move(copier, True, page(1), page(1))]

    copier.flush()

    assert [(ticket.done, ticket.failed, str(ticket.error)) for ticket in tickets] == [(True, True, "no event")] * 2


class Broken(Late):
    """A stream without events."""

    def record(self) -> LateEvent:
        """Raise."""
        raise RuntimeError("no event")
