"""The incremental checker: what an operation touched is compared at once, everything else now and then.

The checker of short runs compares the whole cache after every operation, which takes too long for a cache of twenty thousand pages.
This one compares

    after every operation        its answer, the pages that were allocated and freed, the three sizes
    after every move             the paths that it used, released, split or evicted from, node by node; the row that it
                                 answered; the heap entry of every leaf that it left evictable
    every `window` moves         the path to one more node, in rotation
    every `stride` operations    the whole state; and every eighth time one formula whose cost grows no faster than the tree,
                                 each in its turn

A *move* is an operation that may change the tree or the pool: all but a peek and a decode into an unfinished page. A fault outside
the touched paths is found by the rotation, or at the latest by the next comparison of the whole state.
"""

from collections import Counter
from functools import partial
from itertools import zip_longest
from typing import Any

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.values import CacheError
from radixcheck.verification.checker.checked_run import CheckedRun, Performed
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.engine import Answer
from radixcheck.verification.checker.formulas import compiled
from radixcheck.verification.checker.incremental.agreement import Agreement, Journal, journalled
from radixcheck.verification.checker.incremental.memoized_abstraction import MemoizedAbstraction
from radixcheck.verification.checker.incremental.tiered_agreement import TieredAgreement
from radixcheck.verification.checker.incremental.tiered_journal import journalled_tiers
from radixcheck.verification.checker.incremental.tiered_paths import TieredPaths
from radixcheck.verification.checker.incremental.tiered_ranking import rank_incrementally
from radixcheck.verification.checker.incremental.touched_paths import TouchedPaths
from radixcheck.verification.checker.incremental.whole_state import Ranking, WholeState
from radixcheck.verification.checker.incremental.whole_tiers import WholeTiers
from radixcheck.verification.checker.judge_answer import AS_SPECIFIED
from radixcheck.verification.checker.judge_host import judge_host_black_box
from radixcheck.verification.checker.oracle import ACCESSES
from radixcheck.verification.checker.reasons.eviction_reasons import freed_text
from radixcheck.verification.checker.reasons.of_run import spec_case
from radixcheck.verification.checker.reasons.tree_reasons import sizes_text
from radixcheck.verification.checker.run_parts import HostParts
from radixcheck.verification.core.found import Tier, Violation
from radixcheck.verification.core.watched_copier import Contents
from radixcheck.verification.operations import Op

MOVES = (*ACCESSES, "lock", "unlock", "abort", "reset", "load_back", "backup", "evict_host", "poll")


def judge_freed(run: CheckedRun, done: Performed, looked: Counter[str]) -> list[Violation]:
    """Compare the pages freed, in any order: a cache may free the slots of several victims at once."""
    name, call, id_ = done.op.name, run.oracle.call, "SLOT_PARTITION"
    freed, expected = sorted(run.engine.pool.freed), [] if done.refused else sorted(call.freed)
    if name in EVICTING:
        id_ = "ORDER" if len(freed) == len(expected) else "EVICT_EXACT"
    if freed != expected:
        return [Violation(id_, freed_text(spec_case(run), set(freed), set(expected), run.oracle.written | run.freed_held))]
    if done.diverged:
        return [Violation("REFINEMENT", done.diverged)]
    looked["victims"] += 0 if done.refused else len(call.victims)
    return []


def judge_sizes(run: CheckedRun, done: Performed, looked: Counter[str]) -> list[Violation]:
    """Compare the three sizes."""
    s, found = run.oracle.model.state, run.engine.sizes()
    looked["sizes"] += 1
    if found == (s.available, s.evictable, s.protected):
        return []
    return [Violation("COUNT", sizes_text(found, (s.available, s.evictable, s.protected), AS_SPECIFIED))]


def judge_row(run: CheckedRun, done: Performed, looked: Counter[str]) -> list[Violation]:
    """Compare the pages of the slots answered with those that the request holds: none may be a duplicate that was just freed."""
    op, slots = done.op, done.answer.slots
    if done.refused or slots is None or op.name not in ("start", "chunk", "decode"):
        return []
    s, h, size = run.oracle.model.state, op.holder, run.engine.page_size
    tok = s.tok[h]
    path = (tok,) if op.name == "decode" else run.oracle.positions.path(tok)
    found, expected = [slot // size for slot in slots[::size]], [s.row[h, q] for q in path]
    looked["rows"] += 1
    if found == expected:
        return []
    wrong = next(i for i, (a, b) in enumerate(zip_longest(found, expected)) if a != b)
    c, place = spec_case(run), f"for token {wrong * size}" if op.name != "decode" else "for the new token"
    pages = (pages[wrong] if wrong < len(pages) else None for pages in (expected, found))
    return [Violation("NO_UAF", "the row of request r{} {} must have {}, but has {}".format(h, place, *map(c.slots, pages)))]


class IncrementalChecker(Checker):
    """A checker whose cost depends on what an operation touches. It stops at the first violation.

    The touched paths are compared if the subject shows them: `observe_path(key)` returns the nodes that lie wholly on a key and, if
    the subject keeps a heap, `observe_entry(key)` the current entry of the last of them. Of any other subject only answers, sizes,
    the pool and, every `stride` operations, the whole state are compared: then `local` is false, and times are compared by their
    order, with one clock reading for each access. With a `window` of 0 every subject is treated like that.
    """

    emits = False  # what a cache without events does is compared here

    def __init__(
        self,
        factory: Any,
        policy: str,
        page_size: int,
        pool: int,
        stride: int = 100,
        device: str = "cpu",
        window: int = 4,
        tier: Tier | None = None,
    ) -> None:
        super().__init__(factory, policy, page_size, pool, stride, device, tier)
        self.local = window > 0 and self.transparent and self.engine.has("observe_path")
        self.looked: Counter[str] = Counter()  # what was compared, and how often
        self.answer = Answer()  # to the last operation
        self.gone: tuple[int, ...] = ()  # the content of the pages that the last operation freed
        self.changed_nodes: set[int] = set()  # with a host tier: nodes that have changed since the caller has cleared this
        self._paths: TouchedPaths | TieredPaths | None
        self._whole: WholeState | WholeTiers
        if self.host:
            self._observe_tiers_incrementally(self.host, policy, window)
        else:
            self._observe_incrementally(policy, window)

    def _observe_incrementally(self, policy: str, window: int) -> None:
        """Let what is unchanged since the last comparison cost no computation."""
        changes = journalled(self.oracle.model.state)
        self.oracle.written = Journal(changes.pages)
        self.abstraction = memoized = MemoizedAbstraction(self.oracle.positions, self.engine.pool, policy, self.oracle.written)
        self.oracle.model.ranked = Ranking(POLICIES[policy], changes.ranks)
        agreement = Agreement(memoized, self.oracle.model.state, changes)
        self._paths = TouchedPaths(self, memoized, agreement, self.looked, window) if self.local else None
        self._whole = WholeState(self, memoized, agreement, self.looked, self.local)

    def _observe_tiers_incrementally(self, host: HostParts, policy: str, window: int) -> None:
        """The same of a cache with a host tier."""
        oracle, abstraction = host.oracle, host.abstraction
        changes = journalled_tiers(oracle.model.state)
        self.changed_nodes = changes.nodes
        rank_incrementally(oracle.model, POLICIES[policy], changes)
        oracle.written = abstraction.written = Journal(changes.pages)
        oracle.host_written = abstraction.host_written = Journal(changes.host_pages)
        host.engine.copier.contents = Contents(oracle.positions, oracle.written, oracle.host_written)
        agreement = TieredAgreement(self, host, changes)
        self._paths = TieredPaths(self, host, agreement, self.looked, window) if self.local else None
        self._whole = WholeTiers(self, compiled(policy, host=True)[0], agreement, self.looked, self.local)

    def step(self, op: Op) -> list[Violation]:
        """Perform and check one operation. An empty list: nothing is wrong."""
        self.answers.clear()  # they serve to compare replicas, and a replay compares with its shadow replica as it goes
        return super().step(op)

    def check_all(self) -> list[Violation]:
        """Compare the whole state now, with every linear formula."""
        return self.guarded(self._whole.judge_all)

    def perform(self, op: Op) -> Performed:
        """Perform an operation, and keep its answer."""
        done = super().perform(op)
        self.answer = done.answer
        return done

    def _follow(self, op: Op) -> tuple[CacheError | None, str]:
        written = self.oracle.written
        self.gone = tuple(sorted(written.get(page, EPS) for page in self.engine.pool.freed))
        if self._paths:
            self._paths.foresee(op)
        return super()._follow(op)

    def _judge_state(self, done: Performed, wrong: bool) -> list[Violation]:
        out = judge_freed(self, done, self.looked) + judge_sizes(self, done, self.looked)
        for judge in (self._judge_host, partial(judge_row, self, looked=self.looked), self._judge_paths, self._judge_whole):
            if not (out or wrong):
                out = judge(done)
        self.stopped = self.stopped or bool(out or wrong)
        return out

    def _judge_host(self, done: Performed) -> list[Violation]:
        return judge_host_black_box(self, self.host, done) if self.host else []

    def _judge_paths(self, done: Performed) -> list[Violation]:
        pool = self.engine.pool
        moved = pool.allocated or pool.freed or done.op.name in MOVES
        if not self._paths or not moved:
            return []
        self.engine.overwrite_lent()  # as a caller does that reuses its arrays: the nodes must not change
        return self._paths.judge(done)

    def _judge_whole(self, done: Performed) -> list[Violation]:
        due = self.steps % self.stride == 0 or done.op.name == "reset"
        return self._whole.judge(done.op) if due else []
