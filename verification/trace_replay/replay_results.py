"""The results of `replay/`: the figures and the fault of a replay, the steps of a trace, and a shrunk trace."""

from collections.abc import Mapping
from dataclasses import dataclass

from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.operations import Op
from radixcheck.verification.trace_replay.mooncake import BLOCK


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
    stride: int = 100  # operations from one comparison of the whole state to the next; with a host tier ten times as many
    window: int = 4  # moves from one path that is compared in rotation to the next
    host_pool: int = 0  # tokens
    mode: str = ""  # of the host tier; empty: there is none
    recorded_per_id: int = BLOCK  # tokens of the recorded input that one hash id stands for
    delay: int = 200  # operations, on average, from the issue of a copy to its arrival

    @property
    def config(self) -> Config:
        """The configuration of the cache."""
        return Config(self.policy, self.page_size, self.pool, self.device, self.host_pool, self.mode)


OF_THE_TIER = ("host_pool", "mode", "delay")  # settings that matter with a host tier only


@dataclass(frozen=True, slots=True)
class TierReplayed:
    """What a replay did with the host tier."""

    host_hit_tokens: int  # of the prompts, cached on the host alone when their request started
    loads: int  # copies to the device
    loaded_tokens: int
    backups: int  # copies to the host
    backed_up_tokens: int
    waited: int  # requests that could not run at once, because a copy still filled their row
    demoted_tokens: int  # left the device and stayed on the host
    host_evicted_tokens: int
    no_room_tokens: int  # left both tiers because the host had no room when they were due there
    lost_tokens: int  # left both tiers for want of a copy, although the host had room: it was not issued, or has failed


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
    tier: TierReplayed | None = None  # None: it has no host tier

    @property
    def hit_rate(self) -> float:
        """The share of the prompt tokens that was cached when their request started."""
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing was found, leaked, left locked or lost."""
        return self.fault is None and self.leaked == 0 and self.protected == 0 and not (self.tier and self.tier.lost_tokens)


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
