"""Traces as short JSON: a token that repeats is written once, with a count. Pages of 256 equal tokens are common in random keys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from itertools import groupby
from typing import Any

from radixcheck.verification.checker.coverage import Origin
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.operations import Op


def packed_tokens(tokens: Iterable[int]) -> list[Any]:
    """Return tokens, with [token, count] for one that repeats.

    >>> packed_tokens((1, 7, 7, 7, 2))
    [1, [7, 3], 2]
    """
    runs = ((token, len(list(same))) for token, same in groupby(tokens))
    return [token if count == 1 else [token, count] for token, count in runs]


def unpacked_tokens(tokens: Iterable[Any]) -> tuple[int, ...]:
    """Return the tokens that `packed_tokens` wrote.

    >>> unpacked_tokens([1, [7, 3], 2])
    (1, 7, 7, 7, 2)
    """
    return tuple(token for each in tokens for token in ([each[0]] * each[1] if isinstance(each, list) else [each]))


def packed_op(op: Op) -> dict[str, Any]:
    """Return an operation as a JSON object."""
    data = op.to_json()
    return data | {"tokens": packed_tokens(data["tokens"])} if "tokens" in data else data


def unpacked_op(data: Mapping[str, Any]) -> Op:
    """Return the operation that `packed_op` wrote."""
    namespace = _hashable(data.get("namespace", ()))
    return Op.from_json({**data, "tokens": unpacked_tokens(data.get("tokens", ())), "namespace": namespace})


def packed_trace(trace: Iterable[Op]) -> list[Any]:
    """Return the operations of a trace."""
    return list(map(packed_op, trace))


def unpacked_trace(data: Sequence[Any]) -> tuple[Op, ...]:
    """Return the operations that `packed_trace` wrote."""
    return tuple(map(unpacked_op, data))


def packed(recorded: Recorded) -> dict[str, Any]:
    """Return a trace with its configuration."""
    names = {"subject": recorded.subject, "property": recorded.property}
    return {"config": recorded.config.to_json(), **names, "trace": packed_trace(recorded.trace)}


def unpacked(data: Mapping[str, Any]) -> Recorded:
    """Return the trace that `packed` wrote."""
    return Recorded(Config(**data["config"]), unpacked_trace(data["trace"]), data["subject"], data["property"])


def packed_found(found: Found) -> dict[str, Any]:
    """Return a violation with its trace."""
    config, trace = found.config.to_json(), packed_trace(found.trace)
    return {**found.violation._asdict(), "config": config, "trace": trace, "ends_process": found.ends_process}


def unpacked_found(data: Mapping[str, Any]) -> Found:
    """Return the violation that `packed_found` wrote."""
    violation = Violation(data["property"], data["text"], data["follows_from"])
    return Found(violation, unpacked_trace(data["trace"]), Config(**data["config"]), data["ends_process"])


def origin_json(origin: Origin) -> list[Any]:
    """Return a random run as a JSON list."""
    numbers = [origin.seed, origin.operations, origin.stride, origin.longest]
    return [list(astuple(origin.config)), numbers, [list(fork) for fork in origin.forks]]


def origin_from_json(data: Sequence[Any]) -> Origin:
    """Return the run that `origin_json` wrote."""
    config, (seed, operations, stride, longest), forks = data
    return Origin(Config(*config), seed, operations, stride, longest, tuple((at, other) for at, other in forks))


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value
