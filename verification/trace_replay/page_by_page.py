"""Translates operations on long pages to pages of one token, which are fewer and easier to read.

In a replay most operations are decodes, and only one decode in each page does more than write a token: the one that takes a new page, or
the one that completes it. Which of them matters is unknown, so there are two translations. Neither is exact: the caller checks whether
the fault still occurs.
"""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.values import Key
from radixcheck.verification.core.config import Config
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.search.shrink import in_pages_of_one


def in_short_pages(config: Config, trace: Trace) -> Iterator[tuple[Config, Trace]]:
    """Yield both translations if pages have more than one token."""
    size = config.page_size
    if size > 1:
        yield in_pages_of_one(config, tuple(_filled(trace, size)))
        yield in_pages_of_one(config, tuple(_decoded(trace, size, size - 1)))


def _filled(trace: Trace, size: int) -> Iterator[Op]:
    """Yield the operations with the last page of each key filled, and only those decodes that take a page."""
    for op in _decoded(trace, size, 0):
        tokens = op.key.tokens
        yield replace(op, key=Key(tokens + tokens[-1:] * (-len(tokens) % size), op.key.namespace))


def _decoded(trace: Trace, size: int, at: int) -> Iterator[Op]:
    """Yield the operations without the decodes that write another offset of their page than `at`."""
    length: dict[int, int] = {}  # of each request's row, in tokens
    for op in trace:
        if op.name == "start":
            length[op.holder] = len(op.key.tokens)
        if op.name == "decode":
            place = length.get(op.holder, 0)
            length[op.holder] = place + 1
            if place % size != at:
                continue
        yield op
