"""What a contract is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature, getdoc, signature
from typing import Any

Function = Callable[..., Any]
Arguments = Mapping[str, int]  # of a law, by name
Interval = tuple[int, int | None]  # both ends included; None: no upper end


@dataclass(frozen=True, slots=True)
class Contract:
    """A law about one function, for all integers within `bounds`. An integer that is not named there is any integer."""

    name: str
    where: str  # the file of the function, and the operations that rest on it
    law: Callable[..., bool]  # takes the function, then integers; its docstring is the contract in words
    function: Function
    twin: Function  # wrong; its docstring says how
    bounds: Mapping[str, Interval]

    @property
    def sentence(self) -> str:
        """The contract in words."""
        return getdoc(self.law) or ""

    @property
    def fault(self) -> str:
        """What the twin does wrong."""
        return getdoc(self.twin) or ""

    def arguments(self) -> Signature:
        """What the law takes beside the function: integers, named."""
        names = list(signature(self.law).parameters)[1:]
        return Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=int) for name in names], return_annotation=bool)

    def within(self, arguments: Mapping[str, Any]) -> bool:
        """The precondition: every integer lies in its interval."""
        for name, (least, greatest) in self.bounds.items():
            if arguments[name] < least:
                return False
            if greatest is not None and arguments[name] > greatest:
                return False
        return True

    def bound(self) -> str:
        """The precondition in words: names that share an interval stand together."""
        together: dict[Interval, list[str]] = {}
        for name, interval in self.bounds.items():
            together.setdefault(interval, []).append(name)
        unnamed = len(self.arguments().parameters) - len(self.bounds)
        words = [f"{' '.join(names)} {_words(interval)}" for interval, names in together.items()]
        return ", ".join([*words, *([f"{unnamed} any integers"] if unnamed else [])])


def _words(interval: Interval) -> str:
    least, greatest = interval
    return f">= {least}" if greatest is None else f"{least}..{greatest}"
