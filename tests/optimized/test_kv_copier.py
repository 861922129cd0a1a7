"""The copier of KV: batches, their order, tickets, failures, launches; at random beside a dictionary of what every slot holds."""

from collections.abc import Iterator

import pytest
import torch
from late_copies import Failing, Late, LateEvent
from torch import Tensor

from radixcheck.optimized.kv_copier import KVCopier, KVTicket
from radixcheck.optimized.kv_store import KVBuffers

PAGE, PAGES, HOST_PAGES = 2, 8, 12


def buffers(device: str = "cpu") -> Failing:
    """A store whose device slots hold 100 times the layer, and their number, and whose host slots hold 0."""
    store = Failing(2, PAGES * PAGE, HOST_PAGES * PAGE, (), torch.int64, device)
    for number, layer in enumerate(store.device):
        layer.copy_(torch.arange(len(layer)) + 100 * number)
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


def busy(device: str) -> None:
    """Give a device that does not wait work that comes before all that follows."""
    if device != "cpu":
        work = torch.eye(4096, device=device)
        for _ in range(100):
            work = work @ work


def move(copier: KVCopier, up: bool, sources: Tensor, targets: Tensor, device: str = "cpu") -> KVTicket:
    """Queue a copy of slots that are given on the CPU."""
    return copier.copy(up, sources if up else sources.to(device), targets.to(device) if up else targets)


# Tickets


def test_a_copy_is_queued_until_a_flush(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    ticket = move(copier, False, page(3), page(1), device)

    assert (ticket.done, ticket.failed, copier.launches) == (False, False, 0)
    assert held(store, 1, host=True) == [[0, 0], [-100, -100]]
    assert copier.flush() == 1
    ticket.wait()
    assert (ticket.done, ticket.failed, ticket.error) == (True, False, None)
    assert held(store, 1, host=True) == both(6, 7)


def test_an_empty_flush_launches_nothing(device: str) -> None:
    copier = KVCopier(buffers(device))

    assert (copier.flush(), copier.flush(), copier.launches) == (0, 0, 0)
    move(copier, False, page(3), page(1), device).wait()
    launches = copier.launches
    assert (copier.flush(), copier.launches) == (0, launches)


def test_to_wait_for_a_ticket_issues_all_that_is_queued_and_once(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    first, second = (move(copier, False, page(number), page(number), device) for number in (4, 5))

    second.wait()
    launches = copier.launches
    first.wait()
    second.wait()

    assert (first.done, second.done, copier.launches) == (True, True, launches)
    assert held(store, 4, 5, host=True) == both(8, 9, 10, 11)


def test_a_backup_reads_what_the_current_stream_has_been_given_to_write_and_the_host_does_not_wait(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    ticket = move(copier, False, page(3), page(0), device)
    busy(device)
    for layer in store.device:
        layer[page(3).to(device)] += 1000

    copier.flush()

    assert ticket.done is (device == "cpu")  # the device is still busy
    ticket.wait()
    assert held(store, 0, host=True) == both(1006, 1007)


def test_the_current_stream_waits_for_a_load_on_the_device(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    move(copier, False, page(6), page(0), device).wait()
    busy(device)
    ticket = move(copier, True, page(0), page(1), device)

    assert ticket.wait_on_device()
    read = store.device[0][page(1).to(device)] * 2

    assert read.tolist() == [24, 26]
    assert ticket.wait_on_device()


def test_done_asks_the_event_without_waiting_and_a_later_flush_does_not_finish_an_earlier_one() -> None:
    late = Late(buffers())
    copier = KVCopier(late, late)
    tickets = []
    for number in range(4):
        tickets.append(move(copier, False, page(number), page(number)))
        copier.flush()

    assert [ticket.done for ticket in tickets] == [False] * 4
    late.advance(2)
    assert [ticket.done for ticket in tickets] == [True, True, False, False]
    tickets[2].wait()
    assert [ticket.done for ticket in tickets] == [True, True, True, False]
    assert held(late, 0, 1, 2, host=True) == both(*range(6))
    assert held(late, 3, host=True) == [[0, 0], [-100, -100]]
    assert tickets[3].wait_on_device()
    assert held(late, 3, host=True) == both(6, 7)


def test_the_stream_of_copies_is_behind_the_current_one_and_keeps_what_it_uses() -> None:
    late = Late(buffers())
    copier = KVCopier(late, late)
    assert late.used == [*late.device]
    sources = [page(3), page(5)]
    for number, source in enumerate(sources):
        move(copier, False, source, page(number))
    back = page(7)
    move(copier, True, page(9), back)
    assert late.entered == 0

    copier.flush()

    assert late.entered == 2  # once for each direction
    assert {id(tensor) for tensor in late.used[len(late.device) :]} == {id(tensor) for tensor in (*sources, back)}


# Order


def plan(number: int, copier: KVCopier, device: str) -> Iterator[KVTicket]:
    """Each of the orders that a caller may issue in one batch. Host page 0 holds device page 6 before."""
    orders = [
        [(False, 3, 1), (True, 1, 4)],  # the load reads what the backup writes
        [(True, 0, 4), (False, 4, 1)],  # the backup reads what the load writes
        [(True, 0, 4), (False, 3, 0)],  # the backup writes what the load reads
        [(False, 3, 1), (False, 5, 1)],  # two backups to one page: the later one stays
        [(False, 3, 1), (True, 1, 4), (False, 4, 2), (True, 2, 5)],
        [(True, 0, 4), (False, 4, 1), (True, 1, 5), (False, 7, 0)],
        [(False, 3, 2), (True, 0, 4), (False, 5, 1)],
    ]
    for up, source, target in orders[number]:
        yield move(copier, up, page(source), page(target), device)


EXPECTED = [
    ({4: 3}, {0: 6, 1: 3}),
    ({4: 6}, {0: 6, 1: 6}),
    ({4: 6}, {0: 3}),
    ({}, {0: 6, 1: 5}),
    ({4: 3, 5: 3}, {0: 6, 1: 3, 2: 3}),
    ({4: 6, 5: 6}, {0: 7, 1: 6}),
    ({4: 6}, {0: 6, 1: 5, 2: 3}),
]


@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_a_batch_has_the_effect_of_its_copies_in_the_order_of_the_queue(device: str, number: int) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    move(copier, False, page(6), page(0), device).wait()

    tickets = [*plan(number, copier, device)]
    copier.flush()
    for ticket in tickets:
        ticket.wait()

    changed, kept = EXPECTED[number]
    for target in range(PAGES):
        source = changed.get(target, target)
        assert held(store, target) == held_of(source)
    for target, source in kept.items():
        assert held(store, target, host=True) == held_of(source)


def held_of(source: int) -> list[list[int]]:
    return both(2 * source, 2 * source + 1)


def test_only_what_depends_on_another_copy_is_issued_by_itself() -> None:
    """One backup and one load take three launches each. What was written in an earlier batch does not count."""
    copier = KVCopier(buffers())
    launches = []
    for batch in (
        [(False, 0, 0), (True, 0, 1)],
        [(True, 0, 1), (False, 0, 1)],
        [(False, 0, 0), (False, 1, 1)],
        [(False, 0, 0), (False, 1, 0)],
    ):
        before = copier.launches
        for up, source, target in batch:
            move(copier, up, page(source), page(target))
        copier.flush()
        launches.append(copier.launches - before)

    assert launches == [6, 6, 4, 6]


def test_loads_go_first_where_the_order_does_not_matter() -> None:
    late = Late(buffers())
    copier = KVCopier(late, late)
    backup, load = move(copier, False, page(0), page(0)), move(copier, True, page(1), page(1))

    copier.flush()
    late.advance(1)

    assert (load.done, backup.done) == (True, False)


# Launches


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("up", [False, True])
def test_any_number_of_copies_is_one_gather_and_one_transfer_if_the_host_has_them_side_by_side(device: str, count: int, up: bool) -> None:
    """Whatever their order: the pool of the host gives its highest free pages first. Joining the slots on the device is one more launch."""
    store = buffers(device)
    copier = KVCopier(store)
    for number in range(count):
        on_device, on_host = page(number), page(count - number)
        move(copier, up, *((on_host, on_device) if up else (on_device, on_host)), device)

    copier.flush()

    assert (store.kernels, store.transfers, copier.launches) == (2, 1, 3 + (count > 1))


def test_a_fragmented_host_takes_one_transfer_for_each_run(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    for on_device, on_host in ((0, 9), (1, 2), (2, 6), (3, 3)):
        move(copier, False, page(on_device), page(on_host), device)

    copier.flush()

    assert (store.kernels, store.transfers, copier.launches) == (2, 3, 6)


# Failures


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


def test_wrong_slots_are_refused_at_once_and_the_others_go(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    good = move(copier, False, page(3), page(1), device)
    for up, sources, targets in ((False, page(0), page(HOST_PAGES)), (True, page(0), page(0, 1)), (True, page(0).int(), page(0))):
        with pytest.raises(ValueError, match="expected "):
            move(copier, up, sources, targets, device)

    assert copier.flush() == 1
    good.wait()
    assert not good.failed


def test_integers_are_slots_too(device: str) -> None:
    """The reference cache has lists and tuples."""
    store = buffers(device)
    copier = KVCopier(store)

    copier.copy(False, [6, 7], (2, 3)).wait()

    assert held(store, 1, host=True) == held_of(3)
