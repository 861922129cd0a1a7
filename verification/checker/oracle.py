"""The oracle: the model, which performs the operations of a subject, and a record of what the engine wrote into each page."""

from collections.abc import Iterable, Sequence

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.cache_machine import CALLER, Call, Machine, Pages
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.values import Key, pages_for
from radixcheck.verification.operations import Op

NO_PAGE = -1
ACCESSES = ("match", "insert", "start", "chunk", "finish")


class Oracle:
    """Performs the same operations on the specification. Only the pages that were allocated are taken from the subject."""

    def __init__(self, policy: str, page_size: int, pages: int) -> None:
        self.positions = Positions(page_size)
        self.model = Machine(self.positions, POLICIES[policy], pages)
        self.written: dict[int, int] = {}  # page -> the position whose last page of tokens the engine wrote into it
        self.loans: dict[int, list[int]] = {}  # pages that a caller holds
        self.locks: set[int] = set()
        self.matched: dict[Key, int] = {}  # the end of the last match of each key, while that node is in the tree

    @property
    def call(self) -> Call:
        """The operation in progress, or the last one."""
        return self.model.call

    @property
    def tick(self) -> float:
        """The tick of a clock reading in the last operation; between two ticks if the operation accesses nothing and so stores no time."""
        return self.model.state.now + (0 if self.call.operation in ACCESSES else 0.5)

    def allowed(self, op: Op) -> bool:
        """Whether a caller can make this call: its holder or match exists. Shrinking may have removed the operation that made it."""
        s, h = self.model.state, op.holder
        match op.name:
            case "lock":
                return h not in s.held and op.key in self.matched
            case "unlock":
                return h in self.locks
            case "free":
                return h in self.loans
            case "alloc" | "start":
                return h not in s.held
            case "chunk" | "decode" | "finish" | "abort":
                return h in s.held and h not in self.loans and h not in self.locks
            case "insert":
                return pages_for(len(op.key.tokens), self.positions.page_size) * self.positions.page_size <= s.available
        return True

    def run(self, op: Op, pages: Pages) -> None:
        """Perform one operation. Raise the specification's typed refusals, and ValueError or Refused if `pages` cannot be right."""
        key = self.positions.of(op.key)
        getattr(self, "_" + op.name, self._of_holder)(op, key, pages)
        if self.call.taken != len(pages):
            raise ValueError(f"{len(pages)} pages were taken where {self.call.taken} are needed")
        gone = set(self.call.victims)
        if gone:
            self.matched = {k: n for k, n in self.matched.items() if n not in gone}

    def give_in(self, op: Op, pages: Pages) -> None:
        """After the specification has diverged: set what the engine knows of the holder, so that the subject can still be observed."""
        s, h = self.model.state, op.holder
        if op.name == "alloc":
            self.loans[h] = list(pages)
        if op.name in ("alloc", "start"):
            s.held.add(h)
            s.at.setdefault(h, EPS)
            s.request_priority.setdefault(h, op.priority)
            s.tok[h] = self.positions.of(op.key)
        if op.name == "decode":
            tail, p = s.tok[h], self.positions
            before = () if p.whole[tail] else p.page[tail]
            s.tok[h] = p.link(tail if p.whole[tail] else p.prev[tail], (*before, op.amount), p.namespace[tail])
            page = next(iter(pages), s.row.get((h, tail), NO_PAGE))
            self.written[page] = s.tok[h]

    def _of_holder(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take(op.name, op.holder)

    def _match(self, op: Op, key: int, pages: Pages) -> None:
        self.matched[op.key] = self.model.take("match", key).found

    def _peek(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("peek", key)

    def _insert(self, op: Op, key: int, pages: Pages) -> None:
        taken = list(pages)
        whole = self.positions.level[self.positions.cut(key)]
        self._write(self.positions.path(key), taken)
        self.model.take("insert", CALLER, self.positions.cut(key), op.priority, pages=taken[:whole])
        tail = taken[whole : self.positions.level[key]]
        self.call.taken += len(tail)
        self.call.freed += tail  # the caller owns the tail, and frees it at once

    def _lock(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("lock", op.holder, self.matched[op.key])
        self.locks.add(op.holder)

    def _unlock(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("unlock", op.holder)
        self.locks.discard(op.holder)

    def _evict(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("evict", op.amount)

    def _alloc(self, op: Op, key: int, pages: Pages) -> None:
        self._write(self.positions.path(key), pages)
        self.model.take("alloc", op.holder, key, pages=pages)
        self.loans[op.holder] = list(pages)

    def _free(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("free", op.holder)
        del self.loans[op.holder]

    def _start(self, op: Op, key: int, pages: Pages) -> None:
        known = self.positions.level[self.model.deepest(self.positions.cut(key))]
        self._write(self.positions.path(key)[known:], pages)
        self.model.take("start", op.holder, key, op.priority, pages=pages)
        self.model.namespaces[op.holder] = op.key.namespace

    def _decode(self, op: Op, key: int, pages: Pages) -> None:
        tail = self.model.next_position(op.holder, op.amount)
        self.model.take("decode", op.holder, tail, pages=pages)
        self.written[self.model.state.row[op.holder, tail]] = tail

    def _reset(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("reset")
        self.matched.clear()

    def _write(self, path: Sequence[int], pages: Iterable[int]) -> None:
        self.written.update(zip(pages, path, strict=False))
