"""Mutates the transitions of the specification, and shows that the proofs notice.

A mutant lacks one conjunct of a guard, or one update, or one conjunct of where an update reaches, or moves an integer by
one from its old value instead of updating it. It is CAUGHT by a state in which all state formulas and its guard hold, and
after which a formula does not hold that is proved of the original. It is EQUIVALENT if it is proved, without bounds, that
the original may do the same and does the same wherever a function means something. Anything else SURVIVED.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from time import perf_counter
from typing import Any

from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.logic import INT, Function, Term, conj, expand, lift, substitute, total, unfold, var
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.run.reader import Check, Refused, check, run
from radixcheck.spec.run.state import State
from radixcheck.spec.run.text import text
from radixcheck.spec.signature import ENTRY, PAGE, capacity, page_size, queued
from radixcheck.spec.transitions import CACHE, larger, new_priority
from radixcheck.spec.updates import Transition, Update, after
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.workers import workers
from radixcheck.verification.proofs.conditions import Condition, goals, laws_here, parts, state_formulas, theorems, unordered
from radixcheck.verification.proofs.decide import prove
from radixcheck.verification.proofs.laws import AXIOMS
from radixcheck.verification.proofs.model_run import state_of
from radixcheck.verification.proofs.step_postconditions import STATE_FUNCTIONS, STEPS, arguments, heap_steps, means, postconditions
from radixcheck.verification.proofs.z3_reader import Environment, Reader, z3

CAUGHT, EQUIVALENT, SURVIVED = Verdict.CAUGHT, Verdict.EQUIVALENT, Verdict.SURVIVED
CACHE_ONLY = "cache"
HEAPS = ("lru", "mru")  # under mru a touch makes a key smaller, so that it pushes at once
SIZES = tuple(
    {"Position": positions, "Page": pages, "Request": requests, "Entry": entries, "Namespace": 2}
    for positions, pages, requests, entries in ((3, 2, 1, 2), (3, 2, 2, 2), (4, 3, 2, 3), (5, 4, 2, 3))
)
FIRST_SECONDS, SECONDS = 0.5, 5.0  # for a proof at first, and for any one question to the solver


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """A transition with one thing changed."""

    name: str
    transition: Transition
    original: Transition
    machine: str = CACHE_ONLY  # or the policy of the heap that has this transition


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a mutant, and by what: a formula and how it was refuted, or what was proved."""

    mutant: Mutant
    verdict: str
    by: str
    seconds: float


def conjuncts(term: Term) -> Iterator[Term]:
    """The parts of a conjunction, through abbreviations that are one."""
    if term.op == "and":
        for arg in term.args:
            yield from conjuncts(arg)
    elif term.op == "app" and term.args[0].kind == "defined" and unfold(term).op == "and":
        yield from conjuncts(unfold(term))
    elif text(term) != "True":
        yield term


def _lacking(term: Term) -> Iterator[tuple[str, Term]]:
    """A conjunction without each of its parts in turn, and the words for that part."""
    all_ = list(conjuncts(term))
    for i, part in enumerate(all_):
        yield text(part), conj(*all_[:i], *all_[i + 1 :])


def _words(update: Update) -> str:
    return f"{text(update.function(*update.parameters))} := {text(update.value)} where {text(update.where)}"


def _title(update: Update) -> str:
    """The point at which a function is updated, or how far the update reaches."""
    names = {p.args[0]: p for p in update.parameters}
    points = {text(part.args[0]): part.args[1] for part in conjuncts(update.where) if part.op == "eq"}
    if names.keys() <= points.keys():
        return text(update.function(*(points[name] for name in names)))
    return f"{text(update.function(*update.parameters))} where {text(update.where)}"


def _changed(update: Update) -> Iterator[tuple[str, Update]]:
    """An update with one thing changed. To keep a value as it was is to have no update."""
    for words, where in _lacking(update.where):
        yield f"reaches beyond {words}", replace(update, where=where)
    if update.function.sort == INT:
        before = update.function(*update.parameters)
        yield "becomes one more", replace(update, value=before + 1)
        yield "becomes one less", replace(update, value=before - 1)


def mutations(step: Transition) -> Iterator[tuple[str, str, Transition]]:
    """A short name, what was changed in full, and the transition with that change."""
    for words, guard in _lacking(step.guard):
        yield f"guard without {words}", " ".join([text(step.guard), *map(_words, step.updates)]), replace(step, guard=guard)
    for i, update in enumerate(step.updates):
        before, behind = step.updates[:i], step.updates[i + 1 :]
        yield f"{_title(update)}: no update", _words(update), replace(step, updates=before + behind)
        for words, new in _changed(update):
            if _words(new) != _words(update):
                name, change = f"{_title(update)}: {words}", f"{_words(update)} / {_words(new)}"
                yield name, change, replace(step, updates=(*before, new, *behind))
    for i, gone in enumerate(step.forgets):
        for words, where in _lacking(gone.where):
            forgets = (*step.forgets[:i], replace(gone, where=where), *step.forgets[i + 1 :])
            yield f"forgets {_title(gone)}: reaches beyond {words}", text(gone.where), replace(step, forgets=forgets)


@cache
def mutants() -> tuple[Mutant, ...]:
    """Every mutant of the cache machine, and of what the heap adds to it; those that read the same once."""
    found: dict[tuple[str, str, str], Mutant] = {}
    for machine, steps in ((CACHE_ONLY, CACHE), *((name, heap_machine(POLICIES[name])) for name in HEAPS)):
        for step in steps:
            for name, change, transition in mutations(step):
                label = step.name if machine == CACHE_ONLY else f"{machine} {step.name}"
                found.setdefault((step.name, name, change), Mutant(f"{label}, {name}", transition, step, machine))
    return tuple(found.values())


@cache
def hypotheses(machine: str) -> dict[str, Term]:
    """The state formulas of a machine that are no theorems."""
    policy = _policy(machine)
    derived = theorems(policy)
    return {id_: formula for id_, formula in state_formulas(policy, machine != CACHE_ONLY).items() if id_ not in derived}


def _policy(machine: str) -> Policy:
    return POLICIES["lru" if machine == CACHE_ONLY else machine]


@cache
def cells(machine: str, name: str) -> tuple[dict[str, Term], ...]:
    """What is proved of a transition: the state formulas, what operations promise, and what the step itself must do."""
    promised, own = {}, {}
    if name in STEPS:
        promised, own = postconditions(name), {"STEP": STEPS[name]}
    if machine != CACHE_ONLY:
        policy = _policy(machine)
        heap = heap_steps(policy)
        if name == "evict":
            promised |= {p.id: p.formula(policy) for p in POSTCONDITIONS if p.id == "ORDER" and p.formula is not None}
        if name in heap:  # the heap has no part in the others
            own["HEAP_STEP"] = heap[name]
    return hypotheses(machine), promised, own


def with_junk(step: Transition) -> Transition:
    """The step, with any value wherever it forgets one."""

    def junk(gone: Update) -> Update:
        anything = Function(f"any_{gone.function.name}", gone.function.domain, gone.function.sort, "rigid")
        return replace(gone, value=anything(*gone.parameters))

    return replace(step, updates=(*step.updates, *map(junk, step.forgets)))


class _After(Reader):
    """Reads formulas of the state after a step: its functions have symbols of their own, `old` is the state before."""

    def __init__(self, before: Reader) -> None:
        self.__dict__.update(before.__dict__)  # the same context, things and symbols
        self.before = before

    def function(self, function: Function) -> Any:
        """The symbol, in the state after."""
        if function.kind != "state":
            return self.before.function(function)
        return self.symbol(("after", function.name), f"{function.name}'", function.domain, function.sort)

    def read(self, term: Term, env: Environment = {}) -> Any:  # noqa: B006  never written to
        """The term, where `old` goes back."""
        return self.before.read(term.args[0], env) if term.op == "old" else super().read(term, env)


class World:
    """All states of one size in which the state formulas hold, and all states that may follow them.

    The formulas are read once; of a mutant only what its updates leave is new.
    """

    def __init__(self, machine: str, size: Mapping[str, int]) -> None:
        self.before = Reader(size)
        self.after = _After(self.before)
        pages = total(PAGE, lambda s: lift(True), lambda s: page_size)
        self.solver = z3.SimpleSolver(ctx=self.before.context)
        self.solver.add(*map(self.before.read, (*AXIOMS.values(), capacity == pages, page_size <= 2, *hypotheses(machine).values())))
        self._broken: dict[tuple[str, str], Any] = {}

    def broken(self, step: str, id_: str, formula: Term) -> Any:
        """That a formula, read with the parameters of the step, does not hold afterwards."""
        if (step, id_) not in self._broken:
            self._broken[step, id_] = z3.Not(self.after.read(formula))
        return self._broken[step, id_]

    def taken(self, step: Transition) -> Iterator[Any]:
        """That the step is allowed, and what it leaves."""
        yield self.before.read(step.guard)
        forgetful = with_junk(step)
        for function in STATE_FUNCTIONS:
            names = arguments(function)
            left = after(function(*names), forgetful)
            for things in product(*(self.before.things[v.sort.name] for v in names)):
                env = {v.args[0]: thing for v, thing in zip(names, things, strict=True)}
                symbol = self.after.function(function)
                yield (symbol(*things) if things else symbol) == self.before.read(left, env)

    def model(self, assertions: Iterable[Any], seed: int) -> Any:
        """A model, if one is found in the time."""
        self.solver.push()
        try:
            self.solver.set(timeout=int(1000 * SECONDS), random_seed=seed)
            self.solver.add(*assertions)
            return self.solver.model() if self.solver.check() == z3.sat else None
        finally:
            self.solver.pop()


@cache
def _world(machine: str, size: int) -> World:
    return World(machine, SIZES[size])


@cache
def _check(machine: str, step: Transition, tier: int, id_: str) -> Check:
    return check(cells(machine, step.name)[tier][id_], step.parameters)


def _fails(check_: Check, state: State, before: State, values: Sequence[int]) -> bool:
    with suppress(KeyError, TypeError):  # it reads what the step has left undefined
        return check_(state, before, *values) is not None
    return False


def _outcomes(mutant: Mutant, world: World, model: Any, values: Sequence[int]) -> Iterator[tuple[str, State]]:
    """The state after the step: by running it, and as the model has it, for not every mutant can be run."""
    state, _ = state_of(world.before, model)
    with suppress(KeyError, TypeError, ValueError, Refused):  # no bound says where it ends, or it reads what means nothing
        run(mutant.transition, state, *values)
        yield "run", state
    yield "model", state_of(world.after, model)[0]


def _violated(mutant: Mutant, world: World, model: Any, tier: int) -> str:
    """The formula that does not hold after the step, and how that was confirmed in Python; empty if it was not."""
    step = mutant.original
    before, numbers = state_of(world.before, model)
    found = [model.eval(world.before.read(p), model_completion=True) for p in step.parameters]
    values = [numbers[v] if v in numbers else v.as_long() for v in found]
    if any(_fails(_check(mutant.machine, step, 0, id_), before, before, values) for id_ in hypotheses(mutant.machine)):
        return ""
    for how, state in _outcomes(mutant, world, model, values):
        for id_ in cells(mutant.machine, step.name)[tier]:
            if _fails(_check(mutant.machine, step, tier, id_), state, before, values):
                return f"{step.name}/{id_} ({how})"
    return ""


def caught(mutant: Mutant, size: int, seed: int) -> str:
    """The formula that some step of the mutant breaks, if one is found in states of this size."""
    world, step = _world(mutant.machine, size), mutant.original.name
    taken = list(world.taken(mutant.transition))
    for tier, formulas in enumerate(cells(mutant.machine, step)):
        broken = [world.broken(step if tier else "", id_, formula) for id_, formula in formulas.items()]
        # All at once; each alone only if what was found is not confirmed.
        questions = [z3.Or(*broken), *broken] if broken else []
        for i, wrong in enumerate(questions):
            model = world.model([*taken, wrong], seed)
            name = _violated(mutant, world, model, tier) if model is not None else ""
            if name:
                return name
            if model is None and i == 0:
                break
    return ""


def _with(step: Transition, values: Mapping[str, Term]) -> Transition:
    """The step with other things for its parameters."""
    updates = tuple(replace(u, where=substitute(u.where, values), value=substitute(u.value, values)) for u in step.updates)
    return replace(step, guard=substitute(step.guard, values), updates=updates)


def _same(function: Function, mutant: Transition, original: Transition) -> Term:
    """After both steps the function says the same, where it says something."""
    names = tuple(var(f"{v.args[0]}_goal", v.sort) for v in arguments(function))
    said = after(means(function, *names), mutant)
    return said >> (after(function(*names), mutant) == after(function(*names), original))


def _more(mutant: Transition, original: Transition) -> list[Term]:
    """What only the original asks for."""
    asked = {text(part) for part in conjuncts(mutant.guard)}
    return [part for part in conjuncts(original.guard) if text(part) not in asked]


def differences(mutant: Transition, original: Transition) -> tuple[list[Term], list[Function]]:
    """What only the original asks for, and the functions that are not updated in the same words; all if nothing differs."""
    more = _more(mutant, original)
    pieces = [{_words(u): u.function for u in step.updates} for step in (mutant, original)]
    words = set(pieces[0]) ^ set(pieces[1]) or (set() if more else set(pieces[0]))
    return more, list({f.name: f for piece in pieces for w, f in piece.items() if w in words}.values())


def equivalence(mutant: Mutant, values: Mapping[str, Term], given: Mapping[str, Term]) -> tuple[str, Condition]:
    """Where the mutant may be taken, the original with these values may be too, and both leave the same. Also in words."""
    known = hypotheses(mutant.machine) | theorems(_policy(mutant.machine)) | {"guard": mutant.transition.guard, **given}
    ours, original = with_junk(mutant.transition), with_junk(_with(mutant.original, values))
    more, functions = differences(ours, original)
    # Where two updates of the mutant disagreed, what it does would be a matter of who reads it.
    claims = [*more, *(_same(f, ours, original) for f in functions), *(unordered(ours, {}).goals if functions else ())]
    found = tuple(goal for claim in claims for goal in goals(expand(claim)))
    counts = goals(hypotheses(mutant.machine)["COUNT"])
    laws = tuple(law for goal in (*found, *counts) for law in laws_here(goal))
    words = [*(f"{text(part)} holds anyway" for part in more), *(f"{f.name} is the same" for f in functions)]
    return " and ".join(words), Condition(f"{mutant.name}/equivalent", conj(*claims), None, known, found, laws)


def _choices(mutant: Mutant) -> Iterator[tuple[str, dict[str, Term], dict[str, Term]]]:
    """Parameters with which the original may do what the mutant did, and what they presuppose."""
    yield "", {}, {}
    lacks = {text(part) for part in _more(mutant.transition, mutant.original)}
    if text(lift(0) <= new_priority) in lacks:
        yield "with the larger of 0 and new_priority, ", {"new_priority": larger(lift(0), new_priority)}, {}
    for p in mutant.original.parameters:
        if p.sort == ENTRY and text(~queued(p)) in lacks:
            spare = var("spare", ENTRY)
            yield f"with an entry {p.args[0]} that is not queued, ", {p.args[0]: spare}, {"spare": ~queued(spare)}


def equivalent(mutant: Mutant, seed: int, seconds: float) -> str:
    """What was proved, if the mutant does what the original does; empty if no proof was found in the time."""
    for how, values, given in _choices(mutant):
        words, condition = equivalence(mutant, values, given)
        plain = [name for name, term in condition.hypotheses.items() if next(parts(expand(term), "sum"), None) is None]
        few = replace(condition, laws=())
        if prove(few, plain, seed, seconds) or prove(condition, list(condition.hypotheses), seed, seconds):
            return f"proved: {how}{words}"
    return ""


def possible(mutant: Mutant, seed: int) -> bool:
    """Whether the mutant can be taken in some state: otherwise anything could be proved of it."""
    worlds = (_world(mutant.machine, size) for size in range(len(SIZES)))
    return any(world.model(world.taken(mutant.transition), seed) is not None for world in worlds)


def judge(mutant: Mutant, seed: int = 0) -> Judged:
    """Look for a counterexample among the smallest states, then for a proof, then among larger states, then for longer."""
    start = perf_counter()

    def judged(verdict: str, by: str) -> Judged:
        return Judged(mutant, verdict, by, perf_counter() - start)

    if by := caught(mutant, 0, seed):
        return judged(CAUGHT, by)
    can_be = possible(mutant, seed)
    if can_be and (by := equivalent(mutant, seed, FIRST_SECONDS)):
        return judged(EQUIVALENT, by)
    for size in range(1, len(SIZES)):
        if by := caught(mutant, size, seed):
            return judged(CAUGHT, by)
    if can_be and (by := equivalent(mutant, seed, SECONDS)):
        return judged(EQUIVALENT, by)
    return judged(SURVIVED, "")


def _judge_one(job: tuple[int, int]) -> tuple[str, str, float]:
    number, seed = job
    found = judge(mutants()[number], seed)
    return found.verdict, found.by, found.seconds


def judge_all(progress: Callable[[Judged], None] = lambda _: None, seed: int = 0) -> tuple[Judged, ...]:
    """Every mutant judged, in worker processes; `progress` is called with each."""
    found = []
    with workers() as pool:
        # A transition cannot be sent to another process: its number can.
        jobs = [(number, seed) for number in range(len(mutants()))]
        for mutant, answer in zip(mutants(), pool.map(_judge_one, jobs, chunksize=4), strict=True):
            found.append(Judged(mutant, *answer))
            progress(found[-1])
    return tuple(found)
