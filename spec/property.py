"""What a property is, and how one is written down."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc

from radixcheck.spec.logic import Term
from radixcheck.spec.policies import Policy

Formula = Callable[[Policy], Term]


@dataclass(frozen=True, slots=True)
class Property:
    """One thing that a correct cache does. Formulas are functions of the policy, because some compare its keys.

    Kinds: `state` holds in every reachable state; `post` speaks of one call (`old` marks the state before it); `theorem` follows from
    other properties, or speaks of two runs; `event` holds of the fold of all events, in every reachable state; `program` is a check of
    code (storage, cost, depth) and has no formula here.
    """

    id: str
    kind: str
    sentence: str  # exactly the formula in words; after "In a program:", what is checked of programs beside it
    mutant: str  # the deliberately wrong cache that this property must catch
    questions: str = ""  # ids of the claims and reviewers' questions that it bears on
    formula: Formula | None = None
    witness: Formula | None = None  # where it holds, the property is not vacuous
    operations: tuple[str, ...] = ()  # of a post: the operations after which it must hold
    heap: bool = False  # it speaks of a heap, which not every cache has
    why: str = ""  # what goes wrong in a cache that breaks it, and where it comes from
    refusals: bool = False  # of a post: it speaks of calls that were refused, too


def stated(
    kind: str,
    id_: str,
    witness: Term | Formula,
    mutant: str,
    questions: str = "",
    operations: tuple[str, ...] = (),
    heap: bool = False,
    refusals: bool = False,
) -> Callable[[Formula], Property]:
    """Make a property of a function from the policy to its formula.

    The first paragraph of the function's docstring is the sentence, the rest says why a cache needs it.
    """
    seen: Formula = witness if callable(witness) else lambda policy: witness

    def make(formula: Formula) -> Property:
        sentence, _, why = (" ".join(part.split()) for part in cleandoc(formula.__doc__ or "").partition("\n\n"))
        return Property(id_, kind, sentence, mutant, questions, formula, seen, operations, heap, why, refusals)

    return make
