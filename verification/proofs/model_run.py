"""Builds a state of the specification from a bounded model of Z3, so that Python can check what the solver found."""

from collections.abc import Callable
from itertools import product
from typing import Any

from radixcheck.spec import signature
from radixcheck.spec.logic import Function
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import COUNTERS, EARLY_MAPS, HEAP_MAPS, MAPS, REQUEST_MAPS, SETS, State
from radixcheck.spec.signature import FREE, OWN, PAGE, POS, length, namespace, page_size, prev
from radixcheck.verification.proofs.early_locks import local_lock_ref
from radixcheck.verification.proofs.z3_reader import Reader, z3

_FUNCTIONS = [f for f in (*vars(signature).values(), local_lock_ref) if isinstance(f, Function) and f.kind == "state"]


class _Model:
    """A model whose things are replaced by numbers. The numbers of positions are indices into the table `positions`."""

    def __init__(self, reader: Reader, model: Any) -> None:
        self.reader, self.model = reader, model
        others = [things for name, things in reader.things.items() if name != POS.name]
        self.numbers = {thing: i for things in others for i, thing in enumerate(things)}
        self.positions = Positions(self.value(reader.read(page_size)))
        root, *rest = sorted(reader.things[POS.name], key=lambda q: self.of(length, q))
        self.numbers[root] = EPS
        for i, q in enumerate(rest):
            # Each position gets a token of its own: equal pages after one prefix would be one position.
            above = self.numbers[self.eval(reader.function(prev)(q))]
            tokens = (i,) * (self.of(length, q) - self.positions.length[above])
            self.numbers[q] = self.positions.link(above, tokens, (self.of(namespace, q),))

    def eval(self, term: Any) -> Any:
        return self.model.eval(term, model_completion=True)

    def value(self, term: Any) -> int:
        """Return the number of a thing, or an integer or truth value as a number."""
        found = self.eval(term)
        if found in self.numbers:
            return self.numbers[found]
        return int(z3.is_true(found)) if z3.is_bool(found) else int(found.as_long())

    def of(self, function: Function, *things: Any) -> int:
        return self.value(self.reader.function(function)(*things))

    def table(self, function: Function) -> dict[tuple[int, ...], int]:
        """Return the values of a function for all things."""
        choices = product(*(self.reader.things[self.reader.sort(s).name()] for s in function.domain))
        return {tuple(self.numbers[t] for t in things): self.of(function, *things) for things in choices}


def state_of(reader: Reader, found: Any) -> tuple[State, dict[Any, int]]:
    """Return the state that a model describes, without undefined values, and the numbers of its things."""
    model = _Model(reader, found)
    state = State(model.positions, len(reader.things[PAGE.name]))
    values = {f.name: model.table(f) for f in _FUNCTIONS}
    for name in SETS:
        setattr(state, name, {thing for (thing,), member in values[name].items() if member})
    state.owner = [values["owner"][page,] for page in range(len(state.owner))]
    defined: dict[str, Callable[[int], bool]] = {
        **dict.fromkeys(("end", "page"), lambda q: q in state.cached),
        "holder": lambda s: state.owner[s] == OWN,
        "content": lambda s: state.owner[s] != FREE,
        **dict.fromkeys(HEAP_MAPS, lambda _: True),
        **dict.fromkeys(("at", "tok", "request_priority"), lambda h: h in state.held),
    }
    for name in (*MAPS, *REQUEST_MAPS, *HEAP_MAPS, *EARLY_MAPS):
        if name not in ("up", "row"):
            is_defined = defined.get(name, state.node.__contains__)
            setattr(state, name, {thing: value for (thing,), value in values[name].items() if is_defined(thing)})
    read = {(h, q) for h in state.held for q in model.positions.path(state.tok[h])}
    state.row = {place: values["row"][place] for place in read}
    for n in state.node:
        state.move_up(n, values["up"][n,])
    for name in COUNTERS:
        setattr(state, name, model.value(reader.read(getattr(signature, name))))
    return state, model.numbers
