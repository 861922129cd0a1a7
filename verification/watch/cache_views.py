"""Chooses how a cache is read, or says why it is not watched. Imports no engine: classes are known by their names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from radixcheck.verification.watch.our_view import OurView
from radixcheck.verification.watch.sglang_views import ClassicView, UnifiedView, policy_of
from radixcheck.verification.watch.tree_view import TreeView

CLASSIC = "sglang.srt.mem_cache.radix_cache.RadixCache"
UNIFIED = "sglang.srt.mem_cache.unified_radix_cache.UnifiedRadixCache"
OURS = "radixcheck.optimized.integrations.sglang_cache.SGLangCache"
PYTHON_CORE = "sglang.srt.mem_cache.unified_cache.unified_tree_core.UnifiedTreeCore"
RUST_CORE = "sglang.srt.mem_cache.rust_tree_core.adapter.RustUnifiedTreeCore"
ENGINE = "sglang."  # a class of SGLang that is not named here may do anything

VIEWS: dict[str, Callable[[Any], TreeView]] = {CLASSIC: ClassicView, UNIFIED: UnifiedView, OURS: OurView}


@dataclass(frozen=True, slots=True)
class NotWatched:
    """Why a cache is not watched."""

    reason: str  # the rest of a sentence that begins with the name of the cache


def view_of(cache: Any) -> TreeView | NotWatched:
    """Return the view of a cache, or why it has none."""
    name = known_as(cache, VIEWS)
    reason = f"{_name(type(cache))} is not known" if name is None else _refused(cache, name)
    return NotWatched(reason) if reason else VIEWS[name or ""](cache)


def is_black_box(cache: Any) -> bool:
    """Return whether all that keeps a cache from being watched is that its tree is in Rust."""
    if known_as(cache, VIEWS) != UNIFIED or known_as(cache.tree_core, (RUST_CORE,)) is None:
        return False
    return not any(wrong for wrong, _ in chain(_everywhere(cache), _components(cache))) and not cache.tree_core.is_eagle


def known_as(thing: Any, names: Any) -> str | None:
    """Return the first of these names among the classes of an object; None if another class of SGLang comes before it."""
    for kind in type(thing).__mro__:
        if _name(kind) in names:
            return _name(kind)
        if _name(kind).startswith(ENGINE):
            return None
    return None


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _refused(cache: Any, name: str) -> str | None:
    return next((reason for wrong, reason in chain(_everywhere(cache), _unified(cache) if name == UNIFIED else ()) if wrong), None)


def _everywhere(cache: Any) -> Iterator[tuple[bool, str]]:
    allocator = cache.token_to_kv_pool_allocator
    yield cache.disable, "it is disabled"
    yield allocator is None, "it has no allocator"
    yield getattr(allocator, "page_size", cache.page_size) != cache.page_size, "its allocator has pages of another size"
    yield getattr(cache, "is_eagle", False), "its keys are pairs of tokens (speculative decoding)"
    yield getattr(cache, "cache_controller", None) is not None, "it has a host tier"


def _components(cache: Any) -> Iterator[tuple[bool, str]]:
    yield len(cache.tree_components) != 1 or not cache.tree_components[0].is_full, "it holds more than full attention (SWA, Mamba)"
    yield cache.enable_session_radix_cache, "it counts the sessions that refer to a node"
    yield cache.linker is not None, "an external store is linked to it"


def _unified(cache: Any) -> Iterator[tuple[bool, str]]:
    yield from _components(cache)
    core = cache.tree_core
    yield known_as(core, (PYTHON_CORE,)) is None, f"its tree is inside {type(core).__name__}, where no node can be read"
    yield core.is_eagle, "its keys are pairs of tokens (speculative decoding)"
    yield policy_of(core.eviction_strategy) == "tlru", "its policy tlru compares what other nodes have"
