"""The cache behind SGLang's verbs emits KV events through SGLang's recorder; here one that folds them, in the place of SGLang's."""

import random
import sys
from types import ModuleType
from typing import Any

import pytest
from engine_types import Key, Scheduler, parameters, results

from radixcheck.optimized.integrations.sglang_cache import cache_class
from radixcheck.optimized.keys import unpack
from radixcheck.spec.events.event_fold import EventFault, Resident
from radixcheck.spec.events.event_values import DEVICE, Cleared, Event, Removed, Stored, page_id
from radixcheck.spec.values import Key as Prefix


class SlicedKey(Key):
    """`RadixKey`, which can be cut."""

    def __getitem__(self, cut: Any) -> Any:
        return SlicedKey(self.token_ids[cut], self.extra_key, self.cache_salt) if isinstance(cut, slice) else super().__getitem__(cut)


class Recorder:
    """Reads nodes as SGLang's recorder does: the hashes of a node are computed once, from those of its parent."""

    def __init__(self, *, enabled: bool, page_size: int, dynamo_format: bool, lora_names: object) -> None:
        assert enabled
        self.fold, self.page_size = Resident(page_size), page_size
        self.events, self.faults = list[Event](), list[EventFault]()

    def record_store(self, node: Any) -> None:
        space, size = (node.key.extra_key, node.key.cache_salt), self.page_size
        parent = node.parent.hash_value[-1] if node.parent.parent is not None else None
        tokens, ids, above = tuple(node.key.token_ids), list[int](), parent
        for at in range(0, len(tokens), size):
            above = page_id(above, space, tokens[at : at + size])
            ids.append(above)
        node.hash_value = ids
        self._take(Stored(DEVICE, space, parent, tuple(ids), tokens))

    def record_remove(self, node: Any) -> None:
        assert len(node.hash_value) * self.page_size == len(node.key)
        self._take(Removed(DEVICE, tuple(node.hash_value)))

    def record_all_cleared(self) -> None:
        self._take(Cleared())

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.faults += self.fold.apply(event)


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two modules of SGLang that are imported when events are enabled."""
    for name, values in (("events", {"KVCacheEventRecorder": Recorder}), ("radix_cache", {"RadixKey": SlicedKey})):
        module = ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, f"sglang.srt.mem_cache.{name}", module)


def scheduler(size: int, page_size: int, **others: Any) -> Scheduler:
    about: dict[str, Any] = {"dynamo_kv_event_format": False, "kv_event_lora_names": None}
    return Scheduler(cache_class(results())(parameters(size, page_size, enable_kv_cache_events=True, **about, **others)))


def cached(cache: Any) -> set[Prefix]:
    """The prefixes of the tree, page by page."""
    waiting: list[tuple[Any, Any, tuple[int, ...]]] = [(child, child.child_key[0], ()) for child in cache.tree.root.children.values()]
    found = set[Prefix]()
    for node, space, above in waiting:
        tokens = above + unpack(node.segment)
        found |= {Prefix(tokens[:end], space) for end in range(len(above) + cache.page_size, len(tokens) + 1, cache.page_size)}
        waiting += [(child, space, tokens) for child in node.children.values()]
    return found


@pytest.mark.parametrize("page_size", [1, 4])
@pytest.mark.parametrize("seed", range(3))
def test_the_events_of_overlapping_requests_fold_to_what_is_cached(seed: int, page_size: int) -> None:
    one, draw = scheduler(128, page_size), random.Random(seed)
    recorder = one.cache.kv_events
    for _ in range(120):
        row = draw.randrange(3)
        if row in one.held:
            one.checkpoint(row, len(one.held[row].origin_input_ids))
            one.decode(row, [draw.randrange(4) for _ in range(draw.randrange(6))])
            one.release(row)
        else:
            tokens = [draw.randrange(2) for _ in range(draw.randrange(4, 25))]
            one.start(row, tokens, 0, draw.choice((None, "adapter")), draw.choice((None, "salt")))
        assert recorder.fold.differences(DEVICE, cached(one.cache)) == ()
    assert recorder.faults == []
    assert {type(event) for event in recorder.events} == {Cleared, Stored, Removed}
    assert len({prefix.namespace for prefix in cached(one.cache)}) > 1


def test_a_reset_says_that_all_is_gone() -> None:
    one = scheduler(64, 4)
    one.start(0, [1, 2, 3, 4, 5])
    one.release(0)
    one.cache.reset()

    assert [type(event) for event in one.cache.kv_events.events] == [Cleared, Stored, Cleared]
    assert one.cache.kv_events.fold.pages == {}


def test_without_the_flag_nothing_is_recorded() -> None:
    cache = cache_class(results())(parameters(64, 4))
    assert cache.kv_events is None
    assert type(cache.tree).__name__ == "NodeTree"
