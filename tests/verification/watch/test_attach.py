"""A watch around one cache, which is ours: what it learns of each call, and that the cache does as it did."""

import random
from array import array
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from engine_types import Key, Scheduler, parameters, results
from torch import Tensor

from radixcheck.optimized.integrations.sglang_cache import cache_class
from radixcheck.verification.watch.attach import attach
from radixcheck.verification.watch.our_view import OurView
from radixcheck.verification.watch.tree_view import TreeView
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, LOCK, MATCH, READ, RESET, UNLOCK, Call
from radixcheck.verification.watch.watched_frees import watch_frees


@dataclass
class Notes:
    """A watch that only takes note."""

    view: TreeView
    calls: list[Call] = field(default_factory=list)
    running: Call | None = None
    outside: list[Tensor] = field(default_factory=list)  # slots that were freed between calls
    removed: list[Any] = field(default_factory=list)
    raises: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def begin(self, verb: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Call | None:
        if self.running is not None:
            return None
        self.running = Call(len(self.calls) + 1, verb, arguments, named)
        return self.running

    def end(self, call: Call) -> None:
        self.running = None
        self.calls.append(call)

    def raised(self, call: Call) -> None:
        self.running = None
        self.raises.append(call.verb)

    def touched(self, node: Any) -> None:
        if self.running is not None:
            self.running.touched.append(node)

    def holder(self, node: Any, change: int) -> None:
        if self.running is not None:
            self.running.locks.append((node, change))

    def removes(self, node: Any) -> None:
        assert node.parent is not None, "a node is reported before it leaves the tree"
        self.removed.append(node)

    def freed(self, slots: Tensor) -> None:
        (self.outside if self.running is None else self.running.freed).append(slots.clone())

    def failed(self, error: Exception) -> None:
        self.failures.append(error)


def noted(size: int = 64, page_size: int = 1) -> tuple[Scheduler, Notes]:
    """A scheduler over a watched cache."""
    cache = cache_class(results())(parameters(size, page_size))
    notes = Notes(OurView(cache))
    attach(cache, notes)
    return Scheduler(cache), notes


def served(one: Scheduler, tokens: list[int], output: list[int]) -> None:
    one.start(0, tokens)
    one.checkpoint(0, len(tokens))
    one.decode(0, output)
    one.release(0)


def at_random(one: Scheduler, steps: int) -> None:
    """Serve requests that overlap and share prefixes."""
    draw = random.Random(1)
    stems = [[draw.randrange(4) for _ in range(24)] for _ in range(3)]
    for _ in range(steps):
        row = draw.randrange(3)
        if row in one.held:
            one.checkpoint(row, len(one.held[row].origin_input_ids))
            one.decode(row, [draw.randrange(4) for _ in range(draw.randrange(6))])
            one.release(row)
        else:
            one.start(row, stems[draw.randrange(3)][: draw.randrange(4, 25)] + [draw.randrange(4) for _ in range(draw.randrange(1, 6))])
    for row in list(one.held):
        one.release(row)


def test_each_call_of_the_scheduler_is_one_call_with_its_answer() -> None:
    one, notes = noted()
    served(one, [1, 2, 3], [7, 8])

    verbs = [call.verb for call in notes.calls]
    assert verbs == [MATCH, LOCK, READ, CHECKPOINT, EVICT, EVICT, CHECKPOINT, UNLOCK]
    assert [call.number for call in notes.calls] == list(range(1, len(verbs) + 1))
    assert notes.calls[0].result.device_prefix_len == 0
    assert notes.calls[3].named == {"up_to": 3}
    assert notes.calls[3].before == (0, 0, notes.calls[1].result)
    assert notes.calls[3].touched[-1] is notes.calls[6].before[2].node


def test_each_holder_is_counted_once() -> None:
    one, notes = noted(192)
    at_random(one, 300)

    holders, most = Counter[Any](), 0
    for call in notes.calls:
        for node, change in call.locks:
            holders[node] += change
        if call.verb == CHECKPOINT:
            assert sorted(change for _, change in call.locks) == [-1, 1]
        most = max(most, *holders.values(), 0)
        assert min(holders.values(), default=0) >= 0
    assert most > 1
    assert set(holders.values()) == {0}
    assert not notes.failures


def test_victims_and_freed_slots_are_reported_once() -> None:
    one, notes = noted(96, page_size=4)
    at_random(one, 200)
    one.cache.evict(SimpleNamespace(num_tokens=10**6))

    evicted = [call for call in notes.calls if call.verb == EVICT and call.freed]
    assert len(evicted) > 5
    assert len(set(torch.cat(evicted[-1].freed).tolist())) == evicted[-1].result.num_tokens_evicted
    assert sum(call.result.num_tokens_evicted for call in evicted) == sum(node.size for node in notes.removed)
    assert notes.outside
    assert one.cache.pool.available == 96


def test_a_lock_of_the_cache_itself_and_its_release_are_calls_too() -> None:
    one, notes = noted()
    served(one, [1, 2], [])
    (node,) = one.cache.root_node.children.values()

    one.cache.inc_lock_ref(node)
    one.cache.dec_lock_ref(node, None)
    one.cache.unlock(None)

    assert [(call.verb, call.locks) for call in notes.calls[-3:]] == [(LOCK, [(node, 1)]), (UNLOCK, [(node, -1)]), (UNLOCK, [])]


def test_a_lookup_without_an_answer_is_a_match_with_one() -> None:
    one, notes = noted()
    served(one, [1, 2, 3], [])

    assert one.cache.touch_prefix(Key(array("q", [1, 2, 9]))) is None

    call = notes.calls[-1]
    (node,) = one.cache.root_node.children.values()
    assert (call.verb, call.arguments[0].key.token_ids, call.touched) == (MATCH, array("q", [1, 2, 9]), [node])
    assert (call.result.device_prefix_len, notes.view.node(call.result.last_device_node)) == (2, node)


def test_the_tree_that_a_reset_makes_is_watched() -> None:
    one, notes = noted()
    served(one, [1, 2, 3], [])
    one.cache.reset()
    one.cache.token_to_kv_pool_allocator.free_pages = list(range(1, 65))
    one.content.clear()
    assert notes.calls[-1].verb == RESET
    assert not notes.removed

    served(one, [4, 5], [])
    one.cache.evict(SimpleNamespace(num_tokens=2))

    assert [node.size for node in notes.removed] == [2]


def test_what_the_cache_raises_passes_through() -> None:
    one, notes = noted()
    served(one, [1, 2], [])
    (node,) = one.cache.root_node.children.values()

    with pytest.raises(AssertionError, match="has no holder"):
        one.cache.unlock(SimpleNamespace(node=node))

    assert notes.raises == [UNLOCK]
    assert notes.running is None


def test_a_note_that_cannot_be_taken_does_not_reach_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    one, notes = noted()
    monkeypatch.setattr(notes.view, "node", lambda handle: 1 // 0)

    served(one, [1, 2], [])

    assert one.hits == [0]
    assert {type(error) for error in notes.failures} == {ZeroDivisionError}


def test_a_handle_of_no_node_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    one, notes = noted()
    monkeypatch.setattr(notes.view, "node", lambda handle: {}[handle])
    one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [1]))))
    monkeypatch.setattr(notes.view, "node", lambda handle: "a session")
    one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [1]))))

    assert [call.touched for call in notes.calls] == [[], []]
    assert not notes.failures


def test_a_cache_that_is_not_as_expected_is_left_with_a_watch_that_has_ended() -> None:
    cache = SimpleNamespace(match_prefix=lambda params: None, token_to_kv_pool_allocator=None)
    notes = Notes(SimpleNamespace())  # a view that cannot even say where nodes leave the tree

    with pytest.raises(AttributeError):
        attach(cache, notes)

    assert len(notes.failures) == 1


def test_another_cache_is_as_it_was() -> None:
    noted()
    other = Scheduler(cache_class(results())(parameters(64, 1)))

    assert not {"match_prefix", "lock"} & vars(other.cache).keys()
    assert not {"free_segment"} & vars(other.cache.token_to_kv_pool_allocator).keys()


class Nesting:
    """An allocator whose methods call each other, as those of SGLang do."""

    page_size = 4

    def __init__(self) -> None:
        self.group: list[Tensor] = []

    def free(self, free_index: Tensor) -> None:
        self.group.append(free_index)

    def free_page_ids(self, page_ids: Tensor) -> None:
        self.free(page_ids * self.page_size)

    def free_segment(self, free_index: Tensor, *, start_pos: int) -> None:
        self.free_page_ids(free_index[::4] // 4)

    def free_segments(self, segments: Any) -> None:
        for slots, start in segments:
            self.free_segment(slots, start_pos=start)

    def free_group_end(self) -> None:
        self.free(torch.cat(self.group))


def test_a_free_within_a_free_is_not_reported_again() -> None:
    allocator, reported = Nesting(), list[list[int]]()
    watch_frees(allocator, lambda slots: reported.append(slots.tolist()))
    page = torch.arange(4, dtype=torch.int32)

    allocator.free_segments((page + start, 0) for start in (4, 8))
    allocator.free_segment(page + 12, start_pos=0)
    allocator.free_page_ids(torch.tensor([4]))
    allocator.free(free_index=page[:0])
    allocator.free_group_end()

    assert reported == [[4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14, 15], [16, 17, 18, 19]]
    assert [len(slots) for slots in allocator.group] == [1, 1, 1, 1, 0, 4]


def test_a_free_that_fails_is_not_reported() -> None:
    allocator, reported = Nesting(), list[Tensor]()
    watch_frees(allocator, reported.append)

    with pytest.raises(TypeError):
        allocator.free_segment(torch.arange(4), start=0)  # type: ignore[call-arg]
    allocator.free(torch.arange(4))

    assert len(reported) == 1
