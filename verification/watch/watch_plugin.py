"""The entry point `radixcheck_watch` in SGLang's group `sglang.srt.plugins`: watches the cache that a server makes.

Without RADIXCHECK_WATCH, a folder, it does nothing. Whatever fails here is one line in the log, and the server starts without a watch.

The hook is on the function that makes the cache, which SGLang replaces in each module that has imported it.

The unified cache is watched over its core in Python, which a server takes with SGLANG_UNIFIED_RADIX_TREE_CORE_BACKEND=python in its
environment: in the core in Rust no node can be read.
"""

import logging
import os
from typing import Any

from radixcheck.verification.watch.watch_settings import WatchSettings, settings_of_server

MAKER = "sglang.srt.mem_cache.registry.create_tree_cache"

log = logging.getLogger("radixcheck")


def register() -> None:
    """Register the hook. Called by SGLang in each of its processes; never raises."""
    settings = settings_of_server(os.environ)
    if settings is None:
        return
    try:
        from sglang.srt.plugins.hook_registry import HookRegistry, HookType

        HookRegistry.register(MAKER, lambda cache, *_, **__: made(cache, settings), HookType.AFTER)
    except Exception as error:
        _say(settings, f"the cache is not watched: this SGLang has no hook for a watch ({type(error).__name__}: {error})")


def made(cache: Any, settings: WatchSettings) -> None:
    """Watch a cache that was made. Returns None, by which SGLang keeps the cache; never raises."""
    try:
        from radixcheck.verification.watch.cache_views import NotWatched, is_black_box
        from radixcheck.verification.watch.server_watch import watch_black_box, watched

        in_rust = settings.shadow and is_black_box(cache)
        found = watch_black_box(cache, policy_of_server(), settings) if in_rust else watched(cache, settings)
    except Exception as error:
        _say(settings, f"the cache {type(cache).__name__} is not watched: {type(error).__name__}: {error}")
        return
    if isinstance(found, NotWatched):
        _say(settings, f"the cache {type(cache).__name__} is not watched: {found.reason}")


def policy_of_server() -> str:
    """Return the order of eviction that the server was asked for: a core in Rust does not show it."""
    from sglang.srt.runtime_context import get_memory

    policy: str = get_memory().radix_eviction_policy
    return policy.lower()


def _say(settings: WatchSettings, sentence: str) -> None:
    """Log a sentence, and leave it in the folder, from which `radixcheck watch` shows it."""
    log.error(sentence)
    try:
        from radixcheck.verification.watch.watch_folder import write_note

        write_note(settings.folder, sentence)
    except OSError as error:
        log.error("the watch cannot write into %s: %s", settings.folder, error.strerror)
