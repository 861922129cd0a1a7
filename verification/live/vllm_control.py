"""A control that must fail: a scheduler of vLLM that sometimes gives a request the wrong block. Runs in the Python that has vLLM."""

from typing import Any

EVERY = 8  # a wrong block in every 8th of the prefixes that are longer than a block


def wrong_block() -> type[Any]:
    """Return vLLM's scheduler, in whose cached prefixes the last block is sometimes the one before it."""
    from vllm.v1.core.sched.scheduler import Scheduler

    class WrongBlock(Scheduler):  # type: ignore[misc]  # vLLM is not installed where types are checked
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._found, self._prefixes = self.kv_cache_manager.get_computed_blocks, 0
            self.kv_cache_manager.get_computed_blocks = self._wrong

        def _wrong(self, request: Any) -> Any:
            blocks, *others = self._found(request)
            cached = blocks.blocks[0]
            if len(cached) > 1:
                self._prefixes += 1
                if self._prefixes % EVERY == 0:
                    blocks = self.kv_cache_manager.create_kv_cache_blocks(([*cached[:-1], cached[-2]],))
            return (blocks, *others)

    return WrongBlock
