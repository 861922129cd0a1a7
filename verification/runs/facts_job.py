"""The job of `radixcheck facts`: try claims about programs."""

from collections.abc import Sequence
from dataclasses import dataclass

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.review_6907.facts import FACTS, decide
from radixcheck.verification.runs.evidence_results import FactsOutcome


@dataclass(frozen=True, slots=True)
class FactsRequest:
    """The facts to try, and the seed of the cases."""

    names: tuple[str, ...]
    seed: int = 0


def facts_request(names: Sequence[str] = (), seed: int = 0) -> FactsRequest:
    """Return a request; without names: for all facts. Raise UsageError for an unknown name."""
    for name in names:
        if name not in FACTS:
            raise UsageError(f"no fact is named {name!r}: choose from {', '.join(FACTS)}")
    return FactsRequest(tuple(names) or tuple(FACTS), seed)


def try_facts(request: FactsRequest, progress: Progress = silent) -> FactsOutcome:
    """Try the facts."""
    with progress("facts"):
        return FactsOutcome(tuple(decide(FACTS[name], request.seed) for name in request.names))
