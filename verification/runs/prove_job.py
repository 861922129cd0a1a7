"""The jobs of `radixcheck prove`: decide conditions, confirm proofs with a second solver, and judge mutants of the specification."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import count
from time import monotonic

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.proofs.proof_results import Cell, Result
from radixcheck.verification.proofs.prove import campaign, cells, chosen, known, second_opinions
from radixcheck.verification.proofs.spec_mutants.generate_mutants import mutants
from radixcheck.verification.proofs.spec_mutants.judge_mutants import judge_all
from radixcheck.verification.review_6907.proof_suite import PROOFS
from radixcheck.verification.runs.evidence_results import ProveOutcome, SpecMutantsOutcome

FIELDS = {"properties": ("formula", "name"), "transitions": ("transition",), "policies": ("policy",)}  # of a cell, by what is chosen


@dataclass(frozen=True, slots=True)
class ProveRequest:
    """Conditions to decide, each with every seed."""

    names: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    workers: int = 2

    @property
    def cells(self) -> list[Cell]:
        """Return the conditions."""
        return [cells(PROOFS)[name] for name in self.names]


@dataclass(frozen=True, slots=True)
class SpecMutantsRequest:
    """The seed of the solver for the mutants of the specification."""

    seed: int = 0


def prove_request(
    properties: Sequence[str] = (),
    transitions: Sequence[str] = (),
    policies: Sequence[str] = (),
    *,
    seeds: Sequence[int] = (0,),
    workers: int = 2,
) -> ProveRequest:
    """Return a request for the conditions that match every criterion; an empty one matches all. Raise UsageError."""
    for option, values in {"properties": properties, "transitions": transitions, "policies": policies}.items():
        valid = tuple(word for field in FIELDS[option] for word in known(PROOFS, field))
        for value in values:
            if value not in valid:
                near = ", ".join(get_close_matches(value, valid, n=3, cutoff=0))
                raise UsageError(f"no condition has the {FIELDS[option][0]} {value!r}: the nearest are {near}")
    names = chosen(PROOFS, properties, transitions, policies)
    if not names:
        raise UsageError("no condition matches all options: leave out a property, a transition or a policy")
    return ProveRequest(names, tuple(seeds), workers)


def prove(request: ProveRequest, progress: Callable[[Mapping[str, Result]], None] = lambda _: None) -> ProveOutcome:
    """Decide the conditions. `progress` is called with the results so far, by name."""
    return ProveOutcome(campaign(PROOFS, request.names, request.seeds, request.workers, progress))


def confirm(request: ProveRequest, outcome: ProveOutcome, progress: Progress = silent) -> ProveOutcome:
    """Return the outcome with the answers of a second solver, cvc5, about every proof."""
    with progress("asking cvc5") as tell:
        return replace(outcome, opinions=second_opinions(PROOFS, request.names, request.workers, tell))


def judge_spec_mutants(request: SpecMutantsRequest, progress: Progress = silent) -> SpecMutantsOutcome:
    """Judge every mutant of the specification."""
    start, done, total = monotonic(), count(1), len(mutants())
    with progress("mutating") as tell:
        judged = judge_all(lambda each: tell(next(done) / total, f"{each.mutant.name}: {each.verdict}"), request.seed)
    return SpecMutantsOutcome(judged, monotonic() - start)
