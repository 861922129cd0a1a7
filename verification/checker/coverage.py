"""Coverage: which behaviour of the specification a run reached. A mark is one behaviour, and has a name.

There are two kinds of marks: a pair of transitions that were taken one after the other (`evict, split`), and the power of two that a
quantity of the envelope reached (`depth 8`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from radixcheck.verification.core.envelope import Envelope
from radixcheck.verification.core.found import Config
from radixcheck.verification.operations import Trace

START = "start of a run"
OF_TRACE = ("operations", "ticks", "refused", "pool", "slot", "token", "priority")  # they follow from the length or the configuration


@dataclass(frozen=True, slots=True)
class Kept:
    """A trace that reached marks."""

    config: Config
    trace: Trace


class CoverageRecorder:
    """The marks of one run: each with the number of operations after which it was first reached."""

    def __init__(self) -> None:
        self.reached: dict[tuple[str, str], int] = {}
        self._operations, self._last = 0, START

    def record(self, steps: Sequence[str]) -> None:
        """Record one operation, which took these transitions."""
        self._operations += 1
        last = self._last
        for step in steps:
            pair = (last, step)
            if pair not in self.reached:
                self.reached[pair] = self._operations
            last = step
        self._last = last

    def marks(self, envelope: Envelope) -> Iterator[tuple[str, int]]:
        """Yield each mark with the operations that reach it. For a quantity that is the whole run."""
        yield from ((", ".join(pair), operations) for pair, operations in self.reached.items())
        for name, value in envelope.items():
            if name not in OF_TRACE:
                yield from ((f"{name} {1 << power}", self._operations) for power in range(value.bit_length()))


@dataclass(slots=True)
class Coverage:
    """The marks of several runs, each with the shortest trace that reached it."""

    marks: dict[str, Kept] = field(default_factory=dict)

    def add(self, reached: Mapping[str, Kept]) -> None:
        """Add marks; of two traces keep the shorter, of two that are as long the first."""
        for mark, kept in reached.items():
            if mark not in self.marks or len(kept.trace) < len(self.marks[mark].trace):
                self.marks[mark] = kept
