"""Builds a state of the specification from a bounded model of Z3, so that Python can check what the solver found."""

from collections.abc import Callable, Container
from itertools import product
from typing import Any, TypeVar

from radixcheck.spec import signature
from radixcheck.spec.events.event_signature import announced, host_announced, last_page, misplaced, page_id
from radixcheck.spec.host import host_signature
from radixcheck.spec.host.host_signature import DOWN, HOST_PAGE, RESERVING, UP, gaps, host_available
from radixcheck.spec.logic import Function
from radixcheck.spec.run.host_state import HOST_SETS, HostState
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import COUNTERS, EARLY_MAPS, EVENT_SETS, HEAP_MAPS, MAPS, REQUEST_MAPS, SETS, State
from radixcheck.spec.signature import FREE, OWN, PAGE, POS, TREE, holder, length, namespace, page, page_size, prev
from radixcheck.verification.proofs.early_locks import local_lock_ref
from radixcheck.verification.proofs.z3_reader import Reader, z3

EVENT_FUNCTIONS = (announced, host_announced, misplaced)
_FUNCTIONS = [f for f in (*vars(signature).values(), local_lock_ref, *EVENT_FUNCTIONS) if isinstance(f, Function) and f.kind == "state"]
_HOST_FUNCTIONS = [f for f in vars(host_signature).values() if isinstance(f, Function) and f.kind == "state" and f not in _FUNCTIONS]
AnyState = TypeVar("AnyState", bound=State)


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
            # Each position gets a token of its own: equal pages after one prefix would be one position. Where ids are concerned it matters
            # which pages are equal.
            token = self.of(last_page, q) if reader.has(last_page) else i
            above = self.numbers[self.eval(reader.function(prev)(q))]
            tokens = (token,) * (self.of(length, q) - self.positions.length[above])
            self.numbers[q] = self.positions.link(above, tokens, (self.of(namespace, q),))
            if reader.has(page_id):
                self.positions.page_id[self.numbers[q]] = self.of(page_id, q)

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
    pages = len(reader.things[PAGE.name])
    if HOST_PAGE.name not in reader.things:
        return _filled(State(model.positions, pages), model), model.numbers
    state = HostState(model.positions, pages, len(reader.things[HOST_PAGE.name]), bool(model.value(reader.read(gaps))))
    return _with_host(_filled(state, model), model), model.numbers


def _filled(state: AnyState, model: _Model) -> AnyState:
    """Return the state with the values of the functions of a cache without a host tier."""
    values = {f.name: model.table(f) for f in _FUNCTIONS}
    for name in (*SETS, *EVENT_SETS):
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
        setattr(state, name, model.value(model.reader.read(getattr(signature, name))))
    return state


def _with_host(state: HostState, model: _Model) -> HostState:
    """Return the state with the values of the functions of the host tier."""
    values = {f.name: model.table(f) for f in (*_HOST_FUNCTIONS, page, holder)}
    for name in HOST_SETS:
        setattr(state, name, {thing for (thing,), member in values[name].items() if member})
    state.running &= state.held
    state.host_owner = [values["host_owner"][page_,] for page_ in range(len(state.host_owner))]
    stages = {h: values["stage"][h,] for h in state.held}
    copies, backups = ({h for h, stage in stages.items() if stage in range(1, last + 1)} for last in (UP, DOWN))
    defined: dict[str, Container[int]] = {
        **{"page": state.resident, "host_page": state.hosted, "pins": state.node},
        **{"stage": state.held, "floor": copies, "aim": copies, "reserved": backups},
        "holder": {s for s, owner in enumerate(state.owner) if owner == OWN or (owner == TREE and s not in state.filled)},
        "host_holder": {t for t, owner in enumerate(state.host_owner) if owner == OWN or (owner == TREE and t not in state.host_filled)},
        "host_content": {t for t, owner in enumerate(state.host_owner) if owner != FREE},
    }
    for name, things in defined.items():
        setattr(state, name, {thing: value for (thing,), value in values[name].items() if thing in things})
    ends = {h: state.reserved[h] if stages[h] == RESERVING else state.aim[h] for h in copies}
    captured = {(h, q) for h, end in ends.items() for q in model.positions.between(state.floor[h], end)}
    state.host_row = {place: values["host_row"][place] for place in captured}
    state.host_available = model.value(model.reader.read(host_available))
    return state
