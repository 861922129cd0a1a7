"""The keys of the state machine: each is a known key, unchanged, cut, extended or without a piece of its middle, or a new or tiny one.

A recipe is drawn together with the operation that uses the key, so that making keys takes no steps of an example.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from radixcheck.spec.values import Key, Namespace
from radixcheck.verification.search.generate import LETTERS, PAGES_MAX

CHANGES = ("new_key", "cut_key", "extend_key", "skip_key")
UNCHANGED, TINY = "known", "tiny"
DRAWN = (*(UNCHANGED,) * 5, "extend_key", "extend_key", "cut_key", "skip_key", "new_key", TINY)

pages = st.integers(0, 2 * LETTERS - 1)  # see KeyMaker.page
which = st.integers(0, 15)  # an index, taken modulo the number of choices: every draw is valid


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make a key. Indices are taken modulo the number of choices."""

    change: str
    which: int = 0  # of the known keys
    namespace: int = 0  # of a new key
    pages: tuple[int, ...] = ()  # of a new key, or by which one is extended
    kept: int = 0  # pages before a cut; tokens of a tiny key, modulo the page size
    skipped: int = 0  # pages after it
    tail: int = 0  # tokens behind the last whole page; -1: one less than a page


@st.composite
def recipes(draw: DrawFn) -> Recipe:
    """Draw a recipe; almost half of them leave a known key unchanged."""
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
        case "tiny":
            return Recipe(change, draw(which), kept=draw(st.sampled_from((0, 1, -1))))
    return Recipe(UNCHANGED, draw(which))


@dataclass(slots=True)
class KeyMaker:
    """Makes keys by recipes, from the keys made before."""

    page_size: int
    namespaces: Sequence[Namespace]
    known: list[Key] = field(default_factory=list)

    def key(self, recipe: Recipe) -> Key:
        """Return the key of a recipe, which is known from now on."""
        key = self._changed(recipe)
        if recipe.change not in (UNCHANGED, TINY):
            self.known.append(key)
        return key

    def page(self, which: int) -> tuple[int, ...]:
        """Return one of the pages of keys. The second half of them differ from the first half in their last token."""
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
            case "skip_key":  # it leaves an edge and continues like the tokens behind it; near its end it is only cut
                return Key(tokens[: recipe.kept * size] + tokens[(recipe.kept + recipe.skipped) * size :], key.namespace)
            case "tiny":  # without tokens, or shorter than a page
                return Key(tokens[: recipe.kept % size], key.namespace)
        return key
