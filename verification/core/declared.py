"""What a cache declares in `supports`, checked field by field before anything relies on it."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import fields
from itertools import islice
from typing import Any, TypeVar

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.printable import error_text, let_interrupt_pass, printable, value_text
from radixcheck.verification.operations import FAIL, HOST_OPERATIONS, NEEDS, REQUEST_OPERATIONS, TREE_OPERATIONS
from radixcheck.verification.protocol import MODES, Supports

T = TypeVar("T")

ATTRIBUTES = ("time", "creation", "hits", "priority")
HOST_VERBS = tuple(name for name in HOST_OPERATIONS if name != "complete")  # that one is the checker's
VERBS = tuple(
    dict.fromkeys((*TREE_OPERATIONS, *REQUEST_OPERATIONS, *HOST_VERBS, *(verb for verbs in NEEDS.values() for verb in verbs), FAIL))
)
PAGE_SIZE_MAX = 2**16  # tokens: an operation on a key of a few such pages still takes less than a second
RANGE_MAX = 2**31  # the end of a range of page sizes, of which a search draws small ones
ITEMS_MAX = 100_000  # of one field


class WrongDeclaration(ValueError):
    """A field of `supports` is not as the protocol asks. The message says which, what was expected and what was found."""


def declared(cache: object) -> Supports:
    """Return what a cache declares, in plain containers. Raise WrongDeclaration."""
    try:
        found = getattr(cache, "supports", None)
    except BaseException as error:
        let_interrupt_pass(error)
        raise WrongDeclaration(f"its attribute `supports` raised {error_text(error)}") from error
    if not isinstance(found, Supports):
        raise WrongDeclaration("it has no attribute `supports` of type protocol.Supports: see verification/README.md")
    return Supports(**checked({each.name: getattr(found, each.name) for each in fields(Supports)}))


def checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of `supports` in plain containers. Raise WrongDeclaration for the first that is not as the protocol asks."""
    return {name: _checked(name, value, *_FIELDS[name]) for name, value in given.items()}


def _checked(name: str, value: Any, expected: str, read: Callable[[Any], Any]) -> Any:
    try:
        return read(value)
    except BaseException as error:
        let_interrupt_pass(error)
        raise WrongDeclaration(f"`{name}` in its `supports`: expected {expected}, found {value_text(value, 100)}") from error


def _flag(value: Any) -> bool:
    return bool(_require(value, type(value) is bool))


def _policies(value: Any) -> tuple[str, ...]:
    names = _texts(value, Sequence, POLICIES)
    return _require(names, bool(names))


def _page_sizes(value: Any) -> Sequence[int]:
    if type(value) is range:
        return _require(value, len(value) > 0 and min(value[0], value[-1]) >= 1 and max(value[0], value[-1]) <= RANGE_MAX)
    sizes = tuple(_items(value, Sequence))
    return _require(sizes, bool(sizes) and all(type(size) is int and 1 <= size <= PAGE_SIZE_MAX for size in sizes))


def _names(allowed: Iterable[str]) -> Callable[[Any], frozenset[str]]:
    return lambda value: frozenset(_texts(value, Set, allowed))


def _choices(value: Any) -> dict[str, str]:
    _require(value, isinstance(value, Mapping))
    pairs = dict(islice(value.items(), ITEMS_MAX))
    _require(pairs, {*map(type, pairs), *map(type, pairs.values())} <= {str})
    return {kind: printable(why) for kind, why in pairs.items()}


def _texts(value: Any, kind: type, allowed: Iterable[str]) -> tuple[str, ...]:
    names = tuple(_items(value, kind))
    return _require(names, all(type(name) is str for name in names) and set(names) <= set(allowed))


def _items(value: Any, kind: type) -> list[Any]:
    _require(value, isinstance(value, (kind, list)) and not isinstance(value, (str, bytes, bytearray)))
    items = list(islice(iter(value), ITEMS_MAX + 1))
    return _require(items, len(items) <= ITEMS_MAX)


def _require(value: T, holds: bool) -> T:
    if not holds:
        raise ValueError
    return value


_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("tree", "requests", "namespaces", "here", "larger_host"), ("True or False", _flag)),
    "policies": (f"one or more of {', '.join(POLICIES)}", _policies),
    "page_sizes": (f"one or more whole numbers of tokens, from 1 to {PAGE_SIZE_MAX}", _page_sizes),
    "modes": (f"some of {', '.join(MODES)}, or none", lambda value: _texts(value, Sequence, MODES)),
    "attributes": (f"a set with some of {', '.join(ATTRIBUTES)}", _names(ATTRIBUTES)),
    "without": (f"a set with some of {', '.join(VERBS)}", _names(VERBS)),
    "choices": ("a mapping of text to text", _choices),
    "remembers": ("a sentence, or an empty text", lambda value: printable(_require(value, type(value) is str))),
}
