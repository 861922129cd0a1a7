"""Errors of wrong use in the pytest plugin: one sentence, which pytest shows without a traceback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from radixcheck.verification.core import installing
from radixcheck.verification.core.usage import UsageError


@contextmanager
def usage(raised: Callable[[str], BaseException]) -> Iterator[None]:
    """Raise UsageError, and ModuleNotFoundError of an extra, as another exception with the same sentence."""
    try:
        yield
    except UsageError as wrong:
        raise raised(f"radixcheck: {wrong}") from None
    except ModuleNotFoundError as error:
        if not installing.is_extra(error):
            raise
        raise raised(f"radixcheck: {installing.missing(error.name or '')}") from None


def failed(sentence: str) -> BaseException:
    """Return the exception for a test that runs."""
    return pytest.fail.Exception(sentence, pytrace=False)


def uncollected(sentence: str) -> BaseException:
    """Return the exception for a test that is being collected."""
    return pytest.Collector.CollectError(sentence)
