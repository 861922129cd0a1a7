"""The specification: what a radix cache is, as terms that are executed, proved and printed from one text.

Only the standard library is needed. `values` holds the types that callers and caches exchange.
"""

if __name__ != "radixcheck.spec":
    raise ImportError(f"import radixcheck.spec: a second copy as {__name__!r} would have classes of its own")
