"""The specification: what a radix cache is, as terms that are run, proved and printed from one text. `README.md` says how to read it.

`Model` is the specification as a cache. Only the standard library is needed.
"""

from radixcheck.spec.run.model import Model
from radixcheck.spec.values import Key, Match, Row, Sizes

__all__ = ["Key", "Match", "Model", "Row", "Sizes"]

if __name__ != "radixcheck.spec":
    raise ImportError(f"import radixcheck.spec: a second copy as {__name__!r} would have classes of its own")
