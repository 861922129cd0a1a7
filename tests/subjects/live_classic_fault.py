"""SGLang's classic cache with a fault: an eviction frees half of what it is asked for. Runs in SGLang's Python.

Under `radixcheck watch` this program serves requests with it; offline `evicts_half` is the same cache as a subject.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from radixcheck.verification.subjects.sglang_classic import sglang_classic

PAGE_SIZE, POOL, REQUESTS = 16, 4_096, 40


def faulty(cache: Any) -> Any:
    """Put the fault into a cache."""
    evict = cache.evict

    def half(params: Any) -> Any:
        params.num_tokens //= 2
        result = evict(params)
        params.num_tokens *= 2
        return result

    cache.evict = half
    return cache


def evicts_half(setup: Any) -> Any:
    """Return the subject."""
    subject: Any = sglang_classic(setup)
    faulty(subject.tree.cache)
    return subject


def main() -> None:
    """Serve until an eviction frees too little for what the scheduler needs."""
    from radixcheck.verification.live.engine_calls import Calls, made
    from radixcheck.verification.watch.server_watch import watched
    from radixcheck.verification.watch.watch_settings import settings_of_server

    settings = settings_of_server(os.environ)
    assert settings is not None
    cache = made("classic", PAGE_SIZE, POOL, "lru")
    if sys.argv[1:] == ["fault"]:
        faulty(cache)
    watched(cache, settings)
    calls = Calls(cache, 0)
    try:
        calls.serve(REQUESTS)
    except TypeError as error:  # the allocator gave no slots
        print(error)


if __name__ == "__main__":
    main()
