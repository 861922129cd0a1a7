"""A machine whose splits are accesses, too: what SGLang's caches do, and the specification does not (L5)."""

from radixcheck.spec.run.cache_machine import Machine
from radixcheck.spec.transitions import SPLIT
from radixcheck.spec.updates import Transition


class SplittingMachine(Machine):
    """A split accesses the part behind it: after all that was accessed before, and just before what the call itself accesses."""

    def step(self, transition: Transition, *arguments: int) -> None:
        """Take one transition."""
        super().step(transition, *arguments)
        if transition is SPLIT:
            self.access_split_off(arguments[1])
