"""How a promise of a call is carried along its chain of steps, however long its loops.

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

from radixcheck.spec.logic import Function, Term, expand, lift, rebuild, substitute, var
from radixcheck.spec.operations import PARAMETERS, Chain
from radixcheck.spec.run.terms import free, functions
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.conditions import CACHE_LAWS, Condition, Laws, follows, preserved

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


# The call's parameters have names of their own, for steps have parameters too. A call that takes steps was admitted.
OF_CALL = {p.args[0]: var(f"{p.args[0]}_call", p.sort) for p in PARAMETERS} | {"admitted": lift(True)}


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


def now_is_then(term: Term) -> Term:
    """The term where the state now is the state at the call."""
    return now_is_then(term.args[0]) if term.op == "old" else rebuild(term, now_is_then)


def _lemmas(known: Iterable[Known]) -> Iterator[Known]:
    for each in known:
        if each.because is not None:
            yield each
            yield from _lemmas(each.because)


@dataclass(frozen=True, slots=True, eq=False)
class Promises:
    """The promises of a machine's calls, and the cells that they rest on."""

    steps: Mapping[str, Transition]
    promises: Mapping[str, Promise]
    chains: Mapping[str, Chain]  # of the operations
    promised: Callable[[str], Iterable[str]]  # ids of what an operation promises
    state: Mapping[str, Term]  # the state formulas and theorems
    of_state: frozenset[str]  # names of the functions that a step may change
    kept: Mapping[str, Term] = field(default_factory=dict)  # what a step is known to find because each step before has kept it
    laws: Laws = CACHE_LAWS

    @property
    def lemmas(self) -> dict[str, Known]:
        """Everything that some step needs and that follows from promises."""
        return {lemma.name: lemma for promise in self.promises.values() for known in promise.knows.values() for lemma in _lemmas(known)}

    def _given(self, *known: Known) -> dict[str, Term]:
        return dict(self.state) | {each.name: each.term for each in known}

    def at_call(self, promise: Promise) -> Condition:
        """The promise holds of the state at the call, before any step."""
        formula = now_is_then(with_values(promise.formula, promise.before or {}))
        known = (replace(each, term=with_values(each.term, {})) for each in promise.knows.get("call", ()))
        return replace(follows(f"call/{promise.id}", formula, self._given(*known), self.laws), cases=())

    def by_lemma(self, lemma: Known) -> Condition:
        """What is known follows from what is carried."""
        because = (replace(each, term=since_call(each.term)) for each in lemma.because or ())
        condition = follows(f"lemma/{lemma.name}", since_call(with_values(lemma.term, {})), self._given(*because), self.laws)
        return replace(condition.with_laws(*lemma.laws), cases=())

    def by_step(self, promise: Promise, step: Transition) -> Condition:
        """The step keeps the promise, or gives it."""
        values, known = promise.gives.get(step.name), promise.knows.get(step.name, ())
        carried = promise.before if values is not None else {}
        if carried is not None:
            known = (Known(promise.id, with_values(promise.formula, carried)), *known)
        goal = with_values(promise.formula, values or {})
        since = (replace(each, term=since_call(each.term)) for each in known)
        condition = preserved(promise.id, since_call(goal), step, self._given(*since), self.laws)
        return replace(condition, laws=promise.laws.get(step.name, ()), cases=self._first_step(promise.id, goal, step, known))

    def _first_step(self, id_: str, goal: Term, step: Transition, known: Iterable[Known]) -> tuple[Condition, ...]:
        """The case in which this is the first step after the call, if it can be said of the step's arguments alone."""
        given = self._given(*(replace(each, term=now_is_then(each.term)) for each in known))
        if free(goal) <= {p.args[0] for p in step.parameters}:
            return (preserved(id_, goal, step, given, self.laws),)
        return ()

    def chain(self, operation: str, promise: Promise) -> tuple[str, ...]:
        """The cells that together prove a promise of an operation. Raises ValueError if its chain does not give it."""
        return self._along(operation, self.chains[operation], promise)

    def _along(self, operation: str, stages: Chain, promise: Promise) -> tuple[str, ...]:
        """The cells that prove a promise at the end of these stages, the first of an operation."""
        carried, cells, taken = promise.before is not None, list[str](), set[str]()
        if carried:
            cells += (f"call/{promise.id}", *self._rests_on(operation, (), promise.knows.get("call", ()), taken))
        for i, stage in enumerate(() if self._of_the_call_alone(promise) else stages):
            before = self._earlier(operation, stages, i)
            given = [step for step in stage.steps if step in promise.gives]
            if given and not taken.isdisjoint(promise.gives):
                raise ValueError(f"{operation} gives {promise.id} twice: the second time from a form that was not carried")
            if promise.after_loop in stage.steps:
                carried = True
                cells += self._rests_on(operation, before, promise.knows.get("loop", ()), taken)
            else:
                for step in stage.steps if carried else given:
                    cells += (f"{step}/{promise.id}", *self._rests_on(operation, before, promise.knows.get(step, ()), taken))
                carried |= stage.sure and given == list(stage.steps)
            taken.update(stage.steps)
        if not carried:
            raise ValueError(f"no step of {operation} gives {promise.id}")
        return tuple(dict.fromkeys(cells))

    def _earlier(self, operation: str, stages: Chain, i: int) -> Chain:
        """The stages that keep what the steps of stage i know: here simply all of the operation."""
        return self.chains[operation]

    def _of_the_call_alone(self, promise: Promise) -> bool:
        """Whether no step can change it: it says nothing of the state now."""
        return not functions(since_call(promise.formula)) & self.of_state

    def _rests_on(self, operation: str, before: Chain, known: Iterable[Known], taken: Set[str]) -> Iterator[str]:
        """The cells of the lemmas and promises among what a step knows, after the stages before it and the steps that were taken."""
        for each in known:
            if each.kept and "touch" in taken:  # a call that refreshes nothing has found nothing, and spares nothing
                yield from (f"{step}/{each.name}" for step in taken)
            elif each.because is not None:
                yield f"lemma/{each.name}"
                yield from self._rests_on(operation, before, each.because, taken)
            elif each.promise:
                promise = self.promises[each.promise]
                if each.not_given and not taken.isdisjoint(promise.gives):
                    raise ValueError(f"{operation} may have given {promise.id} already")
                # A call that refreshes nothing has nothing to keep locked: used is the root, and ADMISSION of it says nothing.
                if promise.id != "ADMISSION" or "touch" in taken:
                    yield from self._along(operation, before, promise)

    def composed(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """For each operation and each of its promises the cells that together prove it."""
        pairs = ((operation, self.promises[id_]) for operation in self.chains for id_ in self.promised(operation))
        return {(operation, promise.id): self.chain(operation, promise) for operation, promise in pairs}

    def cells(self) -> dict[str, Callable[[], Condition]]:
        """Every cell that some operation needs, by its name; what is to be shown is made when it is asked for."""
        return {name: partial(self._cell, *name.split("/")) for names in self.composed().values() for name in names}

    def _cell(self, where: str, id_: str) -> Condition:
        if where == "lemma":
            return self.by_lemma(self.lemmas[id_])
        if id_ in self.kept:
            return preserved(id_, self.kept[id_], self.steps[where], self._given(), self.laws)
        return self.at_call(self.promises[id_]) if where == "call" else self.by_step(self.promises[id_], self.steps[where])
