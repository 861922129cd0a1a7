"""A cache whose tree cannot be read: here ours, of which only the answers are shown."""

from array import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from engine_types import Key, Scheduler, parameters, results

from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.verification.watch.black_box import BlackBoxShadow, BlackBoxView, BlackBoxWatch, attach_black_box
from radixcheck.verification.watch.imitation import UnifiedImitation
from radixcheck.verification.watch.tree_view import Removal


class BoxView(BlackBoxView):
    """Our nodes are their own handles."""

    @property
    def root(self) -> Any:
        return self.cache.root_node

    @property
    def removal(self) -> Removal:
        return Removal(self.cache.tree, "evict_leaf")


class Boxed(Scheduler):
    """A scheduler with such a cache."""

    def __init__(
        self,
        kind: type[SGLangCache] = UnifiedImitation,
        shadow: type[SGLangCache] = UnifiedImitation,
        fault: Callable[[Any], None] = lambda cache: None,
    ) -> None:
        super().__init__(cache_class(results(), kind)(parameters(96, 1)))
        fault(self.cache)
        self.found: list[tuple[str, int, str, str]] = []
        view: Any = BoxView(self.cache, "lru")
        self.shadow = BlackBoxShadow(view, shadow, lambda *found: self.found.append(found), results())
        self.watch = BlackBoxWatch(view, lambda *found: self.found.append(found), [self.shadow], lambda counts: None)
        attach_black_box(self.cache, self.watch)

    def serve(self, tokens: list[int]) -> None:
        self.start(0, tokens)
        self.checkpoint(0, len(tokens))
        self.release(0)

    def some(self) -> None:
        """Serve requests that share prefixes, overlap and are evicted."""
        for tokens in ([1, 2, 3, 4, 5, 6], [7, 8, 9], [1, 2, 3, 5], [7, 8, 1]):
            self.serve(tokens)
        self.start(1, [1, 2, 3, 4, 8, 9])
        self.serve([7, 9])
        self.cache.touch_prefix(Key(array("q", [7, 8, 9])))
        for _ in range(4):
            self.cache.evict(SimpleNamespace(num_tokens=2))
        self.release(1)


def test_the_answers_of_a_cache_that_chooses_alike_do_not_differ() -> None:
    one = Boxed()
    one.some()

    assert one.found == []
    assert one.watch.on
    assert one.shadow.counts.left_out == 0
    assert one.shadow.counts.calls.keys() == {"match", "lock", "unlock", "checkpoint", "evict"}
    assert one.shadow.cache.total_size() == one.cache.total_size()


def test_other_victims_are_a_difference_after_which_the_shadow_waits() -> None:
    one = Boxed(UnifiedImitation, SGLangCache)
    one.some()

    assert [(property_, verb) for property_, _, verb, _ in one.found] == [("REFINEMENT", "evict"), ("SHADOW", "evict")]
    assert one.found[1][3] == "the shadow waits for a reset: the live tree cannot be read"

    one.cache.reset()
    one.serve([1])
    assert one.shadow.counts.paused == ""


def longer(cache: Any) -> None:
    """A match says that it found a token more."""
    match = cache.match_prefix

    def faulty(params: Any) -> Any:
        found = match(params)
        return found._replace(device_prefix_len=found.device_prefix_len + (found.device_prefix_len > 1))

    cache.match_prefix = faulty


def elsewhere(cache: Any) -> None:
    """A match ends at the root, with the right length."""
    match = cache.match_prefix
    cache.match_prefix = lambda params: match(params)._replace(last_device_node=cache.root_node)


def miscount(cache: Any) -> None:
    """One token more is protected."""
    size = cache.protected_size
    cache.protected_size = lambda: size() + 1


FAULTS: dict[Callable[[Any], None], str] = {
    longer: "our cache matches 2 tokens; the live one 3",
    elsewhere: "our cache ends at the node of 2 tokens that ends at 2; the live one at ",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_answer_is_reported_once(fault: Callable[[Any], None]) -> None:
    one = Boxed(fault=fault)
    one.serve([5, 6])
    for _ in range(2):
        one.cache.match_prefix(SimpleNamespace(key=Key(array("q", [5, 6, 7]))))

    assert [property_ for property_, *_ in one.found] == ["REFINEMENT", "SHADOW"]
    assert one.found[0][3].startswith(FAULTS[fault])


def test_a_cache_that_has_something_already_has_no_such_shadow() -> None:
    with pytest.raises(Exception, match="not empty"):
        Boxed(fault=miscount)


def test_a_watch_whose_cache_raises_ends_and_says_so() -> None:
    one = Boxed()
    with pytest.raises(AttributeError):
        one.cache.evict(None)
    one.serve([1])

    assert [property_ for property_, *_ in one.found] == ["WATCH"]
    assert not one.watch.on
