"""Snapshots: the contents of every object that a cache can reach, recorded once and restored after each operation.

Objects keep their identity, so that handles and receipts stay valid; a deep copy would cost more and lose that. Not restored: state
outside of the objects (module variables, class attributes, files, memory of C extensions). A cache that keeps state there is found all
the same: each state is reached a second time before it is expanded, and must be the same state then.
"""

from array import array
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from functools import cache, partial
from re import Pattern
from types import BuiltinFunctionType, CellType, FunctionType, GenericAlias, MethodType, ModuleType
from typing import Any, NamedTuple
from weakref import ref

Restore = Callable[[], None]
Noted = tuple[Restore | None, Iterable[Any]]  # how one object is restored, and the objects to which it refers


class Opaque(Exception):
    """Objects of this type cannot be restored."""


_MISSING = object()
MADE_BY_CLASS_STATEMENT = 1 << 9  # the flag Py_TPFLAGS_HEAPTYPE of a type


class Shape(NamedTuple):
    """How objects of a class are restored. Objects of a frozen dataclass never change, but the objects to which they refer may."""

    names: tuple[str, ...]
    put: Callable[[Any, tuple[Any, ...]], None]
    frozen: bool
    contents: Callable[[Any], Noted]  # how the contents of a container are restored


@cache
def _shape(kind: type) -> Shape:
    """Return the shape of a class. Raise Opaque if it is not written in Python, unless it is a known container or immutable."""
    base = next(above for above in kind.__mro__ if not above.__flags__ & MADE_BY_CLASS_STATEMENT)
    slots = _slots(kind)
    offsets = ((kind.__dictoffset__, base.__dictoffset__), (kind.__weakrefoffset__, base.__weakrefoffset__))
    places = len(slots) + sum(own > 0 and not its for own, its in offsets)
    of_c = kind.__itemsize__ != base.__itemsize__ or kind.__basicsize__ > base.__basicsize__ + places * object.__basicsize__ // 2
    if base not in _CONTENTS or of_c:
        raise Opaque(f"{kind.__module__}.{kind.__qualname__}")
    parameters = getattr(kind, "__dataclass_params__", None)
    return Shape(slots, _putter(slots), parameters is not None and parameters.frozen, _CONTENTS[base])


def _slots(kind: type) -> tuple[str, ...]:
    names: list[str] = []
    for above in kind.__mro__:
        listed = above.__dict__.get("__slots__", ())
        listed = (listed,) if isinstance(listed, str) else listed
        private = (n.startswith("__") and not n.endswith("__") for n in listed)
        mangled = (f"_{above.__name__.lstrip('_')}{n}" if hidden else n for n, hidden in zip(listed, private, strict=True))
        names += [n for n in mangled if n not in ("__dict__", "__weakref__")]
    return tuple(dict.fromkeys(names))


def _putter(names: tuple[str, ...]) -> Callable[[Any, tuple[Any, ...]], None]:
    """Return a function that sets these slots. It is compiled, as it runs for each object after each transition."""
    if not names:
        return lambda found, held: None
    scope: dict[str, Any] = {}
    targets = ", ".join(f"found.{name}" for name in names)
    exec(f"def put(found, held): {targets}, = held", scope)
    put: Callable[[Any, tuple[Any, ...]], None] = scope["put"]
    return put


def _fill(names: tuple[str, ...], found: Any, held: tuple[Any, ...]) -> None:
    """Set slots, and delete those that were not set."""
    for name, value in zip(names, held, strict=True):
        if value is not _MISSING:
            setattr(found, name, value)
        elif hasattr(found, name):
            delattr(found, name)


_ATOMS = {int, float, bool, str, bytes, complex, type(None), type, range, type(Ellipsis), Pattern, ref}
_ATOMS |= {BuiltinFunctionType, ModuleType, GenericAlias}


class Snapshot:
    """The contents of all objects that `roots` reach, but for those of the types `constant`, which do not change."""

    def __init__(self, roots: Iterable[Any], constant: frozenset[type] = frozenset()) -> None:
        self._undo: list[Restore] = []
        self._seen: dict[int, Any] = {}  # by id; it keeps the objects alive, so that no id is used again
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
        """Restore every object."""
        for undo in self._undo:
            undo()

    def _look(self, found: Any, kind: type) -> Iterable[Any]:
        """Record how to restore one object. Return the objects to which it refers."""
        known = _KINDS.get(kind)
        if known is not None:
            undo, parts = known(found)
        elif isinstance(found, type):
            return ()
        elif hasattr(kind, "copy_") and hasattr(kind, "_version"):
            undo, parts = _tensor(found)
        elif kind.__module__ == "torch":  # a device, a dtype: immutable
            return ()
        else:
            undo, parts = _instance(found, kind)
        if undo is not None:
            self._undo.append(undo)
        return parts


# The methods are called on the base class: a subclass may override them.


def _refill(clear: Callable[[Any], None], fill: Callable[[Any, Any], None], found: Any, held: Any) -> None:
    clear(found)
    fill(found, held)


def _dict(found: dict[Any, Any]) -> Noted:
    held = [(key, dict.__getitem__(found, key)) for key in dict.__iter__(found)]
    return partial(_refill, dict.clear, dict.update, found, held), [part for item in held for part in item]


def _ordered(found: OrderedDict[Any, Any]) -> Noted:
    held = [(key, dict.__getitem__(found, key)) for key in OrderedDict.__iter__(found)]

    def undo() -> None:
        OrderedDict.clear(found)
        for key, value in held:
            OrderedDict.__setitem__(found, key, value)

    return undo, [part for item in held for part in item]


def _list(found: list[Any]) -> Noted:
    held = list.copy(found)
    return partial(list.__setitem__, found, slice(None), held), held


def _set(found: set[Any]) -> Noted:
    held = set.copy(found)
    return partial(_refill, set.clear, set.update, found, held), set.__iter__(held)


def _buffer(found: Any) -> Noted:
    return partial(found.__setitem__, slice(None), found[:]), ()


def _deque(found: deque[Any]) -> Noted:
    held = list(deque.__iter__(found))
    return partial(_refill, deque.clear, deque.extend, found, held), held


def _tensor(found: Any) -> Noted:
    """A tensor counts the writes to it: it is restored only if it was written to."""
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
    """An object of a class written in Python: its slots, its attributes and, if it is a container, its contents."""
    shape = _shape(kind)
    write, parts = shape.contents(found)
    if write is None:
        return _attributes(found, shape, parts)
    undo, more = _attributes(found, shape, parts)

    def both() -> None:
        write()
        if undo is not None:
            undo()

    return both, more


def _attributes(found: Any, shape: Shape, parts: Iterable[Any]) -> Noted:
    """Record slots and attributes. `parts`: the other objects to which the object refers."""
    attributes = getattr(found, "__dict__", None)
    held: tuple[Any, ...] = tuple(getattr(found, name, _MISSING) for name in shape.names)
    present = [value for value in held if value is not _MISSING]
    put = shape.put if len(present) == len(held) else partial(_fill, shape.names)
    copied = dict(attributes or {})
    parts = (*parts, *present, *copied.values())
    if shape.frozen:
        return None, parts
    if attributes is None:
        return partial(put, found, held), parts

    def undo() -> None:
        put(found, held)
        attributes.clear()
        attributes.update(copied)

    return undo, parts


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


_CONTENTS: dict[type, Callable[[Any], Noted]] = {  # by the first base class that is not written in Python
    **dict.fromkeys(
        (object, int, float, str, bytes, BaseException, Exception, ArithmeticError, AssertionError, AttributeError),
        lambda found: (None, ()),
    ),
    **dict.fromkeys((LookupError, KeyError, IndexError, RuntimeError, TypeError, ValueError), lambda found: (None, ())),
    **dict.fromkeys((dict, defaultdict), _dict),
    OrderedDict: _ordered,
    list: _list,
    set: _set,
    frozenset: lambda found: (None, frozenset.__iter__(found)),
    tuple: lambda found: (None, tuple.__iter__(found)),
    deque: _deque,
}
