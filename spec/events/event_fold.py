"""The fold of events: what each tier holds after them, and which events were wrong.

    EVENT_ORDER    a page is stored on a tier that has it not, and removed from one that has it
    EVENT_PARENT   a page on a tier follows a page that is on some tier; from the device it goes after the pages that follow it there
    EVENT_ID       one id for one prefix under one namespace, page by page: an id stands for the same page always, and a page has one id
    EVENT_REPLAY   what the fold holds is what the cache holds

An event is judged as a whole: the order of the ids of one `Removed` does not matter here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from radixcheck.spec.events.event_values import DEVICE, Cleared, Event, Removed, Stored
from radixcheck.spec.values import Key, Namespace, shown

EVENT_REPLAY, EVENT_PARENT, EVENT_ID, EVENT_ORDER = "EVENT_REPLAY", "EVENT_PARENT", "EVENT_ID", "EVENT_ORDER"
EVENT_PROPERTIES = (EVENT_REPLAY, EVENT_PARENT, EVENT_ID, EVENT_ORDER)


class Page(NamedTuple):
    """What an id stands for."""

    parent: int | None
    namespace: Namespace
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EventFault:
    """What is wrong with an event, or with all of them together."""

    property: str
    event: Event | None  # the first event that shows it; None: no single one does
    sentence: str


class Resident:
    """The pages that each tier holds, as events report them. A wrong event is not refused: the fold goes on with what it can take from it.

    >>> fold = Resident(page_size=2)
    >>> fold.apply(Stored(DEVICE, (), None, (11, 12), (1, 2, 3, 4)))
    ()
    >>> fold.holds(DEVICE, (11, 12)), fold.prefix(12)
    (True, Key(tokens=(1, 2, 3, 4), namespace=()))
    >>> [fault.property for fault in fold.apply(Removed(DEVICE, (11, 13)))]
    ['EVENT_ORDER', 'EVENT_PARENT']

    Ids are remembered when their pages are gone, so that an id that comes back for another page is noticed. When more than
    `remembered_max` were stored since this was last done, those of pages that are gone are forgotten.
    """

    def __init__(self, page_size: int, remembered_max: int = 1_000_000) -> None:
        self.page_size, self.remembered_max = page_size, remembered_max
        self.pages: dict[str, dict[int, Page]] = {}  # by medium and id
        self._following: Counter[tuple[str, int]] = Counter()  # how many pages of a medium follow the page with this id
        self._page_of: dict[int, int] = {}  # the hash of the page for which an id was last stored
        self._id_of: dict[int, int] = {}  # the id that was last stored for a page, by the hash of the page
        self._limit = remembered_max

    def apply(self, event: Event) -> tuple[EventFault, ...]:
        """Take one event. Returns what is wrong with it; never raises for a wrong one."""
        match event:
            case Stored():
                found = self._store(event)
            case Removed():
                found = self._remove(event)
            case Cleared():
                self.pages.clear()
                self._following.clear()
                found = []
        return tuple(EventFault(property_, event, sentence) for property_, sentence in found)

    def holds(self, medium: str, ids: Iterable[int]) -> bool:
        """Whether a tier has the pages with these ids, all of them."""
        pages = self.pages.get(medium, {})
        return all(id_ in pages for id_ in ids)

    def anywhere(self, id_: int) -> Page | None:
        """The page with this id, if a tier has it."""
        return next((pages[id_] for pages in self.pages.values() if id_ in pages), None)

    def prefix(self, id_: int) -> Key | None:
        """The whole prefix that ends with this page; None if a page of it is on no tier."""
        chain: list[Page] = []
        seen, at = set[int](), id_
        while (page := self.anywhere(at)) is not None and at not in seen:
            seen.add(at)
            chain.append(page)
            if page.parent is None:
                return Key(tuple(token for part in reversed(chain) for token in part.tokens), page.namespace)
            at = page.parent
        return None

    def differences(self, medium: str, resident: Collection[Key]) -> tuple[EventFault, ...]:
        """Compare with the prefixes, one for each page, that a tier really holds. Returns a fault for each kind of difference."""
        folded, there = {self.prefix(id_) for id_ in self.pages.get(medium, {})}, set[Key | None](resident)
        sentences = {
            f"pages on the {medium} that the events do not give": there - folded,
            f"pages that the events give, and that are not on the {medium}": folded - there,
        }
        return tuple(
            EventFault(EVENT_REPLAY, None, f"{len(prefixes)} {sentence}, as {shown(min(prefixes, key=_length))}")
            for sentence, prefixes in sentences.items()
            if prefixes
        )

    def _store(self, event: Stored) -> list[tuple[str, str]]:
        found = [*self._shape(event)]
        parent, pages = event.parent, self.pages.setdefault(event.medium, {})
        for number, id_ in enumerate(event.ids):
            page = Page(parent, event.namespace, tuple(event.tokens[number * self.page_size : (number + 1) * self.page_size]))
            if id_ in pages:
                found.append((EVENT_ORDER, f"page {id_} is stored on the {event.medium}, which has it"))
                self._drop(event.medium, id_)
            found += self._identify(id_, page)
            pages[id_] = page
            if parent is not None:
                self._following[event.medium, parent] += 1
            parent = id_
        return found

    def _shape(self, event: Stored) -> Iterator[tuple[str, str]]:
        """What is wrong with the length of an event, and with the page that it goes on from."""
        if len(event.tokens) != self.page_size * len(event.ids):
            yield EVENT_ID, f"there are {len(event.tokens)} tokens for {len(event.ids)} pages of {self.page_size}"
        if event.ids and event.parent is not None:
            before = self.anywhere(event.parent)
            if before is None:
                yield EVENT_PARENT, f"page {event.ids[0]} is stored after page {event.parent}, which no tier has"
            elif before.namespace != event.namespace:
                yield EVENT_PARENT, f"page {event.ids[0]} is stored after page {event.parent}, which is under another namespace"

    def _identify(self, id_: int, page: Page) -> list[tuple[str, str]]:
        """Remember what an id stands for. Returns what contradicts it."""
        known, found = hash(page), list[tuple[str, str]]()
        if self._page_of.get(id_, known) != known:
            found.append((EVENT_ID, f"id {id_} was stored for another page before"))
        if self._id_of.get(known, id_) != id_:
            found.append((EVENT_ID, f"page {id_} was stored with the id {self._id_of[known]} before"))
        self._page_of[id_], self._id_of[known] = known, id_
        if len(self._page_of) > self._limit:
            self._page_of = {id_: known for id_, known in self._page_of.items() if self.anywhere(id_) is not None}
            self._id_of = {known: id_ for id_, known in self._page_of.items()}
            self._limit = len(self._page_of) + self.remembered_max
        return found

    def _remove(self, event: Removed) -> list[tuple[str, str]]:
        found, gone = list[tuple[str, str]](), list[int]()
        for id_ in event.ids:
            if self.holds(event.medium, (id_,)):
                self._drop(event.medium, id_)
                gone.append(id_)
            else:
                found.append((EVENT_ORDER, f"page {id_} is removed from the {event.medium}, which has it not"))
        for id_ in gone:
            if event.medium == DEVICE and self._following[DEVICE, id_]:
                found.append((EVENT_PARENT, f"page {id_} is removed from the device, which has a page that follows it"))
            elif self.anywhere(id_) is None and any(self._following[medium, id_] for medium in self.pages):
                found.append((EVENT_PARENT, f"page {id_} is removed from the last tier that has it; a page that follows it stays"))
        return found

    def _drop(self, medium: str, id_: int) -> None:
        parent = self.pages[medium].pop(id_).parent
        if parent is not None:
            self._following[medium, parent] -= 1
            if not self._following[medium, parent]:
                del self._following[medium, parent]


def _length(prefix: Key | None) -> tuple[int, str]:
    """What orders a prefix among others: the shortest first."""
    return (0, "") if prefix is None else (len(prefix.tokens), repr(prefix))
