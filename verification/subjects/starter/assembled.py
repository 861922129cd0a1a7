"""How an adapter that `radixcheck init` wrote becomes a subject, and how it says what is left to be written."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from radixcheck.spec import values
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.engine_shim import EngineShim, WhiteBox

METHODS = ("match", "peek", "insert", "lock", "unlock", "attached", "evict", "sizes", "reset")  # of the adapter of a tree
AsIs = TypeVar("AsIs", bound=Callable[..., Any])


class Unwritten(UsageError):
    """A method of an adapter is not written yet."""


def to_write(method: AsIs) -> AsIs:
    """Mark a method that is not written yet. Its docstring says what it returns."""
    method.to_write = True  # type: ignore[attr-defined]
    return method


class _Hidden(EngineShim):
    """A tree whose inside is not shown."""

    values: ClassVar[Any] = values


class _Shown(WhiteBox):
    """A tree whose inside is shown."""

    values: ClassVar[Any] = values


def of_tree(tree: Any, setup: Setup) -> EngineShim:
    """Return the subject of an adapter with the methods of `engine_shim.EngineTree`. Raise Unwritten if one of them is left to be written.

    The checks of the arguments, of loans, receipts and requests, and the order of an engine's calls, come from `engine_shim.py`.
    """
    check_written(tree, (*METHODS, *(("checkpoint",) if tree.supports.requests else ())))
    return (_Shown if hasattr(tree, "observe") else _Hidden)(tree, setup.pool)


def check_written(adapter: Any, methods: tuple[str, ...]) -> None:
    """Raise Unwritten, with the first method that is left to be written. Verbs that `supports` declares to be lacking may be missing."""
    kind = type(adapter)
    left = [name for name in methods if not hasattr(kind, name) and name not in adapter.supports.without]
    if left:
        raise Unwritten(f"{kind.__name__} has no method {left[0]!r}: write it as `radixcheck init` does")
    left = [name for name, method in vars(kind).items() if hasattr(method, "to_write")]
    if left:
        sentence = " ".join((getattr(kind, left[0]).__doc__ or "").split())
        more = f" ({len(left)} are left)" if len(left) > 1 else ""
        raise Unwritten(f"write {kind.__name__}.{left[0]}, then take away its line @to_write{more}. {sentence}")
