"""Operations on long pages told again in pages of one token, which are fewer and easier to read.

In a replay most operations decode, and of those only one in each page does more than write a token: the one that takes a new page,
or the one that completes it. Which of them matters is not known, so there are two ways to tell it. Neither says exactly the same;
whoever uses them looks whether the fault is still there.
"""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.values import Key
from radixcheck.verification.core.config import Config
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.search.shrink import in_pages_of_one


def in_short_pages(config: Config, trace: Trace) -> Iterator[tuple[Config, Trace]]:
    """Both ways, for pages of more than one token."""
    size = config.page_size
    if size > 1:
        yield in_pages_of_one(config, tuple(_filled(trace, size)))
        yield in_pages_of_one(config, tuple(_decoded(trace, size, size - 1)))


def _filled(trace: Trace, size: int) -> Iterator[Op]:
    """The last page of each key is filled up; of the decodes those stay that take a page."""
    for op in _decoded(trace, size, 0):
        tokens = op.key.tokens
        yield replace(op, key=Key(tokens + tokens[-1:] * (-len(tokens) % size), op.key.namespace))


def _decoded(trace: Trace, size: int, at: int) -> Iterator[Op]:
    """Without the decodes that write another place of their page than this one."""
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
