"""What the calls of a cache with a host tier promise, along the steps of `spec/host/host_operations.py`.

What tokens carry is that of the tree, whichever tier holds them: nothing that is copied, demoted or loaded is refreshed, or forgets
anything. What is evicted, and what is left alone, is promised of each tier.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from radixcheck.spec.host.host_operations import CALLS, steps_of
from radixcheck.spec.host.host_signature import *
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.logic import BOOL, INT, Function, conj, exists, forall, lift, old, total, var
from radixcheck.spec.operations import Chain, Stage, Take, key, last_size, wanted
from radixcheck.spec.transitions import h, n, x
from radixcheck.spec.updates import after
from radixcheck.verification.proofs.conditions import ANY, locks
from radixcheck.verification.proofs.host_conditions import HOST_LAWS, host_formulas, host_given, pinned, two_holders
from radixcheck.verification.proofs.host_step_postconditions import HOST_FUNCTIONS
from radixcheck.verification.proofs.laws import balance, descends, interval
from radixcheck.verification.proofs.promise_chains import OF_CALL, Known, Promise, Promises, since_call, with_values
from radixcheck.verification.proofs.promises import NODES_STAY, TOKENS
from radixcheck.verification.proofs.promises import PROMISES as TODAYS
from radixcheck.verification.proofs.step_postconditions import STATE_FUNCTIONS

STEPS = {step.name: step for step in TIERED}
_MAYBE = var("maybe", BOOL)


def chain_of(pattern: str) -> Chain:
    """Return the stages of a pattern over the names of steps. A group that repeats, or has groups inside, may take any of its steps."""
    stages = list[Stage]()
    for word, group, suffix in _parts(pattern):
        names = re.findall(r"[a-z_]+", word or group)
        takes = [Take(STEPS[name], ()) for name in names]
        if suffix == "?" and len(names) == 1:
            takes = [Take(STEPS[name], (), _MAYBE) for name in names]
        plain = not suffix or (len(names) == 1 and suffix == "?")
        stages.append(Stage(tuple(takes), loop=not plain))
    return tuple(stages)


def _parts(pattern: str) -> Iterator[tuple[str, str, str]]:
    """Yield the parts of a pattern: a name, or a group with what follows it."""
    at = 0
    while at < len(pattern):
        if pattern[at] != "(":
            word = pattern[at:].split(" ", 1)[0]
            at += len(word) + 1
            yield word, "", ""
            continue
        end, depth = at, 0
        while not (depth == 1 and pattern[end] == ")"):
            depth += {"(": 1, ")": -1}.get(pattern[end], 0)
            end += 1
        suffix = pattern[end + 1 : end + 2] if pattern[end + 1 : end + 2] in ("*", "+", "?") else ""
        yield "", pattern[at + 1 : end], suffix
        at = end + 1 + len(suffix)


def _new_nothing(tier: Function) -> Promise:
    """Return the promise that a tier holds nothing that it did not hold at the call."""
    return Promise(f"NOTHING_NEW_{tier.name.upper()}", forall(POS, lambda q: tier(q) >> old(tier(q))))


def _exact(id_: str, tier: Function, *steps: str) -> Promise:
    """Return the promise that the evictions from a tier stop as soon as enough of it is free."""
    freed_here = total(POS, lambda k: old(tier(k)) & ~tier(k), lambda k: page_size)
    freed, (tokens, counted) = since_call(freed_here), interval(up(n), n)
    goes_on, last = with_values(freed_here < wanted, {}), with_values(last_size, {}) == size(n)
    nothing_new = _new_nothing(tier)
    there = forall((POS, POS), lambda m, q: (node(m) & tier(m) & (up(m) < q) & (q <= m)) >> tier(q))
    on_some_tier = forall(POS, lambda m: node(m) >> (resident(m) | hosted(m)))
    lemmas = Known(f"WHOLE_NODES_{tier.name.upper()}", there, because=()), Known("ON_SOME_TIER", on_some_tier, because=())
    knows = (Known(nothing_new.id, nothing_new.formula, nothing_new.id), Known("GOES_ON", goes_on), Known("LAST", last), *lemmas)
    return Promise(
        id_,
        (lift(0) < freed_here) >> (freed_here - last_size < wanted),
        gives={step: {} for step in steps},
        before={"last_size": var("last_size_before", INT)},
        knows=dict.fromkeys(steps, knows),
        laws={step: (counted, after(balance([freed], [old(freed), old(tokens)]), STEPS[step])) for step in steps},
    )


# Holders that were live at the call are still, and lock as much. A copy that begins and ends within the call was not among them.
HELD_KEPT = Promise(
    "HELD_KEPT",
    forall(REQUEST, lambda g: old(held(g)) >> (held(g) & (old(at(g)) <= at(g)))),
    knows={"release": (Known("OF_THE_CALL", ~old(held(h))),)},
)


def _unlocked() -> Promise:
    """What is locked at the call stays on the device, and locked: whoever locked it still does."""
    formula = forall(POS, lambda k: (old(resident(k)) & (old(lock(end(k))) > 0)) >> (resident(k) & (lock(end(k)) > 0)))
    p, g, other = var("p_goal", POS), var("g_goal", REQUEST), var("h_goal", REQUEST)
    twice = forall(
        (POS, REQUEST, REQUEST),
        lambda p, g, h: (node(p) & held(g) & held(h) & (g != h) & (p <= at(g)) & (p <= at(h))) >> (lift(2) <= lock(p)),
    )
    two = Known("TWO_LOCKS", twice, because=(), laws=tuple(two_holders(p, other, g)))
    counted = Known("LOCK_COUNT at the call", old(host_formulas(ANY)["LOCK_COUNT"]))
    by_someone = forall(POS, lambda p: (node(p) & (lift(0) < lock(p))) >> exists(REQUEST, lambda g: held(g) & (p <= at(g))))
    found = Known("LOCKED_BY", old(by_someone), because=(counted,), laws=(since_call(old(balance([locks(p)], []))),))
    shaped = (Known(f"{id_} at the call", old(host_formulas(ANY)[id_])) for id_ in ("COVER", "REACHABLE"))
    kept = Known(HELD_KEPT.id, HELD_KEPT.formula, HELD_KEPT.id)
    still = forall(
        POS, lambda k: (old(resident(k)) & (old(lock(end(k))) > 0)) >> exists(REQUEST, lambda g: old(held(g)) & held(g) & (k <= at(g)))
    )
    locked = Known("STILL_LOCKED_BY", still, because=(found, *shaped, kept))
    return Promise("EVICT_UNLOCKED", formula, knows={"release": (two, locked, Known("OF_THE_CALL", ~old(held(h))))})


def _unpinned() -> Promise:
    """What a load reads at the call stays on the host, and pinned."""
    formula = forall(POS, lambda q: (old(hosted(q)) & (old(pins(end(q))) > 0)) >> (hosted(q) & (pins(end(q)) > 0)))
    p = var("p_goal", POS)
    by_someone = forall(POS, lambda p: (node(p) & (lift(0) < pins(p))) >> exists(REQUEST, lambda g: loading(g) & in_span(g, p)))
    read = Known("PINNED_BY", by_someone, because=(), laws=(balance([pinned(p)], []),))
    return Promise("HOST_UNPINNED", formula, knows={"fail_save": (read,)})


def _loadable() -> Promise:
    """What has left the device and stays cached can be loaded."""
    return Promise(
        "NO_WRITE_BACK_LOSS",
        forall(POS, lambda q: (old(resident(q)) & ~resident(q) & cached(q)) >> (hosted(q) & host_filled(host_page(q)))),
    )


def _covers() -> Promise:
    """Every whole page of the key is on the device. Where nothing is added, the call has adopted or revived all of it before."""
    formula = forall(POS, lambda k: ((k <= key) & (k != eps)) >> resident(k))
    there = Known("ON_DEVICE", (n == eps) | resident(n))
    return Promise("INSERT_COVERS", formula, {"touch": {"key": n}, "grow": {"key": x}}, None, knows={"touch": (there,)})


# While nodes only leave the host, those that are left have kept their parents, and their keys.
NODES_OLD = Promise("NODES_OLD", forall(POS, lambda m: node(m) >> (old(node(m)) & (up(m) == old(up(m))))))
NODES_LEFT = Promise("NODES_LEFT", NODES_STAY)
KEYS_KEPT = Promise(
    "KEYS_KEPT", forall(POS, lambda m: (old(node(m)) & node(m)) >> conj(*(f(m) == old(f(m)) for f in (time, creation, hits, priority))))
)


def _host_order() -> Promise:
    """The least host leaf is taken each time. One that was a host leaf at the call, and is one now, was one all the time."""
    formula = forall(
        (POS, POS), lambda v, u: (old(node(v)) & ~cached(v) & old(host_candidate(u)) & host_candidate(u)) >> old(ANY.before(v, u))
    )
    a, b = var("a_goal", POS), var("b_goal", POS)
    apart = forall((POS, POS), lambda a, b: (host_candidate(a) & host_candidate(b) & (a != b)) >> (ANY.before(a, b) | ANY.before(b, a)))
    knows = (
        Known("LEAST", host_candidate(n) & forall(POS, lambda w: host_candidate(w) >> ~ANY.before(w, n))),
        Known("HOST_NO_TIES", apart, because=(), laws=(descends(a), descends(b))),
        *(Known(promise.id, promise.formula, promise.id) for promise in (NODES_OLD, NODES_LEFT, KEYS_KEPT)),
    )
    return Promise("HOST_ORDER", formula, knows={"evict_host": knows})


def _last_release() -> Promise:
    """As for a cache without a host tier. The copies that a finish issues afterwards have holders of their own."""
    today = TODAYS["FREE_AT_LAST_RELEASE"]
    return replace(today, knows={**today.knows, "begin": (Known("ITS_OWN", h != OF_CALL["h"]),)})


def _reset() -> Promise:
    today = TODAYS["RESET_QUIESCENT"]
    emptied = forall(POS, lambda q: ~hosted(q)) & forall(HOST_PAGE, lambda t: host_owner(t) == FREE)
    return replace(today, formula=today.formula & emptied)


PROMISES: dict[str, Promise] = {
    promise.id: promise
    for promise in (
        *(TODAYS[id_] for id_ in ("ADDS", *TOKENS, "HIT_PRESERVES", "OWN_KEPT")),
        Promise("DEVICE_KEPT", forall(POS, lambda q: old(resident(q)) >> resident(q))),
        Promise("HOST_KEPT", forall(POS, lambda q: old(hosted(q)) >> hosted(q))),
        *(HELD_KEPT, _unlocked(), _unpinned(), _loadable(), _covers(), _last_release(), _reset()),
        *(_new_nothing(resident), _exact("EVICT_EXACT", resident, "demote", "delete")),
        *(_new_nothing(hosted), _exact("HOST_EXACT", hosted, "evict_host")),
        *(NODES_OLD, NODES_LEFT, KEYS_KEPT, _host_order()),
    )
}
# What a step may do that breaks a promise. A call whose steps do none of it keeps the promise.
_UNLESS = {
    "HIT_PRESERVES": {"delete", "evict_host"},
    "DEVICE_KEPT": {"demote", "delete", "fail_load"},
    "HOST_KEPT": {"evict_host", "fail_save"},
}
_EVICTING, _HOST_EVICTING = {"demote", "delete"}, {"evict_host"}


def promised(call: str) -> Iterator[str]:
    """Yield the ids of what a call promises."""
    steps = steps_of(call)
    if call == "reset":
        yield "RESET_QUIESCENT"
        return
    yield from ("ADDS", *TOKENS)
    yield from (id_ for id_, breaking in _UNLESS.items() if steps.isdisjoint(breaking))
    if steps & _EVICTING:
        yield from ("EVICT_UNLOCKED", "NO_WRITE_BACK_LOSS")
    if steps & _HOST_EVICTING:
        yield "HOST_UNPINNED"
    if call in ("evict", "alloc", "decode"):
        yield "EVICT_EXACT"
    if call == "evict_host":
        yield from ("HOST_EXACT", "HOST_ORDER")
    if call in ("insert", "chunk", "finish"):
        yield "INSERT_COVERS"
    if call in ("finish", "abort", "free", "unlock"):
        yield "FREE_AT_LAST_RELEASE"


@dataclass(frozen=True, slots=True, eq=False)
class HostPromises(Promises):
    """Promises of calls that go on after a step, and then break what the step knows: an insert evicts from the host."""

    def _earlier(self, operation: str, stages: Chain, i: int) -> Chain:
        """The stages before stage i, and the stage itself if it repeats."""
        return stages[: i + stages[i].loop]


HOST_PROMISES = HostPromises(
    STEPS,
    PROMISES,
    {call: chain_of(pattern) for call, pattern in CALLS.items()},
    promised,
    host_given(ANY),
    frozenset(f.name for f in (*STATE_FUNCTIONS, *HOST_FUNCTIONS)),
    laws=HOST_LAWS,
)
