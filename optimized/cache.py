"""The cache: its verbs and their guards. The other modules do the work."""

from collections.abc import Iterable

from torch import Tensor

from radixcheck.optimized.device_pool import Pool, checked_page_size
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
    """One lock: what `RadixCache.lock` returns, and `RadixCache.unlock` takes once."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node


class RadixCache:
    """A radix cache whose slots stay on the pool's device.

    `page_size` is in tokens; `policy` is one of `radixcheck.optimized.heap.POLICIES`. Every tensor that the cache returns or keeps has its
    own storage. A checking mode passes its own `tags` and `loans`: by default nothing is read from the device, and slots that are not the
    caller's are refused only if their number is wrong. `events` takes the KV events of the cache, with the ids that `page_ids` gives to
    pages; without it there are none. Raises ValueError for an unknown policy, or a pool with pages of another size.

    In all verbs a `key` is a `Key`: its tokens (a tuple, a list, an array, or a `TokenBuffer`, which is not copied) and a namespace, a
    tuple. A row of `slots` is a tensor of int64 and one dimension on the pool's device, one slot for each token. Amounts are in tokens, and
    integers. The verbs of the tree (`match` to `free`) suit an engine that keeps the rows of its requests itself; with the verbs of
    requests (`start` to `abort`) the cache keeps them. A call that raises has changed nothing. The cache is for one thread.
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
        self.page_size = page_size = checked_page_size(page_size, pool)
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
        """Return the longest cached prefix of `key` in whole pages (SGLang: `match_prefix`).

        May split a node. Refreshes the times of what it returns, counts no hit. Nothing protects the slots from eviction: lock the node
        before they are used. Raises BadKey.
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
        """Return the length in tokens that a match of `key` would have; changes nothing, no time and no hit. Raises BadKey."""
        tokens, namespace = parts_of(key)
        return self.tree.walk(namespace, pack(tokens)).length

    def lookup(self, key: Key) -> Lookup:
        """Return `key` in a form for `match_many`, which a scheduler calls as long as the request waits. Copies the key. Raises BadKey."""
        tokens, namespace = parts_of(key)
        return Lookup(self.tree, namespace, bytes(pack(tokens)))

    def match_many(self, lookups: Iterable[Lookup]) -> list[int]:
        """Return what `peek` would return for each key of `lookups`, in order; walks only where the last result is out of date.

        Raises BadKey for anything that is not a `Lookup`. One of another cache gets the answer of that cache.
        """
        try:
            return [lookup.refreshed() for lookup in lookups]
        except (AttributeError, TypeError) as wrong:
            raise BadKey("expected what `lookup` has returned, for each key") from wrong

    def insert(self, key: Key, slots: Tensor, priority: int = 0) -> int:
        """Cache the whole pages of `key`, whose KV is in `slots`; return how many of their tokens were cached already, as `prefix`.

        `slots` has one slot for each token of the whole pages, at least, from `alloc`. The slots of `slots[prefix:]` in whole pages belong
        to the tree afterwards; the caller still owns `slots[:prefix]` and those of the unaligned tail, and frees them. The numbers are
        copied: the tensor itself stays the caller's. Counts one hit on the whole path, and raises its `priority`, an integer >= 0. Raises
        BadKey, BadSlots, BadAmount (too few slots, the priority), NotYourSlot.
        """
        return self._insert(key, slots, priority)[0]

    def insert_and_match(self, key: Key, slots: Tensor, priority: int = 0) -> Inserted:
        """Insert as `insert` does, with the same `key`, `slots` and `priority`, and match in one access.

        Also returns the node and the slots of what is cached now: the whole pages of the key. Raises BadKey, BadSlots, BadAmount,
        NotYourSlot.
        """
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
        """Protect the path from `node`, of a match of this cache, to the root (SGLang: `inc_lock_ref`); return what `unlock` takes.

        The node stays right when nodes are split: it names the end of a prefix. Locks are counted: a path is protected until each of its
        receipts was given back. Raises StaleHandle if the node has left the tree.
        """
        if not isinstance(node, Node) or (node.parent is None and node is not self.tree.root):
            raise StaleHandle("the node of this handle has left the tree")
        self.tree.lock_path(self.tree.path_to(node))
        receipt = Receipt(node)
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: object) -> None:
        """Release the lock of this `receipt`, once (SGLang: `dec_lock_ref`). Raises NotLocked."""
        if not isinstance(receipt, Receipt) or receipt not in self._receipts:
            raise NotLocked("this receipt holds no lock")
        self._receipts.remove(receipt)
        self.tree.unlock_path(receipt.node)

    def evict(self, tokens: int) -> int:
        """Evict the least leaves until `tokens` are freed or none is evictable; return the tokens freed: fewer, or more by part of a node.

        `alloc`, `start` and `decode` evict by themselves what they lack. Raises BadAmount.
        """
        if type(tokens) is not int or tokens < 0:
            tokens = to_amount(tokens)
        return self._memory.evict(tokens)

    def alloc(self, tokens: int) -> Tensor:
        """Return slots for `tokens`, rounded up to whole pages, after evicting the shortfall only.

        They are on loan to the caller until `insert` or `free` takes them back. Raises NoRoom, evicting nothing, if free and evictable
        slots together are too few, and BadAmount.
        """
        if type(tokens) is not int or tokens < 0:
            tokens = to_amount(tokens)
        slots = self._memory.take(tokens + -tokens % self.page_size)
        self._loans.lend(slots)
        return slots

    def free(self, slots: Tensor) -> None:
        """Take `slots` of a loan back, in whole pages. Raises BadSlots, NotYourSlot (part of a page, more than is on loan)."""
        if type(slots) is not Tensor or slots.dtype is not INT64 or slots.ndim != 1 or slots.device != self._device:
            check_slots(slots, self._device)
        self._loans.settle(slots)
        self.pool.free(slots)

    # Request verbs

    def start(self, request: int, key: Key, priority: int = 0) -> Row[Tensor]:
        """Match, lock, and take slots for the rest after evicting the shortfall; return one slot for each token of `key`.

        The KV of the first `cached` tokens of the row is there; the caller computes that of the others into their slots. `request` is an
        integer >= 0 that names the request from now on; what it caches gets its `priority`, an integer >= 0. Raises NoRoom, evicting
        nothing, RequestExists, BadRequest, BadKey, BadAmount (the priority).
        """
        return self._requests.start(request, key, priority)

    def chunk(self, request: int) -> Row[Tensor]:
        """Cache the whole pages of `request` so far, without a hit; return its row as it is now (SGLang: `cache_unfinished_req`).

        Their KV must have been computed. Adopts what other requests have cached meanwhile, in the place of the request's own slots, and
        locks the deeper node: use the row that it returns from now on. Raises UnknownRequest.
        """
        return self._requests.chunk(request)

    def decode(self, request: int, token: int) -> Tensor:
        """Add one `token` to `request`; return its slot, an int64 tensor of no dimension, for the KV that the next step computes.

        Raises NoRoom (it needs a new page), UnknownRequest, BadKey.
        """
        return self._requests.decode(request, token)

    def finish(self, request: int) -> None:
        """Cache the whole pages of `request`, with one hit, and release it (SGLang: `cache_finished_req`). Raises UnknownRequest.

        The KV of all its tokens must have been computed: the last token of an answer, whose KV nothing has needed, is not decoded.
        """
        self._requests.finish(request)

    def abort(self, request: int) -> None:
        """Unlock and free what `request` owns; caches nothing and refreshes nothing. Raises UnknownRequest."""
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
