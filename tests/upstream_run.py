"""Runs upstream's own tests of its radix cache, in the Python that has SGLang: as they are, and with another cache in the place of theirs.

    python upstream_run.py FILE ...

A line of JSON: for each file and each cache of CACHES, what each test gave. A file may be older than the SGLang that is installed. `plain`
is the file with SGLang's cache, `theirs` gives its results the field `device_indices`, which the file reads and the installed SGLang has
no more, and `ours` is our backend with the same field, and with the constructors that only tests call. `short` is a control, which must
fail: our backend, whose matches lack their last page. No file is changed.
"""

import ast
import json
import os
import sys
import traceback
import unittest
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class, namespace_of, packed
from radixcheck.optimized.integrations.sglang_limits import LIMITS
from radixcheck.optimized.integrations.sglang_plugin import NotServed

CACHES = ("plain", "theirs", "ours", "short")
TESTED = "sglang.srt.mem_cache.radix_cache"  # its RadixCache is replaced, in the names of the file


class Gone(Exception):
    """What the file imports is not in this SGLang."""


def absent(name: str) -> type[Any]:
    """Stand in for a name that is gone: a class that cannot be made."""

    def refuse(*_: object, **__: object) -> None:
        raise Gone(f"SGLang has no {name}")

    return type(name.rpartition(".")[2], (), {"__init__": refuse})


def imports(path: str) -> Iterator[tuple[str, str]]:
    """The names that a file imports from modules of SGLang."""
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sglang."):
            yield from ((str(node.module), each.name) for each in node.names)


def stand_in(path: str) -> list[str]:
    """Put stand-ins for the names that are gone, so that only the tests which use them fail. Return the names."""
    gone = []
    for module, name in imports(path):
        try:
            found = import_module(module)
        except ModuleNotFoundError:
            found = sys.modules[module] = ModuleType(module)
        if not hasattr(found, name):
            setattr(found, name, absent(f"{module}.{name}"))
            gone.append(f"{module}.{name}")
    return gone


def with_indices(cache: Any) -> Any:
    """Let the results of a cache have `device_indices`, the slots of the prefix: SGLang's results had them once."""
    match = cache.match_prefix

    def matched(params: Any) -> Any:
        result = match(params)
        kind = type("MatchResult", (type(result),), {"device_indices": cache.path_device_indices(result.last_device_node)})
        return kind(*result)

    cache.match_prefix = matched
    return cache


class Constructors:
    """Stands for the class in the names of the file: tests call it, and `create_simulated`."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make

    def __call__(self, params: Any) -> Any:
        return with_indices(self._make(params))

    def create_simulated(
        self, disable: bool = False, mock_allocator: Any = None, page_size: int = 1, enable_kv_cache_events: bool = False
    ) -> Any:
        """Make a cache without pools."""
        made = import_module("sglang.srt.mem_cache.cache_init_params")
        return self(
            made.CacheInitParams(
                disable=disable,
                req_to_token_pool=None,
                token_to_kv_pool_allocator=mock_allocator,
                page_size=page_size,
                enable_kv_cache_events=enable_kv_cache_events,
            )
        )


def refused(params: Any) -> None:
    """Refuse what the backend refuses when a server starts, as far as a cache without a server can ask for it."""
    for limit in LIMITS:
        if limit.flag in ("--disable-radix-cache", "--kv-events-config") and not limit.serves(SimpleNamespace(params=params)):
            raise NotServed(f"{limit.flag}: {limit.reason}")


def backend(short: bool) -> Callable[[Any], Any]:
    """Return what makes our backend: `insert` does the part of `checkpoint` that stores."""
    results = import_module("sglang.srt.mem_cache.base_prefix_cache")

    class Ours(SGLangCache):
        def insert(self, params: Any) -> Any:
            key = params.key
            whole = len(key) // self.page_size * self.page_size
            value = torch.tensor(key.token_ids[:whole], dtype=torch.int64) if params.value is None else params.value[:whole]
            prefix, path = self._store(namespace_of(key), packed(key.token_ids, whole), value, params.inserted_len, params.priority)
            return results.InsertResult(prefix_len=prefix, last_device_node=path[-1] if path else self.tree.root)

    class Short(Ours):
        def match_prefix(self, params: Any) -> Any:
            key = params.key
            return super().match_prefix(SimpleNamespace(key=key[: max(0, len(key) - self.page_size)]))

    kind = cache_class(results, Short if short else Ours)

    def make(params: Any) -> Any:
        refused(params)
        if params.token_to_kv_pool_allocator is None:
            nothing = SimpleNamespace(size=0, device="cpu", available_size=lambda: 0, free_segment=lambda *_, **__: None)
            params.token_to_kv_pool_allocator = nothing
        elif not isinstance(params.token_to_kv_pool_allocator.device, str | torch.device):  # a mock
            params.token_to_kv_pool_allocator.device = "cpu"
        return kind(params)

    return make


class Outcomes(unittest.TestResult):
    """Remembers the first thing that a test failed with: of subtests, the first that fails counts for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}  # "" passed

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802  # the name that unittest has
        super().startTest(test)
        self.found[short_name(test)] = ""

    def _note(self, test: unittest.TestCase, error: Any) -> None:
        self.found[short_name(test)] = self.found[short_name(test)] or "".join(traceback.format_exception_only(error[0], error[1])).strip()

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self._note(test, err)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self._note(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:  # noqa: N802
        if err is not None:
            self._note(test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self.found[short_name(test)] = f"skipped: {reason}"


def short_name(test: unittest.TestCase) -> str:
    """`Class.test`."""
    return ".".join(test.id().split(".")[-2:])


def outcomes(path: str, cache: str) -> dict[str, str]:
    """Run the tests of a file with one cache."""
    spec = spec_from_file_location("upstream_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    if cache != "plain":
        tested = import_module(TESTED).RadixCache
        vars(module)["RadixCache"] = Constructors(tested if cache == "theirs" else backend(cache == "short"))
    result = Outcomes()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(result)
    return result.found


def main() -> None:
    """Print the line; what the tests print goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    gone = {path: stand_in(path) for path in sys.argv[1:]}
    found = {path: {"gone": gone[path], **{cache: outcomes(path, cache) for cache in CACHES}} for path in gone}
    out.write(json.dumps(found) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
