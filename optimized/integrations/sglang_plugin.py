"""The entry point in SGLang's group `sglang.srt.plugins`: registers the backend `radixcheck` for `--radix-cache-backend`.

SGLang logs what a plugin raises and goes on, so that `register` only registers: what cannot be served is refused where the server makes
its cache, and ends its start.
"""

import logging
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from radixcheck.optimized.integrations.sglang_cache import cache_class
from radixcheck.optimized.integrations.sglang_interface import TRIED, differences
from radixcheck.optimized.integrations.sglang_limits import refusal

NAME = "radixcheck"
log = logging.getLogger("radixcheck")


class NotServed(ValueError):
    """This server, or this version of SGLang, cannot have the cache. The message is one sentence."""


def register() -> None:
    """Register the backend. Called by SGLang in each of its processes."""
    from sglang.srt.mem_cache.registry import register_radix_cache_backend  # noqa: PLC0415  # there is an engine only when this is called

    register_radix_cache_backend(NAME, make)


def make(context: Any) -> Any:
    """Return the cache of a server, from SGLang's `TreeCacheBuildContext`. Raises NotServed."""
    checked_interface()
    sentence = refusal(context)
    if sentence is not None:
        raise NotServed(sentence)
    return cache_class(import_module("sglang.srt.mem_cache.base_prefix_cache"))(context.params)


def checked_interface() -> None:
    """Compare the installed SGLang with the one that the cache was written for. Raises NotServed, which names the version."""
    installed = installed_version()
    if found := differences():
        more = f" (and {len(found) - 1} more differences)" if len(found) > 1 else ""
        raise NotServed(f"SGLang {installed} has another interface than the cache was written for ({', '.join(TRIED)}): {found[0]}{more}")
    if installed not in TRIED:
        log.warning("the interface of SGLang %s fits; the cache was tried with %s", installed, ", ".join(TRIED))


def installed_version() -> str:
    """Return the version of SGLang, as its package states it."""
    try:
        return version("sglang")
    except PackageNotFoundError:
        return "of unknown version"
