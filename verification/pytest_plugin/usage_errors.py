"""Wrong use of the pytest plugin: one sentence, in whichever way pytest shows it without a traceback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from radixcheck.verification.core.usage import UsageError

EXTRA = ("hypothesis", "rich", "click")  # what the plugin needs once it is used, beside what a subject needs


@contextmanager
def usage(raised: Callable[[str], BaseException]) -> Iterator[None]:
    """Wrong use, and a missing extra, become such an error."""
    try:
        yield
    except UsageError as wrong:
        raise raised(f"radixcheck: {wrong}") from None
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in EXTRA:
            raise
        raise raised(f"radixcheck: {package} is not installed: pip install 'radixcheck[verify]'") from None


def failed(sentence: str) -> BaseException:
    """For a test that runs."""
    return pytest.fail.Exception(sentence, pytrace=False)


def uncollected(sentence: str) -> BaseException:
    """For a test that is collected."""
    return pytest.Collector.CollectError(sentence)
