"""What a subject keeps alive: its objects and their bytes."""

import gc
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple

ATOMS = (int, float, str, bytes, type(None))  # counted by their bytes alone: equal ones may be one object
SHARED = (ModuleType, type, BuiltinFunctionType)
CONTAINERS = (dict, list, set, deque, bytearray, type(cache(len)))  # of a module or a class, which all subjects of that class share


class Kept(NamedTuple):
    """The size of what a subject keeps."""

    objects: int  # other than numbers and strings
    size: int  # bytes


def kept_by(subject: object, apart: Iterable[object]) -> Kept:
    """Return what `subject` keeps alive, with what the modules and the classes of these objects keep, but nothing through `apart`.

    Modules, types, and the globals of functions are not entered. Of a tensor, the bytes of its storage count.
    """
    atoms, storages, kinds = dict[int, int](), dict[int, int](), set[type]()
    seen, waiting, size = {id(subject), *map(id, apart)}, [subject], 0
    while waiting:
        one = waiting.pop()
        size += sys.getsizeof(one, 0)
        storages.update(_storage(one))
        shared = () if type(one) in kinds else _shared(type(one))
        kinds.add(type(one))
        for found in chain(_referents(one), shared):
            if isinstance(found, ATOMS):
                atoms[id(found)] = sys.getsizeof(found)
            elif id(found) not in seen and not isinstance(found, SHARED):
                seen.add(id(found))
                waiting.append(found)
    return Kept(len(seen), size + sum(atoms.values()) + sum(storages.values()))


def _referents(found: object) -> Iterable[Any]:
    if isinstance(found, FunctionType):
        return [found.__closure__, found.__defaults__, found.__kwdefaults__]
    return gc.get_referents(found)


def _storage(found: object) -> Iterator[tuple[int, int]]:
    """Yield the address and the bytes of a tensor's storage."""
    if hasattr(type(found), "untyped_storage"):
        storage: Any = found.untyped_storage()  # type: ignore[attr-defined]
        yield storage.data_ptr(), storage.nbytes()


def _shared(kind: type) -> Iterator[object]:
    """Yield the containers that a class, and the module that defines it, keep in variables of their own."""
    module = sys.modules.get(kind.__module__)
    if module is None or kind.__module__.partition(".")[0] in {*sys.stdlib_module_names, "torch"}:
        return
    for name, value in (*vars(module).items(), *vars(kind).items()):
        if isinstance(value, CONTAINERS) and not name.startswith("__"):
            yield value
