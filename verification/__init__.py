"""Deciding whether a cache keeps to the specification, and showing why.

The only layer that sees all the others, and the only one that may use Z3, Hypothesis, CrossHair, pytest, click
and rich. `protocol` says what a cache offers to be checked.
"""

if __name__ != "radixcheck.verification":
    raise ImportError(f"import radixcheck.verification: a second copy as {__name__!r} would have classes of its own")
