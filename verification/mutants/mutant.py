"""The type of a mutant, and the constructor of those that are subclasses of the reference."""

from dataclasses import dataclass
from inspect import getdoc

from radixcheck.verification.core.subject import Factory
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

BY_SIZE = "probes: it shows only in sizes that no example of the state machine reaches"
BY_TWO_RUNS = "driver: it shows only between two runs of the same operations, of which the state machine makes one"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A deliberately wrong cache, with a configuration in which it shows."""

    name: str
    property: str  # that must catch it; others may catch it too
    sentence: str  # what it does wrong
    source: str  # a similar fault that was reported in the field; empty: none
    factory: Factory
    policy: str = "lru"
    page_size: int = 1  # tokens
    directed: str = ""  # which detector finds it where the state machine cannot, and why; empty: the state machine finds it


def mutant(
    name: str,
    property_: str,
    subject: type[ReferenceSubject],
    source: str = "",
    policy: str = "lru",
    page_size: int = 1,
    directed: str = "",
) -> Mutant:
    """Return a mutant of the reference: `subject` overrides one operation, and its docstring says what it does wrong."""
    return Mutant(name, property_, getdoc(subject) or "", source, subject.of, policy, page_size, directed)
