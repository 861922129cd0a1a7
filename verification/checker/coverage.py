"""Coverage: which behaviour of the specification random runs reached. A mark is one behaviour, and has a name.

There are two kinds of marks: a pair of transitions that were taken one after the other (`evict, split`), and the power of two that a
quantity of the envelope reached (`depth 8`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from radixcheck.verification.core.envelope import Envelope
from radixcheck.verification.core.found import Config

START = "start of a run"
OF_TRACE = ("operations", "ticks", "refused", "pool", "slot", "token", "priority")  # they follow from the length or the configuration


@dataclass(frozen=True, slots=True)
class Origin:
    """A random run, as the arguments that repeat it, up to the operation that reached a mark."""

    config: Config
    seed: int
    operations: int
    stride: int
    longest: int  # pages of a key
    forks: tuple[tuple[int, int], ...] = ()  # after so many operations it goes on at random with this other seed


class CoverageRecorder:
    """The marks of one run: each with the number of operations after which it was first reached."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], int] = {}
        self._operations, self._last = 0, START

    def begin(self) -> None:
        """Begin an operation of the run. It is counted although it may turn out that no caller can make it now."""
        self._operations += 1

    def record(self, steps: Sequence[str]) -> None:
        """Record the transitions that it took."""
        last, pairs = self._last, self._pairs
        for step in steps:
            if (last, step) not in pairs:
                pairs[last, step] = self._operations
            last = step
        self._last = last

    def reached(self, envelope: Envelope) -> Iterator[tuple[str, int]]:
        """Yield each mark with the operations that reach it. For a quantity that is the whole run."""
        yield from ((", ".join(pair), operations) for pair, operations in self._pairs.items())
        for name, value in envelope.items():
            if name not in OF_TRACE:
                yield from ((f"{name} {1 << power}", self._operations) for power in range(value.bit_length()))


@dataclass(slots=True)
class Coverage:
    """The marks of several runs, each with the shortest run that reached it."""

    reached: dict[str, Origin] = field(default_factory=dict)

    def add(self, others: Mapping[str, Origin]) -> None:
        """Add marks; of two runs keep the shorter, of two that are as long the first."""
        for mark, origin in others.items():
            if mark not in self.reached or origin.operations < self.reached[mark].operations:
                self.reached[mark] = origin
