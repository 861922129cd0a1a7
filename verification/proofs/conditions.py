"""Conditions: the formulas that are proved or refuted.

A condition says: if the hypotheses (mostly the state formulas) and the guard hold, then the formula holds after the transition. The
variables of a goal become constants. The laws of sums are instantiated for exactly the sums and points that occur in the goal and in the
transition, because a solver does not terminate with the general laws.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import INT, Function, Sort, Term, conj, expand, lift, old, rebuild, substitute, total, var
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.signature import POS, REQUEST, at, end, held, up
from radixcheck.spec.theorems import THEOREMS
from radixcheck.spec.updates import Transition, Update, after
from radixcheck.verification.proofs.laws import TIERS, balance, descends, everything, freed, member, monotone, nonnegative

DERIVED = ("LOCK_NONNEG", "ISOLATION")  # state formulas that follow from the others
LRU = POLICIES["lru"]
_RANK = Function("rank_of", (INT, INT, INT, INT), INT, "rigid")
# An arbitrary policy: its first key is an unknown function of the attributes of a node. Its second key is the time, as for every policy.
ANY = Policy("any", _RANK)


def no_laws(goal: Term) -> tuple[Term, ...]:
    """Return no laws for a goal, in addition to those for all goals."""
    return ()


@dataclass(frozen=True, slots=True)
class Condition:
    """Named hypotheses, and goals that must follow from them. The free variables of goals end in `_goal`."""

    name: str
    formula: Term  # equivalent to the goals together; it can be run on a state
    step: Transition | None  # the transition that leads to that state; None: the condition is about one state
    hypotheses: Mapping[str, Term]
    goals: tuple[Term, ...]
    laws: tuple[Term, ...]  # formulas that are true in every state, given for all goals
    goal_laws: Callable[[Term], tuple[Term, ...]] = no_laws  # more laws for one goal
    cases: tuple["Condition", ...] | None = None  # the conditions that a state may refute instead; None: this one

    def laws_for(self, goal: Term) -> tuple[Term, ...]:
        """Return all laws that are given for a goal."""
        return *self.laws, *self.goal_laws(goal)

    def with_laws(self, *laws: Term) -> "Condition":
        """Return the condition with exactly these laws."""
        return replace(self, laws=laws, goal_laws=no_laws)


def state_formulas(policy: Policy = LRU, heap: bool = False) -> dict[str, Term]:
    """Return the state formulas under a policy, with or without those of the heap."""
    return {p.id: p.formula(policy) for p in STATE_FORMULAS if p.formula is not None and (heap or not p.heap)}


def theorems(policy: Policy = LRU) -> dict[str, Term]:
    """Return the formulas that follow from the other state formulas in every state."""
    derived = {id_: formula for id_, formula in state_formulas(policy).items() if id_ in DERIVED}
    return derived | {p.id: p.formula(policy) for p in THEOREMS if p.formula is not None}


def reads_unknown_keys(term: Term) -> bool:
    """Return whether the term has keys of the arbitrary policy."""
    return any(app.args[0] is _RANK or any(map(reads_unknown_keys, app.args[1:])) for app in parts(expand(term), "app"))


def of_policy(term: Term, policy: Policy) -> Term:
    """Return the term with the keys of this policy instead of those of the arbitrary policy."""
    if term.op == "app" and term.args[0] is _RANK:
        return policy.first(*(of_policy(arg, policy) for arg in term.args[1:]))
    return rebuild(term, lambda t: of_policy(t, policy))


def under(condition: Condition, policy: Policy) -> Condition:
    """Return the condition with this policy instead of the arbitrary policy."""

    def of_update(update: Update) -> Update:
        return replace(update, where=of_policy(update.where, policy), value=of_policy(update.value, policy))

    step = condition.step
    if step is not None:
        step = replace(step, guard=of_policy(step.guard, policy), updates=tuple(map(of_update, step.updates)))
    formula, *stated = (of_policy(term, policy) for term in (condition.formula, *condition.goals))
    hypotheses = {id_: of_policy(term, policy) for id_, term in condition.hypotheses.items()}
    return replace(condition, formula=formula, step=step, hypotheses=hypotheses, goals=tuple(stated))


def goals(term: Term) -> Iterator[Term]:
    """Yield the conjuncts of a formula without their outer quantifiers, whose variables become free variables of the goals."""
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
    """Yield the outermost subterms with this operator. Expand the term first to include definitions."""
    if term.op == op:
        yield term
        return
    for arg in term.args:
        for below in arg if isinstance(arg, tuple) else (arg,):
            if isinstance(below, Term):
                yield from parts(below, op)


def has_sum(term: Term) -> bool:
    """Return whether a term has sums, also inside definitions."""
    return next(parts(expand(term), "sum"), None) is not None


def variables(term: Term, sort: Sort) -> list[Term]:
    """Return the variables of goals in a term, each once."""
    found = {v.args[0]: v for v in parts(term, "var") if v.sort == sort and v.args[0].endswith("_goal")}
    return list(found.values())


def locks(position: Term) -> Term:
    """Return the number of holders whose path contains a position: the sum of LOCK_COUNT."""
    return expand(total(REQUEST, lambda g: held(g) & (position <= at(g)), lambda g: 1))


def laws_here(goal: Term) -> Iterator[Term]:
    """Yield laws of one state, for the terms of a goal."""
    positions = [p for v in variables(goal, POS) for p in (v, end(v), up(v))]
    for s in (*parts(expand(goal), "sum"), *map(locks, positions)):
        yield nonnegative(s)
        yield balance([s], [])
    yield from (member(locks(p), g) for p in positions for g in variables(goal, REQUEST))
    for v in variables(goal, POS):
        yield monotone(locks(v), locks(up(v)))
        yield descends(v)


def laws_of_step(goal: Term, step: Transition) -> Iterator[Term]:
    """Yield laws of two states, for the sums of a goal and the terms of a transition."""
    yield from (old(descends(p)) for p in step.touched)
    paths = [old(s) for u in step.updates if not u.parameters for s in parts(expand(u.value), "sum") if s.args[0].sort == POS]
    for s in parts(expand(goal), "sum"):
        sort = s.args[0].sort
        points = list({p.args[0]: p for p in (*step.touched, *step.parameters) if p.sort == sort}.values())
        yield balance([s], [old(s)], points)
        yield from (balance([a], []) for a in (s, old(s)))
        if sort == POS:
            yield from (law for path in paths for law in (balance([s], [old(s), path]), balance([s, path], [old(s)])))
        if sort in TIERS:
            yield everything(s)
            for update in step.updates:
                if update.function is TIERS[sort].owner and update.image is not None:
                    pages, law = freed(update)
                    yield from (law, balance([s], [old(s), pages]))
        for v in variables(s, POS):
            touched = [old(substitute(s, {v.args[0]: p})) for p in step.touched]
            yield from (balance([a], []) for a in touched)
            yield from (balance([a], [b]) for i, a in enumerate(touched) for b in touched[:i])


@dataclass(frozen=True, slots=True)
class Laws:
    """Which laws are instantiated for the goals of a machine's conditions."""

    here: Callable[[Term], Iterator[Term]]
    of_step: Callable[[Term, Transition], Iterator[Term]]


CACHE_LAWS = Laws(laws_here, laws_of_step)


def _unknown(update: Update) -> Update:
    value = Function(f"any_{update.function.name}", update.function.domain, update.function.sort, "rigid")
    return replace(update, value=value(*update.parameters))


def forgetting(step: Transition) -> Transition:
    """Return the transition with an unknown value wherever it forgets one."""
    return replace(step, updates=(*step.updates, *map(_unknown, step.forgets)))


def preserved(name: str, formula: Term, step: Transition, hypotheses: Mapping[str, Term], laws: Laws = CACHE_LAWS) -> Condition:
    """Return the condition that the formula, whose `old` is the state before, holds after the transition."""
    forgetful = forgetting(step)
    stepped = {after(goal, forgetful): goal for goal in goals(formula)}

    @cache
    def goal_laws(after_step: Term) -> tuple[Term, ...]:
        goal = stepped[after_step]
        return *(after(law, forgetful) for law in laws.of_step(goal, step)), *laws.here(goal)

    return Condition(f"{step.name}/{name}", formula, step, {**hypotheses, "guard": step.guard}, tuple(stepped), (), goal_laws)


def follows(name: str, formula: Term, hypotheses: Mapping[str, Term], laws: Laws = CACHE_LAWS) -> Condition:
    """Return the condition that the formula holds wherever the hypotheses hold."""

    @cache
    def goal_laws(goal: Term) -> tuple[Term, ...]:
        return tuple(laws.here(goal))

    return Condition(name, formula, None, dict(hypotheses), tuple(goals(formula)), (), goal_laws)


def unordered(step: Transition, hypotheses: Mapping[str, Term]) -> Condition:
    """Return the condition that two updates of one function never conflict, so that their order does not matter."""
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
    """Yield conditions: the theorems follow from the state formulas, and every transition of a machine keeps every state formula."""
    formulas, derived = state_formulas(policy, heap), theorems(policy)
    inductive = {id_: formula for id_, formula in formulas.items() if id_ not in derived}
    yield from (follows(id_, formula, inductive) for id_, formula in derived.items())
    for step in machine:
        yield from (preserved(id_, formula, step, inductive | derived) for id_, formula in inductive.items())
