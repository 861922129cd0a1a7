"""Runs what SGLang's package itself has for caches of a live server, in the Python that has SGLang.

    python upstream_served.py URL

A line of JSON: what each of KINDS gave, the error or nothing. They draw tokens below 32,000, and need no text and no data set:

    radix_attention      a random tree of prompts, all at once; the server must answer
    multiturn            three turns each; answers are replayed without a cache, and log-probabilities compared
    prefill_branching    prompts with a common prefix, in branches; how much is cached is checked, too
    decode_branching     the same, where the answers are the common prefix

`wrong` is a control, which must fail: it claims a prefix that is longer by a page than the one that was served. What needs a data set or a
tokenizer is left out: the package's accuracy tests, and its `cache_hit_kit`.
"""

import json
import os
import random
import sys
import traceback
import unittest
from collections.abc import Callable
from importlib import import_module
from typing import Any

KINDS = ("radix_attention", "multiturn", "prefill_branching", "decode_branching", "wrong")
GROUPS, PROMPT_TOKENS = 4, 512


def mixin(url: str) -> Any:
    """Return the tests with branches, for this server: the sizes are smaller, and the checks are theirs."""
    kit = import_module("sglang.test.kits.unified_radix_cache_kit")
    draw = random.Random(1)
    sizes: dict[str, Any] = {"max_new_tokens": 16, "prefix_len": 256, "base_url": url, "model": "tiny"}
    prompts = [[draw.randrange(3, 30_000) for _ in range(PROMPT_TOKENS)] for _ in range(GROUPS)]
    return type("Served", (kit.UnifiedRadixTreeTestMixin, unittest.TestCase), {**sizes, "input_ids": prompts})


def claims_more(result: dict[str, Any], prefix_len: int, label: str) -> None:
    """Claim a page more than there is."""
    import_module("sglang.test.kl_multiturn_utils").default_prefill_cache_assert(result, prefix_len + 16, label)


def served(url: str) -> dict[str, Callable[[], None]]:
    """Return what to run, by name."""
    kind = mixin(url)
    liar = type("Liar", (kind,), {"prefill_cache_assert": staticmethod(claims_more)})
    return {
        "radix_attention": lambda: import_module("sglang.test.kits.radix_cache_server_kit").run_radix_attention_test(url),
        "multiturn": kind("test_multiturn_logprobs_match").test_multiturn_logprobs_match,
        "prefill_branching": kind("test_multiturn_prefill_cache_hit_branching").test_multiturn_prefill_cache_hit_branching,
        "decode_branching": kind("test_multiturn_decode_cache_hit_branching").test_multiturn_decode_cache_hit_branching,
        "wrong": liar("test_multiturn_prefill_cache_hit_branching").test_multiturn_prefill_cache_hit_branching,
    }


def main() -> None:
    """Print the line; what the tests print goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    random.seed(0)
    found = dict.fromkeys(KINDS, "")
    for name, run in served(sys.argv[1]).items():
        try:
            run()
        except Exception as error:
            found[name] = "".join(traceback.format_exception_only(error)).strip() or type(error).__name__
    out.write(json.dumps(found) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
