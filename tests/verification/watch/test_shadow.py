"""Our cache beside a live one, which is ours too, with a small scheduler in the place of SGLang's."""

import random
from array import array
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from engine_types import Key, Scheduler, parameters, results

from radixcheck.optimized.heap import POLICIES
from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.verification.live.engine_backends import Miscounting
from radixcheck.verification.watch.attach import attach
from radixcheck.verification.watch.cache_views import NotWatched
from radixcheck.verification.watch.imitation import Imitation, UnifiedImitation
from radixcheck.verification.watch.live_watch import LiveWatch
from radixcheck.verification.watch.our_view import OurView
from radixcheck.verification.watch.server_watch import watched
from radixcheck.verification.watch.shadow import REBUILDS_MAX, Shadow
from radixcheck.verification.watch.watch_folder import read_outcome
from radixcheck.verification.watch.watch_settings import WatchSettings

STEPS = 40


class Pairs(Key):
    """A key of a server with draft models."""

    is_bigram = True


class Watched(Scheduler):
    """A scheduler whose cache has a shadow."""

    def __init__(
        self,
        kind: type[SGLangCache] = SGLangCache,
        shadow: type[SGLangCache] | None = None,
        *,
        page_size: int = 1,
        policy: str = "lru",
        size: int = 96,
        fault: Callable[["Watched"], None] = lambda one: None,
    ) -> None:
        super().__init__(cache_class(results(), kind)(parameters(size, page_size, policy)))
        self.may_fire, self.fault = False, 0  # and the call in which it happened
        fault(self)
        self.found: list[tuple[str, int, str, str]] = []
        self.shadow = self.make_shadow(shadow or kind)
        self.watch = LiveWatch(self.shadow.view, lambda *_: None, 0, [self.shadow])
        attach(self.cache, self.watch)

    def fires(self, possible: bool = True) -> bool:
        if not (self.may_fire and possible):
            return False
        self.may_fire, self.fault = False, self.watch._number
        return True

    def make_shadow(self, kind: type[SGLangCache]) -> Shadow:
        return Shadow(OurView(self.cache), kind, lambda *found: self.found.append(found), results())

    @property
    def sentences(self) -> list[str]:
        return [text for property_, *_, text in self.found if property_ == "REFINEMENT"]

    def serve(self, tokens: list[int], output: list[int] | None = None) -> None:
        self.start(0, tokens)
        self.checkpoint(0, len(tokens))
        self.decode(0, output or [])
        self.release(0)

    def at_random(self, seed: int, steps: int = STEPS) -> None:
        """Requests that overlap, share prefixes, wait, and come in chunks."""
        draw = random.Random(seed)
        stems = [[draw.randrange(4) for _ in range(24)] for _ in range(3)]
        for _ in range(steps):
            row, tokens = draw.randrange(3), stems[draw.randrange(3)][: draw.randrange(4, 25)] + [draw.randrange(4)] * draw.randrange(1, 6)
            if row in self.held:
                length = len(self.held[row].origin_input_ids)
                self.checkpoint(row, draw.randrange(self.held[row].kv.cache_protected_len, length + 1))
                self.checkpoint(row, length)
                self.decode(row, [draw.randrange(4) for _ in range(draw.randrange(6))])
                self.release(row)
            elif draw.randrange(4):
                self.start(row, tokens, draw.randrange(3), draw.choice((None, None, "adapter")))
            else:
                self.cache.touch_prefix(Key(array("q", tokens)))
        for row in self.held.keys() & {0, 1, 2}:
            self.release(row)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("page_size", [1, 2, 16])
def test_a_shadow_of_our_own_cache_finds_no_difference(policy: str, page_size: int) -> None:
    one = Watched(policy=policy, page_size=page_size, size=192 if page_size == 16 else 96)

    one.at_random(7)

    assert one.found == []
    assert one.watch.on
    assert (one.shadow.counts.rebuilds, one.shadow.counts.left_out) == (0, 0)
    assert one.shadow.counts.calls.keys() >= {"match", "lock", "unlock", "checkpoint", "evict"}
    assert one.shadow.cache.total_size() == one.cache.total_size() > 0


@pytest.mark.parametrize("policy", ["lru", "lfu", "fifo", "mru"])
@pytest.mark.parametrize("kind", [Imitation, UnifiedImitation])
def test_a_shadow_that_imitates_l5_finds_no_difference_and_one_that_does_not_finds_it(kind: type[SGLangCache], policy: str) -> None:
    found = {}
    for shadow in (kind, SGLangCache):
        one = Watched(kind, shadow, policy=policy)
        one.at_random(7, 200)
        found[shadow] = len(one.sentences)

    assert found[kind] == 0
    assert (found[SGLangCache] > 0) == (policy in ("lru", "mru") or (policy, kind) == ("fifo", Imitation) or policy == "lfu")


def test_a_shadow_changes_nothing_of_the_live_cache() -> None:
    one = Watched(page_size=2)
    alone = Scheduler(cache_class(results())(parameters(96, 2, "lru")))
    for cache in (one, alone):
        Watched.at_random(cache, 3)  # type: ignore[arg-type]

    assert one.hits == alone.hits
    assert one.missing() == alone.missing() == 0


# Faults of the live cache: each happens once, at its first opportunity when it may


def short(one: Watched) -> None:
    """A match ends a token before its end."""
    match = one.cache.match_prefix

    def faulty(params: Any) -> Any:
        found = match(params)
        length = found.device_prefix_len
        return match(SimpleNamespace(key=Key(params.key.token_ids, limit=length - 1))) if one.fires(length > 1) else found

    one.cache.match_prefix = faulty


def wrong_victim(one: Watched) -> None:
    """The second of two leaves is evicted."""
    heap = one.cache.tree.heap
    pop = heap.pop_victim

    def faulty() -> Any:
        victim = pop()
        if not one.fires(heap.leaf_count > 0):
            return victim
        other = pop()
        heap.push(victim)
        return other

    heap.pop_victim = faulty


def miscount(one: Watched) -> None:
    """A token more is counted as evictable."""
    checkpoint = one.cache.checkpoint

    def faulty(request: Any, *, up_to: int) -> None:
        checkpoint(request, up_to=up_to)
        one.cache.tree.evictable += int(one.fires())

    one.cache.checkpoint = faulty


def two_hits(one: Watched) -> None:
    """A hit counts twice."""
    tree = one.cache.tree
    count = tree.count_hit

    def faulty(path: Any) -> None:
        count(path)
        if one.fires(bool(path)):
            count(path[-1:])

    tree.count_hit = faulty


def no_cut(one: Watched) -> None:
    """The node is not cut at the end of a prompt."""
    cut = one.cache._cut
    one.cache._cut = lambda path, end: path if one.fires(any(node.end > end > node.end - node.size for node in path)) else cut(path, end)


def kept_slots(one: Watched) -> None:
    """Slots of a victim are not given back."""
    pool = one.cache.pool
    free = pool.free
    pool.free = lambda *parts: None if one.fires() else free(*parts)


FAULTS: dict[Callable[[Watched], None], tuple[str, str]] = {
    short: ("match", "our cache matches 3 tokens; the live one 2"),
    wrong_victim: (
        "evict",
        "victim 1 of our cache is the node of 2 tokens that ends at 2; of the live one the node of 1 tokens that ends at 1",
    ),
    miscount: ("checkpoint", "our cache counts 3 evictable and 3 protected tokens; the live one 4 and 3"),
    two_hits: ("checkpoint", "our cache counts 2 for the node of 3 tokens that ends at 3 (lfu); the live one 3"),
    no_cut: (
        "checkpoint",
        "the path of our cache has the node of 1 tokens that ends at 5; that of the live one has another of 2 tokens there",
    ),
    kept_slots: ("evict", "our cache gives 2 slots back; the live one 0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_live_cache_is_reported_once_at_its_call(fault: Callable[[Watched], None]) -> None:
    one = Watched(policy="lfu" if fault is two_hits else "lru", fault=fault)
    for tokens in ([8, 9], [7], [1, 2, 3]):
        one.serve(tokens)
    assert one.found == []

    one.may_fire = True
    one.start(1, [1, 2, 3, 4])
    one.checkpoint(1, 3)
    one.cache.evict(SimpleNamespace(num_tokens=1))
    one.decode(1, [5])
    one.release(1)
    one.at_random(5)

    verb, text = FAULTS[fault]
    assert one.found == [("REFINEMENT", one.fault, verb, text)]
    assert (one.shadow.counts.differences, one.shadow.counts.rebuilds, one.shadow.counts.paused) == (1, 1, "")


def test_a_fault_that_comes_again_is_reported_again_until_the_shadow_pauses_and_a_reset_begins_anew() -> None:
    one = Watched(Miscounting, SGLangCache)
    for number in range(REBUILDS_MAX + 3):
        one.serve([number])

    assert one.shadow.counts.differences == REBUILDS_MAX + 1
    assert "made anew" in one.shadow.counts.paused
    assert one.shadow.counts.left_out > 0

    one.cache.reset()
    one.serve([1])

    assert one.shadow.counts.paused == ""
    assert one.shadow.counts.differences > REBUILDS_MAX + 1


def test_a_tree_that_is_too_large_to_be_read_at_once_pauses_the_shadow() -> None:
    one = Watched(fault=short)
    one.shadow.nodes_max = 2
    for tokens in ([8, 9], [7], [1, 2, 3]):
        one.serve(tokens)
    one.may_fire = True
    one.start(1, [1, 2, 3, 4])
    one.release(1)

    assert [(property_, text) for property_, *_, text in one.found] == [
        ("REFINEMENT", "our cache matches 3 tokens; the live one 2"),
        ("SHADOW", "the shadow waits for a reset: the live tree has more than 2 nodes"),
    ]
    assert one.shadow.counts.left_out > 0


def lose_candidate(tree: Any, node: Any) -> None:
    node.entry = None


def file_elsewhere(tree: Any, node: Any) -> None:
    tree.root.children[((), b"")] = tree.root.children.pop(node.child_key)


def lock_child(tree: Any, node: Any) -> None:
    node.local_lock_ref, node.parent.local_lock_ref = 1, 0


DAMAGES: dict[Callable[[Any, Any], None], str] = {
    lose_candidate: "the live tree is wrong about which leaves may be evicted",
    file_elsewhere: "a node of the live tree is not filed where it belongs",
    lock_child: "the lock counts of the live tree do not add up",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_tree_that_our_cache_cannot_have_pauses_the_shadow(damage: Callable[[Any, Any], None]) -> None:
    one = Watched(fault=short)
    for tokens in ([1, 2, 3], [7, 8, 9]):
        one.serve(tokens)
    if damage is lock_child:
        one.start(0, [7, 8, 9, 1])
        one.start(1, [7, 8, 5])
    tree = one.cache.tree
    damage(tree, tree.path_to(one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [7, 8, 9])))).last_device_node)[-1])
    one.may_fire = True
    one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [1, 2, 3]))))

    assert [(property_, text) for property_, *_, text in one.found] == [
        ("REFINEMENT", "our cache matches 3 tokens; the live one 2"),
        ("SHADOW", f"the shadow waits for a reset: {DAMAGES[damage]}"),
    ]


def test_a_difference_at_a_lock_pauses_the_shadow() -> None:
    one = Watched()
    one.serve([1, 2, 3])
    one.cache.tree.lock_path = lambda path: None
    one.start(0, [1, 2, 3, 4])

    assert [(property_, verb) for property_, _, verb, _ in one.found] == [("REFINEMENT", "lock"), ("SHADOW", "lock")]
    assert one.sentences == ["our cache counts 0 evictable and 3 protected tokens; the live one 3 and 0"]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_shadow_may_begin_beside_a_cache_that_has_something(policy: str) -> None:
    one = Watched(policy=policy)
    one.at_random(1)
    one.start(4, [3, 2, 1, 0])

    late = one.make_shadow(SGLangCache)
    one.watch.listeners = (one.shadow, late)
    one.at_random(2)
    one.release(4)

    assert late.counts.rebuilds == 1
    assert one.sentences == []
    assert late.cache.total_size() == one.cache.total_size() > 0


def test_what_our_cache_does_not_have_pauses_the_shadow() -> None:
    one = Watched()
    one.cache.match_prefix(SimpleNamespace(key=Pairs(array("q", [1, 2, 3]))))
    one.serve([1, 2])

    assert [property_ for property_, *_ in one.found] == ["SHADOW"]
    assert "pairs of tokens" in one.shadow.counts.paused
    assert one.shadow.counts.left_out > 0


def test_a_shadow_that_fails_says_so_once_and_the_watch_goes_on() -> None:
    one = Watched()
    one.shadow.cache.evict = None
    one.cache.evict(SimpleNamespace(num_tokens=1))
    one.serve([1])
    one.cache.reset()
    one.serve([1])

    assert [(property_, verb) for property_, _, verb, _ in one.found] == [("SHADOW", "evict")]
    assert one.shadow.counts.paused.startswith("the shadow has failed: TypeError")
    assert one.watch.on


def test_a_policy_that_our_cache_does_not_have_is_refused() -> None:
    one = Watched()
    view = OurView(one.cache)
    view.policy = "tlru"

    with pytest.raises(ValueError, match="tlru"):
        Shadow(view, SGLangCache, lambda *_: None, results())


def test_the_summary_of_a_watch_counts_the_calls_of_its_shadow(tmp_path: Path) -> None:
    one = Scheduler(cache_class(results())(parameters(96, 1)))
    found = watched(one.cache, WatchSettings(tmp_path, shadow=True), lambda view, report: Shadow(view, SGLangCache, report, results()))
    assert not isinstance(found, NotWatched)
    Watched.serve(one, [1, 2, 3])  # type: ignore[arg-type]
    found.sink.close()

    (cache,) = read_outcome(tmp_path).caches
    seen = cache.shadow
    assert seen is not None
    assert (seen.calls, seen.left_out, cache.found.total()) == (cache.calls.total() - cache.calls["read"], 0, 0)
    assert 0 < seen.nanoseconds < cache.nanoseconds


def test_without_a_shadow_that_fits_the_watch_goes_on_and_says_why(tmp_path: Path) -> None:
    def refuse(*_: object) -> Shadow:
        raise ValueError("no policy 'tlru'")

    one = Scheduler(cache_class(results())(parameters(96, 1)))
    found = watched(one.cache, WatchSettings(tmp_path, shadow=True), refuse)
    assert not isinstance(found, NotWatched)
    Watched.serve(one, [1, 2, 3])  # type: ignore[arg-type]
    found.sink.close()

    outcome = read_outcome(tmp_path)
    assert [finding.text for _, finding in outcome.findings] == ["no shadow runs beside this cache: no policy 'tlru'"]
    assert outcome.caches[0].calls["checkpoint"] > 0


def test_another_threshold_of_slru_is_refused() -> None:
    view = OurView(Watched(policy="slru").cache)
    view._strategy = SimpleNamespace(protected_threshold=3)  # type: ignore[attr-defined]

    with pytest.raises(ValueError, match="3 hits"):
        Shadow(view, SGLangCache, lambda *_: None, results())
