"""The results of `search/`: the report of a search, and the comparison of two subjects."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from radixcheck.spec.property import Property
from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.envelope import Envelope, Reach
from radixcheck.verification.core.found import Config, Found
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.operations import Trace
from radixcheck.verification.wrong_values import grouped

SECONDS = 90.0  # of a search: the size of its plan, and its ceiling
OPERATIONS_PER_SECOND = 500  # random operations planned; a quiet machine makes several times as many
OPERATIONS_ELSEWHERE = 100  # the same, of a cache in another process
NOT_SHOWN = "it does not show its inside"  # why most properties of a black box are not observable
CEILING_SECONDS = 18.0  # beyond the seconds of a search: then it ends, whatever is missing
POOL_PAGES = (6, 10, 16, 24)  # of the pools of a search for which none is given
TIER_PAGES, HOST_PAGES = (2, 4, 6, 10, 16), (2, 3, 6, 12)  # the same with a host tier, of the device and of the host


def planned_operations(seconds: float, here: bool) -> int:
    """Return how many random operations a search of so many seconds makes. `here`: of a cache in this process."""
    return max(1, int(seconds * (OPERATIONS_PER_SECOND if here else OPERATIONS_ELSEWHERE)))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where to search a subject, and for how long. Policies and page sizes are those that the subject supports."""

    policies: tuple[str, ...]
    page_sizes: tuple[int, ...]  # tokens
    seconds: float = SECONDS
    seed: int = 0
    pool: int | None = None  # tokens; None: several small pools
    device: str = "cpu"
    misused: bool = False  # also make calls outside the guards
    operations: int = int(SECONDS * OPERATIONS_PER_SECOND)  # random operations planned
    stretch: bool = True  # take each quantity past its thresholds: see stretch/
    deadline: Deadline = field(default=NEVER, compare=False)  # the ceiling; a search that has not ended by then is UNDECIDED
    too_large: tuple[int, ...] = ()  # page sizes that are left out: a request would not fit into the pool
    modes: tuple[str, ...] = ()  # of the host tier; empty: the subject is searched without one
    host_pool: int | None = None  # tokens; None: several small host pools
    larger_host: bool = False  # these are larger than the pools of the device

    def pool_for(self, page_size: int, pages: int) -> int:
        """Return the tokens of a pool: of the one that was given as many as are whole pages, else those of so many pages."""
        return page_size * pages if self.pool is None else self.pool // page_size * page_size

    def configs(self) -> tuple[Config, ...]:
        """Return a configuration for each policy, page size and pool."""
        choices = product(POOL_PAGES, self.page_sizes, self.policies)
        flat = [Config(policy, size, self.pool_for(size, pages), self.device) for pages, size, policy in choices]
        return tuple(config for number, one in enumerate(flat) for config in (one, *self.tiered(one, number)))

    def tiered(self, config: Config, number: int) -> tuple[Config, ...]:
        """Return the configuration with a host tier: its mode and the pools of both tiers follow from the number. Empty without modes."""
        if not self.modes:
            return ()
        size, mode, turn = config.page_size, self.modes[number % len(self.modes)], number // len(self.modes)
        pool = self.pool_for(size, TIER_PAGES[turn % len(TIER_PAGES)])
        drawn = size * HOST_PAGES[turn % len(HOST_PAGES)] + self.larger_host * pool
        host = drawn if self.host_pool is None else self.host_pool // size * size
        return (replace(config, pool=pool, host_pool=host, mode=mode),)


@dataclass(frozen=True, slots=True)
class PropertyVerdict:
    """The verdict on one property."""

    property: Property
    verdict: Verdict  # TESTED, REFUTED, NOT EXERCISED or NOT OBSERVABLE
    checked: int  # states or calls
    exercised: int  # of them non-vacuous
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of the search of one subject."""

    subject: str  # its name
    bounds: Bounds
    verdicts: tuple[PropertyVerdict, ...]
    found: tuple[Found, ...]  # shrunk, one for each refuted property
    steps: int
    runs: int
    seconds: float
    idle_rules: tuple[str, ...]  # rules of the state machine that never fired
    unfinished: tuple[str, ...] = ()  # why the plan was not carried out
    edges: Mapping[str, int] = field(default_factory=dict)  # how often each was taken, by id; see core/edges.py
    impossible_edges: Mapping[str, str] = field(default_factory=dict)  # why an edge cannot be taken on the subject
    missing_edges: tuple[str, ...] = ()  # that can be taken and never were
    envelope: Envelope = field(default_factory=Envelope)
    reaches: Mapping[str, Reach] = field(default_factory=dict)  # of each dimension of the stretch phase
    choices: Mapping[str, str] = field(default_factory=dict)  # those of `core/choices.py` that the subject declares, and why

    @property
    def status(self) -> Status:
        """UNDECIDED if a property was not exercised, a rule never fired, an edge was never taken, or the plan was not carried out."""
        if self.found:
            return Status.REFUTED
        not_exercised = any(v.verdict == Verdict.NOT_EXERCISED for v in self.verdicts)
        return Status.UNDECIDED if self.gaps or not_exercised else Status.HOLDS

    @property
    def gaps(self) -> tuple[str, ...]:
        """What leaves the search undecided, apart from properties that were not exercised."""
        rules = (f"rules that never fired: {grouped(self.idle_rules)}",) if self.idle_rules else ()
        edges = (f"edges that were never taken: {', '.join(self.missing_edges)}",) if self.missing_edges else ()
        return (*rules, *edges, *self.unfinished)


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs (a field of `Answered` and a group of operations), and which of the two departs from the specification."""

    what: str
    departs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """An operation that the two answer differently, with the operations before it."""

    kind: Kind
    config: Config
    trace: Trace
    left: str
    right: str
    specification: str
    runs: int = 1  # that ended like this
    declared: Mapping[str, str] = field(default_factory=dict)  # by which of those that depart, and why
    why: str = ""  # how the specification chooses; empty: the answers say it all
    before: str = ""  # the tree of the specification before the last operation; empty: the pool is too large

    @property
    def is_declared(self) -> bool:
        """Whether every side that departs declares this kind of difference."""
        return bool(self.kind.departs) and set(self.kind.departs) <= set(self.declared)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a comparison. `diverged` counts runs that ended early because both caches departed from the specification alike."""

    steps: int = 0
    runs: int = 0
    diverged: int = 0
    kinds: Mapping[Kind, Difference] = field(default_factory=dict)
    unfinished: tuple[str, ...] = ()  # why not all planned operations were compared

    def __add__(self, other: "Comparison") -> "Comparison":
        kinds = dict(self.kinds)
        for kind, new in other.kinds.items():
            old = kinds.get(kind)
            shorter = new if old is None or len(new.trace) < len(old.trace) else old
            kinds[kind] = replace(shorter, runs=new.runs + (old.runs if old else 0))
        unfinished = tuple(dict.fromkeys((*self.unfinished, *other.unfinished)))
        return Comparison(self.steps + other.steps, self.runs + other.runs, self.diverged + other.diverged, kinds, unfinished)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """One difference of each kind, undeclared kinds first, then by the number of runs."""
        return tuple(sorted(self.kinds.values(), key=lambda d: (d.is_declared, -d.runs)))

    @property
    def faults(self) -> tuple[Difference, ...]:
        """The differences that no cache declares."""
        return tuple(d for d in self.differences if not d.is_declared)
