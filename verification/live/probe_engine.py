"""Runs in the Python of an engine, as a script: says which parts of SGLang and of the plugin are there, and whether they fit.

Answers one line of JSON, `{"do": "probe"}`, with one line. Where the plugin is not installed, the checkout's tables are compared.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from importlib import import_module, metadata
from types import ModuleType
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
GROUP, NAME = "sglang.srt.plugins", "radixcheck"
ENGINE = "sglang.srt.entrypoints.http_server"  # which the command to serve starts
MAY_BE_STUBS = ("torchvision", "sgl_kernel")


def version_of(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def error_of(name: str) -> str | None:
    """Import a module; return what went wrong as one line, or None."""
    try:
        import_module(name)
    except BaseException as error:
        traceback.print_exc()
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def entry_point() -> Any:
    """Return our entry point as SGLang would find it, or None."""
    return next((each for each in metadata.entry_points(group=GROUP) if each.name == NAME), None)


def place_checkout() -> None:
    """Make the checkout importable as `radixcheck`."""
    package = ModuleType("radixcheck")
    package.__path__ = [os.path.dirname(os.path.dirname(HERE))]
    sys.modules["radixcheck"] = package


def plugin(found: dict[str, Any]) -> None:
    """Load the plugin, and compare the interface."""
    point = entry_point()
    found["entry_point"] = None if point is None else point.value
    if point is None:
        place_checkout()
    else:
        try:
            point.load()
        except BaseException as error:
            traceback.print_exc()
            found["plugin"] = f"{type(error).__name__}: {error}".splitlines()[0]
            return
    interface = import_module("radixcheck.optimized.integrations.sglang_interface")
    found["tried"] = list(interface.TRIED)
    found["differences"] = interface.differences()


def probe() -> dict[str, Any]:
    """Return what is there."""
    found: dict[str, Any] = {"python": sys.version.split()[0], "differences": [], "tried": [], "plugin": None, "engine": None}
    found |= {name: version_of(name) for name in ("torch", "sglang", "radixcheck")}
    found["torch_error"] = error_of("torch")
    if found["torch_error"] is None and found["sglang"] is not None:
        found["engine"] = error_of(ENGINE)
        plugin(found)
        there = {name: getattr(sys.modules.get(name), "__doc__", None) or "" for name in MAY_BE_STUBS}
        found["stubs"] = [name for name, text in there.items() if text.startswith("Stub")]
    return found


def main() -> None:
    """Answer each line."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != HERE]
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a package prints goes to standard error
    for _ in sys.stdin:
        out.write(json.dumps(probe()) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
