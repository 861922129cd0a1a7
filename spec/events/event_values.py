"""Events: what a cache reports of its pages, so that others (a router) know what it holds without asking.

A page is named by an id, which stands for its whole prefix under its namespace. A tier is a `medium`.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256
from operator import index
from struct import pack
from typing import NamedTuple

from radixcheck.spec.values import Namespace

DEVICE, HOST = "device", "host"

PageIds = Callable[[int | None, Namespace, Sequence[int]], int]
"""The id of the page before, or None for a first page; the namespace; the tokens of the page. Returns its id, 64 bits without a sign."""


class Stored(NamedTuple):
    """Pages that follow each other can be read on a tier from now on."""

    medium: str
    namespace: Namespace
    parent: int | None  # id of the page before the first one; None: that is the first page of a prefix
    ids: tuple[int, ...]  # one for each page, in order
    tokens: tuple[int, ...]  # page_size of them for each page


class Removed(NamedTuple):
    """Pages cannot be read on a tier any more."""

    medium: str
    ids: tuple[int, ...]  # longest prefix first: a page before the one that it follows


class Cleared(NamedTuple):
    """No tier has a page any more."""


Event = Stored | Removed | Cleared


def page_id(parent: int | None, namespace: Namespace, tokens: Sequence[int]) -> int:
    """Return the id of a page: the first 8 bytes of a SHA-256 over the parent's id, or over the namespace, and the tokens.

    Namespaces that are equal in Python have the same id. Beside numbers and tuples this asks that equal components have the same `repr`.

    >>> first = page_id(None, ("lora",), (1, 2))
    >>> hex(first), hex(page_id(first, ("lora",), (3, 4)))
    ('0xcf0ff6b2a54a080c', '0x65506536ff380bbd')
    >>> page_id(None, (1,), (1, 2)) == page_id(None, (True,), (1, 2)), page_id(None, ("1",), (1, 2)) == page_id(None, (1,), (1, 2))
    (True, False)
    """
    before = before_first(namespace) if parent is None else BEHIND + pack(">Q", parent)
    return int.from_bytes(sha256(before + pack(f">{len(tokens)}Q", *tokens)).digest()[:8], "big")


BEHIND = b"\x01"  # of what is hashed, before the id of the page before


@lru_cache(maxsize=256)
def before_first(namespace: Namespace) -> bytes:
    """Return what is hashed before the tokens of a first page."""
    name = _written(namespace).encode(errors="surrogatepass")
    return pack(">BQ", 0, len(name)) + name


def _written(component: object) -> str:
    """Return a component of a namespace as text; equal ones as the same text."""
    if isinstance(component, tuple):
        return f"({''.join(f'{_written(part)},' for part in component)})"
    if isinstance(component, float) and component.is_integer():
        return repr(int(component))
    try:
        return repr(index(component))  # type: ignore[arg-type]
    except TypeError:
        return repr(component)
