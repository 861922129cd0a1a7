"""Stub: SGLang's kernels for a CPU are not on a package index. Every name is a function, which says that it is needed if it is called."""

from collections.abc import Callable
from typing import Any


def __getattr__(name: str) -> Callable[..., Any]:
    """Return a function that refuses to run."""
    if name.startswith("__"):
        raise AttributeError(name)

    def missing(*_: object, **__: object) -> None:
        raise NotImplementedError(f"the stub of sgl_kernel has no {name}: this run needs the package itself")

    return missing
