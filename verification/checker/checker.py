"""The checker: one operation on the subject and on the model, then everything that must hold.

Every step compares the subject's abstract state with the model's, all functions of it. On every `stride`-th step, and whenever
anything differs, the catalogue's formulas are evaluated on what was observed: they say which property is broken. Where only an
attribute deviates (times, hits, priority, creation) the run goes on from what was observed, so that one fault does not hide the
next; formulas that read that attribute are silent from then on, since their failure would only follow from it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from radixcheck.spec.postconditions import EVICTING
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.reader import Refused
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import LOST, TREE
from radixcheck.spec.values import CacheError, Sizes
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.abstraction import Abstraction
from radixcheck.verification.checker.engine import Answer, Engine, SubjectFailed
from radixcheck.verification.checker.formulas import Tally, compiled
from radixcheck.verification.checker.indices import index_findings
from radixcheck.verification.checker.misuse import misuse
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.watched_pool import Finding, slots_of
from radixcheck.verification.operations import Op, is_misuse
from radixcheck.verification.protocol import Observation


class Checker:
    """Checks one subject along one run. `stride`: how often formulas are evaluated although nothing differs."""

    def __init__(self, factory: Any, policy: str, page_size: int, pool: int, stride: int = 1, device: str = "cpu") -> None:
        self.engine = Engine(factory, policy, page_size, pool, device)
        self.oracle = Oracle(policy, page_size, pool // page_size)
        self.abstraction = Abstraction(self.oracle.positions, self.engine.pool, policy, self.oracle.written)
        self.supports = self.engine.subject.supports
        self.transparent = hasattr(self.engine.subject, "observe")
        self.policy, self.stride = policy, stride
        self.hidden = set(blame.SOFT) - set(self.supports.attributes)  # attributes that this subject does not show
        self.tainted = set(self.hidden)  # attributes that have deviated in this run
        self.tally = Tally()
        self.steps = 0
        self.stopped = False
        self.answers: list[tuple[object, ...]] = []  # what a second replica must answer too
        self.before = self.seen = State(self.oracle.positions, pool // page_size)
        self.observation: Observation | None = None
        self._refused_starts: set[object] = set()
        self._matched_at: dict[object, int] = {}

    def allowed(self, op: Op) -> bool:
        """Whether a caller can make this call now."""
        return (op.name in self.supports.operations or is_misuse(op.name)) and self.oracle.allowed(op)

    def step(self, op: Op) -> list[Violation]:
        """Perform and check one operation. An empty list: nothing is wrong. After a hard fault `stopped` is true."""
        if self.stopped or not self.allowed(op):
            return []
        self.steps += 1
        if is_misuse(op.name):
            return self._misuse(op)
        answer = self.engine.perform(op)
        self.answers.append((op.name, answer.length, answer.slots, type(answer.error), tuple(self.engine.pool.freed)))
        refusal, parted = self._follow(op)
        out = [Violation(f.property, f.text) for f in self.engine.pool.findings]
        out += self._judge_answer(op, answer, refusal, parted)
        if answer.refused != (refusal is not None):
            self.stopped = True  # one side has moved and the other has not: their states say nothing of each other
        elif answer.error is None or answer.refused:
            judge = self._judge_state if self.transparent else self._judge_outside
            try:
                out += judge(op, answer, refusal is not None, parted, bool(out))
            except SubjectFailed as failed:
                out.append(Violation("REFINEMENT", str(failed)))
        if self._hard(out):
            self.stopped = True
        return _distinct(out + self._freshness(op, out))

    # The two sides.

    def _follow(self, op: Op) -> tuple[CacheError | None, str]:
        """The specification's refusal, if any; and how it parts from the subject, if the pages taken cannot be right."""
        self.before, parted = self.seen, ""
        pages = self.engine.pool.allocated
        try:
            self.oracle.run(op, pages)
        except CacheError as refusal:
            self.abstraction.clock.tick = self.oracle.model.state.now + 0.5
            return refusal.with_traceback(None), ""  # whose frames would keep this alive
        except (Refused, ValueError, IndexError, KeyError):
            parted = f"{op.name} took pages {pages}; the specification cannot follow it from here"
            self.oracle.give_in(op, pages)
        self.abstraction.clock.tick = self.oracle.tick
        if op.name == "reset":
            self.abstraction.clock.known.clear()
        return None, parted

    def _judge_answer(self, op: Op, answer: Answer, refusal: CacheError | None, parted: str) -> list[Violation]:
        if answer.error is not None and answer.length is not None:  # an insert, whose duplicates could not be freed
            self.stopped = True
            text = f"the slots of the {answer.length} tokens that were present cannot be freed: {_named(answer.error)}"
            return self._judge_length(op, answer) or [Violation("REFINEMENT", text)]
        if answer.error is not None and not answer.refused:
            self.stopped = True
            return [Violation(blame.of_crash(answer.error), f"raised {_named(answer.error)}")]
        if answer.error is not None and refusal is None:
            return [Violation(blame.of_refusal(op, answer.error), f"refused ({_named(answer.error)}); the specification admits the call")]
        if answer.error is None and refusal is not None:
            return [Violation(blame.of_refusal(op, refusal), f"admitted; the specification refuses the call: {refusal}")]
        if refusal is not None or parted:
            return []
        return self._judge_length(op, answer) + self._judge_slots(op, answer)

    def _judge_length(self, op: Op, answer: Answer) -> list[Violation]:
        length, call = self.oracle.positions.length, self.oracle.call
        if op.name in ("match", "peek", "insert", "start", "chunk") and answer.length != length[call.found]:
            text = f"answered {answer.length} tokens, the specification says {length[call.found]}"
            return [Violation(blame.of_length(op, answer.length or 0, length[call.found]), text)]
        freed = len(self.engine.pool.freed) * self.engine.page_size
        if op.name == "evict" and answer.length != freed:
            return [Violation("EVICT_EXACT", f"says that it freed {answer.length} tokens, the pool got {freed}")]
        return []

    def _judge_slots(self, op: Op, answer: Answer) -> list[Violation]:
        """Each answered slot must hold the token asked about; what the engine wrote there tells."""
        if op.name not in ("match", "start", "chunk", "decode") or answer.slots is None:
            return []
        p, slots, size = self.oracle.positions, answer.slots, self.engine.page_size
        end = self.oracle.call.key if op.name == "match" else self.oracle.model.state.tok[op.holder]
        path, wanted = (end,) if op.name == "decode" else p.path(end), p.length[end]
        if op.name == "match":
            wanted = answer.length or 0
        if op.name == "decode":
            wanted = 1
            slots = tuple(slot - (p.length[end] - 1) % size for slot in slots)
        if len(slots) != wanted or len(slots) > len(path) * size:
            return [Violation("NO_UAF", f"{len(slots)} slots for {wanted} tokens")]
        pages, out = [first // size for first in slots[::size]], self.engine.pool.out
        if list(slots) != slots_of(pages, size)[: len(slots)]:
            return [Violation("PAGE_ALIGN", f"slots {slots} are not those of aligned pages of {size}")]
        if tuple(map(self.oracle.written.get, pages)) == path[: len(pages)] and all(map(out.__getitem__, pages)):
            return []
        for i, (page, due) in enumerate(zip(pages, path, strict=False)):
            if not (0 <= page < len(out) and out[page]):
                return [Violation("NO_UAF", f"slot {slots[i * size]}, answered for token {i * size}, is free")]
            held = self.oracle.written.get(page, EPS)
            if held != due:
                return [self._wrong_content(i * size, page * size, held, due)]
        return []

    def _wrong_content(self, i: int, slot: int, held: int, wanted: int) -> Violation:
        p = self.oracle.positions
        only_namespace = held != EPS and p.tokens(held) == p.tokens(wanted)
        text = f"slot {slot}, answered for token {i}, holds {blame.shown(p, held)} and not {blame.shown(p, wanted)}"
        return Violation("ISOLATION" if only_namespace else "MATCH_SOUND", text)

    # A white box.

    def _judge_state(self, op: Op, answer: Answer, refused: bool, parted: str, wrong: bool) -> list[Violation]:
        out = [Violation(f.property, f.text) for f in self._observe()]
        spec, seen = self.oracle.model.state, self.seen
        out += self._judge_handle(op) if not (refused or parted) else []
        different = [] if parted else [f for f in blame.FIELDS if f not in self.tainted and getattr(seen, f) != getattr(spec, f)]
        due = self.steps % self.stride == 0
        if parted or different or out or wrong or due:
            out += self._formulas(op, answer, refused)
        self.tally.count("REFINEMENT")
        if different and not (out or wrong):
            out.append(self._difference(op, different[0], refused))
        if parted and not (out or wrong):
            evicted = sorted(page for page in self.engine.pool.freed if self.before.owner[page] == TREE)
            strayed = op.name in EVICTING and evicted != sorted(self.oracle.call.freed)
            out.append(Violation("ORDER" if strayed else "REFINEMENT", parted))
        strays = [v.property for v in out if v.property in blame.SOFT.values()]
        strays += [blame.SOFT[name] for name in sorted(self.tainted - self.hidden)]
        if op.name == "start" and strays and (parted or different):
            out = self._follow_from_access(out, strays[0])
        self.stopped = self.stopped or bool(parted) or not set(different) <= set(blame.SOFT)
        if not self.stopped:
            self._adopt(different)
        if due and not out:
            out += self._judge_alias()
        return out

    def _observe(self) -> list[Finding]:
        """Look at the subject, and make its abstract state."""
        sizes, spec = self.engine.sizes(), self.oracle.model.state
        self.observation = self.engine.observe()
        self.abstraction.findings = []
        try:
            self.seen = self.abstraction.state(self.observation, sizes, spec, self.oracle.loans, self.oracle.locks)
        except (TypeError, AttributeError, ValueError) as error:  # not of the protocol's types
            raise SubjectFailed(f"observe() shows what cannot be read ({type(error).__name__}: {error})") from error
        for name in self.hidden:
            setattr(self.seen, name, {n: getattr(spec, name).get(n, 0) for n in self.seen.node})
        index = index_findings(self.seen, self.observation, self.abstraction.places)
        self._count_indices(self.observation)
        return self.abstraction.findings + index

    def _count_indices(self, seen: Observation) -> None:
        if seen.leaf_count is not None or seen.leaves is not None:
            self.tally.count("LEAFSET", bool(seen.nodes))
        if seen.heap is not None:
            self.tally.count("HEAP_BOUND", bool(seen.heap))
            self.tally.count("HEAP_ORDER", bool(seen.heap))

    def _judge_handle(self, op: Op) -> list[Violation]:
        """The node that a match hands out must end where the match ends."""
        if op.name != "match" or not hasattr(self.engine.subject, "locate"):
            return []
        self.tally.count("LOCK_SPAN", self.oracle.call.found != EPS)
        place = self.abstraction.places.get(self.engine.locate(self.engine.handles[op.key]))
        if place == self.oracle.call.found:
            return []
        length = self.oracle.positions.length
        stands = "outside the tree" if place is None else f"for a path of {length[place]} tokens"
        return [Violation("LOCK_SPAN", f"the node of the match stands {stands}, the match has {length[self.oracle.call.found]} tokens")]

    def _formulas(self, op: Op, answer: Answer, refused: bool) -> list[Violation]:
        """What the catalogue says of the observed states."""
        posts, out = compiled(self.policy)[1], list[Violation]()
        arguments = self._arguments(op, answer)
        for ready in posts.get(op.name, ()):
            if not ready.reads & self.tainted and (ready.property.refusals or not refused):
                failed = self.tally.evaluate(ready, self.seen, self.before, *arguments)
                out += self._said(ready.property.id, failed)
        strayed = sorted(self.engine.pool.freed) != sorted(self.oracle.call.freed)  # the right victims may come back in any order
        if op.name in EVICTING and not refused and strayed and not any(v.property == "EVICT_LEAF" for v in out):
            out += self._leaf_first()
        if any(v.property == "EVICT_LEAF" for v in out):
            out.append(Violation("NO_ORPHAN", "what lay behind the evicted node is cut off from the root, its slots are not free"))
        return out + self._state_formulas({name: id_ for name, id_ in blame.SOFT.items() if any(v.property == id_ for v in out)})

    def _state_formulas(self, deviating: Mapping[str, str]) -> list[Violation]:
        """What the state formulas say of the observed state; `deviating`: attributes that this operation got wrong."""
        out: list[Violation] = []
        no_heap = self.observation is not None and self.observation.heap is None
        for ready in compiled(self.policy)[0]:
            if not ready.reads & self.tainted and not (ready.property.heap and no_heap):
                follows = next((id_ for name, id_ in deviating.items() if name in ready.reads), "")
                out += self._said(ready.property.id, self.tally.evaluate(ready, self.seen), follows)
        return out

    def _leaf_first(self) -> list[Violation]:
        """Victims give their slots back one by one: none before what lies behind it."""
        p, before = self.oracle.positions, self.before
        place = {page: q for q, page in before.page.items() if q not in self.seen.cached}
        gone = [place[page] for page in self.engine.pool.freed if page in place]
        for i, q in enumerate(gone):
            late = next((k for k in gone[i + 1 :] if p.le(q, k) and before.end[q] != before.end[k]), None)
            if late is not None:
                return [Violation("EVICT_LEAF", f"{blame.shown(p, q)} was evicted while {blame.shown(p, late)} lay behind it")]
        return []

    def _arguments(self, op: Op, answer: Answer) -> tuple[int, ...]:
        """The call as postconditions see it: what was found is what the subject answered."""
        call, found = self.oracle.call, self.oracle.call.found
        if op.name in ("match", "peek", "insert", "start") and answer.length is not None:
            path = self.oracle.positions.ancestors[call.key]
            found = path[max(0, min(answer.length // self.engine.page_size, len(path) - 1))]
        last = call.last_size
        if sorted(self.engine.pool.freed) != sorted(call.freed):
            last = blame.last_victim_size(self.before, self.seen, self.engine.pool.freed, self.engine.page_size)
        return call.arguments(found, last, not answer.refused)

    def _said(self, id_: str, failed: dict[str, int] | None, follows: str = "") -> list[Violation]:
        if failed is None:
            return []
        values = (f"{k} = {self._value(k, v)}" for k, v in failed.items())
        return [Violation(id_, "fails at " + ", ".join(values) if failed else "fails", follows)]

    def _value(self, name: str, value: int) -> str:
        if name == "s":
            lost = ", which nobody can reach" if self.seen.owner[value] == LOST else ""
            return f"page {value}{lost}"
        return str(value) if name in ("e", "g", "h") else blame.shown(self.oracle.positions, value)

    def _difference(self, op: Op, name: str, refused: bool) -> Violation:
        seen, spec = self.seen, self.oracle.model.state
        text = blame.show_difference(self.oracle.positions, name, getattr(seen, name), getattr(spec, name))
        id_ = blame.of_traces(op) if refused else blame.of_difference(op, name, seen, spec)
        return Violation(id_, f"after {op.name}, {name} differs: {text}")

    def _follow_from_access(self, out: list[Violation], cause: str) -> list[Violation]:
        """A start accesses and then evicts: where accesses deviate, so may its victims, and nothing can be said of them."""
        self.stopped = True
        return [v._replace(follows_from=cause) if v.property in ("ORDER", "REFINEMENT") else v for v in out]

    def _adopt(self, different: Iterable[str]) -> None:
        """Go on from the attributes that were observed; readings of one tick keep their order, so that no two leaves tie."""
        self.tainted |= set(different)
        adopted = self.tainted - self.hidden
        if adopted & blame.READINGS:
            self.abstraction.clock.refine()
            self._observe()
            adopted |= blame.READINGS - self.hidden  # what agrees is numbered anew as well
        for name in adopted:
            setattr(self.oracle.model.state, name, dict(getattr(self.seen, name)))

    def _judge_alias(self) -> list[Violation]:
        """Overwrite what crossed the border, as a caller that reuses its arrays does, and look again."""
        if self.observation is None:
            return []
        shown = _slots(self.observation)  # taken first: an observation may show the subject's own lists
        if not self.engine.overwrite_lent():
            return []
        self.tally.count("NO_ALIAS")
        if shown == _slots(self.engine.observe()):
            return []
        self.stopped = True
        return [Violation("NO_ALIAS", "a caller overwrote its own array of slots, and the slots in the cache changed")]

    # A black box.

    def _judge_outside(self, op: Op, answer: Answer, refused: bool, parted: str, wrong: bool) -> list[Violation]:
        """Its sizes and what it freed are all there is to see."""
        s, freed, expected = self.oracle.model.state, sorted(self.engine.pool.freed), sorted(self.oracle.call.freed)
        self.tally.count("REFINEMENT")
        self.tally.count("COUNT", s.protected > 0)
        evicting = op.name in EVICTING
        if evicting:
            for id_ in ("ORDER", "EVICT_EXACT"):
                self.tally.count(id_, bool(freed))
        if wrong or parted:
            self.stopped = True
            return [] if wrong else [Violation("EVICT_EXACT" if evicting else "REFINEMENT", parted)]
        if not refused and freed != expected:
            id_ = blame.of_freed(op, s, set(freed), set(expected))
            return [Violation(id_, f"freed pages {freed}, the specification frees {expected}")]
        sizes = Sizes(s.available, s.evictable, s.protected)
        if self.engine.sizes() != sizes:
            return [Violation("COUNT", f"says {self.engine.sizes()}, the specification {sizes}")]
        return []

    # Across operations.

    def _freshness(self, op: Op, out: list[Violation]) -> list[Violation]:
        """An older match, or the match of a start that was refused, must not be used as if nothing had changed since."""
        aged = op.name == "lock" and self._matched_at.get(op.key, self.steps) < self.steps - 1
        again = op.name == "start" and op.key in self._refused_starts
        if op.name in ("lock", "start"):
            self.tally.count("MATCH_FRESH", aged or again)
        if op.name == "match":
            self._matched_at[op.key] = self.steps
        if op.name == "start" and op.holder not in self.oracle.model.state.held:
            self._refused_starts.add(op.key)
        broken = [v for v in out if not v.follows_from]
        stale = {v.property for v in broken} - set(blame.SOFT.values())  # who uses a stale match refreshes what it led to
        if (aged or again) and stale & blame.STALE_SIGNS[op.name] and stale <= blame.STALE_SIGNS[op.name] | blame.STALE_TRACES[op.name]:
            return [Violation("MATCH_FRESH", f"the match was made before other operations: {broken[0].text}")]
        return []

    def _hard(self, out: list[Violation]) -> bool:
        return any(v.property not in blame.INDEX | set(blame.SOFT.values()) and not v.follows_from for v in out)

    def _misuse(self, op: Op) -> list[Violation]:
        """A call outside its guard: a typed error, and nothing has changed."""
        self.before = self.seen
        answer = misuse(self.engine, self.oracle, op.name)
        self.tally.count("MISUSE", answer is not None)
        if answer is None:
            return []
        if not answer.refused:
            said = f"raised {_named(answer.error)}, which is no typed error" if answer.error else "was accepted"
            self.stopped = True
            return [Violation("MISUSE", f"{op.name}: {said}")]
        findings = [f.text for f in self.engine.pool.findings]
        if self.transparent:
            try:
                findings += [f.text for f in self._observe()]
            except SubjectFailed as failed:
                findings.append(str(failed))
            spec = self.oracle.model.state
            changed = (f for f in blame.FIELDS if f not in self.tainted and getattr(self.seen, f) != getattr(spec, f))
            findings += [f"{name} changed" for name in changed]
        self.stopped = bool(findings)
        return [Violation("MISUSE", f"{op.name}: refused, but {findings[0]}")] if findings else []


def _slots(seen: Observation) -> tuple[object, ...]:
    nodes = tuple((n.name, tuple(n.slots)) for n in seen.nodes)
    return (nodes, tuple((h, tuple(r.slots)) for h, r in seen.requests.items()))


def _distinct(violations: list[Violation]) -> list[Violation]:
    return list({v.property: v for v in reversed(violations)}.values())[::-1]


def _named(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}"
