"""The batches of SGLang and vLLM, from plain values into events of the specification.

    batch     [ts, [event, ..], rank]           or an object with `ts`, `events` and, if any, `attn_dp_rank` or `data_parallel_rank`
    event     {"type": "BlockStored", ..}       an object, as both write it today
              ["BlockStored", ..]               or a list of the fields in order, as earlier versions did

    BlockStored        block_hashes, parent_block_hash, token_ids, block_size, lora_id; then, if any: medium, lora_name, cache_salt,
                       extra_keys, group_idx, kv_cache_spec_kind, locality, ownership, lookahead_token_ids
    BlockRemoved       block_hashes; then, if any: medium, group_idx, locality, ownership
    AllBlocksCleared

An id is an integer or bytes. `medium` is GPU (or none: the device), CPU or CPU_PINNED (the host), or another name, kept as it is. The
namespace holds the adapter and the salt. What else a block depends on beside its tokens (`extra_keys`, such as an image, and
`lookahead_token_ids`) makes its first token another one: two images behind the same tokens are two pages. Other fields are ignored, by
name: later versions add some.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

from radixcheck.spec.events.event_values import DEVICE, HOST, Cleared, Event, Removed, Stored
from radixcheck.spec.values import Namespace
from radixcheck.verification.event_streams.payload import StreamError, is_count, short

MEDIA = {None: DEVICE, "GPU": DEVICE, "CPU": HOST, "CPU_PINNED": HOST}
STORED, REMOVED, CLEARED = "BlockStored", "BlockRemoved", "AllBlocksCleared"
JUDGED_KINDS = (None, "full_attention", "mla_attention", "sink_full_attention")  # of a group whose blocks leave longest first

_STORED = ("block_hashes", "parent_block_hash", "token_ids", "block_size", "lora_id", "medium", "lora_name", "extra_keys", "group_idx")
_LATER = ("kv_cache_spec_kind", "kv_cache_spec_sliding_window", "locality", "ownership", "session_id", "lookahead_token_ids")
FIELDS = {STORED: (*_STORED, *_LATER), REMOVED: ("block_hashes", "medium", "group_idx", "locality", "ownership"), CLEARED: ()}
REQUIRED = {STORED: 4, REMOVED: 1, CLEARED: 0}  # how many of the first fields every version has
RANKS = ("attn_dp_rank", "data_parallel_rank")
TOKEN_BITS = 64  # above these bits of a first token stands what else its block depends on
SHIFT = 32  # between the two tokens of a pair, as speculative decoding has them


class Reported(NamedTuple):
    """One event of a batch."""

    event: Event
    group: int = 0  # blocks of different groups are different, whatever their ids
    block_size: int = 0  # tokens; 0: the event has none
    kind: str | None = None  # of the group; None: not given
    names_group: bool = False  # as vLLM's events do, which show all that an id depends on, and may be about copies of a block


class Batch(NamedTuple):
    """The events that a server sent together."""

    rank: int  # of the publisher among several
    time: float  # seconds, as the server gives them
    events: tuple[Reported, ...]


def batch_of(value: Any) -> Batch:
    """Return the batch of a plain value. Raise StreamError."""
    match value:
        case [int() | float() as time, list() as events, *rest] if len(rest) <= 1:
            rank = rest[0] if rest else None
        case {"ts": int() | float() as time, "events": list() as events}:
            rank = next((value[name] for name in RANKS if value.get(name) is not None), None)
        case _:
            raise StreamError(
                f"is {short(value)}, not a batch [time, [events], rank] as SGLang and vLLM send it: perhaps of another version"
            )
    if rank is not None and not is_count(rank):
        raise StreamError(f"has the rank {short(rank)}, not an integer from 0")
    return Batch(rank or 0, time, tuple(_reported(number, each) for number, each in enumerate(events)))


def _reported(number: int, value: Any) -> Reported:
    """Return one event. Raise StreamError, which names it by its number."""
    try:
        kind, fields = _fields(value)
        if kind == CLEARED:
            return Reported(Cleared())
        group, names_group = _optional_count(fields, "group_idx"), fields.get("group_idx") is not None
        medium, ids = _medium(fields), tuple(map(_id, _list(fields, "block_hashes")))
        if kind == REMOVED:
            return Reported(Removed(medium, ids), group, names_group=names_group)
        return _stored(fields, medium, ids, group)._replace(names_group=names_group)
    except StreamError as error:
        raise StreamError(f"event {number} of the batch {error}") from error
    except RecursionError as error:
        raise StreamError(f"event {number} of the batch is nested too deeply") from error


def _fields(value: Any) -> tuple[str, dict[str, Any]]:
    """Return the type of an event, and its fields by name."""
    match value:
        case {"type": str() as kind}:
            fields = value
        case [str() as kind, *rest] if len(rest) <= len(FIELDS.get(kind, ())) or kind not in FIELDS:
            fields = dict(zip(FIELDS.get(kind, ()), rest, strict=False))
        case _:
            raise StreamError(f"is {short(value)}, not an object with a type, nor a list of a type and its fields")
    if kind not in FIELDS:
        raise StreamError(f"is of the type {short(kind)}, which is not one of {', '.join(FIELDS)}: perhaps of another version")
    missing = next((name for name in FIELDS[kind][: REQUIRED[kind]] if name not in fields), None)
    if missing is not None:
        raise StreamError(f"is a {kind} without {missing}")
    return kind, fields


def _stored(fields: dict[str, Any], medium: str, ids: tuple[int, ...], group: int) -> Reported:
    parent, size = fields["parent_block_hash"], fields["block_size"]
    if not is_count(size) or size == 0:
        raise StreamError(f"has the block_size {short(size)}, not an integer from 1")
    tokens = list(map(_token, _list(fields, "token_ids")))
    for number, keys in _block_keys(fields):
        if number * size < len(tokens):
            tokens[number * size] |= (1 + int.from_bytes(sha256(repr(keys).encode()).digest()[:8], "big")) << TOKEN_BITS
    kind = fields.get("kv_cache_spec_kind")
    if kind is not None and not isinstance(kind, str):
        raise StreamError(f"has the kv_cache_spec_kind {short(kind)}, not a text")
    event = Stored(medium, _namespace(fields), None if parent is None else _id(parent), ids, tuple(tokens))
    return Reported(event, group, size, kind)


def _block_keys(fields: dict[str, Any]) -> Iterator[tuple[int, tuple[str, Any]]]:
    """Return the number of each block that depends on more than its tokens, with what that is."""
    for name in ("extra_keys", "lookahead_token_ids"):
        if fields.get(name) is not None:
            yield from ((number, (name, keys)) for number, keys in enumerate(_list(fields, name)) if keys)


def _namespace(fields: dict[str, Any]) -> Namespace:
    """Return the adapter and the salt; the number of an adapter matters only if it has no name."""
    adapter = fields.get("lora_name") if fields.get("lora_name") is not None else fields.get("lora_id")
    components = (("lora", adapter), ("salt", fields.get("cache_salt")))
    for _, value in components:
        if value is not None and not isinstance(value, str | int):
            raise StreamError(f"has {short(value)} for an adapter or a salt, not a text or an integer")
    return tuple(pair for pair in components if pair[1] is not None)


def _medium(fields: dict[str, Any]) -> str:
    """Return the tier; one of another machine or owner is another one."""
    medium, *others = (fields.get(name) for name in ("medium", "locality", "ownership"))
    for value in (medium, *others):
        if value is not None and not isinstance(value, str):
            raise StreamError(f"has {short(value)} for a medium, a locality or an ownership, not a text")
    tier = MEDIA[medium] if medium in MEDIA else str(medium).lower()
    return " ".join((tier, *(other.lower() for other in others if other and other != "LOCAL")))


def _list(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields[name]
    if not isinstance(value, list):
        raise StreamError(f"has {short(value)} for {name}, not a list")
    return value


def _optional_count(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if value is not None and not is_count(value):
        raise StreamError(f"has the {name} {short(value)}, not an integer from 0")
    return value or 0


def _id(value: Any) -> int:
    """Return an id as an integer. Bytes have a leading 1, so that zeros before them count."""
    if type(value) is int:
        return value
    if isinstance(value, bytes) and value:
        return int.from_bytes(b"\x01" + value, "big")
    raise StreamError(f"has the id {short(value)}, not an integer or bytes")


def _token(value: Any) -> int:
    match value:
        case int() if is_count(value):
            return value
        case [int() as first, int() as second] if is_count(first) and is_count(second):
            return (first << SHIFT | second) + (1 << TOKEN_BITS - 1)
        case _:
            raise StreamError(f"has the token {short(value)}, not an integer from 0, nor a pair of them")


def id_text(id_: int) -> str:
    """Return an id as a server wrote it: an integer, or bytes in hexadecimal.

    >>> id_text(-7), id_text(_id(bytes(7) + b"ab"))
    ('-7', '000000000000006162')
    """
    return str(id_) if id_ < 1 << 64 else f"{id_:x}"[1:]
