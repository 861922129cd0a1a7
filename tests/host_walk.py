"""Random walks of the host machine: any step whose guard holds, with arguments that it may well allow."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from random import Random

from radixcheck.spec.host.copy_invariants import HOST_STATE_FORMULAS
from radixcheck.spec.host.host_signature import PINNING
from radixcheck.spec.host.host_theorems import HOST_THEOREMS
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.property import Property
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import Refused, check, run
from radixcheck.spec.signature import FREE
from radixcheck.spec.updates import Transition
from radixcheck.spec.values import Key

HOLDERS = 4
TRIES = 8  # arguments for one step
UNDOING = ("reset", "delete", "drop_host", "evict_host", "fail_save", "fail_load", "cancel_save", "cancel_load")  # taken less often
CHECKS = {
    p.id + p.kind: check(p.formula(POLICIES["lru"])) for p in (*HOST_STATE_FORMULAS, *HOST_THEOREMS) if p.formula is not None
}  # PROTECTED stands for a theorem


class Walk:
    """One walk. `took` counts the steps by name."""

    def __init__(self, seed: int, page_size: int = 1, pages: int = 6, host_pages: int = 5, gaps: bool = False) -> None:
        self.rng, self.positions = Random(seed), Positions(page_size)
        self.state = HostState(self.positions, pages, host_pages, gaps)
        self.universe = [EPS, *self._keys(page_size)]
        self.took = Counter[str]()
        self.arguments: list[int] = []  # of the last step

    def _keys(self, page_size: int) -> list[int]:
        """All positions of up to three pages over two pages' worth of letters, and those that end inside a page."""
        pages = [tuple(letters) for letters in product((0, 1), repeat=page_size)][:2]
        found = dict[int, None]()
        for depth in range(3):
            for above in product(pages, repeat=depth):
                before = sum(above, ())
                for page in pages:
                    found |= {self.positions.of(Key(before + page[:length])): None for length in range(1, page_size + 1)}
        return list(found)

    def step(self, machine: Sequence[Transition] = TIERED) -> Transition | None:
        """Take a step, rather one that was seldom taken; None if none was found."""
        for chosen in sorted(machine, key=lambda step: self.took[step.name] * (20 if step.name in UNDOING else 1) + self.rng.randrange(6)):
            if any(self._taken(chosen) for _ in range(TRIES)):
                return chosen
        return None

    def _taken(self, step: Transition) -> bool:
        arguments = self._arguments(step)
        if arguments is None:
            return False
        try:
            run(step, self.state, *arguments)
        except (Refused, KeyError, TypeError):  # a guard may read what has no meaning here
            return False
        self.arguments = arguments
        self.took[step.name] += 1
        return True

    def _arguments(self, step: Transition) -> list[int] | None:
        values = dict[str, int]()
        for parameter in step.parameters:
            name = parameter.args[0]
            domain = self._domain(step.name, name, values)
            if not domain:
                return None
            values[name] = self.rng.choice(domain)
        return list(values.values())

    def _domain(self, step: str, name: str, values: dict[str, int]) -> Sequence[int]:
        s, h = self.state, values.get("h", 0)
        domains: dict[str, Callable[[], Sequence[int]]] = {
            "h": lambda: [g for g in range(HOLDERS) if g not in s.held] if step == "begin" else sorted(s.held),
            "s": lambda: [i for i, owner in enumerate(s.owner) if owner == FREE],
            "t": lambda: [i for i, owner in enumerate(s.host_owner) if owner == FREE],
            "hit": lambda: (0, 1),
            "new_priority": lambda: [s.request_priority[h]] if step == "grow" else (0, 1),
            "y": lambda: self._next(step, h),
            "x": lambda: sorted(s.node) if step == "pin" else self.positions.ancestors[s.tok[h]],
            "n": lambda: [*sorted(s.node), *([EPS] if step in ("touch", "begin") else [])],
            "m": lambda: sorted(s.cached - s.node),
            "c": lambda: [s.end[values["m"]]],
        }
        return domains[name]()

    def _next(self, step: str, h: int) -> Sequence[int]:
        p, s = self.positions, self.state
        if step == "reserve":
            return p.between(s.reserved[h], s.aim[h])[:1] if h in s.reserved and h in s.aim else ()
        if step == "fill":
            return [q for q in self.universe if p.prev[q] == p.prev[s.tok[h]] and p.length[q] == p.length[s.tok[h]] + 1]
        longer = [q for q in self.universe if q != EPS and p.prev[q] == s.tok[h]]
        return [q for q in longer if p.le(q, s.aim[h])] if s.stage[h] == PINNING else longer

    def broken(self, properties: Sequence[Property] = ()) -> list[str]:
        """The formulas that do not hold here."""
        ids = [p.id + p.kind for p in properties] or list(CHECKS)
        return [id_ for id_ in ids if CHECKS[id_](self.state) is not None]
