"""What is to be shown.

A condition: if all state formulas hold and the guard holds, then the formula holds after the transition. The goal's
variables become constants, and the laws of sums are given for exactly the sums and points that the goal and the
transition name: in general form they would keep a solver busy without end.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import INT, Function, Sort, Term, conj, expand, lift, old, rebuild, substitute, total, var
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.signature import PAGE, POS, REQUEST, at, end, held, owner, up
from radixcheck.spec.theorems import THEOREMS
from radixcheck.spec.updates import Transition, Update, after
from radixcheck.verification.proofs.laws import balance, descends, everything, freed, member, monotone, nonnegative

DERIVED = ("LOCK_NONNEG", "ISOLATION")  # state formulas that follow from the others in every state
LRU = POLICIES["lru"]
_RANK = Function("rank_of", (INT, INT, INT, INT), INT, "rigid")
# Any policy whatever whose first key is a function of what a node carries; the second is the time, as of every policy.
ANY = Policy("any", _RANK)


def alone(goal: Term) -> tuple[Term, ...]:
    """No laws for this goal but those for all."""
    return ()


@dataclass(frozen=True, slots=True)
class Condition:
    """Hypotheses by name, and goals that must follow, whose free variables end in `_goal`."""

    name: str
    formula: Term  # what the goals say, for a state
    step: Transition | None  # the transition that leads to that state, if any
    hypotheses: Mapping[str, Term]
    goals: tuple[Term, ...]
    laws: tuple[Term, ...]  # true of all states
    own: Callable[[Term], tuple[Term, ...]] = alone  # laws that one goal alone is given
    cases: tuple["Condition", ...] | None = None  # what a state may refute in its place; None: itself

    def laws_for(self, goal: Term) -> tuple[Term, ...]:
        """All laws that are given for a goal."""
        return *self.laws, *self.own(goal)


def state_formulas(policy: Policy = LRU, heap: bool = False) -> dict[str, Term]:
    """The state formulas, as one policy reads them; those of the heap if wanted."""
    return {p.id: p.formula(policy) for p in STATE_FORMULAS if p.formula is not None and (heap or not p.heap)}


def theorems(policy: Policy = LRU) -> dict[str, Term]:
    """What follows from the state formulas in every state: some of themselves, and the theorems."""
    derived = {id_: formula for id_, formula in state_formulas(policy).items() if id_ in DERIVED}
    return derived | {p.id: p.formula(policy) for p in THEOREMS if p.formula is not None}


def speaks_of_keys(term: Term) -> bool:
    """Whether it compares keys of a policy that is not known."""
    return any(app.args[0] is _RANK or any(map(speaks_of_keys, app.args[1:])) for app in parts(expand(term), "app"))


def of_policy(term: Term, policy: Policy) -> Term:
    """The term with the key of one policy, where it compares keys of any."""
    if term.op == "app" and term.args[0] is _RANK:
        return policy.first(*(of_policy(arg, policy) for arg in term.args[1:]))
    return rebuild(term, lambda t: of_policy(t, policy))


def under(condition: Condition, policy: Policy) -> Condition:
    """The condition for one policy, where it is stated for any."""

    def of_update(update: Update) -> Update:
        return replace(update, where=of_policy(update.where, policy), value=of_policy(update.value, policy))

    step = condition.step
    if step is not None:
        step = replace(step, guard=of_policy(step.guard, policy), updates=tuple(map(of_update, step.updates)))
    formula, *stated = (of_policy(term, policy) for term in (condition.formula, *condition.goals))
    hypotheses = {id_: of_policy(term, policy) for id_, term in condition.hypotheses.items()}
    return replace(condition, formula=formula, step=step, hypotheses=hypotheses, goals=tuple(stated))


def goals(term: Term) -> Iterator[Term]:
    """The conjuncts of a formula, each without its outer quantifiers: their variables become free ones of the goal."""
    if term.op == "and":
        for part in term.args:
            yield from goals(part)
    elif term.op == "forall":
        yield from goals(substitute(term.args[1], {v.args[0]: var(v.args[0] + "_goal", v.sort) for v in term.args[0]}))
    elif term.op == "implies":
        yield from (term.args[0] >> part for part in goals(term.args[1]))
    else:
        yield term


def parts(term: Term, op: str) -> Iterator[Term]:
    """The outermost subterms with this operator, in definitions too (the term is expanded)."""
    if term.op == op:
        yield term
        return
    for arg in term.args:
        for below in arg if isinstance(arg, tuple) else (arg,):
            if isinstance(below, Term):
                yield from parts(below, op)


def variables(term: Term, sort: Sort) -> list[Term]:
    """The variables of goals in a term, each once."""
    found = {v.args[0]: v for v in parts(term, "var") if v.sort == sort and v.args[0].endswith("_goal")}
    return list(found.values())


def locks(position: Term) -> Term:
    """The holders whose path contains a position: the sum of LOCK_COUNT."""
    return expand(total(REQUEST, lambda g: held(g) & (position <= at(g)), lambda g: 1))


def laws_here(goal: Term) -> Iterator[Term]:
    """Laws of one state, for the things that a goal names."""
    positions = [p for v in variables(goal, POS) for p in (v, end(v), up(v))]
    for s in (*parts(expand(goal), "sum"), *map(locks, positions)):
        yield nonnegative(s)
        yield balance([s], [])
    yield from (member(locks(p), g) for p in positions for g in variables(goal, REQUEST))
    for v in variables(goal, POS):
        yield monotone(locks(v), locks(up(v)))
        yield descends(v)


def laws_of_step(goal: Term, step: Transition) -> Iterator[Term]:
    """Laws of two states, for the sums of a goal and what a transition names."""
    yield from (old(descends(p)) for p in step.touched)
    paths = [old(s) for u in step.updates if not u.parameters for s in parts(expand(u.value), "sum") if s.args[0].sort == POS]
    for s in parts(expand(goal), "sum"):
        sort = s.args[0].sort
        points = list({p.args[0]: p for p in (*step.touched, *step.parameters) if p.sort == sort}.values())
        yield balance([s], [old(s)], points)
        yield from (balance([a], []) for a in (s, old(s)))
        if sort == POS:
            yield from (law for path in paths for law in (balance([s], [old(s), path]), balance([s, path], [old(s)])))
        if sort == PAGE:
            yield everything(s)
            for update in step.updates:
                if update.function is owner and update.image is not None:
                    pages, law = freed(update)
                    yield from (law, balance([s], [old(s), pages]))
        for v in variables(s, POS):
            touched = [old(substitute(s, {v.args[0]: p})) for p in step.touched]
            yield from (balance([a], []) for a in touched)
            yield from (balance([a], [b]) for i, a in enumerate(touched) for b in touched[:i])


def _anything(update: Update) -> Update:
    junk = Function(f"any_{update.function.name}", update.function.domain, update.function.sort, "rigid")
    return replace(update, value=junk(*update.parameters))


def forgetting(step: Transition) -> Transition:
    """The transition, leaving anything where it forgets."""
    return replace(step, updates=(*step.updates, *map(_anything, step.forgets)))


def preserved(name: str, formula: Term, step: Transition, hypotheses: Mapping[str, Term]) -> Condition:
    """The formula (its `old` is the state before) holds after the transition, whatever that leaves where it forgets."""
    forgetful = forgetting(step)
    stepped = {after(goal, forgetful): goal for goal in goals(formula)}

    @cache
    def own(after_step: Term) -> tuple[Term, ...]:
        goal = stepped[after_step]
        return *(after(law, forgetful) for law in laws_of_step(goal, step)), *laws_here(goal)

    return Condition(f"{step.name}/{name}", formula, step, {**hypotheses, "guard": step.guard}, tuple(stepped), (), own)


def follows(name: str, formula: Term, hypotheses: Mapping[str, Term]) -> Condition:
    """The formula holds wherever the hypotheses hold."""

    @cache
    def own(goal: Term) -> tuple[Term, ...]:
        return tuple(laws_here(goal))

    return Condition(name, formula, None, dict(hypotheses), tuple(goals(formula)), (), own)


def unordered(step: Transition, hypotheses: Mapping[str, Term]) -> Condition:
    """Updates of one function never disagree, so that it does not matter which of them a reader lets win."""
    claims = [lift(True)]
    for i, u in enumerate(step.updates):
        for v in step.updates[:i]:
            if v.function is u.function:
                point = tuple(var(f"x{k}_goal", sort) for k, sort in enumerate(u.function.domain))
                (where_u, value_u), (where_v, value_v) = (_at(update, point) for update in (u, v))
                claims.append((where_u & where_v) >> (value_u == value_v))
    given = {**hypotheses, "guard": step.guard}
    return Condition(f"{step.name}/unordered", conj(*claims), step, given, tuple(claims), ())


def _at(update: Update, point: tuple[Term, ...]) -> tuple[Term, Term]:
    values = {p.args[0]: x for p, x in zip(update.parameters, point, strict=True)}
    return substitute(expand(update.where), values), substitute(expand(update.value), values)


def all_conditions(policy: Policy, machine: tuple[Transition, ...], heap: bool) -> Iterator[Condition]:
    """The theorems follow from the state formulas, and every transition of a machine keeps every state formula."""
    formulas, derived = state_formulas(policy, heap), theorems(policy)
    inductive = {id_: formula for id_, formula in formulas.items() if id_ not in derived}
    yield from (follows(id_, formula, inductive) for id_, formula in derived.items())
    for step in machine:
        yield from (preserved(id_, formula, step, inductive | derived) for id_, formula in inductive.items())
