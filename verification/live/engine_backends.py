"""A plugin for live runs: SGLang's classic cache by name, an imitation of its L5, and controls that must fail. It is never installed.

`launch` puts a folder with the entry point on the path of the engine's Python. Runs in that Python.
"""

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from radixcheck.optimized.integrations import sglang_plugin
from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.optimized.integrations.sglang_events import SGLangAnnouncer
from radixcheck.optimized.node import Node
from radixcheck.optimized.page_events import EmittingTree
from radixcheck.optimized.tree import NodeTree
from radixcheck.verification.watch import watch_plugin
from radixcheck.verification.watch.imitation import Imitation

EVERY = 16  # a wrong slot in every 16th of the prefixes that are longer than a page
UNANNOUNCED = 4  # every 4th node that is stored is not announced, nor what follows it


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


class PartlySilent(SGLangAnnouncer):
    """Leaves out some nodes and what follows them, when they are stored and when they leave: a smaller cache might send the rest."""

    def __init__(self, recorder: Any, page_size: int) -> None:
        super().__init__(recorder, page_size)
        self._stored, self._silent = 0, set[Node]()

    def store(self, medium: str, node: Node) -> None:
        """Announce a node, if it is not left out."""
        self._stored += 1
        recorder = self._recorder
        if node.parent in self._silent or self._stored % UNANNOUNCED == 0:
            self._silent.add(node)
            self._recorder = SimpleNamespace(record_store=lambda _: None)
        super().store(medium, node)
        self._recorder = recorder

    def remove(self, medium: str, node: Node) -> None:
        """Announce that a node has gone, if it was announced."""
        if node not in self._silent:
            super().remove(medium, node)

    def forget(self, node: Node) -> None:
        """A node has left the tree."""
        self._silent.discard(node)
        super().forget(node)

    def divide(self, upper: Node, lower: Node) -> None:
        """Leave out both parts of a node that was left out."""
        super().divide(upper, lower)
        if lower in self._silent:
            self._silent.add(upper)

    def clear(self) -> None:
        """Announce that nothing is cached."""
        self._silent.clear()
        super().clear()


class Silent(SGLangCache):
    """A control: its events leave out some nodes."""

    def _make_tree(self) -> NodeTree:
        assert self.kv_events is not None, "this control is run with events"
        announcer = PartlySilent(self.kv_events, self.page_size)
        announcer.clear()
        return EmittingTree(self.page_size, self.policy, self.pool.device, announcer)


CLASSES = {
    **{"radixcheck-l5": Imitation, "control-miscounting": Miscounting, "control-wrong-slot": WrongSlot},
    "control-silent-events": Silent,
}


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
    watch_plugin.register()  # does nothing, unless the environment asks for a watch
