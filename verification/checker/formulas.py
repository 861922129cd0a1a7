"""The catalogue's formulas, compiled for one policy, and the number of their evaluations."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from radixcheck.spec.operations import PARAMETERS
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.property import Property
from radixcheck.spec.run.reader import Check, check, holds
from radixcheck.spec.run.terms import functions
from radixcheck.verification.core.catalogue import CATALOGUE


@dataclass(frozen=True, slots=True)
class Compiled:
    """A property whose formula and witness can be evaluated on states."""

    property: Property
    check: Check
    witness: Any
    reads: frozenset[str]  # names of the state functions in the formula


@cache
def compiled(policy: str) -> tuple[tuple[Compiled, ...], dict[str, tuple[Compiled, ...]]]:
    """Return the state formulas (with the theorems), and the postconditions of each operation."""
    states: list[Compiled] = []
    posts: dict[str, list[Compiled]] = {}
    for p in CATALOGUE.values():
        if p.formula is None or p.witness is None:
            continue
        formula, witness = p.formula(POLICIES[policy]), p.witness(POLICIES[policy])
        ready = Compiled(p, check(formula, PARAMETERS), holds(witness, PARAMETERS), functions(formula))
        if p.kind == "post":
            for operation in p.operations:
                posts.setdefault(operation, []).append(ready)
        else:
            states.append(ready)
    return tuple(states), {operation: tuple(ready) for operation, ready in posts.items()}


@dataclass(slots=True)
class Tally:
    """Per property: the states or calls checked, and those in which its witness held, so that the check was not vacuous."""

    checked: Counter[str] = field(default_factory=Counter)
    exercised: Counter[str] = field(default_factory=Counter)

    def count(self, property_: str, exercised: bool = True) -> None:
        """Add one state or call."""
        self.checked[property_] += 1
        self.exercised[property_] += exercised

    def evaluate(self, ready: Compiled, *arguments: Any) -> dict[str, int] | None:
        """Return None if the formula holds, else the values of its variables for which it is false.

        A state in which the formula has no value (a node without a parent, for example) is not counted.
        """
        try:
            failed = ready.check(*arguments)
            exercised = ready.witness(*arguments)
        except (KeyError, TypeError, IndexError):
            return None
        self.count(ready.property.id, exercised)
        return failed

    def add(self, other: "Tally") -> None:
        """Add the counts of another run."""
        self.checked.update(other.checked)
        self.exercised.update(other.exercised)
