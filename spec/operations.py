"""The operations: what a caller calls. Each is a guard, a chain of transitions, and an answer.

A call for which one of its refusals holds gets that typed error and changes nothing. A call that is admitted takes the transitions of its
chain, one after the other; `spec/run/cache_machine.py` runs them, and the proofs of what a call promises read the same chains
(`verification/proofs/promises.py`). Nothing is left to choose but which free pages are handed out. What a caller cannot ask for with keys,
slots and receipts (a lock under a name that is live, a decode of two tokens) has no refusal here; the guard of the step stops it.

    match    the longest cached prefix; refreshes its times        start    a request: match, lock it, slots for the rest
    peek     the same, and changes nothing                         chunk    cache the whole pages so far, lock the deeper node
    insert   cache the whole pages of a key                        decode   one more token
    lock     protect the path to a node                            finish   cache the whole pages, then unlock and free the rest
    unlock   release a lock                                        abort    unlock and free, cache nothing
    evict    free so many tokens, least leaf first                 alloc    slots for a caller        free   take them back
    reset    forget everything

`insert` and `finish` count one hit on their whole path, no other operation counts any. An insert takes the slots that its caller had
allocated and filled: within the call they count as free pages that it fills.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from radixcheck.spec.logic import BOOL, INT, Term, exists, forall, ite, lift, old, total, var
from radixcheck.spec.policies import Policy
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import BEGIN, EVICT, EXTEND, FILL, GROW, RELEASE, RELOCK, RESET, SPLIT, TOUCH, larger, n, s, y
from radixcheck.spec.updates import Transition
from radixcheck.spec.values import BadAmount, CacheError, NoRoom, NotLocked, RequestExists, StaleHandle, StillHeld, UnknownRequest

# What the caller gives: a holder, where its tokens end, a node, a number of tokens, a priority.
h, target = var("h", REQUEST), var("target", POS)
tokens, given_priority = var("tokens", INT), var("given_priority", INT)
# What follows from it and from the state at the call.
key = var("key", POS)  # the whole pages of the target
longest = var("longest", POS)  # the longest cached prefix of the key
# What a postcondition may ask of a call, beside the above.
found = var("found", POS)  # the cached prefix that the call is about: that of the answer, or the node to lock
used = var("used", POS)  # the end of the path that is accessed; eps: the call refreshes nothing
hit = var("hit", INT)  # hits that the access adds to each token
new_priority = var("new_priority", INT)  # the priority of the access: no used token has a lower one afterwards
needed = var("needed", INT)  # tokens of the slots that the call takes
wanted = var("wanted", INT)  # tokens that the call has to evict
last_size = var("last_size", INT)  # tokens of the last victim
admitted = var("admitted", BOOL)  # the call was not refused

PARAMETERS = (key, found, used, hit, given_priority, new_priority, wanted, needed, admitted, last_size, h)

LONGEST = ((longest == eps) | cached(longest)) & (longest <= key) & forall(POS, lambda k: (cached(k) & (k <= key)) >> (k <= longest))
FREED = total(POS, lambda k: old(cached(k)) & ~cached(k) & (owner(old(page(k))) != LOST), lambda k: page_size)  # tokens, since the call
NOTHING_HELD = forall(REQUEST, lambda g: ~held(g))
GOES_ON = FREED < wanted  # an eviction has not freed enough yet
LEAF_LEFT = exists(POS, lambda w: candidate(w))
FITS = needed <= available + evictable - evictable_path(found)  # what is free and evictable, but for what was found, is enough


def least(policy: Policy) -> Term:
    """n is the least evictable leaf of the policy."""
    return candidate(n) & forall(POS, lambda w: candidate(w) >> ~policy.before(w, n))


@dataclass(frozen=True, slots=True, eq=False)
class Refusal:
    """One part of a guard: the error that is raised if `when` holds at the call."""

    error: type[CacheError]
    when: Term
    message: str  # with a place {} for each of the values
    values: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """One transition with its arguments, if `when` holds; both are read in the state that the chain has reached.

    Three variables are chosen: n is the least leaf of the policy (`least`), y the next position on the way to the target, s a free page.
    """

    transition: Transition
    arguments: tuple[Term, ...]
    when: Term = field(default_factory=lambda: lift(True))

    @property
    def always(self) -> bool:
        """Whether it has no condition."""
        return self.when.op == "const"


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One place in a chain: the first of these transitions whose condition holds is taken, or none. A loop repeats until none holds."""

    takes: tuple[Take, ...]
    loop: bool = False

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the transitions that may be taken here."""
        return tuple(take.transition.name for take in self.takes)

    @property
    def sure(self) -> bool:
        """Whether one of them is taken at least once."""
        return not self.loop and self.takes[-1].always


Chain = tuple[Stage, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """What a caller calls. Refusals, key, longest and values are read in the state at the call."""

    name: str
    takes: tuple[Term, ...]  # what the caller gives
    chain: Chain
    refusals: tuple[Refusal, ...] = ()
    key: Term = eps
    values: Mapping[str, Term] = field(default_factory=dict)  # of found, used, hit, new_priority, needed, wanted; eps or 0 if left out
    answer: Term | None = None  # tokens


def _once(transition: Transition, *arguments: Term) -> Stage:
    return Stage((Take(transition, arguments),))


def _when(condition: Term, transition: Transition, *arguments: Term) -> Stage:
    return Stage((Take(transition, arguments, condition),))


def _access(end_of_path: Term, hits_: int, priority_: Term) -> dict[str, Term]:
    return {"used": end_of_path, "hit": lift(hits_), "new_priority": priority_}


_ZERO = lift(0)
SPLIT_AT_LONGEST = _when((longest != eps) & ~node(longest), SPLIT, longest, end(longest))
# Evict least leaves until enough is freed or none is left.
EVICT_WANTED = Stage((Take(EVICT, (n,), GOES_ON & LEAF_LEFT),), loop=True)
# Free pages for the rest of the target, page by page.
EXTEND_TO_TARGET = Stage((Take(EXTEND, (h, y, s), tok(h) != target),), loop=True)


def _cache_request(hits_: int, priority_: Term) -> Chain:
    """Adopt what is cached already, then give the rest to the tree as one new leaf, or only touch. The clock ticks once."""
    grow = Take(GROW, (h, key, lift(hits_), priority_), longest != key)
    return (SPLIT_AT_LONGEST, _when(longest != at(h), RELOCK, h, longest), Stage((grow, Take(TOUCH, (key, lift(hits_), priority_)))))


_NEGATIVE_PRIORITY = Refusal(BadAmount, given_priority < 0, "priority {} is negative; give 0 or more", (given_priority,))
_NO_ROOM = Refusal(NoRoom, ~FITS, "{} tokens needed, {} free and {} evictable", (needed, available, evictable - evictable_path(found)))
_UNKNOWN = Refusal(UnknownRequest, ~held(h), "request {} is not live", (h,))
_NOT_LOCKED = Refusal(NotLocked, ~held(h), "lock {} is not held", (h,))
_SHORTFALL = larger(_ZERO, needed - available)
_KEY, _OWN_KEY = aligned(target), aligned(tok(h))

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation(
            "match",
            (target,),
            (SPLIT_AT_LONGEST, _once(TOUCH, longest, _ZERO, _ZERO)),
            key=_KEY,
            values={"found": longest, "used": longest},
            answer=length(longest),
        ),
        Operation("peek", (target,), (), key=_KEY, values={"found": longest}, answer=length(longest)),
        Operation(
            "insert",
            (h, target, given_priority),
            (_once(BEGIN, h, eps, given_priority), EXTEND_TO_TARGET, *_cache_request(1, given_priority), _once(RELEASE, h)),
            (_NEGATIVE_PRIORITY,),
            _KEY,
            {"found": longest, **_access(key, 1, given_priority)},
            length(longest),
        ),
        Operation(
            "lock",
            (h, n),
            (_once(BEGIN, h, n, _ZERO),),
            (Refusal(StaleHandle, ~node(n) & (n != eps), "the node of this handle has left the tree"),),
            values={"found": n},
        ),
        Operation("unlock", (h,), (_once(RELEASE, h),), (_NOT_LOCKED,)),
        Operation(
            "evict",
            (tokens,),
            (EVICT_WANTED,),
            (Refusal(BadAmount, tokens < 0, "cannot evict {} tokens", (tokens,)),),
            values={"wanted": tokens},
            answer=FREED,
        ),
        Operation(
            "alloc",
            (h, target),
            (EVICT_WANTED, _once(BEGIN, h, eps, _ZERO), EXTEND_TO_TARGET),
            (_NO_ROOM,),
            values={"needed": room(target), "wanted": _SHORTFALL},
        ),
        Operation("free", (h,), (_once(RELEASE, h),), (_NOT_LOCKED,)),
        Operation("reset", (), (_once(RESET),), (Refusal(StillHeld, ~NOTHING_HELD, "something is still held"),)),
        Operation(
            "start",
            (h, target, given_priority),
            (
                SPLIT_AT_LONGEST,
                _once(TOUCH, longest, _ZERO, _ZERO),
                _once(BEGIN, h, longest, given_priority),
                EVICT_WANTED,
                EXTEND_TO_TARGET,
            ),
            (Refusal(RequestExists, held(h), "request {} is live", (h,)), _NEGATIVE_PRIORITY, _NO_ROOM),
            _KEY,
            {"found": longest, "used": longest, "needed": room(target) - length(longest), "wanted": _SHORTFALL},
            length(longest),
        ),
        Operation(
            "chunk",
            (h,),
            _cache_request(0, request_priority(h)),
            (_UNKNOWN,),
            _OWN_KEY,
            {"found": key, **_access(key, 0, request_priority(h))},
            length(key),
        ),
        Operation(
            "decode",
            (h, target),
            (EVICT_WANTED, Stage((Take(EXTEND, (h, target, s), whole(tok(h))), Take(FILL, (h, target))))),
            (_UNKNOWN, _NO_ROOM),
            values={"needed": ite(whole(tok(h)), page_size, 0), "wanted": _SHORTFALL},
        ),
        Operation(
            "finish",
            (h,),
            (*_cache_request(1, request_priority(h)), _once(RELEASE, h)),
            (_UNKNOWN,),
            _OWN_KEY,
            {"found": key, **_access(key, 1, request_priority(h))},
        ),
        Operation("abort", (h,), (_once(RELEASE, h),), (_UNKNOWN,)),
    )
}


def taking(*transitions: Transition) -> tuple[str, ...]:
    """Names of the operations in whose chain one of these transitions may be taken."""
    names = {transition.name for transition in transitions}
    return tuple(o.name for o in OPERATIONS.values() if any(names & {*stage.steps} for stage in o.chain))
