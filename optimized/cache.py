"""The cache: its verbs and their guards. The other modules do the work."""

from collections.abc import Iterable

from torch import Tensor

from radixcheck.optimized.device_pool import Pool
from radixcheck.optimized.keys import INT64, TOKEN_BYTES, check_slots, pack, part
from radixcheck.optimized.loans import CountedLoans, Loans
from radixcheck.optimized.lookup import Lookup
from radixcheck.optimized.matched import Inserted, Matched
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.node import Node
from radixcheck.optimized.page_events import Announcer, EmittingTree, Sink
from radixcheck.optimized.requests import Requests
from radixcheck.optimized.tags import NoTags, TagKeeper
from radixcheck.optimized.tree import NodeTree
from radixcheck.spec.events.event_values import PageIds, page_id
from radixcheck.spec.values import BadAmount, BadKey, Key, NotLocked, Row, Sizes, StaleHandle, StillHeld, parts_of, to_amount


class Receipt:
    """One lock, to be released once."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node


class RadixCache:
    """A radix cache whose slots stay on the pool's device.

    `page_size` is in tokens; `policy` is one of `radixcheck.optimized.heap.POLICIES`. Every tensor that the cache returns or keeps has its
    own storage. A checking mode passes its own `tags` and `loans`: by default nothing is read from the device, and slots that are not the
    caller's are refused only if their number is wrong. `events` takes the KV events of the cache, with the ids that `page_ids` gives to
    pages; without it there are none. Raises ValueError for an unknown policy, or a pool with pages of another size.
    """

    def __init__(
        self,
        page_size: int,
        policy: str,
        pool: Pool,
        tags: TagKeeper | None = None,
        loans: Loans | None = None,
        events: Sink | None = None,
        page_ids: PageIds = page_id,
    ) -> None:
        if page_size != pool.page_size:
            raise ValueError(f"page size {page_size} over a pool of pages of {pool.page_size}")
        self.page_size = page_size
        self._page_bytes = page_size * TOKEN_BYTES
        self.pool = pool
        self.tags: TagKeeper = NoTags() if tags is None else tags
        self._announcer = None if events is None else Announcer(events, page_ids, page_size)
        self._memory = self._make_memory(policy)
        self.tree = self._memory.tree
        self._device = self.tree.nothing.device  # with its number, which `pool.device` may lack ("cuda")
        self._requests = self._make_requests()
        self.requests = self._requests.live
        self._loans: Loans = CountedLoans(page_size) if loans is None else loans
        self._receipts: set[Receipt] = set()

    def _make_memory(self, policy: str) -> Memory:
        arguments = self.page_size, policy, self.pool.device
        return Memory(NodeTree(*arguments) if self._announcer is None else EmittingTree(*arguments, self._announcer), self.pool)

    def _make_requests(self) -> Requests:
        return Requests(self._memory, self.tags)

    # Tree verbs

    def match(self, key: Key) -> Matched:
        """Return the longest cached prefix of `key` in whole pages (SGLang: `match_prefix`). Raises BadKey.

        May split a node. Refreshes the times of what it returns, counts no hit.
        """
        tree = self.tree
        tokens, namespace = parts_of(key)
        walk = tree.walk(namespace, pack(tokens))
        path = tree.split(walk)
        tree.touch(namespace, path)
        found = Matched(walk.length, path[-1] if path else tree.root, tree.pieces(path))
        self.tags.check(found, key)
        return found

    def peek(self, key: Key) -> int:
        """Return the length in tokens that `match` would return; changes nothing. Raises BadKey."""
        tokens, namespace = parts_of(key)
        return self.tree.walk(namespace, pack(tokens)).length

    def lookup(self, key: Key) -> Lookup:
        """Return this key in a form for `match_many`, which a scheduler calls as long as its request waits. Raises BadKey."""
        tokens, namespace = parts_of(key)
        return Lookup(self.tree, namespace, bytes(pack(tokens)))

    def match_many(self, lookups: Iterable[Lookup]) -> list[int]:
        """Return what `peek` would return for each of these keys; walks only where the last result is out of date.

        Raises BadKey for anything that is not a `Lookup`. One of another cache gets the answer of that cache.
        """
        try:
            return [lookup.refreshed() for lookup in lookups]
        except (AttributeError, TypeError) as wrong:
            raise BadKey("expected what `lookup` has returned, for each key") from wrong

    def insert(self, key: Key, slots: Tensor, priority: int = 0) -> int:
        """Cache the whole pages of `key`; return how many tokens were cached already, as `prefix`.

        `slots` has one slot for each token of the whole pages, at least. The caller still owns `slots[:prefix]` and the unaligned tail; the
        rest is copied, and belongs to the tree. Raises BadKey, BadSlots, BadAmount (too few slots, the priority), NotYourSlot.
        """
        return self._insert(key, slots, priority)[0]

    def insert_and_match(self, key: Key, slots: Tensor, priority: int = 0) -> Inserted:
        """Insert and match in one access: also return the node and the slots of what is cached now. Raises as `insert` does."""
        present, path = self._insert(key, slots, priority)
        node = path[-1] if path else self.tree.root
        return Inserted(present, Matched(node.end, node, self.tree.pieces(path)))

    def _insert(self, key: Key, slots: Tensor, priority: int) -> tuple[int, list[Node]]:
        tree = self.tree
        tokens, namespace = parts_of(key)
        data = pack(tokens)
        if type(priority) is not int or priority < 0:
            priority = to_amount(priority)
        if type(slots) is not Tensor or slots.dtype is not INT64 or slots.ndim != 1 or slots.device != self._device:
            check_slots(slots, self._device)  # the same again: a call costs as much as the checks
        whole = len(data) // self._page_bytes * self.page_size
        walk = tree.walk(namespace, data)
        prefix = tree.device_length(walk)
        if slots.numel() < whole:
            raise BadAmount(f"{slots.numel()} slots for {whole} tokens")
        given = slots.narrow_copy(0, prefix, whole - prefix) if prefix < whole else tree.nothing
        self._loans.settle(given)
        path = tree.split(walk)
        if path:
            tree.count_hit(path)
        if priority:
            tree.raise_priority(path, priority)
        tree.touch(namespace, path)
        if prefix < whole:
            tree.store(path, walk.link, part(data, walk.length, whole), given, 1, priority, 0)
        return prefix, path

    def lock(self, node: object) -> Receipt:
        """Protect the path from a match's node to the root (SGLang: `inc_lock_ref`). Raises StaleHandle.

        The handle stays right when nodes are split: it names the end of a prefix.
        """
        if not isinstance(node, Node) or (node.parent is None and node is not self.tree.root):
            raise StaleHandle("the node of this handle has left the tree")
        self.tree.lock_path(self.tree.path_to(node))
        receipt = Receipt(node)
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: object) -> None:
        """Release one lock of this cache, once (SGLang: `dec_lock_ref`). Raises NotLocked."""
        if not isinstance(receipt, Receipt) or receipt not in self._receipts:
            raise NotLocked("this receipt holds no lock")
        self._receipts.remove(receipt)
        self.tree.unlock_path(receipt.node)

    def evict(self, tokens: int) -> int:
        """Evict the least leaves until `tokens` are freed or none is evictable; return the tokens freed. Raises BadAmount."""
        if type(tokens) is not int or tokens < 0:
            tokens = to_amount(tokens)
        return self._memory.evict(tokens)

    def alloc(self, tokens: int) -> Tensor:
        """Return slots for `tokens`, rounded up to whole pages, on loan to the caller, after evicting the shortfall only.

        Raises NoRoom, evicting nothing, and BadAmount.
        """
        if type(tokens) is not int or tokens < 0:
            tokens = to_amount(tokens)
        slots = self._memory.take(tokens + -tokens % self.page_size)
        self._loans.lend(slots)
        return slots

    def free(self, slots: Tensor) -> None:
        """Take whole pages of a loan back. Raises BadSlots, NotYourSlot."""
        if type(slots) is not Tensor or slots.dtype is not INT64 or slots.ndim != 1 or slots.device != self._device:
            check_slots(slots, self._device)
        self._loans.settle(slots)
        self.pool.free(slots)

    # Request verbs

    def start(self, request: int, key: Key, priority: int = 0) -> Row[Tensor]:
        """Match, lock, and take slots for the rest after evicting the shortfall; return one slot for each token of `key`.

        Raises NoRoom, RequestExists, BadRequest, BadKey, BadAmount (the priority).
        """
        return self._requests.start(request, key, priority)

    def chunk(self, request: int) -> Row[Tensor]:
        """Cache the whole pages so far, without a hit; return the row as it is now (SGLang: `cache_unfinished_req`).

        Adopts what other requests have cached meanwhile, and locks the deeper node. Raises UnknownRequest.
        """
        return self._requests.chunk(request)

    def decode(self, request: int, token: int) -> Tensor:
        """Add one token; return its slot, of no dimension. Raises NoRoom (it needs a new page), UnknownRequest, BadKey."""
        return self._requests.decode(request, token)

    def finish(self, request: int) -> None:
        """Cache the whole pages, with one hit, and release the request (SGLang: `cache_finished_req`). Raises UnknownRequest."""
        self._requests.finish(request)

    def abort(self, request: int) -> None:
        """Unlock and free what the request owns; caches nothing and refreshes nothing. Raises UnknownRequest."""
        self._requests.abort(request)

    # Both

    def reset(self) -> None:
        """Forget everything; afterwards every slot is free and every handle stale. The clock goes on. Raises StillHeld."""
        if self._receipts or self.requests or self._loans.outstanding:
            raise StillHeld("a lock, a request or a loan is live")
        slots = self.tree.clear()
        if slots:
            self.pool.free(*slots)
        assert self.pool.available == self.pool.capacity, "slots were lost"

    def sizes(self) -> Sizes:
        """Return the available, evictable and protected tokens."""
        return Sizes(self.pool.available, self.tree.evictable, self.tree.protected)
