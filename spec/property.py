"""What a property is, and how one is written down."""

from collections.abc import Callable
from dataclasses import dataclass

from radixcheck.spec.logic import Term
from radixcheck.spec.policies import Policy

Formula = Callable[[Policy], Term]


@dataclass(frozen=True, slots=True)
class Property:
    """One thing that a correct cache does. Formulas are functions of the policy, because some compare its keys.

    Kinds: `state` holds in every reachable state; `post` speaks of one operation (`old` marks the state before); `theorem` follows
    from the others, or speaks of two runs; `program` is a check of code (storage, cost, depth) and has no formula here.
    """

    id: str
    kind: str
    sentence: str
    mutant: str  # the deliberately wrong cache that this property must catch
    questions: str = ""  # ids of the claims and reviewers' questions that it bears on
    formula: Formula | None = None
    witness: Formula | None = None  # holds in some state or call: there the property says something
    operations: tuple[str, ...] = ()  # of a post: the operations after which it must hold
    heap: bool = False  # it speaks of a heap, which not every cache has


def stated(
    kind: str, witness: Term | Formula, mutant: str, questions: str = "", operations: tuple[str, ...] = (), heap: bool = False
) -> Callable[[Formula], Property]:
    """Makes a property of a function from the policy to its formula: the name (less `_kept`, where
    the signature has that word) is its id, the docstring its sentence."""
    seen: Formula = witness if callable(witness) else lambda policy: witness

    def make(formula: Formula) -> Property:
        sentence = formula.__doc__ or ""
        return Property(formula.__name__.removesuffix("_kept").upper(), kind, sentence, mutant, questions, formula, seen, operations, heap)

    return make
