"""A cache whose fault takes a coincidence: of about 130,000 evictions one shows it, and `verify` makes none that does.

radixcheck campaign rare_fault:rare --operations 1000000
"""

from typing import Any, Self
from zlib import crc32

from radixcheck.reference import RadixCache
from radixcheck.spec.values import Key
from radixcheck.verification.protocol import Setup, Supports

BITS = 17  # of a digest of the last two keys that were inserted, and of the tokens to be evicted
WRONG = 124_022  # its value where the cache evicts nothing


class RareFault(RadixCache):
    """The reference, but for that. It shows nothing of its inside, which makes a long search faster."""

    supports = Supports()

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return a cache over the pool that the checker watches."""
        return cls(setup.page_size, setup.policy, setup.pool)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._last: tuple[Any, ...] = ()

    def insert(self, key: Key, *arguments: Any, **others: Any) -> Any:
        """Remember the key."""
        self._last = (*self._last[-1:], (key.tokens, key.namespace))
        return super().insert(key, *arguments, **others)

    def evict(self, tokens: int) -> int:
        """Evict nothing, where the digest has that value."""
        if self._last and crc32(repr((self._last, tokens)).encode()) & ((1 << BITS) - 1) == WRONG:
            return 0
        return super().evict(tokens)


rare = RareFault.of
