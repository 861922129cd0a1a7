"""Going back: the contents of every object that a cache can reach, written down once and written back after each operation.

Objects keep their identity, so that handles and receipts stay good; a copy of the whole would cost more and lose that. Not held:
what lies outside of the objects (module variables, class attributes, files, C extensions' own memory). A cache that keeps state there
is noticed, though: each state is reached a second time before it is left, and has to be the same state then.
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache, partial
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

Restore = Callable[[], None]


class Opaque(Exception):
    """An object of this type cannot be written back."""


_MISSING = object()
MADE_BY_CLASS_STATEMENT = 1 << 9  # a type's flag: it lies on the heap


class Shape(NamedTuple):
    """How the slots of a class are written back. Objects of a frozen dataclass never change, what they refer to may."""

    names: tuple[str, ...]
    put: Callable[[Any, tuple[Any, ...]], None]
    frozen: bool


@cache
def _shape(kind: type) -> Shape:
    names: list[str] = []
    for above in kind.__mro__:
        listed = above.__dict__.get("__slots__", ())
        listed = (listed,) if isinstance(listed, str) else listed
        private = (n.startswith("__") and not n.endswith("__") for n in listed)
        mangled = (f"_{above.__name__.lstrip('_')}{n}" if hidden else n for n, hidden in zip(listed, private, strict=True))
        names += [n for n in mangled if n not in ("__dict__", "__weakref__")]
    slots = tuple(dict.fromkeys(names))
    parameters = getattr(kind, "__dataclass_params__", None)
    return Shape(slots, _putter(slots), parameters is not None and parameters.frozen)


def _putter(names: tuple[str, ...]) -> Callable[[Any, tuple[Any, ...]], None]:
    """A function that fills these slots; written out, as it runs for each object after each transition."""
    if not names:
        return lambda found, held: None
    scope: dict[str, Any] = {}
    targets = ", ".join(f"found.{name}" for name in names)
    exec(f"def put(found, held): {targets}, = held", scope)
    put: Callable[[Any, tuple[Any, ...]], None] = scope["put"]
    return put


def _fill(names: tuple[str, ...], found: Any, held: tuple[Any, ...]) -> None:
    """Fill slots, and empty those that were empty."""
    for name, value in zip(names, held, strict=True):
        if value is not _MISSING:
            setattr(found, name, value)
        elif hasattr(found, name):
            delattr(found, name)


_ATOMS = {int, float, bool, str, bytes, complex, type(None), type, range, BuiltinFunctionType, ModuleType, type(Ellipsis)}


class Snapshot:
    """What `roots` reach, but for the types `constant`, whose objects do not change."""

    def __init__(self, roots: Iterable[Any], constant: frozenset[type] = frozenset()) -> None:
        self._undo: list[Restore] = []
        self._seen: dict[int, Any] = {}  # holds them, so that no other object gets their address
        self._constant = constant
        waiting = list(roots)
        while waiting:
            found = waiting.pop()
            kind = type(found)
            if kind in _ATOMS or kind in constant or id(found) in self._seen:
                continue
            self._seen[id(found)] = found
            waiting.extend(self._look(found, kind))

    def restore(self) -> None:
        """Everything is again as it was."""
        for undo in self._undo:
            undo()

    def _look(self, found: Any, kind: type) -> Iterable[Any]:
        """Note how to write one object back; returns what it refers to."""
        known = _KINDS.get(kind)
        if known is not None:
            undo, parts = known(found)
        elif isinstance(found, type):
            return ()
        elif isinstance(found, tuple):
            return found
        elif hasattr(kind, "copy_") and hasattr(kind, "_version"):
            undo, parts = _tensor(found)
        elif kind.__module__ == "torch":  # a device, a type of numbers: neither changes
            return ()
        else:
            undo, parts = _instance(found, kind)
        if undo is not None:
            self._undo.append(undo)
        return parts


Noted = tuple[Restore | None, Iterable[Any]]


def _dict(found: dict[Any, Any]) -> Noted:
    held = dict(found)

    def undo() -> None:
        found.clear()
        found.update(held)

    return undo, (*held, *held.values())


def _list(found: list[Any]) -> Noted:
    held = list(found)
    return partial(found.__setitem__, slice(None), held), held


def _set(found: set[Any]) -> Noted:
    held = set(found)

    def undo() -> None:
        found.clear()
        found.update(held)

    return undo, held


def _buffer(found: Any) -> Noted:
    """A bytearray or an array of numbers."""
    return partial(found.__setitem__, slice(None), found[:]), ()


def _deque(found: deque[Any]) -> Noted:
    held = list(found)

    def undo() -> None:
        found.clear()
        found.extend(held)

    return undo, held


def _tensor(found: Any) -> Noted:
    """A tensor counts the writes to it: only what was written to has to be written back."""
    held, version = found.clone(), found._version

    def undo() -> None:
        nonlocal version
        if found._version != version:
            found.copy_(held)
            version = found._version

    return undo, ()


def _cell(found: CellType) -> Noted:
    held = found.cell_contents
    return partial(setattr, found, "cell_contents", held), (held,)


def _instance(found: Any, kind: type) -> Noted:
    """An object of a class written in Python. Raises Opaque for any other."""
    shape = _shape(kind)
    attributes = getattr(found, "__dict__", None)
    if attributes is None and not shape.names and not kind.__flags__ & MADE_BY_CLASS_STATEMENT and kind is not object:
        raise Opaque(f"{kind.__module__}.{kind.__qualname__}")
    held: tuple[Any, ...] = tuple(getattr(found, name, _MISSING) for name in shape.names)
    put = shape.put
    if any(value is _MISSING for value in held):
        put = partial(_fill, shape.names)
    if shape.frozen:
        return None, (*(value for value in held if value is not _MISSING), *(attributes or {}).values())
    if attributes is None:
        return partial(put, found, held), (value for value in held if value is not _MISSING)
    copied = dict(attributes)

    def undo() -> None:
        put(found, held)
        attributes.clear()
        attributes.update(copied)

    return undo, (*(value for value in held if value is not _MISSING), *copied.values())


_KINDS: dict[type, Callable[[Any], Noted]] = {
    dict: _dict,
    list: _list,
    set: _set,
    frozenset: lambda found: (None, found),
    tuple: lambda found: (None, found),
    bytearray: _buffer,
    array: _buffer,
    deque: _deque,
    CellType: _cell,
    FunctionType: lambda found: (None, found.__closure__ or ()),
    MethodType: lambda found: (None, (found.__self__, found.__func__)),
    partial: lambda found: (None, (found.func, found.args, found.keywords)),
}
