"""A cache in another process gets the same verdicts as one in this process, and any misbehaviour is a verdict in bounded time."""

import gc
import json
import sys
from dataclasses import fields
from time import monotonic

import pytest
from commands import Command
from places import ROOT, TESTS

from radixcheck.spec.events.event_fold import EVENT_PROPERTIES
from radixcheck.spec.values import Key, TieredMatch
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.operations import Op
from radixcheck.verification.probes.all_probes import POOL_PAGES, all_probed
from radixcheck.verification.protocol import Observation, SeenCopy, SeenNode, Setup, Supports
from radixcheck.verification.remote import process, remote_subject, serve
from radixcheck.verification.remote.process import SubjectDied
from radixcheck.verification.remote.remote_subject import Remote
from radixcheck.verification.remote.serve import SIZED, Server
from radixcheck.verification.search.diff import compare
from radixcheck.verification.search.machine import hypothesis_batches
from radixcheck.verification.search.run import random_run, replay
from radixcheck.verification.search.shrink import shrink
from radixcheck.verification.search.verify import judged
from radixcheck.verification.subjects.model_host_subject import model_host_subject
from radixcheck.verification.subjects.model_subject import model_subject
from radixcheck.verification.subjects.reference_subject import reference_subject
from radixcheck.verification.subjects.registry import resolve

REMOTE = ROOT / "verification" / "remote"
SERVE = str(REMOTE / "serve.py")
SUBJECTS = TESTS / "subjects"
DIED = "SubjectDied: ended with status 3 instead of answering match"
SMALL = Config("lru", 1, 8)
SETUP = Setup(1, "lru", WatchedPool(8, 1))
TRACE = (Op("peek", Key((1,))), Op("evict", amount=1), Op("match", Key((1,))), Op("peek", Key((2,))), Op("peek", Key((3,))))


def bad(what: str, number: int, seconds: float = 0.4) -> Remote:
    """A program that misbehaves."""
    return Remote((sys.executable, str(SUBJECTS / "bad.py"), what, str(number)), 20.0 if number else seconds, seconds)


def runs(factory: Factory, number: int, policies: tuple[str, ...] = ("lru",), misused: bool = True) -> RunResult:
    """Some random runs, the same for each factory."""
    result = RunResult()
    for k in range(number):
        size = (1, 2, 16)[k % 3]
        config = Config(policies[k % len(policies)], size, (6, 10, 16)[k % 3] * size)
        result.merge(random_run(factory, config, k, stride=1 if k % 4 == 0 else 8, misused=misused and k % 2 == 0))
    return result


def judged_by_all(factory: Factory, misused: bool = True) -> tuple[dict[str, str], RunResult]:
    """The verdict of each property after runs and probes."""
    supports = factory(SETUP).supports
    result = runs(factory, 30, supports.policies, misused)
    result.merge(replay(factory, SMALL, (Op("insert", Key((1,))), Op("reset"))))  # random runs seldom do
    result.merge(all_probed(factory, Config("lru", 1, POOL_PAGES)))
    return {v.property.id: v.verdict for v in judged(result, supports, white_box=True)}, result


# The protocol.


def exchanges() -> list[tuple[dict[str, object], dict[str, object]]]:
    """The examples of README.md: each message with its answer."""
    lines = [line for line in (REMOTE / "README.md").read_text().splitlines() if line[:2] in ("> ", "< ")]
    assert [line[0] for line in lines] == [">", "<"] * (len(lines) // 2)
    objects = [json.loads(line[2:]) for line in lines]
    return list(zip(objects[::2], objects[1::2], strict=True))


def test_the_examples_of_the_protocol_are_answered_as_written() -> None:
    server = Server(lambda setup: model_subject(setup) if setup.host_pool is None else model_host_subject(setup))
    for message, answer in exchanges():
        assert json.loads(json.dumps(server.answer(message))) == answer
    assert {message["do"] for message, _ in exchanges()} == {*SIZED, "observe", "locate", "overwrite"}


def test_the_limits_of_the_protocol_are_those_of_the_code() -> None:
    text = " ".join((REMOTE / "README.md").read_text().split())
    assert f"may take {remote_subject.START_SECONDS:g} s, every other {remote_subject.ANSWER_SECONDS:g} s" in text
    assert f"at most {process.LONGEST >> 20} MiB" in text


def test_another_version_of_the_protocol_is_refused_on_both_sides() -> None:
    newer = "input(); print('{\"protocol\": 2}', flush=True); input()"
    with pytest.raises(UsageError, match="has protocol 2, this is protocol 1"):
        Remote((sys.executable, "-c", newer))(SETUP)
    assert "was asked for protocol 2" in Server(model_subject).answer({"do": "make", "protocol": 2})["missing"]


# The same verdicts.


def test_the_reference_gets_the_same_verdicts_here_and_in_another_process() -> None:
    here, counted_here = judged_by_all(reference_subject, misused=False)  # other wrong values can be sent to another process
    there, counted_there = judged_by_all(resolve(f"reference@{sys.executable}"), misused=False)

    differing = {id_: (here[id_], there[id_]) for id_ in here if here[id_] != there[id_]}
    hidden = ("MEM_BOUND", "EVICT_COST", "MATCH_COST", "VERB_COST", *EVENT_PROPERTIES)
    assert differing == dict.fromkeys(hidden, ("TESTED", "NOT OBSERVABLE"))
    assert {id_ for id_ in here if here[id_] != "TESTED"} == {"HEAP_FULL", "HEAP_STALE", "HEAP_ORDER", "HEAP_BOUND", "LEAFSET"}
    for id_ in set(here) - set(differing) - {"NO_ALIAS"}:  # a caller's array is overwritten after other calls too
        assert counted_there.tally.exercised[id_] == counted_here.tally.exercised[id_], id_
    assert counted_there.found == counted_here.found == {}


def test_a_fault_has_the_same_smallest_trace_here_and_in_another_process() -> None:
    caches = resolve("as-submitted:pairs"), resolve(f"as-submitted:pairs@{sys.executable}")
    here, there = (shrink(cache, runs(cache, 12).found["EVICT_LEAF"]) for cache in caches)
    assert here == there
    assert len(here.trace) <= 4


def test_an_array_that_the_cache_shares_with_a_caller_is_found_in_another_process() -> None:
    aliased = Remote((sys.executable, SERVE, f"{TESTS / 'faulty.py'}:aliased_slots"))
    assert set(runs(aliased, 4).found) == {"NO_ALIAS"}


def test_two_caches_of_which_one_is_elsewhere_are_compared() -> None:
    agree = compare(reference_subject, resolve(f"reference@{sys.executable}"), Config("lru", 2, 20), seed=1)
    differ = compare(reference_subject, bad("die", 4), SMALL, seed=1)

    assert agree.steps > 300
    assert agree.differences == ()
    assert "SubjectDied: ended with status 3" in differ.differences[0].right


def test_an_adapter_elsewhere_needs_only_the_serving_module_and_the_cache() -> None:
    """`-S`: without the packages that the checker needs. `.dev` holds the cache."""
    adapter = Remote(("env", f"PYTHONPATH={ROOT / '.dev'}", sys.executable, "-S", SERVE, f"{SUBJECTS / 'adapter.py'}:factory"))
    made = adapter(SETUP)
    result = runs(adapter, 8, ("lru", "lfu"))

    assert not hasattr(made, "observe")
    assert made.version == "1"
    assert made.supports == Supports(
        policies=("lru", "lfu"), attributes=frozenset(), without=frozenset({"peek"}), page_sizes=(1, 2, 16, 64), here=False
    )
    assert result.found == {}
    assert result.tally.exercised["ORDER"] > 0
    assert result.fired["peek"] == 0


def test_the_serving_module_declares_what_the_protocol_does() -> None:
    assert {*serve.Supports._fields, "here", "remembers"} == {field.name for field in fields(Supports)}
    assert (serve.SeenNode._fields, serve.SeenCopy._fields) == (SeenNode._fields, SeenCopy._fields)
    assert serve.Setup._fields == tuple(field.name for field in fields(Setup))
    assert serve.Observation._fields == tuple(field.name for field in fields(Observation))
    assert serve.TieredMatch._fields == tuple(field.name for field in fields(TieredMatch))


# Programs that misbehave.


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("hang", "SubjectHung: gave no answer to match within 0.4 s; its standard error: 'waiting for a lock'"),
        ("die", DIED + "; its standard error: 'fatal error: the table of slots is corrupt'"),
        ("close", "SubjectDied: closed its output instead of answering match"),
        ("garbage", "ProtocolError: answered match with 'evicting node 7 ...', which is not JSON"),
        ("deep", "ProtocolError: answered match with '[[[["),
        ("flood", "ProtocolError: answered match with more than 67,108,864 bytes in one line"),
        ("twice", "'slots' is not a list of integers"),
        ("shape", "'length' is not an integer"),
        ("listed", "ProtocolError: answered match with '[1, 2, 3]', which is not a JSON object"),
        ("moved", "'pool' is not a list of"),
    ],
)
def test_a_program_that_misbehaves_is_refuted_with_the_operations_that_led_there(what: str, text: str) -> None:
    start = monotonic()
    found = replay(bad(what, 3, seconds=5 if what == "flood" else 0.4), SMALL, TRACE).found

    assert list(found) == ["REFINEMENT"]
    assert text in found["REFINEMENT"].violation.text
    assert found["REFINEMENT"].trace == TRACE[:3]
    assert monotonic() - start < 30  # only a bound: without time limits it would be an hour


def once(declared: object) -> Remote:
    """A program that makes one cache, with this declaration."""
    made = json.dumps({"protocol": 1, "supports": declared})
    return Remote((sys.executable, "-S", "-c", f"input(); print({made!r}, flush=True); input()"))


def test_a_superfluous_answer_is_not_taken_for_the_answer_of_the_next_cache() -> None:
    first, second = (replay(bad("twice", 3), SMALL, TRACE).found["REFINEMENT"] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        *(([], "is not an object with keys among"), ({"colour": True}, "is not an object with keys among")),
        ({"tree": 1}, "'tree' in 'supports' is not true or false"),
        *(
            ({"policies": ["random"]}, "`policies` in its `supports`: expected one or more of lru"),
            ({"policies": []}, "expected one or more of lru"),
        ),
        ({"page_sizes": []}, "`page_sizes` in its `supports`: expected one or more whole numbers of tokens"),
        ({"attributes": ["tame"]}, "expected a set with some of time"),
        ({"page_sizes": ["1"]}, "'page_sizes' in 'supports' is not a list of them"),
        ({"without": "peek"}, "'without' in 'supports' is not a list of them"),
    ],
)
def test_an_invalid_declaration_is_a_usage_error(declared: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        once(declared)(SETUP)


@pytest.mark.slow
def test_a_search_through_a_program_that_hangs_ends_soon() -> None:
    found = RunResult.of(hypothesis_batches(bad("hang", 2, seconds=0.15), ("lru",), (1,), seed=1, examples=100))
    assert found.runs < 30
    assert found.lost > 0
    assert "SubjectHung" in found.found["REFINEMENT"].violation.text


@pytest.mark.parametrize("what", ["hang", "die", "garbage", "listed", "shape"])
def test_a_program_that_never_served_is_a_usage_error(what: str) -> None:
    with pytest.raises(UsageError, match=r"bad\.py " + what):
        bad(what, 0)(SETUP)


def test_a_program_that_serves_only_once_is_refuted_by_its_second_cache() -> None:
    remote = once({})
    remote(SETUP)
    gc.collect()  # the first cache gives its process back
    with pytest.raises(SubjectDied, match="instead of answering make"):
        remote(SETUP).peek(Key((1,)))


def test_the_command_refutes_a_program_that_dies(command: Command) -> None:
    ran = command("replay", "--sample", "--exec", f"{sys.executable} {SUBJECTS / 'bad.py'} die 20")
    assert ran.status == 1
    assert "SubjectDied: ended with status 3" in ran.words


# Another language.


@pytest.mark.slow
def test_a_cache_in_javascript_holds(node: str) -> None:
    verdicts, result = judged_by_all(resolve(f"exec:{node} {SUBJECTS / 'radix.mjs'}"))

    assert result.found == {}
    assert result.steps > 2_000
    assert set(verdicts.values()) == {"TESTED", "NOT OBSERVABLE"}
    assert {verdicts[id_] for id_ in ("LOCK_COUNT", "ORDER", "RECENCY", "DEPTH", "MATCH_SOUND", "ISOLATION")} == {"TESTED"}


def test_a_fault_in_a_cache_in_javascript_has_a_smallest_trace(node: str) -> None:
    faulty = resolve(f"exec:{node} {SUBJECTS / 'radix_faulty.mjs'}")
    found = runs(faulty, 24).found

    assert {"LOCK_COUNT", "PROTECTED"} <= set(found)
    *names, last = [op.name for op in shrink(faulty, found["LOCK_COUNT"]).trace]
    assert names == ["insert", "match", "lock"]
    assert last in ("match", "insert")


@pytest.mark.slow
@pytest.mark.parametrize(("program", "expected"), [("radix.mjs", 0), ("radix_faulty.mjs", 1)])
def test_the_command_decides_on_a_program(program: str, expected: int, node: str, command: Command) -> None:
    assert command("verify", "--exec", f"{node} {SUBJECTS / program}", "--seconds", "200", "--operations", "3000").status == expected
