"""Which steps a call takes: the chains that the model runs (`tests/spec/test_operations.py` compares), as data.

A call outside its guard takes none of them. The arguments of the steps follow from the call and the state; the only free
choice, which free pages are handed out, is an argument of `extend`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """One place in a chain: the steps that may stand there, and whether it may be left out or repeated."""

    steps: tuple[str, ...]
    sure: bool = True  # one of the steps is taken
    loop: bool = False  # any number of them, one after the other


def once(*steps: str) -> Stage:
    """One of these steps."""
    return Stage(steps)


def maybe(step: str) -> Stage:
    """The step, or nothing."""
    return Stage((step,), sure=False)


def loop(step: str) -> Stage:
    """The step, any number of times."""
    return Stage((step,), sure=False, loop=True)


Chains = Mapping[str, tuple[Stage, ...]]

# Adopt what is cached already, then give the rest to the tree as one leaf, or only touch.
_CACHE_IT = (maybe("split"), maybe("relock"), once("grow", "touch"))

CHAINS: Chains = {
    "match": (maybe("split"), once("touch")),
    "peek": (),
    "insert": (once("begin"), loop("extend"), *_CACHE_IT, once("release")),
    "lock": (once("begin"),),
    "unlock": (once("release"),),
    "evict": (loop("evict"),),
    "alloc": (loop("evict"), once("begin"), loop("extend")),
    "free": (once("release"),),
    "reset": (once("reset"),),
    "start": (maybe("split"), once("touch"), once("begin"), loop("evict"), loop("extend")),
    "chunk": _CACHE_IT,
    "decode": (loop("evict"), once("extend", "fill")),
    "finish": (*_CACHE_IT, once("release")),
    "abort": (once("release"),),
}
