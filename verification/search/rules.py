"""The rules of the state machine: they make keys from keys, and every operation is one `Checker.step`.

Hypothesis opens some rules in an example and closes others for all of it, so that one example inserts without evicting
and another locks without releasing. Preconditions add what a caller can do now, and keep a rule that is always open
from taking most of the steps.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, precondition, rule

from radixcheck.spec.values import Key
from radixcheck.verification.catalogue import CATALOGUE
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.protocol import Supports
from radixcheck.verification.refinement.checker import Checker
from radixcheck.verification.refinement.misuse import misuses_for
from radixcheck.verification.search.generate import LETTERS, PAGES_MAX, beyond_what_is_free, leaving_an_edge, namespaces_for
from radixcheck.verification.search.run import Config, Factory, RunResult, new_checker

Choice = TypeVar("Choice")
KEY_RULES = ("new_key", "cut_key", "extend_key", "skip_key")
LOANS_MAX = 2  # more slots than these in callers' hands would leave little to cache
RESET_PAUSE = 12  # operations between two resets: a tree must have time to grow

_pages = st.integers(0, 2 * LETTERS - 1)  # see Machine._page
_which = st.integers(0, 15)  # picks from what is there now, modulo its number: no rule waits for a lucky index
_priorities = st.sampled_from((0, 0, 1, 2))
_amounts = st.sampled_from(((0, 1), (1, 0), (1, 1), (2, 0), (3, 1), (0, 0), (1000, 0)))  # pages and tokens to evict


@dataclass(frozen=True, slots=True)
class Plan:
    """What all examples of one machine have in common."""

    factory: Factory
    configs: tuple[Config, ...]  # each example draws one
    stride: int
    strict: bool  # raise at the first fault, for Hypothesis to shrink; otherwise keep it in `result` and go on
    wanted: str = ""  # a property with whose failure the search is over
    result: RunResult = field(default_factory=RunResult)


class WantedFailed(AssertionError):
    """What the search was for has been found: Hypothesis need not go on."""


def rule_names(supports: Supports, misused: bool) -> tuple[str, ...]:
    """Every rule that must fire, as it is counted: under its operation's name, or its misuse's."""
    return KEY_RULES + supports.operations + (misuses_for(supports) if misused else ())


def _when(open_: Callable[[Any], bool]) -> Callable[[Any], Any]:
    """A rule is open while nothing is broken beyond comparison, and this holds of the machine."""
    return precondition(lambda machine: not machine.checker.stopped and open_(machine))


_keys_wanted = _when(lambda machine: 2 * machine.keys_made <= len(machine.trace))


def _can(name: str, open_: Callable[[Any], bool] = lambda machine: True) -> Callable[[Any], Any]:
    """A rule is open for subjects that have its operation, while this holds of the machine."""
    return _when(lambda machine: name in machine.checker.supports.operations and open_(machine))


class Machine(RuleBasedStateMachine):
    """One example: a configuration, keys, and operations on one subject. A subclass has the plan."""

    plan: ClassVar[Plan]
    misused: ClassVar[bool] = False
    keys: Bundle[Key] = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.run = RunResult(runs=1)
        self.trace: list[Op] = []
        self.keys_made = 0
        self.refused: list[Key] = []  # of starts, in turn
        self.holders = 0

    @initialize(
        target=keys,
        config=st.runner().flatmap(lambda machine: st.sampled_from(machine.plan.configs)),
        spaces=st.sampled_from((1, 2, 4)),
        other_space=_which,
        pages=st.tuples(_pages, _pages, _pages),
    )
    def set_up(self, config: Config, spaces: int, other_space: int, pages: tuple[int, int, int]) -> MultipleResults[Key]:
        """A fresh subject and a family of keys: a parent, two children, and the first child in another namespace."""
        self.config = config
        self.checker: Checker = new_checker(self.plan.factory, config, self.plan.stride)
        self.run.tally = self.checker.tally
        self.namespaces = namespaces_for(self.checker.supports)[:spaces]
        for name in rule_names(self.checker.supports, self.misused):
            self.run.fired[name] = 0
        parent, one, other = map(self._page, pages)
        elsewhere = self.namespaces[-1 - other_space % max(1, len(self.namespaces) - 1)]
        return multiple(Key(parent), Key(parent + one), Key(parent + other + one), Key(parent + one, elsewhere))

    def teardown(self) -> None:
        """Add the example to the plan's result."""
        if hasattr(self, "checker"):
            self.run.steps, self.run.lost = self.checker.steps, int(self.checker.engine.lost)
            self.plan.result.merge(self.run)

    # Keys.

    @_keys_wanted
    @rule(target=keys, pages=st.lists(_pages, min_size=1, max_size=3), namespace=_which)
    def new_key(self, pages: list[int], namespace: int) -> Key:
        """A key of its own, in one of the namespaces of this example."""
        self._made("new_key")
        tokens = tuple(token for page in pages for token in self._page(page))
        return Key(tokens, self.namespaces[namespace % len(self.namespaces)])

    @_keys_wanted
    @rule(target=keys, key=keys, pages=st.integers(1, PAGES_MAX - 1))
    def cut_key(self, key: Key, pages: int) -> Key:
        """The first pages of a key: it may end inside an edge."""
        self._made("cut_key")
        return Key(key.tokens[: pages * self.config.page_size], key.namespace)

    @_keys_wanted
    @rule(target=keys, key=keys, page=_pages, tail=st.sampled_from((0, 0, 1, -1)))
    def extend_key(self, key: Key, page: int, tail: int) -> Key:
        """The whole pages of a key and one more; perhaps a tail, of one token or of one too few for a page."""
        self._made("extend_key")
        size = self.config.page_size
        tokens = key.tokens[: min(key.whole_pages(size), (PAGES_MAX - 1) * size)] + self._page(page)
        return Key(tokens + self._page(page + 1)[: tail % size], key.namespace)

    @_keys_wanted
    @rule(target=keys, key=keys, pages=st.integers(1, PAGES_MAX - 2), skipped=st.integers(1, 2))
    def skip_key(self, key: Key, pages: int, skipped: int) -> Key:
        """A key without a piece of its middle: it leaves an edge, and goes on like what lies behind it. Near its end it is only cut."""
        self._made("skip_key")
        size = self.config.page_size
        return Key(key.tokens[: pages * size] + key.tokens[(pages + skipped) * size :], key.namespace)

    def _made(self, name: str) -> None:
        self.run.fired[name] += 1
        self.keys_made += 1

    def _page(self, which: int) -> tuple[int, ...]:
        """One of the pages that keys consist of; the later ones differ from the first in their last token only."""
        size, letter = self.config.page_size, which % LETTERS
        last = letter + LETTERS if size > 1 and which % (2 * LETTERS) >= LETTERS else letter
        return (letter,) * (size - 1) + (last,)

    # Tree operations.

    @_can("match")
    @rule(key=keys, astray=st.integers(0, 2), node=_which, cut=_which)
    def match(self, key: Key, astray: int, node: int, cut: int) -> None:
        """Match. Now and then the key leaves an edge of the tree as it is, and goes on like what lies below the edge."""
        picks = iter((node, cut))
        left = leaving_an_edge(self.checker.oracle, lambda choices: next(picks) % choices) if astray == 0 else None
        self._fire(Op("match", left or key))

    @_can("peek")
    @rule(key=keys)
    def peek(self, key: Key) -> None:
        """Peek."""
        self._fire(Op("peek", key))

    @_can("insert")
    @rule(key=keys, priority=_priorities)
    def insert(self, key: Key, priority: int) -> None:
        """Insert, after making room as a caller does. Where no room can be made, the rule has not fired."""
        op = Op("insert", key, priority=priority)
        if not self.checker.allowed(op) and "evict" in self.checker.supports.operations:
            self._step(Op("evict", amount=len(key.tokens)))
        if self.checker.allowed(op) and not self.checker.stopped:
            self._fire(op)

    @_can("lock", lambda machine: bool(machine.checker.oracle.matched))
    @rule(which=_which)
    def lock(self, which: int) -> None:
        """Lock the node of a match made before, perhaps long before."""
        self._fire(Op("lock", _pick(self.checker.oracle.matched, which), self._fresh()))

    @_when(lambda machine: bool(machine.checker.oracle.locks))
    @rule(which=_which)
    def unlock(self, which: int) -> None:
        """Unlock."""
        self._fire(Op("unlock", holder=_pick(self.checker.oracle.locks, which)))

    @_can("evict", lambda machine: machine.last() != "evict")
    @rule(pages_and_tokens=_amounts)
    def evict(self, pages_and_tokens: tuple[int, int]) -> None:
        """Evict nothing, a token, some pages, or everything."""
        pages, tokens = pages_and_tokens
        self._fire(Op("evict", amount=pages * self.config.page_size + tokens))

    @_can("alloc", lambda machine: len(machine.checker.oracle.loans) < LOANS_MAX)
    @rule(key=keys)
    def alloc(self, key: Key) -> None:
        """Take slots for a key and write it there."""
        self._fire(Op("alloc", key, self._fresh()))

    @_when(lambda machine: bool(machine.checker.oracle.loans))
    @rule(which=_which)
    def free(self, which: int) -> None:
        """Give such slots back."""
        self._fire(Op("free", holder=_pick(self.checker.oracle.loans, which)))

    @_can("reset", lambda machine: machine.may_reset())
    @rule()
    def reset(self) -> None:
        """Forget everything."""
        self._fire(Op("reset"))

    # Request operations.

    @_can("start")
    @rule(key=keys, priority=_priorities, how=st.sampled_from(("new", "again", "tight")), node=_which, letter=_which)
    def start(self, key: Key, priority: int, how: str, node: int, letter: int) -> None:
        """Start a request: a new one; one that was refused before, as a queue of waiting requests does; one that must evict."""
        if how == "again" and self.refused:
            key = self.refused.pop(0)
        picks = iter((node, letter))
        tight = beyond_what_is_free(self.checker.oracle, lambda choices: next(picks) % choices) if how == "tight" else None
        op = Op("start", tight or key, self._fresh(), priority=priority)
        self._fire(op)
        if op.holder not in self.checker.oracle.model.state.held:
            self.refused.append(key)

    @_can("chunk", lambda machine: machine.requests_live())
    @rule(which=_which)
    def chunk(self, which: int) -> None:
        """Cache the whole pages of a request so far."""
        self._fire(Op("chunk", holder=self._request(which)))

    @_can("decode", lambda machine: machine.requests_live())
    @rule(which=_which, token=st.integers(0, LETTERS - 1), fill=st.booleans())
    def decode(self, which: int, token: int, fill: bool) -> None:
        """Decode one token, or as many as fill the page: large pages would hardly ever be filled one by one."""
        request, state = self._request(which), self.checker.oracle.model.state
        tokens = state.positions.length[state.tok[request]]
        for _ in range(self.config.page_size - tokens % self.config.page_size if fill else 1):
            if not self.checker.stopped:
                self._fire(Op("decode", holder=request, amount=token))

    @_can("finish", lambda machine: machine.requests_live())
    @rule(which=_which)
    def finish(self, which: int) -> None:
        """Finish a request."""
        self._fire(Op("finish", holder=self._request(which)))

    @_can("abort", lambda machine: machine.requests_live())
    @rule(which=_which)
    def abort(self, which: int) -> None:
        """Abort a request."""
        self._fire(Op("abort", holder=self._request(which)))

    @precondition(lambda machine: machine.checker.stopped)
    @rule()
    def rest(self) -> None:
        """After a fault with which no run can go on: Hypothesis wants a rule for each of its steps."""

    # What rules and their preconditions ask.

    def last(self) -> str:
        """The name of the last operation."""
        return self.trace[-1].name if self.trace else ""

    def requests_live(self) -> bool:
        """Whether a holder is neither a lock nor a caller's slots."""
        oracle = self.checker.oracle
        return len(oracle.model.state.held) > len(oracle.loans) + len(oracle.locks)

    def may_reset(self) -> bool:
        """Whether nothing is held, and the last reset was long enough ago."""
        return not self.checker.oracle.model.state.held and all(op.name != "reset" for op in self.trace[-RESET_PAUSE:])

    def _request(self, which: int) -> int:
        oracle = self.checker.oracle
        return _pick([h for h in oracle.model.state.held if h not in oracle.loans and h not in oracle.locks], which)

    def _fresh(self) -> int:
        self.holders += 1
        return self.holders

    def _fire(self, op: Op) -> None:
        self.run.fired[op.name] += 1
        self._step(op)

    def _step(self, op: Op) -> None:
        self.trace.append(op)
        violations = self.checker.step(op)
        if violations:
            self.run.record(violations, self.trace, self.config)
            if self.run.broken(self.plan.wanted):
                raise WantedFailed
            for v in violations:
                if self.plan.strict and not v.follows_from:
                    raise AssertionError(_report(v.property, v.text, self.config, tuple(self.trace)))


class MisusedMachine(Machine):
    """Calls outside their guards too."""

    misused = True

    @_when(lambda machine: True)
    @rule()
    def misuse(self) -> None:
        """Every misuse for which there is an occasion, one after another: each must change nothing."""
        for name in misuses_for(self.checker.supports):
            tried = self.checker.tally.exercised["MISUSE"]
            self._step(Op(name))
            self.run.fired[name] += self.checker.tally.exercised["MISUSE"] - tried


def _pick(choices: Iterable[Choice], which: int) -> Choice:
    listed = list(choices)
    return listed[which % len(listed)]


def _report(property_: str, text: str, config: Config, trace: Trace) -> str:
    lines = (f"  {k}. {op}" for k, op in enumerate(trace, 1))
    return "\n".join((f"{property_}: {text}", f"  {CATALOGUE[property_].sentence}", f"  under {config}, after", *lines))
