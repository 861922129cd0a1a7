"""The oracle: the model, which performs the operations of a subject, and a record of what the engine wrote into each page."""

from collections.abc import Iterable, Sequence, Set

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.cache_machine import CALLER, Call, Machine, Pages
from radixcheck.spec.run.host_choices import SPLIT_TIMES
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.splitting_machine import SplittingMachine
from radixcheck.spec.run.state import State
from radixcheck.spec.values import Key, StaleHandle, pages_for
from radixcheck.verification.checker.engine import OLD_RECEIPTS
from radixcheck.verification.operations import Op

NO_PAGE = -1
ACCESSES = ("match", "insert", "start", "chunk", "finish")


class Oracle:
    """Performs the same operations on the specification. Only the pages that were allocated are taken from the subject."""

    def __init__(self, policy: str, page_size: int, pages: int, choices: Set[str] = frozenset()) -> None:
        """`choices`: of `core/choices.py`, those that the subject declares."""
        machine = SplittingMachine if SPLIT_TIMES in choices else Machine
        self._use(machine(Positions(page_size), POLICIES[policy], pages))

    def _use(self, model: Machine) -> None:
        """Begin with an empty model."""
        self.positions, self.model = model.positions, model
        self.written: dict[int, int] = {}  # page -> the position whose last page of tokens the engine wrote into it
        self.loans: dict[int, list[int]] = {}  # pages that a caller holds; none: it allocated nothing, so that it holds nothing
        self.locks: set[int] = set()
        self.matched: dict[Key, int] = {}  # the end of the last match of each key, while that node is in the tree
        # From before the last reset: keys whose handles the engine still has, and released locks whose receipts it still has.
        self.old_handles: dict[Key, int] = {}  # with the end of each match
        self.old_receipts: frozenset[int] = frozenset()
        self.released: tuple[int, ...] = ()  # the last locks that were released

    def empty(self) -> State:
        """Return the state of an empty cache."""
        return State(self.positions, len(self.model.state.owner))

    @property
    def call(self) -> Call:
        """The operation in progress, or the last one."""
        return self.model.call

    def cached(self, op: Op) -> int:
        """Return how many tokens the last operation found in the cache, as its answer says."""
        return self.positions.length[self.call.found]

    @property
    def tick(self) -> float:
        """The tick of a clock reading in the last operation; between two ticks if the operation accesses nothing and so stores no time."""
        return self.model.state.now + (0 if self.call.operation in ACCESSES else 0.5)

    @property
    def copying(self) -> int:
        """How many holders are copies between two tiers."""
        return 0

    @property
    def requests(self) -> list[int]:
        """The live requests."""
        return list(filter(self.is_request, self.model.state.held))

    def allowed(self, op: Op) -> bool:
        """Whether a caller can make this call: its holder or match exists. Shrinking may have removed the operation that made it."""
        h = op.holder
        match op.name:
            case "lock":
                return self.is_free(h) and (op.key in self.matched or op.key in self.old_handles)
            case "unlock":
                return h in self.locks or (h in self.old_receipts and self.is_free(h))
            case "free":
                return self._can_free(op)
            case "alloc" | "start":
                return self.is_free(h)
            case "chunk" | "decode" | "finish" | "abort":
                return self.is_request(h)
            case "insert":
                return self._can_insert(op)
        return True

    def is_request(self, h: int) -> bool:
        """Whether this is a live request."""
        return h in self.model.state.held and h not in self.loans and h not in self.locks

    def is_free(self, h: int) -> bool:
        """Whether no holder has this name."""
        return h not in self.model.state.held and h not in self.loans

    def _can_free(self, op: Op) -> bool:
        """Whether the caller holds the slots: all of some loans, or the last pages of one loan that has more."""
        if op.loans:
            return self._are_loans(op.loans) and not op.amount
        size = self.positions.page_size
        return op.holder in self.loans and op.amount % size == 0 and (not op.amount or op.amount < len(self.loans[op.holder]) * size)

    def _can_insert(self, op: Op) -> bool:
        """Whether the loans are not more than the key needs, and the rest is free. A call with loans is not refused: they would be lost."""
        size = self.positions.page_size
        if not self._are_loans(op.loans) or (op.loans and op.priority < 0):
            return False
        missing = pages_for(len(op.key.tokens), size) - sum(len(self.loans[h]) for h in op.loans)
        return 0 <= missing * size <= self.model.state.available

    def _are_loans(self, holders: Sequence[int]) -> bool:
        return len(set(holders)) == len(holders) and self.loans.keys() >= set(holders)

    def run(self, op: Op, pages: Pages) -> None:
        """Perform one operation. Raise the specification's typed refusals, and ValueError or Refused if `pages` cannot be right."""
        key = self.positions.of(op.key)
        getattr(self, "_" + op.name, self._of_holder)(op, key, pages)
        if self.call.taken != len(pages):
            raise ValueError(f"{len(pages)} pages were taken where {self.call.taken} are needed")
        gone = self._gone()
        if gone:
            self.matched = {k: n for k, n in self.matched.items() if n not in gone}

    def new_call(self, operation: str, h: int = CALLER, freed: Iterable[int] = ()) -> Call:
        """Return a record of a call."""
        return Call(operation, h, freed=list(freed))

    def _gone(self) -> set[int]:
        """Nodes that have left the tree in the last operation."""
        return set(self.call.victims)

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
            tail = s.tok[h]
            s.tok[h] = self.model.next_position(h, op.amount)
            page = next(iter(pages), s.row.get((h, tail), NO_PAGE))
            self.written[page] = s.tok[h]

    def _of_holder(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take(op.name, op.holder)

    def _match(self, op: Op, key: int, pages: Pages) -> None:
        self.matched[op.key] = self.model.take("match", key).found
        self.old_handles.pop(op.key, None)

    def _peek(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("peek", key)

    def _insert(self, op: Op, key: int, pages: Pages) -> None:
        allocated = list(pages)
        lent = self._release(op.loans)  # within the call they are free pages, which it fills
        taken = [*lent, *allocated]
        whole = self.positions.level[self.positions.cut(key)]
        self._write(self.positions.path(key), taken)
        self.model.take("insert", CALLER, self.positions.cut(key), op.priority, pages=taken[:whole])
        tail = taken[whole : self.positions.level[key]]
        self.call.taken += len(tail) - len(lent)
        self.call.freed += tail  # the caller owns the tail, and frees it at once

    def _lock(self, op: Op, key: int, pages: Pages) -> None:
        if op.key in self.old_handles:
            self.model.call = self.new_call("lock", op.holder)
            raise StaleHandle("this handle is of a match before the last reset")
        self.model.take("lock", op.holder, self.matched[op.key])
        self.locks.add(op.holder)

    def _unlock(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("unlock", op.holder)
        self.locks.discard(op.holder)
        self.released = (*self.released, op.holder)[-OLD_RECEIPTS:]

    def _evict(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("evict", op.amount)

    def _alloc(self, op: Op, key: int, pages: Pages) -> None:
        self._write(self.positions.path(key), pages)
        self.model.take("alloc", op.holder, key, pages=pages)
        self.loans[op.holder] = [self.model.state.row[op.holder, q] for q in self.positions.path(key)]
        if key == EPS:
            self.model.take("free", op.holder)
            self.model.call = self.new_call("alloc", op.holder)

    def _free(self, op: Op, key: int, pages: Pages) -> None:
        if op.amount:
            self._free_last(op.holder, op.amount // self.positions.page_size)
        else:
            self.call.freed = self._release(op.loans or (op.holder,))

    def _release(self, holders: Sequence[int]) -> list[int]:
        """Take loans back. Return their pages, in order."""
        self.model.call = self.new_call("free", next(iter(holders), CALLER))
        for h in holders:
            if self.loans[h]:
                self.model.take("free", h)
        return [page for h in holders for page in self.loans.pop(h)]

    def _free_last(self, h: int, count: int) -> None:
        """Take the last pages of a loan back, as if they had been a loan of their own."""
        pages = self.loans[h]
        kept, freed = pages[:-count], pages[-count:]
        end = self.positions.ancestors[self.model.state.tok[h]][len(kept)]
        self.model.take("free", h)
        self.model.take("alloc", h, end, pages=kept)
        self.loans[h] = kept
        self.model.call = self.new_call("free", freed=freed)

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
        self._forget_handles()

    def _forget_handles(self) -> None:
        self.old_handles = {key: end for key, end in self.matched.items() if end != EPS}  # the root stays
        self.old_receipts = frozenset(self.released)
        self.matched.clear()
        self.released = ()

    def _write(self, path: Sequence[int], pages: Iterable[int]) -> None:
        self.written.update(zip(pages, path, strict=False))
