"""A subject: a cache implementation under check."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from radixcheck.verification.protocol import Setup, Supports

Factory = Callable[[Setup], Any]  # returns a fresh cache
Given = str | Factory  # what a user gives: a name (module:factory, exec:COMMAND, NAME@PYTHON), or a factory; a Subject is one


@dataclass(frozen=True, slots=True)
class Subject:
    """A cache implementation under check. It is a factory itself: calling it returns a fresh cache.

    `subjects.registry.resolve` makes one from what the user gave; everything else passes it on as a value.
    """

    name: str  # as on the command line
    factory: Factory
    supports: Supports = field(hash=False)  # it holds a mapping
    white_box: bool  # it has `observe`
    portable: bool  # worker processes can be given it: it was given by name, so they can import it
    version: str = ""  # that it gives of itself

    def __call__(self, setup: Setup) -> Any:
        """Return a fresh cache."""
        return self.factory(setup)


@dataclass(frozen=True, slots=True)
class Named:
    """A cache with a name on the command line."""

    name: str
    where: str  # module:factory
    sentence: str
