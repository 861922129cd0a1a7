"""What the fast tier leaves to the slow one, where several parameters of a test are alike."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def slow_unless(fast: Callable[..., bool], parameters: Iterable[Any]) -> list[Any]:
    """Return the parameters of a test; those of which `fast` is not true are marked slow.

    A parameter is one value, or a tuple of values.
    """
    every = [each if isinstance(each, tuple) else (each,) for each in parameters]
    return [pytest.param(*each, marks=[] if fast(*each) else [pytest.mark.slow]) for each in every]
