"""Our cache behind SGLang's verbs with a log of its operations, and what the log needs of a watch: calls, and a record of each node."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from engine_types import Scheduler, parameters, results

from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.optimized.keys import unpack
from radixcheck.optimized.node import Node
from radixcheck.spec.values import Key, Namespace
from radixcheck.verification.core.found import Config
from radixcheck.verification.watch.operation_log import BOUNDS, Bounds, OperationLog
from radixcheck.verification.watch.tree_record import Record
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, LOCK, MATCH, RESET, UNLOCK, Call

VERBS = {"match_prefix": MATCH, "checkpoint": CHECKPOINT, "lock": LOCK, "unlock": UNLOCK, "evict": EVICT, "reset": RESET}


class OurNodes:
    """As much of a `TreeView` as the log uses."""

    cache_name = "radixcheck"

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self.capacity: int = cache.pool.capacity

    def parent(self, node: Node) -> Node | None:
        return node.parent

    def tokens(self, node: Node) -> Sequence[int]:
        return unpack(node.segment)

    def namespace(self, node: Node) -> Namespace:
        """Only the child key of a node below the root has it."""
        top = node
        while top.parent is not None and top.parent is not self._cache.root_node:
            top = top.parent
        assert isinstance(top.child_key, tuple)
        return top.child_key[0]


class LoggedCache:
    """A cache of SGLang's interface whose outermost calls go to a log. `reported`: the policy in the log, if it is to be another."""

    def __init__(
        self, size: int, page_size: int, policy: str = "lru", limit: int = 10_000, reported: str | None = None, bounds: Bounds = BOUNDS
    ) -> None:
        self.cache = cache_class(results(), SGLangCache)(parameters(size, page_size, policy))
        self.scheduler = Scheduler(self.cache)
        self.view = cast(Any, OurNodes(self.cache))
        self.log = OperationLog(self.view, Config(reported or policy, page_size, size), limit, bounds)
        self.records: dict[int, Record] = {}
        self.after: Callable[[Call], None] = lambda call: None  # of each call
        self._calls = 0
        self._call: Call | None = None  # in progress
        self._note(Call(0, RESET, (), {}))
        for method, verb in VERBS.items():
            setattr(self.cache, method, self._logged(getattr(self.cache, method), verb))

    def alive(self) -> list[Record]:
        return list(self.records.values())

    def key(self, record: Record) -> Key:
        """The tokens that lead to the end of a node, under its namespace as traces have it."""
        path = [each.node for each in record.path()]
        space = [part or None for part in self.view.namespace(path[0])]
        while space and space[-1] is None:
            space.pop()
        return Key(tuple(token for node in path for token in self.view.tokens(node)), tuple(space))

    def _logged(self, method: Callable[..., Any], verb: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            outer, self._calls = self._call, self._calls + (self._call is None)
            done = self._call = outer or Call(self._calls, verb, arguments, named)
            result = method(*arguments, **named)
            self._call = outer
            lock, change = {LOCK: (result, 1), UNLOCK: (arguments[0] if arguments else None, -1)}.get(verb, (None, 0))
            if lock is not None:
                done.locks.append((lock.node, change))
            if outer is None:
                done.touched += [result.last_device_node] if verb == MATCH else []
                self._note(done)
                self.log.called(done)
                self.after(done)
            return result

        return call

    def _note(self, call: Call) -> None:
        """Read the whole tree."""
        root = self.cache.root_node
        if id(root) not in self.records:
            self.records = {id(root): Record(root, call.number, root.slots)}
        waiting, seen = [root], set()
        while waiting:
            node = waiting.pop()
            seen.add(id(node))
            record = self.records.setdefault(id(node), Record(node, call.number, node.slots))
            record.size, record.time = node.size, node.time
            for child in node.children.values():
                self.records.setdefault(id(child), Record(child, call.number, child.slots)).parent = record
                waiting.append(child)
        for gone in self.records.keys() - seen:
            record = self.records.pop(gone)
            record.left = call.number
            call.victims.append(record)
        for node, change in call.locks:
            self.records[id(node)].holders += change
