"""An adapter as it runs in another environment: of the checker it imports the serving module alone, and the cache is that environment's."""

from radixcheck.reference import RadixCache
from radixcheck.verification.remote.serve import Setup, Supports


class Adapter(RadixCache):
    """Shows nothing of its inside."""

    supports = Supports(policies=("lru", "lfu"), without=frozenset({"peek"}))
    version = "1"


def factory(setup: Setup) -> Adapter:
    """A cache over the pool that the checker watches."""
    return Adapter(setup.page_size, setup.policy, setup.pool)
