"""Choices that a cache with a host tier may declare, each with a reason (`Supports.choices`), and the checker then follows.

The verdict of such a cache is as strict as that of any other: what it does must be what the choice says, and is stated with the verdict.
Any other key of `choices` is a kind of difference of `diff`, which the checker does not follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from radixcheck.spec.run.host_choices import COPIES, DROPS, IN_VAIN, SPLIT_TIMES, WHOLE

POLL_ORDER = "order of poll"
POLL_BATCHES = "batches of poll"

_HOST_VICTIMS = "victims of a host eviction"
_OF_POLL = ("tickets of poll", "sizes in poll", "slots given back in poll", "slots given back on the host in poll")
_CACHING = ("match", "insert", "start", "chunk", "finish", "load_back")
_OF_COPIES = tuple(f"{what} {name}" for what in ("sizes in", "host_free of") for name in _CACHING)  # a copy in flight is a lock


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice: its name, what a cache that declares it does, and the kinds of difference from another cache that it explains."""

    name: str
    sentence: str
    kinds: tuple[str, ...]
    of_host: bool = True  # it concerns a host tier only


CHOICES: Mapping[str, Choice] = MappingProxyType(
    {
        choice.name: choice
        for choice in (
            Choice(POLL_ORDER, "a poll leaves a copy that is done while an older one in the same direction is in flight", _OF_POLL),
            Choice(POLL_BATCHES, "a poll leaves a copy that is done while another of the same call and direction is not", _OF_POLL),
            Choice(
                DROPS,
                "under write_back it first makes room on the host by dropping host copies of what the device has",
                (_HOST_VICTIMS, "length of evict_host"),
            ),
            Choice(IN_VAIN, "for a copy it evicts what it can on the host, also where that does not suffice", (_HOST_VICTIMS,)),
            Choice(WHOLE, "for a copy that does not fit on the host, it evicts as much there as the copy has", (_HOST_VICTIMS,)),
            Choice(COPIES, "under write-through it decides which nodes it copies to the host, and when, parents first", _OF_COPIES),
            Choice(
                SPLIT_TIMES,
                "a split is an access of the part behind it, just before that of the call",
                ("victims of an eviction", _HOST_VICTIMS),
                of_host=False,
            ),
        )
    }
)


def declared_choices(choices: Mapping[str, str], modes: tuple[str, ...]) -> dict[str, str]:
    """Return the choices that the checker follows, each with the reason that the cache gives. `modes`: those that are searched."""
    return {name: why for name, why in choices.items() if name in CHOICES and (modes or not CHOICES[name].of_host)}


def reason(choices: Mapping[str, str], kind: str) -> str:
    """Return why a cache with these choices means a kind of difference; empty if it does not."""
    if kind in choices:
        return choices[kind]
    return next((why for name, why in choices.items() if name in CHOICES and kind in CHOICES[name].kinds), "")
