"""Trace files: what is written is read back, an error names the line and the fix, and nothing that was there is lost."""

import json
from pathlib import Path
from typing import Any

import pytest

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.traces import PAGES_MAX, Recorded, is_trace, read, write
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import HOST_OPERATIONS, REQUEST_OPERATIONS, TREE_OPERATIONS, Op

CONFIG = Config("slru", 2, 12, "cpu")
HEADER = {"radixcheck": "trace", "version": 1, "policy": "lru", "page_size": 2, "pool": 6}
GONE = object()
EVICT = '{"op": "evict", "amount": 1}'


def file_of(folder: Path, *lines: str, **header: Any) -> Path:
    """A file with this header, changed where fields are given, without those that are `GONE`, and these lines."""
    path = folder / "a.jsonl"
    fields = {name: value for name, value in (HEADER | header).items() if value is not GONE}
    path.write_text("\n".join([json.dumps(fields), *lines]) + "\n")
    return path


@pytest.mark.parametrize("name", dict.fromkeys((*TREE_OPERATIONS, *REQUEST_OPERATIONS, *HOST_OPERATIONS, "unlock twice")))
def test_an_operation_of_each_kind_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    plain, full = Op(name), Op(name, Key((0, 7, 7), ("adapter", 7)), holder=3, amount=5, priority=-2)
    recorded = Recorded(CONFIG, (plain, full), "as-submitted:pairs", "EVICT_LEAF")

    write(tmp_path / "a.jsonl", recorded)

    assert read(tmp_path / "a.jsonl") == recorded
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 3


def test_a_host_tier_is_in_the_header_of_a_run_that_has_one(tmp_path: Path) -> None:
    tiered = Config("lru", 2, 6, host_pool=8, mode="write_back")
    write(tmp_path / "a.jsonl", Recorded(tiered, (Op("poll"),)))
    first = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[0])

    assert (first["host_pool"], first["mode"]) == (8, "write_back")
    assert read(tmp_path / "a.jsonl").config == tiered
    assert str(tiered) == "lru, pages of 2, pool of 6, host pool of 8, write_back"
    assert (tiered.tier, CONFIG.tier) == ((8, "write_back"), None)
    assert "mode" not in CONFIG.to_json()


@pytest.mark.parametrize("component", ["", "a\nb", "\N{SNOWMAN}", "\ud800", 1, "1", -1.5, None, True, ("a", ("b", 2)), ()])
def test_components_of_a_namespace_keep_their_type(component: object, tmp_path: Path) -> None:
    recorded = Recorded(CONFIG, (Op("match", Key((1,), (component, "x"))),))

    write(tmp_path / "a.jsonl", recorded)
    (again,) = read(tmp_path / "a.jsonl").trace

    assert again.key.namespace == (component, "x")
    assert type(again.key.namespace[0]) is type(component)
    assert hash(again.key) == hash(recorded.trace[0].key)


def test_the_first_line_is_the_header_of_the_documented_form(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", Recorded(Config("lru", 1, 6), (Op("evict", amount=1),), "as-submitted:pairs", "EVICT_LEAF"))

    assert (tmp_path / "a.jsonl").read_text().splitlines() == [
        '{"radixcheck": "trace", "version": 1, "policy": "lru", "page_size": 1, "pool": 6, "device": "cpu", '
        '"subject": "as-submitted:pairs", "property": "EVICT_LEAF"}',
        EVICT,
    ]


def test_what_may_be_left_out_of_a_header_has_its_default_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    path = file_of(tmp_path, "", EVICT, "", "")

    assert read(path) == Recorded(Config("lru", 2, 6, "cpu"), (Op("evict", amount=1),), "", "")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"version": 2}, "line 1: version 2 is newer than 1, the latest that this radixcheck reads: install a newer radixcheck"),
        ({"version": "1"}, "line 1: version is '1': give an integer from 1"),
        ({"version": 0}, "line 1: version is 0"),
        ({"radixcheck": "finding"}, "line 1: is not the header of a trace: begin the file with"),
        ({"policy": "random"}, "line 1: unknown policy 'random': choose from lru"),
        ({"policy": 3}, "line 1: policy is 3: give a string"),
        ({"page_size": 0}, "line 1: page_size is 0: give an integer from 1"),
        ({"page_size": True}, "line 1: page_size is True"),
        ({"pool": 5}, "line 1: a pool of 5 tokens is not a multiple of the page size 2: give a multiple"),
        ({"pool": -6}, "line 1: pool is -6"),
        ({"pool": 4 * PAGES_MAX}, "is too large to be checked"),
        ({"mode": "write_through", "host_pool": 5}, "line 1: a host pool of 5 tokens is not a multiple of the page size 2"),
        ({"mode": "write_around"}, "line 1: unknown mode 'write_around': choose from write_through, write_through_selective, write_back"),
        ({"host_pool": 6}, "line 1: has a host_pool and no field mode: choose from write_through"),
        ({"subject": None}, "line 1: subject is None: give a string"),
        *(({field: GONE}, f"line 1: has no field {field}: give") for field in ("version", "policy", "page_size", "pool")),
        ({"polcy": "lru"}, "line 1: unknown field 'polcy': the fields of a header are"),
    ],
)
def test_a_wrong_header_is_named_with_its_fix(header: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as wrong:
        read(file_of(tmp_path, EVICT, **header))

    assert str(wrong.value).startswith(f"{tmp_path / 'a.jsonl'}")
    assert says in str(wrong.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"op": "evict", "amount"', "line 3: is not JSON"),
        ("[1]", "line 3: holds list, not an object"),
        ("[" * 100_000, "line 3: is not JSON"),
        ("\xff", "line 3: is not JSON"),
        ('{"amount": 1}', "line 3: has no field op"),
        ('{"op": "evcit"}', "line 3: unknown operation 'evcit': choose from match"),
        ('{"op": "evict", "amount": -1}', "line 3: amount is -1: give an integer from 0"),
        ('{"op": "evict", "amount": 1.0}', "line 3: amount is 1.0"),
        ('{"op": "evict", "amount": NaN}', "line 3: is not JSON (NaN"),
        ('{"op": "match", "tokens": 3}', "line 3: tokens is 3: give a list"),
        ('{"op": "match", "tokens": [1, -1]}', "line 3: tokens is [1, -1]"),
        ('{"op": "match", "tokens": [true]}', "line 3: tokens is [True]"),
        ('{"op": "match", "tokens": [1e999]}', "line 3: tokens is [inf]"),
        ('{"op": "match", "tokens": [' + "9" * 30 + "]}", "line 3: tokens is"),
        ('{"op": "match", "tokens": [1], "namespace": "a"}', "line 3: namespace is 'a': give a list"),
        ('{"op": "match", "tokens": [1], "namespace": [{"a": 1}]}', "line 3: namespace holds the object"),
        ('{"op": "unlock", "holder": "r1"}', "line 3: holder is 'r1'"),
        ('{"op": "insert", "priority": null}', "line 3: priority is None: give an integer"),
        ('{"op": "insert", "token": [1]}', "line 3: unknown field 'token': the fields of an operation are op, tokens"),
    ],
)
def test_a_wrong_operation_is_named_with_its_line_and_fix(line: str, says: str, tmp_path: Path) -> None:
    path = file_of(tmp_path, EVICT)
    path.write_bytes(path.read_bytes() + line.encode("latin-1") + b"\n")

    with pytest.raises(UsageError) as wrong:
        read(path)

    assert says in str(wrong.value)
    assert len(str(wrong.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"\n", b"\x00\x01", b"[]\n", b'{"timestamp": 0}\n', b"no json\n"])
def test_a_file_that_is_no_trace_is_told_apart_by_its_first_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)

    assert not is_trace(path)
    with pytest.raises(UsageError, match="line 1: is not the header of a trace"):
        read(path)


def test_only_the_first_line_says_whether_a_file_is_a_trace(tmp_path: Path) -> None:
    assert is_trace(file_of(tmp_path, "what is wrong further down"))
    assert is_trace(file_of(tmp_path, version=99))
    assert not is_trace(tmp_path / "absent")
    assert not is_trace(tmp_path)


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.jsonl: cannot be read \(No such file"):
        read(tmp_path / "absent.jsonl")
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / "absent" / "a.jsonl", Recorded(CONFIG, ()))


@pytest.mark.parametrize("component", [b"bytes", frozenset({1}), ["a list"], float("nan"), float("inf")])
def test_what_would_not_be_read_back_is_not_written_and_the_old_file_stays(component: object, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write(path, Recorded(CONFIG, (Op("evict", amount=1),)))
    before = path.read_bytes()

    with pytest.raises(UsageError, match="not written: a namespace"):
        write(path, Recorded(CONFIG, (Op("match", Key((1,), (component,))),)))

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
