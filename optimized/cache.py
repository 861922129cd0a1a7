"""The cache: its verbs, their guards, and nothing that another module does not do."""

from collections.abc import Iterable

from torch import Tensor

from radixcheck.optimized.device_pool import Pool
from radixcheck.optimized.keys import TOKEN_BYTES, check_priority, pack, part
from radixcheck.optimized.loans import CountedLoans, Loans
from radixcheck.optimized.lookup import Lookup
from radixcheck.optimized.matched import Inserted, Matched
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.node import Node
from radixcheck.optimized.requests import Requests
from radixcheck.optimized.tags import NoTags, TagKeeper
from radixcheck.optimized.tree import NodeTree
from radixcheck.spec.values import BadAmount, Key, NotLocked, Row, Sizes, StaleHandle, StillHeld


class Receipt:
    """One lock, which can be released once."""

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node


class RadixCache:
    """A radix cache whose slots stay on the pool's device.

    Every tensor that it returns or keeps has storage of its own. `tags` and `loans` are what a checking mode replaces:
    by default nothing is read back, and a slot that is not the caller's is refused only where its amount gives it away.
    """

    def __init__(self, page_size: int, policy: str, pool: Pool, tags: TagKeeper | None = None, loans: Loans | None = None) -> None:
        if page_size != pool.page_size:
            raise ValueError(f"page size {page_size} over a pool of pages of {pool.page_size}")
        self.page_size = page_size
        self._page_bytes = page_size * TOKEN_BYTES
        self.pool = pool
        self.tags: TagKeeper = NoTags() if tags is None else tags
        self.tree = NodeTree(page_size, policy, pool.device)
        self._memory = Memory(self.tree, pool)
        self._requests = Requests(self._memory, self.tags)
        self.requests = self._requests.live
        self._loans: Loans = CountedLoans(page_size) if loans is None else loans
        self._receipts: set[Receipt] = set()

    # Tree verbs

    def match(self, key: Key) -> Matched:
        """Longest cached prefix in whole pages; may split, refreshes the times of what it returns, counts no hit."""
        tree, namespace = self.tree, key.namespace
        walk = tree.walk(namespace, pack(key.tokens))
        path = tree.split(walk)
        tree.touch(namespace, path)
        found = Matched(walk.length, path[-1] if path else tree.root, tree.pieces(path))
        self.tags.check(found, key)
        return found

    def peek(self, key: Key) -> int:
        """Length in tokens that `match` would return; changes nothing."""
        return self.tree.walk(key.namespace, pack(key.tokens)).length

    def lookup(self, key: Key) -> Lookup:
        """This key, to be given to `match_many` as often as its request waits."""
        return Lookup(self.tree, key.namespace, bytes(pack(key.tokens)))

    def match_many(self, lookups: Iterable[Lookup]) -> list[int]:
        """What `peek` would return for each of these keys. A walk is made only where what the last one found stands no longer."""
        return [lookup.refreshed() for lookup in lookups]

    def insert(self, key: Key, slots: Tensor, priority: int = 0) -> int:
        """Cache the whole pages of `key`; returns how many tokens were cached already.

        The caller still owns `slots[:that]` and the unaligned tail; the rest is copied, and belongs to the tree.
        """
        return self._insert(key, slots, priority)[0]

    def insert_and_match(self, key: Key, slots: Tensor, priority: int = 0) -> Inserted:
        """The same as one access, for a caller who goes on with what is cached now: locks its node, or reads its slots."""
        present, path = self._insert(key, slots, priority)
        node = path[-1] if path else self.tree.root
        return Inserted(present, Matched(node.end, node, self.tree.pieces(path)))

    def _insert(self, key: Key, slots: Tensor, priority: int) -> tuple[int, list[Node]]:
        tree, data = self.tree, pack(key.tokens)
        if priority:
            check_priority(priority)
        whole = len(data) // self._page_bytes * self.page_size
        if slots.numel() < whole:
            raise BadAmount(f"{slots.numel()} slots for {whole} tokens")
        walk = tree.walk(key.namespace, data)
        prefix = walk.length
        given = slots.narrow_copy(0, prefix, whole - prefix) if prefix < whole else tree.nothing
        self._loans.settle(given)
        path = tree.split(walk)
        tree.count_hit(path)
        if priority:
            tree.raise_priority(path, priority)
        tree.touch(key.namespace, path)
        if prefix < whole:
            node = path[-1] if path else tree.root
            leaf = Node(node, walk.link, part(data, prefix, whole), given)
            leaf.hits, leaf.priority = 1, priority
            tree.grow(node, leaf)
            path.append(leaf)
        return prefix, path

    def lock(self, node: object) -> Receipt:
        """Protect the path from a match's node to the root; a handle outlives splits: it names where a prefix ends."""
        if not isinstance(node, Node) or (node.parent is None and node is not self.tree.root):
            raise StaleHandle("the node of this handle has left the tree")
        self.tree.lock_path(self.tree.path_to(node))
        receipt = Receipt(node)
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: object) -> None:
        """Release one lock, once."""
        if not isinstance(receipt, Receipt) or receipt not in self._receipts:
            raise NotLocked("this receipt holds no lock")
        self._receipts.remove(receipt)
        self.tree.unlock_path(receipt.node)

    def evict(self, tokens: int) -> int:
        """Evict least leaves until at least `tokens` are freed or none is evictable; returns tokens freed."""
        if tokens < 0:
            raise BadAmount(f"{tokens} tokens to evict")
        return self._memory.evict(tokens)

    def alloc(self, tokens: int) -> Tensor:
        """Whole pages for `tokens`, on loan to the caller, after evicting the shortfall only."""
        if tokens < 0:
            raise BadAmount(f"{tokens} tokens to allocate")
        slots = self._memory.take(-(-tokens // self.page_size) * self.page_size)
        self._loans.lend(slots)
        return slots

    def free(self, slots: Tensor) -> None:
        """Take whole pages of a loan back."""
        self._loans.settle(slots)
        self.pool.free(slots)

    # Request verbs

    def start(self, request: int, key: Key, priority: int = 0) -> Row[Tensor]:
        """Match, lock, take the rest after evicting its shortfall. Raises NoRoom (nothing changed), RequestExists."""
        return self._requests.start(request, key, priority)

    def chunk(self, request: int) -> Row[Tensor]:
        """Cache the whole pages so far, adopting what others cached meanwhile; lock the deeper node; count no hit."""
        return self._requests.chunk(request)

    def decode(self, request: int, token: int) -> Tensor:
        """One more token; returns its slot. Raises NoRoom when it needs a page that there is no room for."""
        return self._requests.decode(request, token)

    def finish(self, request: int) -> None:
        """Cache the whole pages (counts one hit), free duplicates and the tail, unlock."""
        self._requests.finish(request)

    def abort(self, request: int) -> None:
        """Unlock and free what the request owns; caches nothing and refreshes nothing."""
        self._requests.abort(request)

    # Both

    def reset(self) -> None:
        """Forget everything; afterwards every slot is free and every handle stale. The clock goes on."""
        if self._receipts or self.requests or self._loans.outstanding:
            raise StillHeld("a lock, a request or a loan is live")
        slots = self.tree.clear()
        if slots:
            self.pool.free(*slots)
        assert self.pool.available == self.pool.capacity, "slots were lost"

    def sizes(self) -> Sizes:
        """Available, evictable and protected tokens."""
        return Sizes(self.pool.available, self.tree.evictable, self.tree.protected)
