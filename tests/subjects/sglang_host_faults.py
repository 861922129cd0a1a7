"""SGLang's cache with a host tier, each with one fault that is put into its objects when it is made."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from radixcheck.verification.subjects.sglang_host import sglang_host_python, sglang_host_rust
from radixcheck.verification.subjects.sglang_transfers import CopyEvent, Device


class EarlyEvent(CopyEvent):
    """Done as soon as it is recorded."""

    def query(self) -> bool:
        return True

    def synchronize(self) -> None:
        pass


class Early(Device):
    Event = EarlyEvent


def acknowledge_early(cache: Any) -> None:
    """Events are done before their copies are."""
    for module in ("managers.cache_controller", "mem_cache.l2_transfer"):
        import_module(f"sglang.srt.{module}").__dict__["device_module"] = Early


def forget_pins(cache: Any) -> None:
    """A load does not pin what it reads."""
    (full,) = cache.components.values()
    lock = full.acquire_component_lock

    def without_pins(node: Any, result: Any, lock_host: bool = False) -> Any:
        return result if lock_host else lock(node, result)

    full.acquire_component_lock = without_pins


def copy_unlocked(cache: Any) -> None:
    """A backup in flight does not lock what it reads."""
    track = cache._track_write_through_node

    def unlocked(node: Any, lock: Any, publish_node_ids: Any) -> None:
        if lock is not None:
            cache.dec_lock_ref(node, lock)
        track(node, None, publish_node_ids)

    cache._track_write_through_node = unlocked


def keep_host_slots(cache: Any) -> None:
    """What leaves the host keeps its slots there."""
    (full,) = cache.components.values()
    full.free_host_values = lambda slots: None


def made(factory: Callable[[Any], Any], fault: Callable[[Any], None], setup: Any) -> Any:
    """The cache, with the fault if it has a host tier."""
    subject = factory(setup)
    if setup.host_pool is not None:
        fault(subject.tree.cache)
    return subject


early, early_rust = partial(made, sglang_host_python, acknowledge_early), partial(made, sglang_host_rust, acknowledge_early)
unpinned = partial(made, sglang_host_python, forget_pins)
unlocked, unlocked_rust = partial(made, sglang_host_python, copy_unlocked), partial(made, sglang_host_rust, copy_unlocked)
keeping, keeping_rust = partial(made, sglang_host_python, keep_host_slots), partial(made, sglang_host_rust, keep_host_slots)
