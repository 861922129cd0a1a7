"""Decides whether a radix (prefix) KV cache is correct, with evidence.

The only layer that sees all the others, and the only one that may use Z3, Hypothesis, CrossHair, pytest, click and rich. `protocol`
defines what a cache offers to be checked. `verify`, `diff` and `replay_trace` do what the commands do, and return an `Outcome`:

>>> from radixcheck.verification import diff
>>> outcome = diff("reference", "model", policies=["lru"], page_sizes=[1], seconds=0.5)
>>> outcome.status.name, outcome.comparison.differences
('HOLDS', ())
"""

from radixcheck.verification.api import diff, replay_trace, verify
from radixcheck.verification.core.outcome import Outcome
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.protocol import Setup, Supports

__all__ = ["Outcome", "Setup", "Status", "Supports", "UsageError", "diff", "replay_trace", "verify"]

if __name__ != "radixcheck.verification":
    raise ImportError(f"import radixcheck.verification: a second copy as {__name__!r} would have classes of its own")
