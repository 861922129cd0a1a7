"""Recorded traces: what is written is read again; show, replay and the shrinker say the same of one; a wrong file is one sentence."""

import json
from pathlib import Path

import pytest

from radixcheck.spec.values import Key
from radixcheck.verification.commands import run
from radixcheck.verification.operations import Op
from radixcheck.verification.report.drawing import described, svg
from radixcheck.verification.report.frames import frames
from radixcheck.verification.search.run import Config
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.traces import Recorded, is_trace, read, write

PAIRS = "as-submitted:pairs"
CUT_OFF = Recorded(Config("lru", 1, 6), (Op("insert", Key((1,))), Op("insert", Key((1, 1))), Op("evict", amount=1)), PAIRS, "EVICT_LEAF")
HEAD = '{"radixcheck": "trace", "version": 1, "policy": "lru", "page_size": 2, "pool": 8}'
EVERY = (
    Op("insert", Key((0, 5), ("a", 3)), priority=2),
    *(Op(name, Key((0, 5), ("a", 3))) for name in ("match", "peek")),
    *(Op(name, Key((0, 5), ("a", 3)), holder=1) for name in ("lock", "alloc", "start")),
    *(Op(name, holder=1) for name in ("unlock", "free", "chunk", "finish", "abort")),
    Op("decode", holder=1, amount=9),
    Op("evict", amount=4),
    Op("reset"),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The trace in which an internal node is evicted."""
    write(tmp_path / "trace.jsonl", CUT_OFF)
    return tmp_path / "trace.jsonl"


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    status = run([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("recorded", [CUT_OFF, Recorded(Config("mru", 2, 8, "cuda"), EVERY)])
def test_what_is_written_is_read_again(recorded: Recorded, tmp_path: Path) -> None:
    write(tmp_path / "trace.jsonl", recorded)

    assert read(tmp_path / "trace.jsonl") == recorded
    assert is_trace(tmp_path / "trace.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["trace.jsonl"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no trace"),
        ('{"timestamp": 0}', "is no trace"),
        ("[1]", "line 1 is no JSON object"),
        (HEAD.replace('"version": 1', '"version": 2'), "line 1 says version 2"),
        (HEAD.replace("lru", "best"), "line 1 has the policy 'best'"),
        (HEAD.replace('"pool": 8', '"pool": 7'), "the pool must be whole pages"),
        (HEAD.replace('"pool": 8', '"pool": "8"'), "the pool must be whole pages"),
        (HEAD.replace(', "page_size": 2', ""), "the pool must be whole pages"),
        (HEAD + "\n{", "line 2 is no JSON"),
        (HEAD + '\n\n{"op": "steal"}', "line 3 has the operation 'steal'"),
        (HEAD + '\n{"op": "evict", "amount": -1}', "line 2 has a token or an amount"),
        (HEAD + '\n{"op": "evict", "amount": true}', "line 2 has amount True"),
        (HEAD + '\n{"op": "insert", "tokens": [-1]}', "line 2 has a token or an amount"),
        (HEAD + '\n{"op": "insert", "tokens": "12"}', "line 2 has tokens '12'"),
        (HEAD + '\n{"op": "insert", "namespace": [[]]}', "a namespace that is not of strings and integers"),
        (HEAD + '\n{"op": "insert", "token": [1]}', "line 2 has a field 'token'"),
    ],
)
def test_a_wrong_file_is_one_sentence(text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.jsonl"
    path.write_text(text)

    status, out, error = said(capsys, "show", path)

    assert (status, out) == (2, "")
    assert words in error
    assert str(path) in error
    assert len(error.splitlines()) == 1


def test_a_file_that_cannot_be_read_or_written_is_said(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")

    for path in (tmp_path / "none", tmp_path / "bytes", tmp_path):
        assert said(capsys, "show", path)[0] == 2
        assert not is_trace(path)
    assert said(capsys, "show", file, "--html", tmp_path / "none" / "page.html")[0] == 2
    assert said(capsys, "show", file, "--step", 4)[2].startswith("radixcheck: --step 4:")
    assert said(capsys, "verify", "base", "--traces", tmp_path / "bytes")[0] == 2


def test_show_replay_and_the_shrinker_agree(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shrunk = tmp_path / "shrunk.jsonl"

    shown = said(capsys, "show", file, "--json")
    replayed = said(capsys, "replay", file, "--json", "--shrink", shrunk)
    again = said(capsys, "replay", shrunk, "--json")

    assert [status for status, _, _ in (shown, replayed, again)] == [1, 1, 1]
    broken = {v["property"] for v in json.loads(shown[1])["steps"][3]["broken"]}
    assert broken == {v["property"] for v in json.loads(replayed[1])["broken"]} == {v["property"] for v in json.loads(again[1])["broken"]}
    assert len(read(shrunk).trace) <= 3
    assert read(shrunk).subject == PAIRS


def test_another_cache_holds_on_the_same_trace(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = tmp_path / "nothing.py"

    assert said(capsys, "show", file, "--subject", "reference")[0] == 0
    status, out, _ = said(capsys, "replay", file, "--subject", "reference", "--shrink", nothing)
    assert status == 0
    assert "reference holds" in out
    assert "nothing breaks" in out
    assert not nothing.exists()


def test_what_cannot_be_called_leaves_it_undecided(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "t.jsonl", Recorded(Config("lru", 1, 6), (Op("insert", Key((1,))), Op("unlock", holder=7)), "reference"))

    status, out, _ = said(capsys, "replay", tmp_path / "t.jsonl")

    assert status == 3
    assert "1 operations could not be called" in out


def test_options_of_a_workload_make_no_sense_for_a_recorded_trace(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in (("--policy", "lru"), ("--page-size", 1), ("--pool", 6), ("--running", 3), ("--tokens-per-id", 2), ("--limit", 1)):
        status, _, error = said(capsys, "replay", file, *option)
        assert status == 2
        assert error.startswith(f"radixcheck: {option[0]} is for workloads")


def test_verify_writes_the_trace_of_each_refuted_property(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--policy", "lru", "--page-size", 1, "--seconds", 1)
    status, out, error = said(capsys, "verify", "base", *options, "--traces", tmp_path / "new", "--json")

    refuted = {one["property"] for one in json.loads(out)["refuted"]}
    written = {read(path).property: path for path in (tmp_path / "new").iterdir()}
    assert status == 1
    assert set(written) == refuted
    assert "RECENCY" in refuted
    assert all(f"radixcheck show {path}" in error for path in written.values())
    assert said(capsys, "replay", written["RECENCY"])[0] == 1


def test_the_pictures_say_what_was_evicted_cut_off_lost_and_stale(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "show", file, "--html", tmp_path / "page.html")

    last = out[out.index("3  evict 1") :]
    assert status == 1
    for words in ("evicted", "cut off", "lost: slots 2", "stale: its node is gone", "free 5  evictable 1", "EVICT_LEAF broken"):
        assert words in last
        assert words in (tmp_path / "page.html").read_text()
    assert "stale: its node has children" in out
    assert "new" in out
    assert "0  before" in out
    assert "0  before" not in said(capsys, "show", file, "--step", 3)[1]


def test_a_lock_and_an_old_key_are_shown() -> None:
    trace = (Op("insert", Key((1,))), Op("match", Key((1,))), Op("lock", Key((1,)), 1))
    *_, matched, locked = frames(resolve(PAIRS), Config("lru", 1, 6), trace)

    assert "stale: its key is old" in described(matched)
    assert "locked 1" in described(locked)
    assert "stale: its node is locked" in described(locked)
    assert "rc-locked" in svg(locked, "x")


def test_a_black_box_is_shown_by_what_it_answers() -> None:
    class Closed:
        def __init__(self, setup: object) -> None:
            self._inner = resolve("reference")(setup)
            self.supports = self._inner.supports

        def __getattr__(self, name: str) -> object:
            if name in ("observe", "observe_path", "observe_entry", "locate", "storage"):
                raise AttributeError(name)
            return getattr(self._inner, name)

    last = frames(Closed, Config("lru", 1, 6), (Op("insert", Key((1, 2))),))[-1]

    assert last.seen is None
    assert described(last) == "the cache does not show its inside\nfree 4  evictable 2  protected 0"
    assert "0 tokens were present" in last.answer


def test_a_cache_that_fails_is_shown_up_to_there() -> None:
    class Failing:
        def __init__(self, setup: object) -> None:
            self._inner = resolve("reference")(setup)
            self.supports = self._inner.supports

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

        def observe(self) -> object:
            if self._inner.sizes().available < 6:
                raise RuntimeError("no more")
            return self._inner.observe()

    found = frames(Failing, Config("lru", 1, 6), (Op("insert", Key((1, 2))), Op("peek", Key((1,)))))

    assert len(found) == 2
    assert "observe() raised RuntimeError: no more" in found[-1].answer
    assert found[-1].broken


def test_a_large_tree_is_shown_in_part() -> None:
    trace = tuple(Op("insert", Key((token,))) for token in range(40))
    last = frames(resolve("reference"), Config("lru", 1, 64), trace)[-1]

    assert "and 18 more" in described(last)
    assert "and 16 more nodes" in svg(last, "x")
