"""A plugin for live runs: SGLang's classic cache by name, an imitation of its L5, and controls that must fail. It is never installed.

`launch` puts a folder with the entry point on the path of the engine's Python. Runs in that Python.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from radixcheck.optimized.integrations import sglang_plugin
from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.optimized.node import Node
from radixcheck.verification.watch.imitation import Imitation

EVERY = 16  # a wrong slot in every 16th of the prefixes that are longer than a page


class Miscounting(SGLangCache):
    """A control: says, at each checkpoint, that one more token is evictable."""

    def checkpoint(self, req: Any, *, up_to: int, **others: Any) -> None:
        """Cache, and miscount by one."""
        super().checkpoint(req, up_to=up_to, **others)
        self.tree.evictable += 1


class WrongSlot(SGLangCache):
    """A control: sometimes the last slot of a prefix is that of the token before it."""

    _prefixes = 0

    def path_device_indices(self, node: Node) -> Any:
        """Return the slots of a prefix, in every EVERYth case with a wrong one."""
        slots = super().path_device_indices(node)
        if len(slots) > 1:
            self._prefixes += 1
            if self._prefixes % EVERY == 0:
                slots[-1] = slots[-2]
        return slots


CLASSES = {"radixcheck-l5": Imitation, "control-miscounting": Miscounting, "control-wrong-slot": WrongSlot}


def maker(kind: type[SGLangCache]) -> Callable[[Any], Any]:
    """Return the factory of a backend, for `register_radix_cache_backend`."""
    return lambda context: cache_class(import_module("sglang.srt.mem_cache.base_prefix_cache"), kind)(context.params)


def classic(context: Any) -> Any:
    """Return SGLang's classic cache."""
    from sglang.srt.mem_cache.radix_cache import RadixCache

    return RadixCache(context.params)


def register() -> None:
    """Register the backends of live runs, and the cache itself."""
    from sglang.srt.mem_cache.registry import register_radix_cache_backend

    sglang_plugin.register()
    register_radix_cache_backend("classic", classic)
    for name, kind in CLASSES.items():
        register_radix_cache_backend(name, maker(kind))
