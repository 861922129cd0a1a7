"""How the state machine comes by its keys: each is one known before, as it is, cut, extended or without a piece of its middle.

A recipe is drawn with the operation that uses the key, so that keys take no steps of their own from an example.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from radixcheck.spec.values import Key, Namespace
from radixcheck.verification.search.generate import LETTERS, PAGES_MAX

CHANGES = ("new_key", "cut_key", "extend_key", "skip_key")
AS_IT_IS = "known"
DRAWN = (*(AS_IT_IS,) * 5, "extend_key", "extend_key", "cut_key", "skip_key", "new_key")

pages = st.integers(0, 2 * LETTERS - 1)  # see Recipes.page
which = st.integers(0, 15)  # picks from what is there now, modulo its number: no draw waits for a lucky index


@dataclass(frozen=True, slots=True)
class Recipe:
    """One key to come. Numbers are taken modulo what there is to choose from."""

    change: str
    which: int = 0  # of the known keys
    namespace: int = 0  # of a new key
    pages: tuple[int, ...] = ()  # of a new key, or by which one is extended
    kept: int = 0  # pages before a cut
    skipped: int = 0  # pages after it
    tail: int = 0  # tokens behind the last whole page; -1: one too few for a page


@st.composite
def recipes(draw: DrawFn) -> Recipe:
    """Half of all keys are known ones, as they are."""
    change = draw(st.sampled_from(DRAWN))
    match change:
        case "new_key":
            return Recipe(change, namespace=draw(which), pages=tuple(draw(st.lists(pages, min_size=1, max_size=3))))
        case "extend_key":
            return Recipe(change, draw(which), pages=(draw(pages),), tail=draw(st.sampled_from((0, 0, 1, -1))))
        case "cut_key":
            return Recipe(change, draw(which), kept=draw(st.integers(1, PAGES_MAX - 1)))
        case "skip_key":
            return Recipe(change, draw(which), kept=draw(st.integers(1, PAGES_MAX - 2)), skipped=draw(st.integers(1, 2)))
    return Recipe(AS_IT_IS, draw(which))


@dataclass(slots=True)
class Cook:
    """Makes keys of recipes, and knows those made before."""

    page_size: int
    namespaces: Sequence[Namespace]
    known: list[Key] = field(default_factory=list)

    def key(self, recipe: Recipe) -> Key:
        """The key of a recipe; it is known from now on."""
        key = self._changed(recipe)
        if recipe.change != AS_IT_IS:
            self.known.append(key)
        return key

    def page(self, which: int) -> tuple[int, ...]:
        """One of the pages that keys consist of; the later ones differ from the first in their last token only."""
        letter = which % LETTERS
        last = letter + LETTERS if self.page_size > 1 and which % (2 * LETTERS) >= LETTERS else letter
        return (letter,) * (self.page_size - 1) + (last,)

    def _changed(self, recipe: Recipe) -> Key:
        size, key = self.page_size, self.known[recipe.which % len(self.known)]
        tokens = key.tokens
        match recipe.change:
            case "new_key":
                tokens = tuple(token for page in recipe.pages for token in self.page(page))
                return Key(tokens, self.namespaces[recipe.namespace % len(self.namespaces)])
            case "extend_key":  # the whole pages and one more; perhaps a tail
                whole = tokens[: min(key.whole_pages(size), (PAGES_MAX - 1) * size)]
                return Key(whole + self.page(recipe.pages[0]) + self.page(recipe.pages[0] + 1)[: recipe.tail % size], key.namespace)
            case "cut_key":  # it may end inside an edge
                return Key(tokens[: recipe.kept * size], key.namespace)
            case "skip_key":  # it leaves an edge, and goes on like what lies behind it; near its end it is only cut
                return Key(tokens[: recipe.kept * size] + tokens[(recipe.kept + recipe.skipped) * size :], key.namespace)
        return key
