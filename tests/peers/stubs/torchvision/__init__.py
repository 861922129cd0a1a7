"""Stub: SGLang imports torchvision for images, which a text model never uses. Every module and every name is there, and empty."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__version__ = "0.0"


class Names(type):
    """A class each of whose attributes is the name itself, as of an enumeration."""

    def __getattr__(cls, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return name


class StubModule(ModuleType):
    """A module in which every name is an empty class."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return sys.modules.get(f"{self.__name__}.{name}") or Names(name, (), {})


class Finder:
    """Finds every module below torchvision."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where a module comes from."""
        return ModuleSpec(name, Finder, is_package=True) if name.startswith("torchvision.") else None  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        """Return an empty module."""
        return StubModule(spec.name)

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Run nothing."""


sys.meta_path.insert(0, Finder)


def __getattr__(name: str) -> ModuleType:
    """Return a module."""
    if name.startswith("__"):
        raise AttributeError(name)
    return import_module(f"torchvision.{name}")
