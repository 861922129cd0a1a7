"""The calls of a cache with a host tier: the steps that each takes, in order, as a pattern over their names.

`(a|b )` is a choice, `(a )?` a step that may be left out, `(a )*` a loop. `spec/run/host_machine.py` runs the calls, and a test compares
the steps of every call with its pattern. Which node, position and page each step takes is said here in words.

write_through: `insert`, `chunk` and `finish` back up, after they have cached, each node on the path of the key that the host has not and
that was hit once or more, from the root down. write_through_selective: twice or more. Both back up what lies above a node first, whatever
its hits. write_back: a node is backed up when it is evicted from the device, and the eviction waits for the copy.

A backup makes room on the host by evicting least host leaves, the shortfall and no more; where all of them do not suffice it evicts none
and is not issued. A load makes room on the device in the same way, with its floor locked and its span pinned.

A copy that fails is undone where nothing rests on it (the guards of FAIL_SAVE and FAIL_LOAD). Otherwise it is issued again from the same
slots into the same slots, which changes nothing here: by SOURCE, what it reads is still there.
"""

_MAKE_HOST_ROOM = "(evict_host )*"
_BACKUP = f"{_MAKE_HOST_ROOM}begin save (reserve )+send "
_SETTLED = "(ack_save |fail_save )release "
# The least device leaf leaves the device. What only the host has behind it goes first where it cannot be kept.
_VICTIM = f"(({_BACKUP}{_SETTLED})?{_MAKE_HOST_ROOM}(demote |delete ))"
_MAKE_ROOM = f"({_VICTIM})*"
_LOAD = f"begin pin {_MAKE_ROOM}(extend )+load "
_CACHE = "(split )?(relock )?(revive )?(grow |touch )"

CALLS: dict[str, str] = {
    "match": "(split )?touch ",
    "peek": "",
    "insert": f"begin (extend )*{_CACHE}release ({_BACKUP})*",
    "lock": "begin ",
    "unlock": "release ",
    "evict": _MAKE_ROOM,
    "alloc": f"{_MAKE_ROOM}begin (extend )*",
    "free": "release ",
    "reset": "reset ",
    "start": f"(split )?touch ({_LOAD})?begin {_MAKE_ROOM}(extend )*",
    "chunk": f"{_CACHE}({_BACKUP})*",
    "decode": f"{_MAKE_ROOM}(extend |fill )",
    "finish": f"{_CACHE}release ({_BACKUP})*",
    "abort": "release ",
    "run": "run ",
    "load_back": f"({_LOAD})?",
    "backup": f"({_BACKUP})*",
    "poll": "((ack_load |fail_load |ack_save |fail_save )release )*",
    "evict_host": _MAKE_HOST_ROOM,
}


def steps_of(call: str) -> frozenset[str]:
    """Return the names of the steps that a call may take.

    >>> sorted(steps_of("match"))
    ['split', 'touch']
    """
    return frozenset("".join(c if c.isalpha() or c == "_" else " " for c in CALLS[call]).split())
