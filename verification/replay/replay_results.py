"""The results of `replay/`: the figures and the fault of a replay, the steps of a trace, and a shrunk trace."""

from collections.abc import Mapping
from dataclasses import dataclass

from radixcheck.verification.core.found import Found, Violation
from radixcheck.verification.operations import Op


@dataclass(frozen=True, slots=True)
class Fault:
    """What was found, and at which operation."""

    violation: Violation
    request: int  # of the trace, from 1
    step: int  # operations so far
    operation: str


@dataclass(frozen=True, slots=True)
class Settings:
    """How a trace is replayed."""

    policy: str = "lru"
    page_size: int = 16  # tokens
    tokens_per_id: int = 16  # by which a block of the trace is represented
    pool: int = 320_000  # tokens
    running: int = 32  # requests at the same time
    device: str = "cpu"
    stride: int = 100  # operations from one comparison of the whole state to the next
    window: int = 4  # moves from one path that is compared in rotation to the next


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was done, seen and checked."""

    requests: int  # that were started
    operations: Mapping[str, int]  # by name
    prompt_tokens: int
    hit_tokens: int  # of them, cached when their request started
    victims: int  # nodes evicted
    evicted_tokens: int
    refused: int  # calls that cache and specification refused alike: no room
    leaked: int  # tokens that nobody owned when all requests had finished (0 if a fault stopped the replay before)
    protected: int  # tokens that were still locked then
    fault: Fault | None  # None: nothing was found
    local: bool  # whether the subject showed the paths that each operation touched
    looked: Mapping[str, int]  # what was compared beside the formulas, and how often
    formulas: Mapping[str, int]  # by property: states in which it was evaluated
    seconds: float

    @property
    def hit_rate(self) -> float:
        """The part of the prompts that was cached when it was asked for."""
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing was found, lost or left locked."""
        return self.fault is None and self.leaked == 0 and self.protected == 0


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The few operations, and what it took to find them."""

    found: Found
    recorded: int  # operations before
    attempts: int
    seconds: float  # of processor time
    complete: bool  # False: the time was over, and fewer might do


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a trace."""

    number: int  # from 1
    op: Op
    performed: bool  # False: no caller could make this call
    answer: str  # in short
    broken: tuple[Violation, ...]
