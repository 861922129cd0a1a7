"""The KV events that SGLang's classic cache and ours emit at the same calls, folded. Runs in SGLang's Python.

SGLang's ids are numbers of 64 bits with a sign, and those of the specification have none.
"""

from __future__ import annotations

from typing import Any

from radixcheck.spec.events.event_fold import EventFault, Resident
from radixcheck.spec.events.event_values import DEVICE, Cleared, Event, Removed, Stored
from radixcheck.spec.values import Key
from radixcheck.verification.live.engine_calls import Calls, made

ID_COUNT = 2**64
SALTS = (None, None, "salt")


class Log:
    """Takes the events of a cache and folds them."""

    def __init__(self, page_size: int) -> None:
        self.fold, self.faults = Resident(page_size), list[EventFault]()
        self.kinds: dict[str, int] = {}
        self.ids: dict[Key, int] = {}  # that were stored, by prefix

    def take(self, events: list[Any]) -> None:
        """Take events of SGLang's types."""
        for each in events:
            event = plain(each)
            self.kinds[type(event).__name__] = self.kinds.get(type(event).__name__, 0) + 1
            self.faults += self.fold.apply(event)
            for id_ in event.ids if isinstance(event, Stored) else ():
                prefix = self.fold.prefix(id_)
                if prefix is not None:
                    self.ids[prefix] = id_


def plain(event: Any) -> Event:
    """Return an event of SGLang as one of the specification."""
    name = type(event).__name__
    if name == "AllBlocksCleared":
        return Cleared()
    ids = tuple(hash_ % ID_COUNT for hash_ in event.block_hashes)
    if event.medium.value != "GPU":
        raise ValueError(f"an event of a cache without a host tier names {event.medium!r}")
    if name == "BlockRemoved":
        return Removed(DEVICE, ids)
    parent = None if event.parent_block_hash is None else event.parent_block_hash % ID_COUNT
    return Stored(DEVICE, (event.lora_name, event.cache_salt), parent, ids, tuple(event.token_ids))


def cached(cache: Any) -> set[Key]:
    """Return the prefixes in the tree of SGLang's classic cache or of ours, page by page."""
    found, waiting = set[Key](), list[tuple[Any, Key | None]]((child, None) for child in cache.root_node.children.values())
    for node, above in waiting:
        before = above.tokens if above else ()
        space, segment = _content(node, above)
        whole = Key(before + segment, space)
        found |= {Key(whole.tokens[:end], space) for end in range(len(before) + cache.page_size, len(whole.tokens) + 1, cache.page_size)}
        waiting += [(child, whole) for child in node.children.values()]
    return found


def _content(node: Any, above: Key | None) -> tuple[tuple[object, ...], tuple[int, ...]]:
    """Return the namespace of a node, and its tokens."""
    if hasattr(node, "segment"):  # ours: packed
        return (above.namespace if above else node.child_key[0]), tuple(memoryview(node.segment).cast("q"))
    return (node.key.extra_key, node.key.cache_salt), tuple(node.key.token_ids)


def emitted(name: str, page_size: int, policy: str, requests: int, pool: int, seed: int) -> dict[str, Any]:
    """Serve requests through one cache; return what its events say, and what it has."""
    cache = made(name, page_size, pool, policy, events=True)
    calls, log = Calls(cache, seed), Log(page_size)
    calls.salts = SALTS
    wrong = 0
    for _ in range(requests // 20):
        calls.serve(20)
        log.take(cache.take_events())
        wrong += bool(log.fold.differences(DEVICE, cached(cache)))
    ids = {f"{prefix.namespace} {prefix.tokens}": id_ for prefix, id_ in log.ids.items()}
    return {
        **{"cache": name, "page_size": page_size, "policy": policy, "kinds": log.kinds, "wrong": wrong},
        **{"faults": [fault.sentence for fault in log.faults], "resident": sorted(log.fold.pages[DEVICE]), "ids": ids},
    }
