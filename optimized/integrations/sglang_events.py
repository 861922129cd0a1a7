"""KV events in SGLang's own format, with SGLang's own ids: its recorder makes them, from what it reads of its own nodes.

The recorder belongs to a cache of SGLang. It asks a node for its key, its parent, and the hashes of its pages, which it computes and leaves
there; a `Recorded` has these for one node of our tree.
"""

from array import array
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from radixcheck.optimized.node import Node

Hashes = list[str] | None  # one for each page; None: not computed so far


@dataclass(slots=True, eq=False)
class Recorded:
    """What SGLang's recorder reads of a node, and writes."""

    key: Any  # SGLang's `RadixKey`
    parent: "Recorded | None"
    hash_value: Hashes = None
    event_hash_value: Hashes = None  # in a namespace


def recorder_of(params: Any) -> Any:
    """Return the recorder of a cache, from SGLang's `CacheInitParams`, made as SGLang's caches make theirs."""
    return import_module("sglang.srt.mem_cache.events").KVCacheEventRecorder(
        enabled=params.enable_kv_cache_events,
        page_size=params.page_size,
        dynamo_format=params.dynamo_kv_event_format,
        lora_names=params.kv_event_lora_names,
    )


class SGLangAnnouncer:
    """Shows SGLang's recorder each node that is stored or removed. It has one tier."""

    def __init__(self, recorder: Any, page_size: int) -> None:
        self._recorder, self._page_size = recorder, page_size
        self._key_kind = import_module("sglang.srt.mem_cache.radix_cache").RadixKey
        self._root = Recorded(self._key_kind(array("q")), None, [])
        self._recorded: dict[Node, Recorded] = {}

    def store(self, medium: str, node: Node) -> None:
        """The pages of a new node can be read from now on."""
        above = self._recorded.get(node.parent) if node.parent is not None else None
        if above is None:
            assert isinstance(node.child_key, tuple), "the child key of a child of the root has its namespace"
            extra_key, salt = node.child_key[0]
        else:
            extra_key, salt = above.key.extra_key, above.key.cache_salt
        key = self._key_kind(array("q", node.segment), extra_key=extra_key, cache_salt=salt)
        found = self._recorded[node] = Recorded(key, above or self._root)
        self._recorder.record_store(found)

    def remove(self, medium: str, node: Node) -> None:
        """The pages of a node cannot be read any more."""
        self._recorder.record_remove(self._recorded[node])

    def forget(self, node: Node) -> None:
        """A node has left the tree."""
        del self._recorded[node]

    def divide(self, upper: Node, lower: Node) -> None:
        """A node was split: `upper` has its first pages."""
        whole, pages = self._recorded[lower], upper.size // self._page_size
        first = Recorded(whole.key[: upper.size], whole.parent)
        whole.key, whole.parent = whole.key[upper.size :], first
        first.hash_value, whole.hash_value = _parts(whole.hash_value, pages)
        first.event_hash_value, whole.event_hash_value = _parts(whole.event_hash_value, pages)
        self._recorded[upper] = first

    def clear(self) -> None:
        """Nothing is cached any more."""
        self._recorded.clear()
        self._recorder.record_all_cleared()


def _parts(hashes: Hashes, pages: int) -> tuple[Hashes, Hashes]:
    return (None, None) if hashes is None else (hashes[:pages], hashes[pages:])
