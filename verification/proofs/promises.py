"""What a call promises, proved of the whole chain of steps that it is, however long its loops.

A promise speaks of the state at the call (`old`) and the state now. It is carried along the chain, one cell for each step:

    call/ID     at the call it holds of the state itself
    step/ID     a step keeps it, whatever came before; or gives it: makes it true for the step's own arguments
    lemma/ID    what a step needs follows from the promises that are carried to it

In the proofs the functions of the state at the call are rigid, so that a promise is a formula of one state: what a loop
keeps is kept by each of its steps. What a step is known to find beside its guard (the loop goes on only while too little is
freed; the victim is the least leaf) stands in `knows`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from functools import partial

from radixcheck.spec.logic import INT, Function, Term, conj, expand, forall, lift, old, rebuild, substitute, total, var
from radixcheck.spec.operations import (
    FITS,
    FREED,
    GOES_ON,
    NOTHING_HELD,
    OPERATIONS,
    PARAMETERS,
    Chain,
    found,
    h,
    key,
    last_size,
    least,
    needed,
    used,
    wanted,
)
from radixcheck.spec.postconditions import MATCHED_STAYS, POSTCONDITIONS
from radixcheck.spec.run.terms import free, functions
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import CACHE, hit, larger, n, new_priority, x
from radixcheck.spec.updates import Transition, after
from radixcheck.spec.values import NoRoom
from radixcheck.verification.proofs.conditions import ANY, Condition, follows, preserved, state_formulas, theorems
from radixcheck.verification.proofs.laws import balance, descends, instance, interval, leaf_below, nonnegative
from radixcheck.verification.proofs.step_postconditions import STATE_FUNCTIONS

Values = Mapping[str, Term]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is true when a step is taken, beside its guard."""

    name: str
    term: Term
    promise: str = ""  # the promise that it is, if it is one
    not_given: bool = False  # in the form in which that is carried until a step gives it
    because: tuple["Known", ...] | None = None  # of a lemma: from what it follows, beside the state formulas
    laws: tuple[Term, ...] = ()  # of a lemma
    kept: bool = False  # it holds at the call, and each step until now has kept it


@dataclass(frozen=True, slots=True, eq=False)
class Promise:
    """One formula that is carried along chains. Its parameters are those of the call (`spec/postconditions.py`)."""

    id: str
    formula: Term
    gives: Mapping[str, Values] = field(default_factory=dict)  # step -> the parameters for which it makes it true
    before: Values | None = field(default_factory=dict)  # those for which it holds until then; None: nothing is promised yet
    after_loop: str = ""  # it is what the end of the loop of this step says
    knows: Mapping[str, tuple[Known, ...]] = field(default_factory=dict)  # by step, or "call", or "loop" at its end
    laws: Mapping[str, tuple[Term, ...]] = field(default_factory=dict)  # by step


CHAINS: Mapping[str, Chain] = {operation.name: operation.chain for operation in OPERATIONS.values()}
# The call's parameters have names of their own, for steps have parameters too. A call that takes steps was admitted.
OF_CALL = {p.args[0]: var(f"{p.args[0]}_call", p.sort) for p in PARAMETERS} | {"admitted": lift(True)}
STEPS = {step.name: step for step in CACHE}
POSTS = {p.id: p.formula(ANY) for p in POSTCONDITIONS if p.formula is not None}
ADMITTING = tuple(o.name for o in OPERATIONS.values() if any(refusal.error is NoRoom for refusal in o.refusals))
TOKENS = ("RECENCY", "FREQ", "PRIORITY", "CREATION")  # what tokens carry

_ACCESS: dict[str, Values] = {
    "touch": {"used": n, "hit": hit, "new_priority": new_priority},
    "grow": {"used": x, "hit": hit, "new_priority": new_priority},
}
_QUIET: Values = {"used": eps, "hit": lift(0), "new_priority": lift(0)}

# Nothing becomes cached but prefixes of what is used; with HIT_PRESERVES and INSERT_COVERS: an insert adds exactly those of its key.
ADDS = forall(POS, lambda q: cached(q) >> (old(cached(q)) | (q <= used)))
STILL_LOCKED = forall(POS, lambda k: (old(cached(k)) & (old(lock(end(k))) > 0)) >> (cached(k) & (lock(end(k)) > 0)))
NODES_STAY = forall(POS, lambda v: (old(node(v)) & cached(v)) >> node(v))


def _mine(s: Term) -> Term:
    return (owner(s) == OWN) & (holder(s) == h)


OWN_KEPT = forall(PAGE, lambda s: old(_mine(s)) >> ((owner(s) == FREE) | (owner(s) == TREE) | _mine(s)))


def with_values(formula: Term, values: Values) -> Term:
    """The formula for these values of parameters; the others are the call's own."""
    return substitute(formula, OF_CALL | dict(values))


def since_call(term: Term) -> Term:
    """The term with what `old` speaks of made rigid: the state at the call, which no step changes."""

    def fixed(t: Term) -> Term:
        if t.op != "app" or t.args[0].kind != "state":
            return rebuild(t, fixed)
        function, *args = t.args
        then = Function(f"{function.name}.call", function.domain, function.sort, "rigid")
        return Term("app", (then, *map(fixed, args)), t.sort)

    def search(t: Term) -> Term:
        return fixed(t.args[0]) if t.op == "old" else rebuild(t, search)

    return search(expand(term))


def _until_given(promise: Promise) -> Known:
    return Known(promise.id, with_values(promise.formula, promise.before or {}), promise.id, not_given=True)


def _as_given(id_: str, **values: Term) -> Known:
    return Known(id_, with_values(POSTS[id_], values), id_)


_ADDS = Promise("ADDS", ADDS, {"grow": {"used": x}}, _QUIET)
_KEEPS = Promise("HIT_PRESERVES", POSTS["HIT_PRESERVES"])
_OWN_KEPT = Promise("OWN_KEPT", OWN_KEPT)
_CHANGED = {"touch": (_until_given(_ADDS),), "grow": (_until_given(_ADDS), _until_given(_KEEPS))}


def _tokens() -> Iterator[Promise]:
    for id_ in TOKENS:
        yield Promise(id_, POSTS[id_], _ACCESS, _QUIET, knows=_CHANGED)


def _exact() -> Promise:
    """The loop goes on only while too little is freed; an eviction frees the tokens of its node more than were freed before."""
    freed, (tokens, counted) = since_call(FREED), interval(up(n), n)
    goes_on, last = with_values(GOES_ON, {}), with_values(last_size, {}) == size(n)
    return Promise(
        "EVICT_EXACT",
        POSTS["EVICT_EXACT"],
        gives={"evict": {}},
        before={"last_size": var("last_size_before", INT)},
        knows={"evict": (_until_given(_ADDS), Known("GOES_ON", goes_on), Known("LAST", last))},
        laws={"evict": (counted, after(balance([freed], [old(freed), old(tokens)]), STEPS["evict"]))},
    )


KEYS = forall(POS, lambda u: (old(node(u)) & candidate(u)) >> conj(*(f(u) == old(f(u)) for f in (time, creation, hits, priority))))
NO_NEW_LEAF = forall((POS, POS), lambda m, p: (node(m) & (p == up(m))) >> ~old(candidate(p)))
# A bisection of the path to the key keeps two ends, the lower one cached (or the root) and nothing behind the higher one cached, until
# they meet. A position in the middle that is not cached lets it drop all that lies behind it.
DEEPEST = ((found == eps) | cached(found)) & forall(POS, lambda k: ((found < k) & (k <= key)) >> ~cached(k))
HALVED = forall((POS, POS), lambda m, k: ((m != eps) & ~cached(m) & (m <= key) & (prev(m) < k) & (k <= key)) >> ~cached(k))


def _order() -> Promise:
    """The least leaf is taken each time: of the leaves at the call, those that are left have kept their keys, and no other has
    joined them. What the call itself has refreshed it has locked (or it has refreshed nothing)."""
    m, p = var("m_goal", POS), var("p_goal", POS)
    covered = Known("COVER at the call", old(state_formulas()["COVER"]))
    shaped = Known("PARENT at the call", old(state_formulas()["PARENT"]))
    locked = Known("ADMISSION", with_values(MATCHED_STAYS, {"found": OF_CALL["used"]}), "ADMISSION")
    keys = Known("KEYS", KEYS, because=(_until_given(_ADDS), *map(_as_given, TOKENS), locked, covered))
    below = substitute(since_call(old(descends(var("parent", POS)))), {"parent": p})
    path = instance("transitive", p, m, since_call(old(end(m))))
    leaves = Known("NO_NEW_LEAF", NO_NEW_LEAF, because=(_until_given(_ADDS), covered, shaped), laws=(below, path))
    return Promise("ORDER", POSTS["ORDER"] & NODES_STAY, knows={"evict": (Known("LEAST", least(ANY)), keys, leaves)})


# A split and a touch leave what a lock would protect as it is, for every cached prefix.
PATHS_STAY = forall(POS, lambda p: cached(p) >> (evictable_path(p) == old(evictable_path(p))))
# What a call needs may be had by evictions that leave alone what it is about to lock (`spared` tokens): it is refused elsewhere.
SPARED = var("spared_call", INT)
IS_SPARED = Known("IS_SPARED", with_values(SPARED == old(evictable_path(found)), {}))  # which only gives a name
BUDGET = FREED + evictable + SPARED == old(evictable)
ENOUGH = (wanted <= FREED) & (FREED + SPARED <= old(evictable))
GUARD = Known("GUARD", with_values(old(FITS), {}))
SHORTFALL = Known("SHORTFALL", with_values(wanted == larger(lift(0), needed - old(available)), {}))
ADMITTED = Known("ADMITTED", with_values((wanted + SPARED <= old(evictable)) | (wanted <= 0), {}), because=(GUARD, SHORTFALL, IS_SPARED))
AT_FOUND = Known("AT_FOUND", with_values(n == found, {}))  # the argument of `begin` in the chain of a call that may be refused for room


def _spared() -> Known:
    """What a lock protects when it is taken is what the guard has spared: the split and the touch in between change nothing of it."""
    stays = Known("PATHS_STAY", with_values(evictable_path(found) == old(evictable_path(found)), {}), kept=True)
    at_a_node = Known("AT_A_NODE", node(n) | (n == eps))
    paths = [expand(protected_path(bound, eps)) for bound in (n, up(n), eps)]
    one_more = balance([paths[0]], [paths[1]], [n])
    laws = (one_more, *(balance([path], []) for path in paths), *map(nonnegative, paths))
    return Known("SPARED", SPARED == protected_path(n, eps), because=(IS_SPARED, AT_FOUND, stays, at_a_node), laws=laws)


def _budget() -> Promise:
    """What is evictable and what has been freed stay in balance; a lock takes from it what it protects."""
    freed, (tokens, counted) = since_call(FREED), interval(up(n), n)
    return Promise(
        "BUDGET",
        BUDGET,
        gives={"begin": {}},
        before={SPARED.args[0]: lift(0)},
        knows={"evict": (_until_given(_ADDS),), "begin": (_spared(),)},
        laws={"evict": (counted, after(balance([freed], [old(freed), old(tokens)]), STEPS["evict"]))},
    )


def _enough() -> Promise:
    """A call that is not refused gets what it asks for; and no evictions would free more than it counts on."""
    progress = Known("EVICT_PROGRESS", with_values(POSTS["EVICT_PROGRESS"], {}))
    unlocked = expand(total(POS, lambda k: node(k) & (lock(k) == 0), size))
    laws = (leaf_below(), balance([unlocked], []), nonnegative(unlocked), nonnegative(since_call(FREED)))
    enough = Known("ENOUGH", with_values(ENOUGH, {}), because=(Known("BUDGET", BUDGET, "BUDGET"), progress, ADMITTED), laws=laws)
    return Promise("ENOUGH", ENOUGH, before=None, after_loop="evict", knows={"loop": (enough,)})


EMPTY = forall(POS, lambda k: forall(ENTRY, lambda d: ~queued(d)) >> ~candidate(k))


def _progress() -> Promise:
    """The loop ends when enough is freed, or when nothing is left in the heap: then no leaf is left either."""
    empty = Known("EMPTY", EMPTY, because=(Known("HEAP_FULL", state_formulas(ANY, heap=True)["HEAP_FULL"]),))
    return Promise("EVICT_PROGRESS", POSTS["EVICT_PROGRESS"], before=None, after_loop="evict", knows={"loop": (empty,)})


def _longest(id_: str) -> Promise:
    return Promise(id_, POSTS[id_], knows={"call": (Known("DEEPEST", DEEPEST & (found <= key)), Known("HALVED", HALVED, because=()))})


PROMISES: dict[str, Promise] = {
    promise.id: promise
    for promise in (
        _ADDS,
        *_tokens(),
        _KEEPS,
        Promise("INSERT_COVERS", POSTS["INSERT_COVERS"], {"touch": {"key": n}, "grow": {"key": x}}, None),
        Promise("EVICT_LEAF", POSTS["EVICT_LEAF"]),
        Promise("EVICT_UNLOCKED", POSTS["EVICT_UNLOCKED"] & STILL_LOCKED),
        _exact(),
        _progress(),
        _budget(),
        _enough(),
        _order(),
        Promise("ADMISSION", POSTS["ADMISSION"], {"begin": {}}, None, knows={"begin": (GUARD, AT_FOUND)}),
        _OWN_KEPT,
        Promise(
            "FREE_AT_LAST_RELEASE",
            POSTS["FREE_AT_LAST_RELEASE"],
            {"release": {"h": h}},
            None,
            knows={"release": (Known("OWN_KEPT", OWN_KEPT, "OWN_KEPT"),)},
        ),
        *map(_longest, ("MATCH_MAX", "INSERT_MATCH_AGREE")),
        Promise("PEEK_PURE", POSTS["PEEK_PURE"]),
        Promise("RESET_QUIESCENT", POSTS["RESET_QUIESCENT"], {"reset": {}}, None, knows={"reset": (Known("GUARD", old(NOTHING_HELD)),)}),
    )
}


def _lemmas(known: Iterable[Known]) -> Iterator[Known]:
    for each in known:
        if each.because is not None:
            yield each
            yield from _lemmas(each.because)


LEMMAS = {lemma.name: lemma for promise in PROMISES.values() for known in promise.knows.values() for lemma in _lemmas(known)}


def now_is_then(term: Term) -> Term:
    """The term where the state now is the state at the call."""
    return now_is_then(term.args[0]) if term.op == "old" else rebuild(term, now_is_then)


def _given(*known: Known) -> dict[str, Term]:
    return state_formulas(ANY) | theorems(ANY) | {each.name: each.term for each in known}


def at_call(promise: Promise) -> Condition:
    """The promise holds of the state at the call, before any step."""
    formula = now_is_then(with_values(promise.formula, promise.before or {}))
    known = (replace(each, term=with_values(each.term, {})) for each in promise.knows.get("call", ()))
    return replace(follows(f"call/{promise.id}", formula, _given(*known)), cases=())


def by_lemma(lemma: Known) -> Condition:
    """What is known follows from what is carried."""
    because = (replace(each, term=since_call(each.term)) for each in lemma.because or ())
    condition = follows(f"lemma/{lemma.name}", since_call(with_values(lemma.term, {})), _given(*because))
    return replace(condition.with_laws(*lemma.laws), cases=())


def by_step(promise: Promise, step: Transition) -> Condition:
    """The step keeps the promise, or gives it."""
    values, known = promise.gives.get(step.name), promise.knows.get(step.name, ())
    carried = promise.before if values is not None else {}
    if carried is not None:
        known = (Known(promise.id, with_values(promise.formula, carried)), *known)
    goal = with_values(promise.formula, values or {})
    since = (replace(each, term=since_call(each.term)) for each in known)
    condition = preserved(promise.id, since_call(goal), step, _given(*since))
    return replace(condition, laws=promise.laws.get(step.name, ()), cases=_first_step(promise.id, goal, step, known))


def _first_step(id_: str, goal: Term, step: Transition, known: Iterable[Known]) -> tuple[Condition, ...]:
    """The case in which this is the first step after the call, if it can be said of the step's arguments alone."""
    given = _given(*(replace(each, term=now_is_then(each.term)) for each in known))
    if free(goal) <= {p.args[0] for p in step.parameters}:
        return (preserved(id_, goal, step, given),)
    return ()


def _of_the_call_alone(promise: Promise) -> bool:
    """Whether no step can change it: it says nothing of the state now."""
    return not functions(since_call(promise.formula)) & {f.name for f in STATE_FUNCTIONS}


def chain(operation: str, promise: Promise, chains: Mapping[str, Chain] = CHAINS) -> tuple[str, ...]:
    """The cells that together prove a promise of an operation. Raises ValueError if its chain does not give it."""
    carried, cells, taken = promise.before is not None, list[str](), set[str]()
    if carried:
        cells += (f"call/{promise.id}", *_rests_on(operation, promise.knows.get("call", ()), taken, chains))
    for stage in () if _of_the_call_alone(promise) else chains[operation]:
        given = [step for step in stage.steps if step in promise.gives]
        if given and not taken.isdisjoint(promise.gives):
            raise ValueError(f"{operation} gives {promise.id} twice: the second time from a form that was not carried")
        if promise.after_loop in stage.steps:
            carried = True
            cells += _rests_on(operation, promise.knows.get("loop", ()), taken, chains)
        else:
            for step in stage.steps if carried else given:
                cells += (f"{step}/{promise.id}", *_rests_on(operation, promise.knows.get(step, ()), taken, chains))
            carried |= stage.sure and given == list(stage.steps)
        taken.update(stage.steps)
    if not carried:
        raise ValueError(f"no step of {operation} gives {promise.id}")
    return tuple(dict.fromkeys(cells))


def _rests_on(operation: str, known: Iterable[Known], taken: Set[str], chains: Mapping[str, Chain]) -> Iterator[str]:
    """The cells of the lemmas and promises among what a step knows, after the steps that were taken."""
    for each in known:
        if each.kept and "touch" in taken:  # a call that refreshes nothing has found nothing, and spares nothing
            yield from (f"{step}/{each.name}" for step in taken)
        elif each.because is not None:
            yield f"lemma/{each.name}"
            yield from _rests_on(operation, each.because, taken, chains)
        elif each.promise:
            promise = PROMISES[each.promise]
            if each.not_given and not taken.isdisjoint(promise.gives):
                raise ValueError(f"{operation} may have given {promise.id} already")
            # A call that refreshes nothing has nothing to keep locked: used is the root, and ADMISSION of it says nothing.
            if promise.id != "ADMISSION" or "touch" in taken:
                yield from chain(operation, promise, chains)


def promised(operation: str) -> Iterator[Promise]:
    """What an operation promises."""
    yield PROMISES["ADDS"]
    if operation in ADMITTING:
        yield PROMISES["ENOUGH"]
    for post in POSTCONDITIONS:
        if operation in post.operations:
            yield PROMISES[post.id]


def composed() -> dict[tuple[str, str], tuple[str, ...]]:
    """For each operation and each of its promises the cells that together prove it."""
    return {(operation, promise.id): chain(operation, promise) for operation in CHAINS for promise in promised(operation)}


def cells() -> dict[str, Callable[[], Condition]]:
    """Every cell that some operation needs, by its name; what is to be shown is made when it is asked for."""
    return {name: partial(_cell, *name.split("/")) for names in composed().values() for name in names}


def _cell(where: str, id_: str) -> Condition:
    if where == "lemma":
        return by_lemma(LEMMAS[id_])
    if id_ == "PATHS_STAY":
        return preserved(id_, PATHS_STAY, STEPS[where], _given())
    return at_call(PROMISES[id_]) if where == "call" else by_step(PROMISES[id_], STEPS[where])
