"""The definition of a contract."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature, getdoc, signature
from typing import Any

Function = Callable[..., Any]
Arguments = Mapping[str, int]  # of a law, by name
Interval = tuple[int, int | None]  # both bounds inclusive; None: no upper bound


@dataclass(frozen=True, slots=True)
class Contract:
    """A law about one function, for all integers within `bounds`. An argument that `bounds` does not name is unbounded."""

    name: str
    where: str  # the file of the function, and the operations that use it
    law: Callable[..., bool]  # takes the function, then integers; its docstring is the contract as a sentence
    function: Function
    twin: Function  # a wrong function; its docstring describes the fault
    bounds: Mapping[str, Interval]

    @property
    def sentence(self) -> str:
        """Return the contract as a sentence."""
        return getdoc(self.law) or ""

    @property
    def fault(self) -> str:
        """Return the fault of the twin as a sentence."""
        return getdoc(self.twin) or ""

    def arguments(self) -> Signature:
        """Return the signature of the law without its first parameter, the function."""
        names = list(signature(self.law).parameters)[1:]
        return Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=int) for name in names], return_annotation=bool)

    def within(self, arguments: Mapping[str, Any]) -> bool:
        """Return whether every integer is in its interval: the precondition."""
        for name, (least, greatest) in self.bounds.items():
            if arguments[name] < least or (greatest is not None and arguments[name] > greatest):
                return False
        return True

    def bound(self) -> str:
        """Return the precondition as text, in which arguments with the same interval are listed together."""
        together: dict[Interval, list[str]] = {}
        for name, interval in self.bounds.items():
            together.setdefault(interval, []).append(name)
        unnamed = len(self.arguments().parameters) - len(self.bounds)
        words = [f"{' '.join(names)} {_words(interval)}" for interval, names in together.items()]
        return ", ".join([*words, *([f"{unnamed} any integers"] if unnamed else [])])


def _words(interval: Interval) -> str:
    least, greatest = interval
    return f">= {least}" if greatest is None else f"{least}..{greatest}"
