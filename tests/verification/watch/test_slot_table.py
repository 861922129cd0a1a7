"""Which slots the tree has; comparisons are reported at once, or when the device is done."""

from collections.abc import Callable

import torch

from radixcheck.verification.watch.slot_table import SlotTable, Verdicts


class Event:
    """An event of a device that is done when the test says so."""

    done = False

    def record(self) -> None:
        """The device will come to it."""

    def query(self) -> bool:
        return Event.done


def slots(device: str, *numbers: int) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.int64, device=device)


class Told:
    """Counts what was reported; on a device after all of its work is done."""

    def __init__(self, table: SlotTable) -> None:
        self.table, self.count = table, 0

    def __call__(self) -> None:
        self.count += 1

    def after(self, act: Callable[[], None]) -> int:
        before = self.count
        act()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.table.verdicts.poll()
        return self.count - before


def test_slots_are_claimed_once_and_each_once(device: str) -> None:
    table = SlotTable(16, torch.device(device))
    told = Told(table)

    assert told.after(lambda: table.claim(slots(device, 3, 4, 5), told)) == 0
    assert told.after(lambda: table.claim(slots(device, 6, 5), told)) == 1
    table.release(slots(device, 3, 4, 5, 6))
    assert told.after(lambda: table.claim(slots(device, 5, 6), told)) == 0
    assert told.after(lambda: table.claim(slots(device, 7, 7), told)) == 1
    assert told.after(lambda: table.claim(slots(device, 16), told)) == 1
    assert told.after(lambda: table.claim(slots(device, -1), told)) == 1


def test_slots_of_the_tree_are_not_foreign(device: str) -> None:
    table = SlotTable(16, torch.device(device))
    told = Told(table)
    table.claim(slots(device, 3, 4), told)

    assert told.after(lambda: table.expect_foreign(slots(device, 5, 6), told)) == 0
    assert told.after(lambda: table.expect_foreign(slots(device, 5, 4), told)) == 1
    assert told.after(lambda: table.expect_foreign(slots(device), told)) == 0
    table.clear()
    assert told.after(lambda: table.expect_foreign(slots(device, 3, 4), told)) == 0


def test_slots_are_compared_in_length_and_in_order(device: str) -> None:
    table = SlotTable(16, torch.device(device))
    told = Told(table)

    assert told.after(lambda: table.expect_equal(slots(device, 1, 2), slots(device, 1, 2), told)) == 0
    assert told.after(lambda: table.expect_equal(slots(device, 1, 2), slots(device, 2, 1), told)) == 1
    assert told.after(lambda: table.expect_equal(slots(device, 1, 2), slots(device, 1), told)) == 1


def test_a_result_of_a_device_is_reported_when_it_is_there_about_the_call_that_compared() -> None:
    verdicts, told = Verdicts(Event), list[tuple[int, str]]()
    for number, bad in ((1, True), (2, False), (3, True)):
        verdicts.about = number, "match"
        verdicts.take(torch.tensor(bad), lambda: told.append(verdicts.about))
    verdicts.about = 4, "evict"

    verdicts.poll()
    assert told == []
    Event.done = True
    verdicts.poll()
    Event.done = False

    assert told == [(1, "match"), (3, "match")]
    assert verdicts.about == (4, "evict")
