"""What a watch has done so far."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class ShadowCounts:
    """What the shadow has done since it was made."""

    calls: Counter[str] = field(default_factory=Counter)  # made on both caches and compared, by verb
    nanoseconds: int = 0  # within the calls of the server
    longest: int = 0  # nanoseconds of one call
    differences: int = 0
    rebuilds: int = 0
    left_out: int = 0  # calls that were not compared
    paused: str = ""  # why calls are left out now


@dataclass(slots=True)
class WatchCounts:
    """Counts since the cache was made. The watch adds; others read."""

    calls: Counter[str] = field(default_factory=Counter)  # by verb
    nanoseconds: int = 0  # of the watch, within the calls of the server
    longest: int = 0  # nanoseconds of one call
    path_checks: int = 0  # of nodes on touched paths
    window_checks: int = 0  # of other nodes
    rounds: int = 0  # times that the window has passed the whole tree
    skipped: int = 0  # checks of contents that the budget of their call did not allow
    nodes: int = 0  # in the tree now
    raised: int = 0  # calls that the cache itself ended with an error
    departures: Counter[str] = field(default_factory=Counter)  # accepted, by property
    findings: Counter[str] = field(default_factory=Counter)  # by property
    shadow: ShadowCounts | None = None  # None: there is none
