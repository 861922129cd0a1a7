"""The incremental checker: what an operation touched is compared at once, everything else now and then.

The checker of short runs looks at the whole cache after every operation, which a cache of twenty thousand pages does
not allow. Here

    every operation             its answer, what the pool gave and took (in the order of the victims), the three sizes
    every move                  the paths that it used, released, split or evicted from, node by node; the row that it
                                answered; the heap's entry of every leaf that it left evictable
    every `window` moves        the path to one more node, in rotation
    every `stride` operations   the whole state; and every eighth time a formula whose cost grows no faster than the tree,
                                each in its turn

A *move* is an operation that may change the tree or the pool: all but a peek and a decode into an unfinished page. What
is written outside the touched paths is seen by the rotation, or at the latest by the next comparison of the whole.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from radixcheck.spec.logic import var
from radixcheck.spec.policies import POLICIES, less, stored
from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.reader import holds
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import POS, entry
from radixcheck.spec.values import CacheError, Key, Sizes
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.engine import Answer
from radixcheck.verification.checker.formulas import Compiled, compiled
from radixcheck.verification.checker.incremental.agreement import Agreement
from radixcheck.verification.checker.incremental.journal import Journal, journalled
from radixcheck.verification.checker.incremental.memoized_abstraction import Recall
from radixcheck.verification.checker.incremental.ranks import Ranking, by_rank
from radixcheck.verification.checker.indices import index_findings
from radixcheck.verification.checker.oracle import ACCESSES
from radixcheck.verification.core.found import Violation
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Observation, SeenEntry, SeenNode

MARKS = ("lock", "time", "creation", "hits", "priority")
# Formulas that visit each node, page or holder once, or with the prefixes of each node; the others compare every two.
# (ISOLATION is one of them, but follows here: a position has its namespace, so MATCH_SOUND speaks of it too.)
LINEAR = (
    *("COVER", "LOCK_NONNEG", "PARENT", "LOCK_SPAN", "CHILD_KEY", "TIME_MONO", "MATCH_SOUND", "CLOCK"),
    *("SLOT_PARTITION", "NO_UAF", "LOCK_COUNT", "PAGE_ALIGN", "COUNT", "HEAP_FULL", "HEAP_STALE"),
)
FORMULA_EVERY = 8  # comparisons of the whole: where nothing differs, a formula says of one state what it says of the other


class IncrementalChecker(Checker):
    """A checker whose cost follows what an operation touches. It stops at the first finding.

    A subject that shows paths (`observe_path(key)`: the nodes that lie wholly on a key, and, if it keeps a heap,
    `observe_entry(key)`: the entry that speaks for the last of them) is looked at after every move. Of any other only
    answers, sizes, the pool and, every `stride` operations, the whole are checked: then `local` is false, and times are
    compared by their order, one clock reading for each access being assumed.
    """

    def __init__(
        self, factory: Any, policy: str, page_size: int, pool: int, stride: int = 100, device: str = "cpu", window: int = 4
    ) -> None:
        super().__init__(factory, policy, page_size, pool, stride, device)
        changes = journalled(self.oracle.model.state)
        self.oracle.written = Journal(changes.pages)
        self.abstraction: Recall = Recall(self.oracle.positions, self.engine.pool, policy, self.oracle.written)
        self.oracle.model.ranked = Ranking(POLICIES[policy], changes.ranks)
        self._agreement = Agreement(self.abstraction, self.oracle.model.state, changes)
        subject = self.engine.subject
        self.local = self.transparent and hasattr(subject, "observe_path")
        self.keeps_heap = self.local and hasattr(subject, "observe_entry") and subject.observe().heap is not None
        self.window = window
        self.moves = 0
        self.looked: Counter[str] = Counter()  # what was compared, and how often
        self.answer = Answer()  # to the last operation
        self.gone: tuple[int, ...] = ()  # what stood in the pages that the last operation freed
        self._marks = tuple(name for name in MARKS if name not in self.hidden)
        self._released = EPS  # where the path ends that the operation unlocks
        self._lower = EPS  # the node that it splits, of which this is the lower half
        self._turn: Iterator[int] = iter(())
        ready = {r.property.id: r for r in compiled(policy)[0] if not r.reads & self.hidden}
        self._formulas_due = deque(ready[id_] for id_ in LINEAR if id_ in ready)
        n = var("n", POS)
        self._is_early = holds(less(POLICIES[policy].key(n), stored(entry(n))), (n,))

    def step(self, op: Op) -> list[Violation]:
        """Perform and check one operation. An empty list: nothing is wrong."""
        self.answers.clear()  # they are kept to compare replicas, which a replay does with the reference as it goes
        return super().step(op)

    def check_all(self) -> list[Violation]:
        """Compare the whole state now, with every linear formula."""
        return self._whole(Op("peek"), len(self._formulas_due))

    # Before the model runs.

    def _follow(self, op: Op) -> tuple[CacheError | None, str]:
        written = self.oracle.written
        self.gone = tuple(sorted(written.get(page, EPS) for page in self.engine.pool.freed))
        if self.local:
            self._foresee(op)
        return super()._follow(op)

    def _foresee(self, op: Op) -> None:
        """Note what the operation is about to release and to split."""
        s, p = self.oracle.model.state, self.oracle.positions
        self._released = s.at.get(op.holder, EPS) if op.name in ("unlock", "abort") else EPS
        self._lower = EPS
        if op.name in ("chunk", "finish"):
            key = s.tok[op.holder]
        elif op.name in ACCESSES:
            key = p.of(op.key)
        else:
            return
        found = self.oracle.model.deepest(p.cut(key))
        if found != EPS and found not in s.node:
            self._lower = s.end[found]

    # After it has run.

    def _judge_state(self, op: Op, answer: Answer, refused: bool, parted: str, wrong: bool) -> list[Violation]:
        self.answer = answer
        pool = self.engine.pool
        moved = bool(pool.allocated or pool.freed) or op.name in (*ACCESSES, "lock", "unlock", "abort", "reset")
        out = self._judge_pool(op, refused, parted) + self._judge_sizes(op)
        if not (out or wrong or refused):
            out += self._judge_row(op, answer)
        if self.local and moved and not (out or wrong):
            self.engine.overwrite_lent()  # as a caller does that reuses its arrays: the nodes must not change
            out += self._judge_touched(op, refused)
        if not (out or wrong) and (self.steps % self.stride == 0 or op.name == "reset"):
            out += self._whole(op, int(self.looked["whole states"] % FORMULA_EVERY == 0))
        self.stopped = self.stopped or bool(out or wrong)
        return out

    def _judge_outside(self, op: Op, answer: Answer, refused: bool, parted: str, wrong: bool) -> list[Violation]:
        self.answer = answer
        return super()._judge_outside(op, answer, refused, parted, wrong)

    def _judge_pool(self, op: Op, refused: bool, parted: str) -> list[Violation]:
        """What was freed, page by page, in any order: whoever evicts may give the slots of several victims back as one."""
        call, id_ = self.oracle.call, "SLOT_PARTITION"
        freed, expected = sorted(self.engine.pool.freed), [] if refused else sorted(call.freed)
        if op.name in EVICTING:
            id_ = "ORDER" if len(freed) == len(expected) else "EVICT_EXACT"
        if freed != expected:
            return [Violation(id_, f"{op.name} freed pages {freed}, the specification frees {expected}")]
        if parted:
            return [Violation("REFINEMENT", parted)]
        self.looked["victims"] += 0 if refused else len(call.victims)
        return []

    def _judge_sizes(self, op: Op) -> list[Violation]:
        s, says = self.oracle.model.state, self.engine.sizes()
        self.looked["sizes"] += 1
        if says == (s.available, s.evictable, s.protected):
            return []
        due = Sizes(s.available, s.evictable, s.protected)
        return [Violation("COUNT", f"after {op.name} says {says}, the specification {due}")]

    def _judge_row(self, op: Op, answer: Answer) -> list[Violation]:
        """A request must be told the very pages that it holds: not a duplicate that was just freed."""
        if op.name not in ("start", "chunk", "decode") or answer.slots is None:
            return []
        s, h, size = self.oracle.model.state, op.holder, self.engine.page_size
        tok = s.tok[h]
        path = (tok,) if op.name == "decode" else self.oracle.positions.path(tok)
        told, expected = [slot // size for slot in answer.slots[::size]], [s.row[h, q] for q in path]
        self.looked["rows"] += 1
        if told == expected:
            return []
        return [Violation("NO_UAF", f"request {h} is told pages {told}, it holds {expected}")]

    def _judge_touched(self, op: Op, refused: bool) -> list[Violation]:
        """Every path that the operation used, released, split or evicted from; and the node whose turn it is."""
        call, handle = self.oracle.call, self.engine.handles.get(op.key) if op.name == "match" else None
        ends = [self._lower]
        if not refused:
            ends += [call.used if op.name in ACCESSES else call.found if op.name == "lock" else self._released, *call.victims]
        out: list[Violation] = []
        for position in (end for end in ends if end != EPS):
            if not out:
                key = self._key(position)
                out += self._judge_path(op, position, key, handle if position == call.used else None)
                out += self._judge_entry(op, position, key) if self.keeps_heap and not out else []
                self.looked["touched paths"] += 1
        self.moves += 1
        return out or (self._judge_next(op) if self.moves % self.window == 0 else [])

    def _judge_next(self, op: Op) -> list[Violation]:
        """One node in rotation, with the path that leads to it."""
        nodes = self.oracle.model.state.node
        position = next((q for q in self._turn if q in nodes), None)
        if position is None:
            self._turn = iter(tuple(nodes))
            return []
        self.looked["paths in rotation"] += 1
        return self._judge_path(op, position, self._key(position))

    def _key(self, position: int) -> Key:
        p = self.oracle.positions
        return Key(tuple(chain.from_iterable(map(p.page.__getitem__, p.path(position)))), p.namespace[position])

    def _judge_path(self, op: Op, position: int, key: Key, handle: object = None) -> list[Violation]:
        """The nodes that the subject has on the way to a position are those of the specification, and alike."""
        p = self.oracle.positions
        expected = self.oracle.model.nodes_to(position)
        seen: list[SeenNode] = self.engine.call(self.engine.subject.observe_path, key)
        self.looked["nodes"] += len(seen)
        above, parent = EPS, None
        for n, q in zip(seen, expected, strict=False):
            if n.parent != parent:
                return [Violation("PARENT", f"after {op.name}, the node of {blame.shown(p, q)} names another parent")]
            wrong = self._judge_node(op, n, above, q)
            if wrong:
                return [wrong]
            above, parent = q, n.name
        if len(seen) != len(expected):
            id_ = "ORDER" if op.name in EVICTING and position in self.oracle.call.victims else "REFINEMENT"
            text = f"{len(seen)} nodes lead to {blame.shown(p, position)}, in the specification {len(expected)}"
            return [Violation(id_, f"after {op.name}, {text}")]
        if handle is not None and seen and self.engine.subject.locate(handle) != seen[-1].name:
            return [Violation("LOCK_SPAN", "the node that the match handed out is not the one at which it ends")]
        return []

    def _judge_node(self, op: Op, n: SeenNode, above: int, q: int) -> Violation | None:
        if self._agreement.vouches(n, above, q):
            return None
        s, clock = self.oracle.model.state, self.abstraction.clock
        self.abstraction.findings = []
        known = self.abstraction.look(n, above)
        if known is None:
            finding = self.abstraction.findings[0]
            id_ = "NO_ALIAS" if -1 in n.slots else finding.property  # what overwriting leaves
            return Violation(id_, f"after {op.name}: {finding.text}")
        pages = tuple(s.page[x] for x in known.chain) if known.chain[-1] == q else ()
        if known.pages != pages:
            name, was = ("page", known.pages) if pages else ("node", known.chain)
            return self._differs(op, name, q, was, pages or (q,))
        for name in self._marks:
            value = getattr(n, name)
            if name in ("time", "creation"):
                value = clock(value)
            if value != getattr(s, name)[q]:
                return self._differs(op, name, q, value, getattr(s, name)[q])
        return None

    def _differs(self, op: Op, name: str, q: int, seen: object, spec: object) -> Violation:
        where = blame.shown(self.oracle.positions, q)
        return Violation(blame.FIELDS[name], f"after {op.name}, {name} of the node of {where} is {seen}, specification {spec}")

    def _judge_entry(self, op: Op, position: int, key: Key) -> list[Violation]:
        """The evictable leaf at the end of a path has an entry in the heap, with a key no later than its live one."""
        s = self.oracle.model.state
        q = position if position in s.node else s.end.get(self.oracle.model.deepest(position), EPS)
        if q == EPS or s.lock[q] or q in s.kids:
            return []
        self.looked["heap entries"] += 1
        seen: SeenEntry | None = self.engine.subject.observe_entry(key)
        if seen is None:
            text = f"no entry of the heap speaks for the leaf {blame.shown(self.oracle.positions, q)}"
            return [Violation("HEAP_FULL", f"after {op.name}, {text}")]
        one = State.__new__(State)
        one.positions, one.capacity = s.positions, s.capacity
        one.time, one.creation, one.hits, one.priority = s.time, s.creation, s.hits, s.priority
        first, second = self.abstraction.ticks(seen.key)
        one.entry, one.first, one.second = {q: 0}, {0: first}, {0: second}
        if not self._is_early(one, None, q):
            return []
        text = f"the leaf {blame.shown(self.oracle.positions, q)} is due before its entry's key {seen.key}"
        return [Violation("HEAP_STALE", f"after {op.name}, {text}")]

    # The whole.

    def _whole(self, op: Op, formulas: int) -> list[Violation]:
        """Compare every function of the state, and evaluate the formulas whose turn it is."""
        spec = self.oracle.model.state
        due = [self._formulas_due[i] for i in range(formulas)]
        self._formulas_due.rotate(-formulas)
        self.looked["whole states"] += 1
        self.tally.count("REFINEMENT")
        observation = self.engine.observe() if self.local and not self.hidden else None
        if observation and self._agrees(observation):
            return self._evaluate(due, self.abstraction.with_heap(spec, observation), observation) if due else []
        if not self.local:
            by_rank(self.abstraction.clock, self.engine.subject.observe(), spec)
        out = [Violation(f.property, f.text) for f in self._observe()]
        assert self.observation is not None
        self.abstraction.forget(self.observation)
        different = [f for f in blame.FIELDS if f not in self.hidden and getattr(self.seen, f) != getattr(spec, f)]
        out += self._evaluate(self._formulas_due if different else due, self.seen, self.observation)
        return out or [self._difference(op, name, False) for name in different[:1]]

    def _agrees(self, seen: Observation) -> bool:
        """Whether the short way shows that nothing differs. The heap is not the specification's, and has formulas of its own."""
        spec = self.oracle.model.state
        if not self._agreement.found(seen) or index_findings(spec, seen, self.abstraction.places):
            return False
        self._count_indices(seen)
        return True

    def _evaluate(self, due: Iterable[Compiled], state: State, seen: Observation) -> list[Violation]:
        ready = [formula for formula in due if seen.heap is not None or not formula.property.heap]
        return [v for formula in ready for v in self._said(formula.property.id, self.tally.evaluate(formula, state))]
