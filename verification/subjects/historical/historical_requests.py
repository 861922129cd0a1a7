"""What is above the tree and the same for all three: the callers' guards, the scheduler and the request layer.

The change of sglang#6907 touched none of this, so that whatever the three caches do differently comes from their trees.
A request's row, with `whole` its tokens in whole pages:

    [0, protected)           slots of the tree, under the request's lock
    [protected, whole)       its own whole pages: cached by the next `chunk`, or freed where the tree had them already
    [whole, len(tokens))     its own unaligned tail
    [len(tokens), len(row))  the rest of its last page, not used yet
"""

from dataclasses import dataclass

from radixcheck.spec.values import (
    BadAmount,
    BadKey,
    Key,
    Match,
    NoRoom,
    NotLocked,
    NotYourSlot,
    RequestExists,
    Row,
    Sizes,
    StaleHandle,
    StillHeld,
    UnknownRequest,
    check_tokens,
    pages_for,
)
from radixcheck.verification.protocol import NodeId, Observation, SeenNode, SeenRequest, Supports
from radixcheck.verification.subjects.historical.base import BaseTree, Node, above, held

SUPPORTS = Supports(namespaces=False, policies=("lru",), attributes=frozenset({"time"}))


@dataclass(eq=False, slots=True)
class Receipt:
    """One lock that can be released once."""

    node: Node


@dataclass(slots=True)
class Request:
    """A live request; the module's table shows its row."""

    tokens: list[int]
    row: list[int]
    protected: int  # tokens of the row that the tree owns
    node: Node  # where they end; locked


class HistoricalCache:
    """A historical tree as a subject: tree verbs, request verbs and the white box."""

    supports = SUPPORTS

    def __init__(self, tree: BaseTree) -> None:
        self.tree = tree
        self._page = tree.page_size
        self._loans: set[int] = set()  # slots that a caller of the tree verbs owns
        self._receipts: set[Receipt] = set()
        self._requests: dict[int, Request] = {}

    # Tree verbs

    def match(self, key: Key) -> Match[list[int]]:
        """Longest cached prefix in whole pages; splits, and refreshes more than it returns (L5)."""
        slots, node = self.tree.match(self._pages(key))
        return Match(len(slots), slots, node)

    def peek(self, key: Key) -> int:
        """Length that `match` would return; changes nothing."""
        return self.tree.peek(self._pages(key)).length

    def insert(self, key: Key, slots: list[int], priority: int = 0) -> int:
        """Cache the whole pages of `key`; returns the tokens found. These trees know no priority."""
        tokens = self._pages(key)
        if len(slots) < len(tokens):
            raise BadAmount(f"{len(slots)} slots for {len(tokens)} tokens")
        self._check_loan(slots[self.tree.peek(tokens).length : len(tokens)])
        prefix = self.tree.insert(tokens, slots)
        self._loans.difference_update(slots[prefix : len(tokens)])
        return prefix

    def lock(self, node: object) -> Receipt:
        """Protect the path from a match's node to the root."""
        if not isinstance(node, Node) or not self.tree.attached(node):
            raise StaleHandle("this node has left the tree")
        self.tree.inc_lock_ref(node)
        receipt = Receipt(node)
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: object) -> None:
        """Release one lock."""
        if not isinstance(receipt, Receipt) or receipt not in self._receipts:
            raise NotLocked("this receipt holds no lock")
        self._receipts.remove(receipt)
        self.tree.dec_lock_ref(receipt.node)

    def evict(self, tokens: int) -> int:
        """What the tree evicts for `tokens`; returns tokens freed."""
        if tokens < 0:
            raise BadAmount(f"{tokens} tokens to evict")
        return self.tree.evict(tokens)

    def alloc(self, tokens: int) -> list[int]:
        """Whole pages for `tokens`, on loan to the caller, after evicting the shortfall."""
        if tokens < 0:
            raise BadAmount(f"{tokens} tokens to allocate")
        need = pages_for(tokens, self._page) * self._page
        self._check_room(need, 0)
        slots = self._alloc(need)
        self._loans.update(slots)
        return slots

    def free(self, slots: list[int]) -> None:
        """Take whole pages of a loan back."""
        self._check_loan(slots)
        self._loans.difference_update(slots)
        self.tree.give(list(slots))

    def reset(self) -> None:
        """Forget everything; refused while a lock, a request or a loan is live."""
        if self._receipts or self._requests or self._loans:
            raise StillHeld("a lock, a request or a loan is live")
        self.tree.reset()

    def sizes(self) -> Sizes:
        """The counters as the tree keeps them: `evictable` counts the nodes that an eviction cut off as well."""
        return Sizes(self.tree.pool.available, self.tree.evictable, self.tree.protected)

    # Request verbs

    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        """Match, lock, evict the shortfall, alloc the rest. The room is checked by a walk that touches nothing."""
        if request in self._requests:
            raise RequestExists(f"request {request} is live")
        tokens = self._pages(key)
        found = self.tree.peek(tokens)
        need = pages_for(len(key.tokens) - found.length, self._page) * self._page
        self._check_room(need, found.evictable)
        slots, node = self.tree.match(tokens)
        self.tree.inc_lock_ref(node)
        row = slots + self._alloc(need)
        self._requests[request] = Request(list(key.tokens), row, len(slots), node)
        return Row(len(slots), row[: len(key.tokens)])

    def chunk(self, request: int) -> Row[list[int]]:
        """Insert, free duplicates, match what was inserted, write the row, move the lock.

        The old lock is released before the new one is taken: a chunk that adds no page pushes its leaf once more (C3).
        """
        live = self._live(request)
        whole = len(live.tokens) // self._page * self._page
        prefix = self.tree.insert(live.tokens[:whole], live.row)
        self.tree.give(live.row[live.protected : prefix])
        slots, node = self.tree.match(live.tokens[:whole])
        live.row[live.protected : whole] = slots[live.protected :]
        self.tree.dec_lock_ref(live.node)
        self.tree.inc_lock_ref(node)
        live.protected, live.node = whole, node
        return Row(whole, live.row[: len(live.tokens)])

    def decode(self, request: int, token: int) -> int:
        """One more token; a new page, after evicting its shortfall, when the last one is full."""
        live = self._live(request)
        check_tokens((token,))
        if len(live.row) == len(live.tokens):
            self._check_room(self._page, 0)
            live.row += self._alloc(self._page)
        live.tokens.append(token)
        return live.row[len(live.tokens) - 1]

    def finish(self, request: int) -> None:
        """Insert, free duplicates and the tail, unlock."""
        live = self._live(request)
        whole = len(live.tokens) // self._page * self._page
        prefix = self.tree.insert(live.tokens[:whole], live.row)
        self.tree.give(live.row[live.protected : prefix])
        self.tree.give(live.row[whole:])
        self.tree.dec_lock_ref(live.node)
        del self._requests[request]

    def abort(self, request: int) -> None:
        """Unlock, and free what the request owns; nothing is cached."""
        live = self._live(request)
        self.tree.dec_lock_ref(live.node)
        self.tree.give(live.row[live.protected :])
        del self._requests[request]

    # The white box

    def observe(self) -> Observation:
        """The nodes that the root reaches, and the whole heap, whose entries may name others."""
        requests = {
            name: SeenRequest(self.locate(live.node), live.protected, live.row[: len(live.tokens)]) for name, live in self._requests.items()
        }
        nodes = [self._seen(node) for node in self.tree.nodes()]
        return Observation(self.tree.now, nodes, requests, self.tree.entries(), self.tree.evictable_leaves())

    def locate(self, node: object) -> NodeId | None:
        """The name of a handle's node; None for the root."""
        assert isinstance(node, Node), "a handle of this cache is a node"
        return None if node is self.tree.root else node.name

    def _seen(self, node: Node) -> SeenNode:
        filed = next(key for key, child in above(node).children.items() if child is node)
        return SeenNode(
            name=node.name,
            parent=self.locate(above(node)),
            segment=tuple(node.key),
            slots=tuple(held(node)),
            namespace=(),
            child_key=(filed,) if isinstance(filed, int) else filed,
            lock=node.lock_ref,
            time=node.time,
        )

    # Guards

    def _pages(self, key: Key) -> list[int]:
        """The tokens of a key that a tree can hold. The release has no namespaces: a key with one is refused."""
        check_tokens(key.tokens)
        if key.namespace:
            raise BadKey("this cache knows no namespaces")
        return list(key.tokens[: key.whole_pages(self._page)])

    def _check_loan(self, slots: list[int]) -> None:
        """Raise `NotYourSlot` unless these are whole pages, in order, each once, all on loan."""
        page = self._page
        aligned = all(slot == slots[i - i % page] + i % page for i, slot in enumerate(slots))
        whole = len(slots) % page == 0 and all(slot % page == 0 for slot in slots[::page])
        if not (aligned and whole and len(set(slots)) == len(slots) and self._loans.issuperset(slots)):
            raise NotYourSlot("not whole pages that are on loan")

    def _check_room(self, need: int, kept: int) -> None:
        """Raise `NoRoom` unless `need` tokens can be had without the `kept` evictable ones, about to be locked."""
        if need > self.tree.pool.available + self.tree.evictable - kept:
            raise NoRoom(f"{need} tokens do not fit")

    def _alloc(self, need: int) -> list[int]:
        """Whole pages, after evicting exactly the shortfall; the room was checked."""
        shortfall = need - self.tree.pool.available
        if shortfall > 0:
            self.tree.evict(shortfall)
        return self.tree.take(need) if need else []

    def _live(self, request: int) -> Request:
        if request not in self._requests:
            raise UnknownRequest(f"request {request} is not live")
        return self._requests[request]
