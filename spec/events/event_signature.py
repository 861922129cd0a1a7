"""The words of events, beside those of `spec/host/host_signature.py`.

A fold keeps ids. An id stands for one position only (EVENT_ID), so that what a fold holds is stated of positions:

    announced(q)         after the events so far the fold has q on the device
    host_announced(q)    the same of the host
    misplaced(q)         an event has stored q on a tier where the fold had it, or removed it from one where the fold had it not
    page_id(q)           the id of the last page of q
    last_page(q)         the tokens of that page, as one number

An id is a digest of the namespace of a first page, or of the id of the page before, and of the tokens (`event_values.py`). That no two
cached pages with different inputs have the same id is assumed, as DIGEST. With 64 bits that fails in one of about forty sets of a billion
pages.
"""

from collections.abc import Callable

from radixcheck.spec.host.host_signature import *
from radixcheck.spec.logic import BOOL, INT, Function, Term, conj, forall
from radixcheck.spec.signature import *

announced = Function("announced", (POS,), BOOL, "state")
host_announced = Function("host_announced", (POS,), BOOL, "state")
misplaced = Function("misplaced", (POS,), BOOL, "state")
page_id = Function("page_id", (POS,), INT, "rigid")
last_page = Function("last_page", (POS,), INT, "rigid")


def same_place(p: Term, q: Term) -> Term:
    """Both are first pages, or neither is."""
    return (prev(p) == eps) == (prev(q) == eps)


def same_namespace(p: Term, q: Term) -> Term:
    """If both are first pages, they are under one namespace."""
    return ((prev(p) == eps) & (prev(q) == eps)) >> (namespace(p) == namespace(q))


def same_parent(p: Term, q: Term) -> Term:
    """If neither is a first page, both follow pages with one id."""
    return ((prev(p) != eps) & (prev(q) != eps)) >> (page_id(prev(p)) == page_id(prev(q)))


def same_tokens(p: Term, q: Term) -> Term:
    """Their pages have the same tokens."""
    return last_page(p) == last_page(q)


INPUTS = (same_place, same_namespace, same_parent, same_tokens)


def digest(inputs: tuple[Callable[[Term, Term], Term], ...] = INPUTS) -> Term:
    """Cached positions with one id agree in what the id is made of."""

    def agree(p: Term, q: Term) -> Term:
        return conj(*(same(p, q) for same in inputs))

    return forall((POS, POS), lambda p, q: (cached(p) & cached(q) & (page_id(p) == page_id(q))) >> agree(p, q))


DIGEST = digest()
# What a position is: its namespace, and its pages in order.
POSITIONS = forall(
    (POS, POS), lambda p, q: (cached(p) & cached(q) & (prev(p) == prev(q)) & (namespace(p) == namespace(q)) & same_tokens(p, q)) >> (p == q)
)
