"""A package with SGLang's interface and nothing behind it, made from the tables that the cache was written for, with changes."""

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

from places import PACKAGE

from radixcheck.optimized.integrations.sglang_interface import BASE, FUNCTIONS, MADE, READ, VERBS

ENTRY_POINT = "[sglang.srt.plugins]\nradixcheck = radixcheck.optimized.integrations.sglang_plugin:register\n"
REGISTRY = "REGISTERED = {}\ndef register_radix_cache_backend(name, factory): REGISTERED[name] = factory\n"


def _function(name: str, parameters: str) -> str:
    return f"def {name}({parameters.replace('=', '=None')}): raise NotImplementedError\n"


def _fields(text: str, fields: str) -> str:
    return text + "".join(f"{name}: object = None\n" for name in fields.split())


def write_fake(folder: Path, version: str = "0.5.23", changes: Mapping[str, str | None] | None = None, plugin: bool = True) -> Path:
    """Write the package into a folder. `changes` replaces entries of the tables, adds verbs to the base class, or (None) leaves out."""
    verbs = {f"{BASE}BasePrefixCache.{verb}": "self" for verb in VERBS.split()}
    functions = {
        place: text for place, text in (verbs | FUNCTIONS | dict(changes or {})).items() if text is not None and "." in place.split(":")[1]
    }
    changed = {place: (changes or {}).get(place, text) for place, text in (READ | MADE).items()}
    modules: dict[str, dict[str, str]] = defaultdict(lambda: defaultdict(str))
    for place, parameters in functions.items():
        module, _, path = place.partition(":")
        owner, _, name = path.partition(".")
        modules[module][owner] += _function(name, parameters)
    for place, fields in changed.items():
        module, _, name = place.partition(":")
        if fields is not None:
            modules[module][name] = _fields(modules[module][name], fields)
    modules["entrypoints.http_server"]["Server"] = "pass\n"
    for module, classes in modules.items():
        file = folder.joinpath("sglang", "srt", *module.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"@dataclass\nclass {name}:\n{indent(body, '    ')}\n" for name, body in classes.items())
        own = (
            REGISTRY if module == "mem_cache.registry" and "mem_cache.registry:register_radix_cache_backend" not in (changes or {}) else ""
        )
        file.write_text(f"from dataclasses import dataclass\n{text}{own}")
    for part in folder.joinpath("sglang").rglob("*"):
        if part.is_dir():
            part.joinpath("__init__.py").touch()
    folder.joinpath("sglang", "__init__.py").touch()
    _distribution(folder, "sglang", version, "")
    _distribution(folder, "radixcheck", "0.1.0", ENTRY_POINT if plugin else "")
    return folder


def _distribution(folder: Path, name: str, version: str, entry_points: str) -> None:
    path = folder / f"{name}-{version}.dist-info"
    path.mkdir()
    path.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    path.joinpath("entry_points.txt").write_text(entry_points)


def interpreter(folder: Path, package: Path, before: str = "") -> str:
    """A command that runs this Python with this package, and with ours."""
    path = folder / "python"
    path.write_text(f'#!/bin/sh\n{before}\nPYTHONPATH="{package}:{PACKAGE.parent}" exec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return str(path)
