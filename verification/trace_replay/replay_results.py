"""The results of `replay/`: the figures and the fault of a replay, the steps of a trace, and a shrunk trace."""

from collections.abc import Mapping
from dataclasses import dataclass

from radixcheck.verification.core.found import Found, Violation
from radixcheck.verification.operations import Op


@dataclass(frozen=True, slots=True)
class Fault:
    """A violation, and the operation that shows it."""

    violation: Violation
    request: int  # the last one that had arrived, from 1
    step: int  # operations so far
    operation: str


@dataclass(frozen=True, slots=True)
class Settings:
    """How a trace is replayed."""

    policy: str = "lru"
    page_size: int = 16  # tokens
    tokens_per_id: int = 16  # that stand for one hash id of the trace
    pool: int = 320_000  # tokens
    running: int = 32  # requests at a time
    device: str = "cpu"
    stride: int = 100  # operations from one comparison of the whole state to the next
    window: int = 4  # moves from one path that is compared in rotation to the next


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did, observed and checked."""

    requests: int  # started
    operations: Mapping[str, int]  # by name
    prompt_tokens: int
    hit_tokens: int  # of the prompts, cached when their request started
    victims: int  # nodes evicted
    evicted_tokens: int
    refused: int  # calls that both cache and specification refused with NoRoom
    leaked: int  # tokens without an owner when all requests had finished; 0 if a fault stopped the replay
    protected: int  # tokens still locked then
    fault: Fault | None
    local: bool  # whether the subject shows the path that an operation touched
    looked: Mapping[str, int]  # what was compared apart from the formulas, and how often
    formulas: Mapping[str, int]  # by property: states in which it was evaluated
    seconds: float

    @property
    def hit_rate(self) -> float:
        """The share of the prompt tokens that was cached when their request started."""
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing was found, leaked or left locked."""
        return self.fault is None and self.leaked == 0 and self.protected == 0


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A shrunk trace, and the effort of shrinking."""

    found: Found
    recorded: int  # operations before
    attempts: int
    seconds: float  # of processor time
    complete: bool  # False: the effort or the time was spent; fewer operations might do


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a trace."""

    number: int  # from 1
    op: Op
    performed: bool  # False: its guard does not hold, or the cache has no such operation
    answer: str  # shortened
    broken: tuple[Violation, ...]
