"""The requests of a live run: conversations of several turns that begin with one of a few long prompts, drawn from a seed.

Each turn repeats all before it, with the engine's own answers: a run of another backend gets the same prompts as long as it gives the same
answers.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

FIRST_TOKEN = 3  # those below have a meaning
STEMS, STEM_TOKENS = 12, 192
TURNS = 4
TURN_TOKENS = (16, 49)
WARM_UP = (7,) * 16  # the prompt that each engine serves before all others


@dataclass(frozen=True, slots=True)
class Load:
    """What is drawn."""

    requests: int
    batch: int  # served together
    vocabulary: int
    seed: int = 0
    answer_tokens: int = 6


class Conversations:
    """The rounds, one after the other."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._draw = random.Random(load.seed)
        stems = [self._tokens(STEM_TOKENS) for _ in range(STEMS)]
        count = -(-load.requests // TURNS)
        self._histories = [list(stems[self._draw.randrange(STEMS)]) for _ in range(count)]
        self._left = dict.fromkeys(range(count), TURNS)
        self._picked: list[int] = []
        self.served = 0

    def _tokens(self, count: int) -> list[int]:
        return [self._draw.randrange(FIRST_TOKEN, self._load.vocabulary) for _ in range(count)]

    def round(self) -> list[list[int]]:
        """Return the next prompts to serve together; none if all requests were served."""
        size = min(self._load.batch, len(self._left), self._load.requests - self.served)
        self._picked = self._draw.sample(list(self._left), size)
        for each in self._picked:
            self._histories[each] += self._tokens(self._draw.randrange(*TURN_TOKENS))
        return [list(self._histories[each]) for each in self._picked]

    def answered(self, outputs: Sequence[Sequence[int]]) -> None:
        """Go on with the answers to the prompts of the last round."""
        for each, output in zip(self._picked, outputs, strict=True):
            self._histories[each] += output
            self._left[each] -= 1
            if not self._left[each]:
                del self._left[each]
        self.served += len(self._picked)
