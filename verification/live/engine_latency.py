"""A plugin for latencies, in place of `engine_backends`: each cache also as `timed-NAME`, whose calls are timed.

Runs in the engine's Python. A timed cache is made by the factory of the cache itself: of SGLang's own choice for `default` and `none`.
"""

import os
from collections.abc import Callable
from typing import Any

from radixcheck.verification.live import engine_backends
from radixcheck.verification.live.call_meter import METER, Meter, metered

BUILT_IN, NAMED = ("default", "none"), ("classic", "radixcheck")


def maker(name: str) -> Callable[[Any], Any]:
    """Return the factory of a timed cache."""

    def make(context: Any) -> Any:
        from sglang.srt.mem_cache.registry import default_radix_cache_factory, get_radix_cache_factory

        factory = default_radix_cache_factory if name in BUILT_IN else get_radix_cache_factory(name)
        meter = Meter(os.environ[METER])
        meter.calibrate()
        return metered(factory(context), meter)

    return make


def register() -> None:
    """Register the backends of live runs, and the timed ones."""
    from sglang.srt.mem_cache.registry import register_radix_cache_backend

    engine_backends.register()
    for name in (*BUILT_IN, *NAMED):
        register_radix_cache_backend(f"timed-{name}", maker(name))
