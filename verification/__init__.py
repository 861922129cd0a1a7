"""Decides whether a radix (prefix) KV cache is correct, with evidence.

The only layer that sees all the others, and the only one that may use Z3, Hypothesis, CrossHair, pytest, click and rich. `protocol`
defines what a cache offers to be checked. `verify`, `diff` and `replay` do what the commands do, and return an `Outcome`:

>>> from radixcheck.verification import diff
>>> outcome = diff("reference", "model", policies=["lru"], page_sizes=[1], seconds=0.5)
>>> outcome.status.name, outcome.comparison.differences
('HOLDS', ())
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from radixcheck.verification.api import Outcome, Setup, Status, Supports, UsageError, diff, replay, verify

__all__ = ["Outcome", "Setup", "Status", "Supports", "UsageError", "diff", "replay", "verify"]


def __getattr__(name: str) -> Any:
    """Return a name of the API. It is imported when it is used: pytest imports this package, with the plugin, in every run."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from radixcheck.verification import api

    return getattr(api, name)


if __name__ != "radixcheck.verification":
    raise ImportError(f"import radixcheck.verification: a second copy as {__name__!r} would have classes of its own")
