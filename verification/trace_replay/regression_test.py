"""A shrunk trace as a pytest file, which fails while the cache that it names breaks the property, and passes after the fix."""

import json
from collections.abc import Iterator
from textwrap import wrap

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.printable import LIMIT, printable
from radixcheck.verification.operations import NO_KEY, Op
from radixcheck.verification.trace_replay.replay_results import Shrunk

WIDTH = 130  # columns of a comment

CODE = """
from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.operations import Op
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.trace_replay.judge import broken_by

SUBJECT = {subject}
PROPERTY = "{property}"
CONFIG = {config}
OPERATIONS = (
{operations}
)


def test_the_operations_break_nothing() -> None:
    broken = broken_by(resolve(SUBJECT), CONFIG, OPERATIONS, PROPERTY)

    assert not broken, "; ".join(broken)
"""


def text(subject: str, origin: str, shrunk: Shrunk) -> str:
    """Return the content of the file. `subject`: its name on the command line; `origin`: a sentence about where the fault was found.

    The file does not contain the time that shrinking took, so that the same replay gives the same file.
    """
    operations = "\n".join(f"    {_call(op)}," for op in shrunk.found.trace)
    c = shrunk.found.config
    tier = f", host_pool={c.host_pool}, mode={json.dumps(c.mode)}" if c.mode else ""
    config = f"Config({json.dumps(c.policy)}, page_size={c.page_size}, pool={c.pool}, device={json.dumps(c.device)}{tier})"
    named = json.dumps(subject) if subject.isascii() else ascii(subject)
    code = CODE.format(subject=named, property=shrunk.found.violation.property, config=config, operations=operations)
    return "".join(f"# {line}".rstrip() + "\n" for line in _comment(origin, shrunk)) + code


def _comment(origin: str, shrunk: Shrunk) -> Iterator[str]:
    violation, kept = shrunk.found.violation, len(shrunk.found.trace)
    yield from _lines(f"{violation.property}: {EVERY[violation.property].sentence}")
    yield ""
    yield from _lines(origin)
    kept_words = f"{kept:,} {'operation shows' if kept == 1 else 'operations show'}"
    yield from _lines(f"{shrunk.recorded:,} operations were recorded; after {shrunk.attempts:,} attempts {kept_words} the same:")
    yield from _lines(violation.text)
    if not shrunk.complete:
        yield "The effort of shrinking was spent: fewer operations might do."


def _lines(words: str) -> list[str]:
    """Return the words as lines of a comment."""
    return wrap(printable(words, LIMIT * WIDTH), WIDTH)


def _call(op: Op) -> str:
    """Return the operation as Python source, without arguments that have their default."""
    words = [json.dumps(op.name)]
    if op.key != NO_KEY:
        namespace = f", {op.key.namespace!r}" if op.key.namespace else ""
        words.append(f"Key({op.key.tokens!r}{namespace})")
    words += [f"{name}={value}" for name, value in (("holder", op.holder), ("amount", op.amount), ("priority", op.priority)) if value]
    if op.loans:
        words.append(f"loans={op.loans!r}")
    return f"Op({', '.join(words)})"
