"""The rules of the state machine: each operation is one `Checker.step`, on a key that a recipe makes of known keys.

Hypothesis enables some rules for an example and disables others, so that one example inserts without evicting and another locks without
unlocking. Preconditions allow what a caller can do now, and prevent that a rule that is always enabled takes most of the steps.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from radixcheck.spec.values import Key
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.misuse import misuses_for, wrong_calls_for
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.generate import LETTERS, PRIORITIES, at_a_limit, leaving_an_edge, namespaces_for, twin, wind_down
from radixcheck.verification.search.generate_host import settled
from radixcheck.verification.search.recipes import CHANGES, KeyMaker, Recipe, pages, recipes, which
from radixcheck.verification.search.run import new_checker

Choice = TypeVar("Choice")
PARTS, RARE_PARTS = 48, 12  # in which calls with a wrong value are made: those that are possible now and then have fewer parts
RARE = ("insert", "free", "decode")  # they need a caller's slots, or a live request
LOANS_MAX = 3  # more slots in the hands of callers would leave few to cache
FILL_MAX = 64  # tokens decoded in a row
RESET_PAUSE = 12  # operations between two resets, so that the tree can grow

_priorities = st.sampled_from(tuple(chain.from_iterable(PRIORITIES)))
_ways = st.sampled_from(("new", "again", "again", "twin", "tight", "new", "more"))  # to start a request
_ids = st.sampled_from(("fresh", "fresh", "old"))  # of a request
_lent = st.integers(0, LOANS_MAX)  # of the slots that callers hold, how many allocs an insert or a free uses
_returns = st.sampled_from(("nothing", "all", "several", "part"))  # of them, when a caller might allocate
_amounts = st.sampled_from(((0, 1), (1, 0), (1, 1), (2, 0), (3, 1), (0, 0), (1000, 0)))  # pages and tokens to evict


@dataclass(frozen=True, slots=True)
class Plan:
    """The arguments that all examples of one machine share, and their result."""

    factory: Factory
    configs: tuple[Config, ...]  # each example draws one
    stride: int
    strict: bool  # raise at the first fault, for Hypothesis to shrink; otherwise keep it in `result` and go on
    wanted: str = ""  # a property whose violation ends the search
    tiered: bool = False  # some configurations have a host tier
    result: RunResult = field(default_factory=RunResult)
    last: list[tuple[Trace, Config]] = field(default_factory=list)  # the last example that was made


class WantedFailed(AssertionError):
    """The wanted property has failed: Hypothesis need not continue."""


def rule_names(supports: Supports, misused: bool, tiered: bool = False) -> tuple[str, ...]:
    """Return the names under which rules are counted: operations, those of the host tier if it is searched, changes of keys, misuses."""
    operations = supports.operations + (supports.host_operations if tiered else ())
    return CHANGES + operations + (misuses_for(supports, tiered) if misused else ())


def _when(open_: Callable[[Any], bool]) -> Callable[[Any], Any]:
    """Enable a rule while the checker has not stopped and the condition holds."""
    return precondition(lambda machine: not machine.checker.stopped and open_(machine))


def _can(*names: str, when: Callable[[Any], bool] = lambda machine: True) -> Callable[[Any], Any]:
    """Enable a rule for subjects that have one of its operations, while the condition holds."""
    return _when(lambda machine: not set(names).isdisjoint(machine.checker.supports.operations) and when(machine))


class Machine(RuleBasedStateMachine):
    """One example: a configuration, keys, and operations on one subject. A subclass sets the plan."""

    plan: ClassVar[Plan]
    misused: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.run = RunResult(runs=1)
        self.trace: list[Op] = []
        self.refused: list[Key] = []  # keys of starts, oldest first
        self.old: list[int] = []  # ids of requests that ended or were refused
        self.holders = 0

    @initialize(
        config=st.runner().flatmap(lambda machine: st.sampled_from(machine.plan.configs)),
        spaces=st.sampled_from((1, 2, 4)),
        other_space=which,
        family=st.tuples(pages, pages, pages),
    )
    def set_up(self, config: Config, spaces: int, other_space: int, family: tuple[int, int, int]) -> None:
        """Make a fresh subject and a family of keys: a parent, two children, and the first child in another namespace."""
        self.config = config
        self.checker: Checker = new_checker(self.plan.factory, config, self.plan.stride)
        self.run.tally = self.checker.tally
        self.namespaces = namespaces_for(self.checker.supports)[:spaces]
        for name in rule_names(self.checker.supports, self.misused, self.plan.tiered):
            self.run.fired[name] = 0
        self.keys = KeyMaker(config.page_size, self.namespaces)
        parent, one, other = map(self.keys.page, family)
        elsewhere = self.namespaces[-1 - other_space % max(1, len(self.namespaces) - 1)]
        self.keys.known += [Key(parent), Key(parent + one), Key(parent + other + one), Key(parent + one, elsewhere)]

    def teardown(self) -> None:
        """Add the example to the plan's result."""
        if hasattr(self, "checker"):
            self.run.steps, self.run.lost, self.run.envelope = self.checker.steps, int(self.checker.engine.lost), self.checker.envelope
            self.run.edges = self.checker.edges.taken
            self.plan.result.merge(self.run)
            self.plan.last[:] = [(tuple(self.trace), self.config)]

    # Tree operations.

    @_can("match", "peek")
    @rule(recipe=recipes(), astray=st.booleans(), way=which, peeked=st.integers(0, 3))
    def match(self, recipe: Recipe, astray: bool, way: int, peeked: int) -> None:
        """Match or peek. Sometimes the key leaves an edge of the present tree and continues like the tokens below the edge."""
        left = leaving_an_edge(self.checker.oracle, lambda choices: way % choices) if astray else None
        names = [name for name in ("match", "match", "match", "peek") if self._has(name)]
        self._fire(Op(names[peeked % len(names)], left or self._key(recipe)))

    @_can("insert")
    @rule(recipe=recipes(), priority=_priorities, lent=_lent)
    def insert(self, recipe: Recipe, priority: int, lent: int) -> None:
        """Insert, after making room as a caller does, or with slots of loans. If no room can be made, the rule has not fired."""
        loans = tuple(self.checker.oracle.loans)[:lent]
        op = Op("insert", self._long_enough(self._key(recipe), loans), priority=priority, loans=loans)
        if not self.checker.allowed(op) and self._has("evict"):
            self._step(Op("evict", amount=len(op.key.tokens)))
        if self.checker.allowed(op) and not self.checker.stopped:
            self._fire(op)

    @_can("lock", when=lambda machine: bool(machine.checker.oracle.matched or machine.checker.oracle.old_handles))
    @rule(which=which)
    def lock(self, which: int) -> None:
        """Lock the node of any earlier match, of one before the last reset too."""
        oracle = self.checker.oracle
        self._fire(Op("lock", _pick([*oracle.matched, *sorted(oracle.old_handles, key=repr)], which), self._fresh()))

    @_when(lambda machine: bool(machine.checker.oracle.locks or machine.checker.oracle.old_receipts))
    @rule(which=which)
    def unlock(self, which: int) -> None:
        """Unlock; perhaps with a receipt from before the last reset."""
        oracle = self.checker.oracle
        self._fire(Op("unlock", holder=_pick([*oracle.locks, *sorted(oracle.old_receipts - oracle.model.state.held)], which)))

    @_can("evict", when=lambda machine: machine.last() != "evict")
    @rule(pages_and_tokens=_amounts)
    def evict(self, pages_and_tokens: tuple[int, int]) -> None:
        """Evict nothing, a token, some pages, or everything."""
        pages, tokens = pages_and_tokens
        self._fire(Op("evict", amount=pages * self.config.page_size + tokens))

    @_can("alloc")
    @rule(recipe=recipes(), returned=_returns, which=which, more=which)
    def alloc(self, recipe: Recipe, returned: str, which: int, more: int) -> None:
        """Allocate slots for a key and write it there, rarely more than there are; or free such slots, those of one alloc, of several,
        or a part of them."""
        loans = self.checker.oracle.loans
        if loans and (len(loans) == LOANS_MAX or returned != "nothing"):
            holder = _pick(loans, which)
            pages = len(loans[holder])
            if returned == "several" and len(loans) > 1:
                self._fire(Op("free", loans=tuple(loans)))
            elif returned == "part" and pages > 1:
                self._fire(Op("free", holder=holder, amount=(1 + which % (pages - 1)) * self.config.page_size))
            else:
                self._fire(Op("free", holder=holder))
        else:
            self._fire(Op("alloc", self._too_long() if more == 0 else self._key(recipe), self._fresh()))

    @_can("reset", when=lambda machine: machine.may_reset())
    @rule(times=st.integers(1, 2), released=st.booleans(), how=which)
    def reset(self, times: int, released: bool, how: int) -> None:
        """Reset the cache once or twice, mostly after everything that is held was released."""
        if released:
            down = wind_down(self.checker.oracle, self.checker.supports, lambda ends: _pick(ends, how))
            for op in chain(down, settled(self.checker)):
                if not self.checker.stopped:
                    self._fire(op)
        for _ in range(times):
            if not self.checker.stopped:
                self._fire(Op("reset"))

    # Request operations.

    @_can("start")
    @rule(recipe=recipes(), priority=_priorities, how=_ways, id_=_ids, node=which, where=which, limit=which)
    def start(self, recipe: Recipe, priority: int, how: str, id_: str, node: int, where: int, limit: int) -> None:
        """Start a request: a new one, one that was refused before, the twin of another, one that must evict, or one that is too long."""
        key = self.refused.pop(0) if how == "again" and self.refused else self._key(recipe)
        picks = iter((node, where, limit))
        directed = {"tight": at_a_limit, "twin": twin}.get(how)
        found = directed(self.checker.oracle, lambda choices: next(picks) % choices) if directed else None
        if how == "more":
            found = self._too_long()
        held = self.checker.oracle.model.state.held
        old = [h for h in self.old if h not in held] if id_ == "old" else []
        op = Op("start", found or key, _pick(old, node) if old else self._fresh(), priority=priority)
        self._fire(op)
        self.old.append(op.holder)
        if op.holder not in self.checker.oracle.model.state.held:
            self.refused.append(op.key)

    @_can("chunk", when=lambda machine: machine.requests_live())
    @rule(which=which)
    def chunk(self, which: int) -> None:
        """Cache the whole pages of a request so far."""
        self._fire(Op("chunk", holder=self._request(which)))

    @_can("decode", when=lambda machine: machine.requests_live())
    @rule(which=which, token=st.integers(0, LETTERS - 1), fill=st.booleans())
    def decode(self, which: int, token: int, fill: bool) -> None:
        """Decode one token, or as many as fill the page, at most `FILL_MAX`: single tokens would rarely fill a large page."""
        request, state = self._request(which), self.checker.oracle.model.state
        tokens = state.positions.length[state.tok[request]]
        missing = self.config.page_size - tokens % self.config.page_size
        for _ in range(min(missing, FILL_MAX) if fill else 1):
            if not self.checker.stopped:
                self._fire(Op("decode", holder=request, amount=token))

    @_can("finish", when=lambda machine: machine.requests_live())
    @rule(which=which)
    def finish(self, which: int) -> None:
        """Finish a request."""
        self._fire(Op("finish", holder=self._request(which)))

    @_can("abort", when=lambda machine: machine.requests_live())
    @rule(which=which)
    def abort(self, which: int) -> None:
        """Abort a request."""
        self._fire(Op("abort", holder=self._request(which)))

    @precondition(lambda machine: machine.checker.stopped)
    @rule()
    def rest(self) -> None:
        """Do nothing after the checker has stopped: Hypothesis needs an enabled rule for each step."""

    # Used by rules and their preconditions.

    def last(self) -> str:
        """Return the name of the last operation."""
        return self.trace[-1].name if self.trace else ""

    def requests_live(self) -> bool:
        """Return whether a request is live."""
        return bool(self.checker.oracle.requests)

    def may_reset(self) -> bool:
        """Return whether the last reset was long enough ago."""
        return all(op.name != "reset" for op in self.trace[-RESET_PAUSE:])

    def _has(self, name: str) -> bool:
        return name in self.checker.supports.operations

    def _request(self, which: int) -> int:
        return _pick(self.checker.oracle.requests, which)

    def _key(self, recipe: Recipe) -> Key:
        if recipe.change in CHANGES:
            self.run.fired[recipe.change] += 1
        return self.keys.key(recipe)

    def _long_enough(self, key: Key, loans: tuple[int, ...]) -> Key:
        """Return the key, with a page added for each one of the loans that it does not need."""
        size, tokens = self.config.page_size, key.tokens
        missing = sum(len(self.checker.oracle.loans[h]) for h in loans) - -(-len(tokens) // size)
        if missing <= 0:
            return key
        return Key(tokens[: key.whole_pages(size)] + self.keys.page(0) * (missing + (len(tokens) % size > 0)), key.namespace)

    def _too_long(self) -> Key:
        """Return a key of one page more than the pool has."""
        return Key(self.keys.page(0) * (self.config.pool // self.config.page_size + 1))

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
    """The machine with calls outside the guards."""

    misused = True

    @_when(lambda machine: True)
    @rule(part=st.integers(0, PARTS - 1))
    def misuse(self, part: int) -> None:
        """Try every misuse that is possible now, of those with a wrong value a part in turn: each must change nothing."""
        for name in (*misuses_for(self.checker.supports, self.checker.host is not None), *self._wrong_calls(part)):
            tried = self.checker.tally.exercised["MISUSE"]
            self._step(Op(name))
            self.run.fired[name] += self.checker.tally.exercised["MISUSE"] - tried

    def _wrong_calls(self, part: int) -> list[str]:
        """Return one part of the names. All are counted from now on: one that never fires fails the search."""
        engine = self.checker.engine
        names = wrong_calls_for(self.checker.supports, engine.page_size, engine.container is not list)
        self.run.fired.update(dict.fromkeys(names, 0))
        rare = [name for name in names if name.startswith(RARE)]
        return rare[part % RARE_PARTS :: RARE_PARTS] + [name for name in names if not name.startswith(RARE)][part::PARTS]


def _pick(choices: Iterable[Choice], which: int) -> Choice:
    listed = list(choices)
    return listed[which % len(listed)]


def _report(property_: str, text: str, config: Config, trace: Trace) -> str:
    lines = (f"  {k}. {op}" for k, op in enumerate(trace, 1))
    return "\n".join((f"{property_}: {text}", f"  {EVERY[property_].sentence}", f"  under {config}, after", *lines))
