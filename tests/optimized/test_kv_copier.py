"""The copier of KV: tickets, batches, their order, launches."""

from collections.abc import Iterator

import pytest
import torch
from kv_pages import HOST_PAGES, PAGES, both, buffers, held, held_of, move, page
from late_copies import Late

from radixcheck.optimized.kv_copier import KVCopier, KVTicket


def busy(device: str) -> None:
    """Give a device that does not wait work that comes before all that follows."""
    if device != "cpu":
        work = torch.eye(4096, device=device)
        for _ in range(100):
            work = work @ work


# Tickets


def test_a_copy_is_queued_until_a_flush(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    ticket = move(copier, False, page(3), page(1), device)

    assert (ticket.done, ticket.failed, ticket.error, copier.launches) == (False, False, None, 0)
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
    slots = page(3).to(device)  # waits for the device, so before it is busy
    ticket = copier.copy(False, slots, page(0))
    busy(device)
    for layer in store.device:
        layer[slots] += 1000

    copier.flush()

    assert ticket.done is (device == "cpu")  # another device is still busy
    ticket.wait()
    assert held(store, 0, host=True) == both(1006, 1007)


def test_the_current_stream_waits_for_a_load_on_the_device_and_the_host_does_not(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    move(copier, False, page(6), page(0), device).wait()
    slots = page(1).to(device)
    ticket = copier.copy(True, page(0), slots)
    busy(device)

    copier.flush()
    assert ticket.done is (device == "cpu")
    assert ticket.wait_on_device()
    read = store.device[0][slots] * 2

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
    for flushes in (1, 2):
        for number in range(count):
            on_device, on_host = page(number), page(count - number)
            move(copier, up, *((on_host, on_device) if up else (on_device, on_host)), device)
        copier.flush()
        assert (store.kernels, store.transfers, copier.launches) == (2 * flushes, flushes, flushes * (3 + (count > 1)))


def test_a_fragmented_host_takes_one_transfer_for_each_run(device: str) -> None:
    store = buffers(device)
    copier = KVCopier(store)
    for on_device, on_host in ((0, 9), (1, 2), (2, 6), (3, 3)):
        move(copier, False, page(on_device), page(on_host), device)

    copier.flush()

    assert (store.kernels, store.transfers, copier.launches) == (2, 3, 6)


# Slots


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


def test_integers_are_slots_too_and_go_to_their_tier_whatever_the_default_device_is(device: str) -> None:
    """The reference cache has lists and tuples."""
    with torch.device("meta"):
        store = buffers(device)
        copier = KVCopier(store)
        copies = [copier.copy(False, [6, 7], (2, 3)), copier.copy(False, (8,), [0]), copier.copy(True, [9], (1,))]
        copier.flush()
        with pytest.raises(ValueError, match="at least one"):
            copier.copy(True, [], [])

    assert [(copy.device_slots.device.type, copy.host_slots.device.type) for copy in copies] == [(device, "cpu")] * 3
    copies[0].wait()
    assert [layer.device.type for layer in store.host] == ["cpu"] * 2
    assert held(store, 1, host=True) == held_of(3)


def test_integers_are_copied_to_a_device_that_is_not_the_cpu() -> None:
    copier = KVCopier(buffers("meta"))

    assert copier.copy(True, [0], [1]).device_slots.device.type == "meta"
