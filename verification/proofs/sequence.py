"""Two transitions in a row, as one."""

from collections.abc import Callable
from dataclasses import replace

from radixcheck.spec.logic import Term, expand, substitute
from radixcheck.spec.updates import Image, Transition, Update, after


def then(first: Transition, second: Transition) -> Transition:
    """Return one transition that does both, the first before the second. Parameters of the same name are the same parameter.

    The second must not read what the first forgets. All terms are about the state before both, so that readers and runs need not know
    that these are two steps.
    """
    later = tuple(_seen_before(update, first) for update in second.updates)
    forgets = tuple(_seen_before(update, first) for update in second.forgets)
    known = {p.args[0] for p in first.parameters}
    return Transition(
        f"{first.name}_then_{second.name}",
        (*first.parameters, *(p for p in second.parameters if p.args[0] not in known)),
        first.guard & after(second.guard, first),
        (*(unless for update in first.updates if (unless := _unless(update, later)) is not None), *later),
        (*first.forgets, *forgets),
        (*first.touched, *second.touched),
    )


def _seen_before(update: Update, first: Transition) -> Update:
    """Return an update of the second transition that reads the state which the first one leaves."""

    def through(part: Callable[[Term], Term]) -> Callable[[Term], Term]:
        return lambda q: after(part(q), first)

    image = update.image and Image(through(update.image.where), through(update.image.at))
    return replace(update, where=after(update.where, first), value=after(update.value, first), image=image)


def _unless(update: Update, later: tuple[Update, ...]) -> Update | None:
    """Return an update of the first transition where the second does not overwrite it; None if it does so everywhere."""
    for other in (other for other in later if other.function is update.function):
        if not update.parameters:
            return None
        names = {p.args[0]: x for p, x in zip(other.parameters, update.parameters, strict=True)}
        update = replace(update, where=update.where & ~substitute(expand(other.where), names))
    return update
