"""Makes a state of the specification from a bounded model, so that Python can check what the solver says."""

from collections.abc import Callable
from itertools import product
from typing import Any

from radixcheck.spec import signature
from radixcheck.spec.logic import Function
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import COUNTERS, EARLY_MAPS, HEAP_MAPS, MAPS, REQUEST_MAPS, SETS, State
from radixcheck.spec.signature import FREE, OWN, PAGE, POS, length, namespace, page_size, prev
from radixcheck.verification.proofs.early_locks import marks
from radixcheck.verification.proofs.z3_reader import Reader, z3

_FUNCTIONS = [f for f in (*vars(signature).values(), marks) if isinstance(f, Function) and f.kind == "state"]


class _Model:
    """A model whose things have become numbers; those of positions index the table `positions`."""

    def __init__(self, reader: Reader, model: Any) -> None:
        self.reader, self.model = reader, model
        others = [things for name, things in reader.things.items() if name != POS.name]
        self.numbers = {thing: i for things in others for i, thing in enumerate(things)}
        self.positions = Positions(self.value(reader.read(page_size)))
        root, *rest = sorted(reader.things[POS.name], key=lambda q: self.of(length, q))
        self.numbers[root] = EPS
        for i, q in enumerate(rest):
            # Equal pages of tokens under one prefix would be one position: each gets a token of its own.
            above = self.numbers[self.eval(reader.function(prev)(q))]
            tokens = (i,) * (self.of(length, q) - self.positions.length[above])
            self.numbers[q] = self.positions.link(above, tokens, (self.of(namespace, q),))

    def eval(self, term: Any) -> Any:
        return self.model.eval(term, model_completion=True)

    def value(self, term: Any) -> int:
        """A number for a thing, an integer or a truth value."""
        found = self.eval(term)
        if found in self.numbers:
            return self.numbers[found]
        return int(z3.is_true(found)) if z3.is_bool(found) else int(found.as_long())

    def of(self, function: Function, *things: Any) -> int:
        return self.value(self.reader.function(function)(*things))


def state_of(reader: Reader, found: Any) -> tuple[State, dict[Any, int]]:
    """The state that a model describes, and the numbers of its things. What means nothing in that state is left out."""
    model = _Model(reader, found)
    state = State(model.positions, len(reader.things[PAGE.name]))
    values = {
        f.name: {
            tuple(model.numbers[t] for t in things): model.of(f, *things)
            for things in product(*(reader.things[reader.sort(s).name()] for s in f.domain))
        }
        for f in _FUNCTIONS
    }
    for name in SETS:
        setattr(state, name, {thing for (thing,), member in values[name].items() if member})
    state.owner = [values["owner"][page,] for page in range(len(state.owner))]
    means: dict[str, Callable[[int], bool]] = {
        **dict.fromkeys(("end", "page"), lambda q: q in state.cached),
        "holder": lambda s: state.owner[s] == OWN,
        "content": lambda s: state.owner[s] != FREE,
        **dict.fromkeys(HEAP_MAPS, lambda _: True),
        **dict.fromkeys(("at", "tok", "request_priority"), lambda h: h in state.held),
    }
    for name in (*MAPS, *REQUEST_MAPS, *HEAP_MAPS, *EARLY_MAPS):
        if name not in ("up", "row"):
            means_something = means.get(name, state.node.__contains__)
            kept = {thing: value for (thing,), value in values[name].items() if means_something(thing)}
            setattr(state, name, kept)
    read = {(h, q) for h in state.held for q in model.positions.path(state.tok[h])}
    state.row = {place: values["row"][place] for place in read}
    for n in state.node:
        state.move_up(n, values["up"][n,])
    for name in COUNTERS:
        setattr(state, name, model.value(reader.read(getattr(signature, name))))
    return state, model.numbers
