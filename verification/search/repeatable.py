"""Makes what Hypothesis draws a function of the seed.

Hypothesis also draws constants from the sources of the modules that the process has loaded, unless they are installed. So a seed would give
other examples in another process, in an installed package, or after a fault, whose explanation loads further modules.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis.internal.conjecture import providers

_SOURCE = "_get_local_constants"  # of Hypothesis from 6.131 on; before, it drew none


@contextmanager
def without_loaded_constants() -> Iterator[None]:
    """Let Hypothesis draw no constants from the sources of loaded modules. It has no setting for that."""
    if not hasattr(providers, _SOURCE):
        yield
        return
    from hypothesis.internal.constants_ast import Constants  # which other versions lack too

    none = Constants()
    with patch.object(providers, _SOURCE, lambda: none):
        providers.CONSTANTS_CACHE.cache.clear()  # it holds those that were drawn before
        try:
            yield
        finally:
            providers.CONSTANTS_CACHE.cache.clear()
