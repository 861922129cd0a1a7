"""The last operations of a live cache, and the trace that they make: what was in the tree before, then what was done.

A call is kept as references, and converted only when a trace is wanted: SGLang appends to its arrays of tokens and changes nothing in them,
so that an array and a length name a key. A request itself is not kept.

A trace shows the tree, not the requests: each key that a request caches is an insert of its own slots. The base, the inserts of what was
in the tree before the first operation, is in the order of the last accesses. What was accessed since then comes last in it, which is right:
it was not evicted before. The base has no counts of hits. The pool of the trace may be larger than that of the server, because an insert of
a trace takes slots for its whole key before it gives duplicates back: what was evicted is in the trace, and nothing else may be.
"""

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from radixcheck.spec.values import Key, Namespace
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.traces import PAGES_MAX, Recorded
from radixcheck.verification.operations import Op
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.tree_view import TreeView
from radixcheck.verification.watch.watch_results import LoggedTrace
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, INSERT, LOCK, MATCH, RESET, UNLOCK, Call

SUBJECTS = {"radixcheck": "optimized"}  # the subject that replays a cache, where that has another name
NO_TOKENS: Sequence[int] = array("q")


class Bounds(NamedTuple):
    """How much is kept, in tokens, beside the number of operations."""

    keys: int = 2**23  # in the log: references to arrays that requests have
    victims: int = 2**20  # in the log: on nodes that have left the tree
    trace: int = 2**18  # of the keys of the operations of one trace; and as much for its base


BOUNDS = Bounds()
OF_CHECKPOINT = 3  # operations of one, beside its locks


class Logged(NamedTuple):
    """One call."""

    number: int
    verb: str
    tokens: Sequence[int]  # its key is the first `size` of them
    size: int
    space: tuple[Any, Any]  # (extra_key, cache_salt)
    amount: int  # of an eviction; else the priority
    prompt: int  # of a checkpoint: the length of the prompt
    end: Any  # of a match: the node at which it ended; else None
    locks: Sequence[tuple[Any, int]]
    victims: Sequence[Record]


class OperationLog:
    """A ring of the last operations: a `Listener`. `config`: of the cache; `limit`: of a trace, a quarter of it for its base."""

    def __init__(self, view: TreeView, config: Config, limit: int, bounds: Bounds = BOUNDS) -> None:
        self._view, self._config, self._limit, self._bounds = view, config, limit, bounds
        self._ring = deque[Logged]()
        self._tokens = self._victims = 0  # tokens of the keys, and of the victims, in the ring
        self._was_reset = False  # by the last call
        self._read = {MATCH: _match, INSERT: _insert, CHECKPOINT: _checkpoint, EVICT: _evict}

    def __len__(self) -> int:
        return len(self._ring)

    def called(self, call: Call) -> None:
        """Take one call."""
        verb = call.verb
        if verb in self._read:
            logged = self._read[verb](call)
        elif verb in (LOCK, UNLOCK, RESET):
            logged = Logged(call.number, verb, NO_TOKENS, 0, (None, None), 0, 0, None, call.locks, call.victims)
        else:  # it leaves the tree as it is
            return
        if self._was_reset:  # what came before it explains nothing
            self._ring.clear()
            self._tokens = self._victims = 0
        self._was_reset = verb == RESET
        self._ring.append(logged)
        self._tokens += logged.size
        if logged.victims:
            self._victims += sum(record.size for record in logged.victims)
        while len(self._ring) > self._limit or self._tokens > self._bounds.keys or self._victims > self._bounds.victims:
            gone = self._ring.popleft()
            self._tokens -= gone.size
            self._victims -= sum(record.size for record in gone.victims)

    def recorded(self, records: Iterable[Record]) -> LoggedTrace:
        """Return the trace. `records`: of the nodes that are in the tree now."""
        page = self._config.page_size
        calls = _last(self._ring, self._bounds.trace, self._limit - self._limit // 4)
        maker = _TraceMaker(self._view, page, calls, self._bounds.trace)
        left_out = maker.base(list(records), max(1, self._limit // 4))
        for call in calls:
            maker.add(call)
        trace = tuple(maker.operations)
        longest = max((len(op.key.tokens) for op in trace), default=0)
        inserted = sum(len(op.key.tokens) for op in trace if op.name == "insert")
        pool = max(1, -(-min(self._view.capacity + longest, inserted + longest) // page)) * page
        config = replace(self._config, pool=min(pool, PAGES_MAX * page), device="cpu")  # the order of operations is what a trace repeats
        name = self._view.cache_name
        return LoggedTrace(Recorded(config, trace, SUBJECTS.get(name, name)), left_out)


def _match(call: Call) -> Logged:
    given = call.arguments[0] if call.arguments else next(iter(call.named.values()))
    key = getattr(given, "key", given)  # `match_prefix` takes parameters with a key, and `touch_prefix` a key
    end = call.touched[-1] if call.touched else None
    space = (key.extra_key, key.cache_salt)
    return Logged(call.number, MATCH, key.token_ids, len(key), space, 0, 0, end, call.locks, call.victims)


def _insert(call: Call) -> Logged:
    given = call.arguments[0] if call.arguments else call.named["params"]
    key = given.key
    space = (key.extra_key, key.cache_salt)
    return Logged(call.number, INSERT, key.token_ids, len(key), space, given.priority or 0, 0, None, call.locks, call.victims)


def _checkpoint(call: Call) -> Logged:
    request = call.arguments[0] if call.arguments else call.named["req"]
    tokens = request.full_untruncated_fill_ids
    size = min(call.named["up_to"], len(tokens))
    space, prompt = (request.extra_key, request.cache_salt), len(request.origin_input_ids)
    return Logged(call.number, CHECKPOINT, tokens, size, space, request.priority or 0, prompt, None, call.locks, call.victims)


def _evict(call: Call) -> Logged:
    amount = (call.arguments[0] if call.arguments else call.named["params"]).num_tokens
    if call.named.get("allocation_reclaim_satisfied") is not None:  # it may have ended before: only what left the tree is known
        amount = sum(record.size for record in call.victims)
    return Logged(call.number, EVICT, NO_TOKENS, 0, (None, None), amount, 0, None, call.locks, call.victims)


def _last(ring: Iterable[Logged], tokens_max: int, operations_max: int) -> list[Logged]:
    """Return the last calls whose keys have at most so many tokens together, and which are at most so many operations.

    The oldest comes first, and the last one is there in any case.
    """
    calls = list(ring)
    tokens = operations = 0
    for at in range(len(calls) - 1, -1, -1):
        tokens += calls[at].size
        operations += (OF_CHECKPOINT if calls[at].verb == CHECKPOINT else 1) + len(calls[at].locks)
        if (tokens > tokens_max or operations > operations_max) and at < len(calls) - 1:
            return calls[at + 1 :]
    return calls


def _namespace(space: tuple[Any, Any] | Namespace) -> Namespace:
    """Return a namespace without None at its end: that of a key with neither is empty."""
    parts = tuple(part or None for part in space)
    while parts and parts[-1] is None:
        parts = parts[:-1]
    return parts


@dataclass(slots=True)
class _TraceMaker:
    """Makes the operations of a trace."""

    view: TreeView
    page_size: int
    calls: Sequence[Logged]
    tokens_max: int  # of the base
    operations: list[Op] = field(default_factory=list)
    records: dict[int, Record] = field(default_factory=dict)  # by the address of the node, which a record or a call keeps
    held: dict[int, list[int]] = field(default_factory=dict)  # by the same: holders of live locks
    matched: dict[Key, int] = field(default_factory=dict)  # the node at which the last match of a key ended
    ends: dict[int, Key] = field(default_factory=dict)  # of a node: the key of the last match that ended there
    holders: int = 0

    def base(self, alive: list[Record], operations_max: int) -> str:
        """Add the inserts, and the locks, of what was in the tree before the first call. Return what was left out."""
        left = [record for call in self.calls for record in call.victims]
        self.records = {id(record.node): record for record in (*alive, *left)}
        first = self.calls[0].number if self.calls else None
        before = [record for record in self.records.values() if record.parent is not None and (first is None or record.born < first)]
        locked = self._locked_before()
        wanted = _wanted(before, [*left, *(self.records[node] for node in locked if node in self.records)])
        chosen, tokens = dict[int, tuple[Record, Key]](), 0
        for record in wanted:
            length = sum(each.size for each in record.path())
            operations = 1 + 2 * locked.get(id(record.node), 0)
            if tokens + length > self.tokens_max or operations > operations_max:
                continue
            tokens, operations_max = tokens + length, operations_max - operations
            chosen[id(record)] = record, self._key_of(record)
        for record, key in sorted(chosen.values(), key=lambda one: (one[0].time, -len(one[1].tokens))):
            self._insert(key, int(getattr(record.node, "priority", 0) or 0))
            for _ in range(locked.get(id(record.node), 0)):
                self._lock(record.node)
        missing = len(before) - len(chosen)
        return f"{missing:,} of {len(before):,} nodes of the tree at its beginning are left out" if missing else ""

    def add(self, call: Logged) -> None:
        """Add the operations of one call."""
        size = call.size // self.page_size * self.page_size
        key = Key(tuple(call.tokens[:size]), _namespace(call.space)) if size else Key(())
        if call.verb == MATCH:
            self._match(key, call.end)
        elif call.verb == INSERT:
            self._insert(key, call.amount)
        elif call.verb == CHECKPOINT:
            self._insert(key, call.amount)
            prompt = call.prompt // self.page_size * self.page_size
            if 0 < prompt < size:  # the node is cut there, so that the output can be evicted without the prompt
                self._insert(Key(key.tokens[:prompt], key.namespace), call.amount + 1)
            self._match(key, next((node for node, change in call.locks if change > 0), None))
        elif call.verb == EVICT:
            self.operations += [Op("evict", amount=call.amount)] if call.amount > 0 else []
        for node, change in call.locks:
            for _ in range(abs(change)):
                self._lock(node) if change > 0 else self._unlock(node)
        if call.verb == RESET:
            self.operations.append(Op("reset"))

    def _locked_before(self) -> dict[int, int]:
        """Return how many locks each node had before the first call: those of now, without what the calls changed."""
        counts = {node: record.holders for node, record in self.records.items() if record.holders}
        for call in self.calls:
            for node, change in call.locks:
                counts[id(node)] = counts.get(id(node), 0) - change
        return {node: count for node, count in counts.items() if count > 0}

    def _insert(self, key: Key, priority: int) -> None:
        if key.tokens:
            self.operations.append(Op("insert", key, priority=max(0, priority)))

    def _match(self, key: Key, end: Any) -> None:
        self.operations.append(Op("match", key))
        if end is not None:
            self.matched[key], self.ends[id(end)] = id(end), key

    def _lock(self, node: Any) -> None:
        """Lock where a match ended. If none has ended there, or its key was matched again with another end, match the node's own key."""
        key = self.ends.get(id(node))
        if key is None or self.matched.get(key) != id(node):
            key = self._key(node)
            self._match(key, node)
        self.holders += 1
        self.operations.append(Op("lock", key, holder=self.holders))
        self.held.setdefault(id(node), []).append(self.holders)

    def _unlock(self, node: Any) -> None:
        """Release the oldest lock of a node. Without one, it is a call that no caller may make, which a trace cannot have."""
        holders = self.held.get(id(node))
        if holders:
            self.operations.append(Op("unlock", holder=holders.pop(0)))

    def _key(self, node: Any) -> Key:
        record = self.records.get(id(node))
        if record is not None:
            return self._key_of(record) if record.parent is not None else Key(())
        nodes = list[Any]()
        while (above := self.view.parent(node)) is not None:
            nodes.append(node)
            node = above
        return self._joined(nodes[::-1])

    def _key_of(self, record: Record) -> Key:
        return self._joined([each.node for each in record.path()])

    def _joined(self, nodes: Sequence[Any]) -> Key:
        tokens = tuple(token for node in nodes for token in self.view.tokens(node))
        return Key(tokens, _namespace(self.view.namespace(nodes[0]))) if tokens else Key(())  # the lower ones may have lost their parents


def _wanted(before: Sequence[Record], first: Sequence[Record]) -> Iterator[Record]:
    """Yield the nodes of the base in the order of their use for a trace: `first`, then from both ends of the order of the last accesses.

    The oldest ones are the next victims, and the youngest were used in the trace.
    """
    seen = {id(record) for record in before}
    for record in first:
        if id(record) in seen:
            seen.remove(id(record))
            yield record
    rest = deque(sorted((record for record in before if id(record) in seen), key=lambda record: record.time))
    while rest:
        yield rest.popleft()
        if rest:
            yield rest.pop()
