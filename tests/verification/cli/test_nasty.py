"""Whatever a cache answers, shows or declares: no traceback, an end, and a status that is never 0; nothing obeys its texts."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nasty
import pytest
from commands import Command
from fast_tier import slow_unless
from places import TESTS

from radixcheck.spec.values import Key
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core import traces
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.declared import checked
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.printable import error_text, printable, value_text
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup, Supports
from radixcheck.verification.report import verify_view
from radixcheck.verification.report.blocks import Document, Items, Paragraph, Part, Plain, Section, Table
from radixcheck.verification.report.console import plain
from radixcheck.verification.report.html import html
from radixcheck.verification.report.junit import junit
from radixcheck.verification.report.markdown import markdown
from radixcheck.verification.report.step_summary import summary
from radixcheck.verification.runs.checked_bounds import bounds_for
from radixcheck.verification.runs.run_results import VerifyOutcome
from radixcheck.verification.runs.scene import scene
from radixcheck.verification.search.attribution import attributed
from radixcheck.verification.search.search_plan import rounds
from radixcheck.verification.search.search_results import Report
from radixcheck.verification.search.shrink import shrink
from radixcheck.verification.search.verify import judged
from radixcheck.verification.subjects.reference_subject import ReferenceSubject
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.trace_replay import regression_test
from radixcheck.verification.trace_replay.judge import judge
from radixcheck.verification.trace_replay.replay_results import Shrunk

KINDS = ("white", "black", "mostly_right", "white", "black", "mostly_right", "named", "white", "black", "raising_when_made")
COMMANDS = 50  # of the runs of the fuzz
RUNS = 500
LATE = 60.0  # seconds: no command takes longer
OBEYED = {*map(chr, range(32)), *map(chr, range(127, 160)), *"\u200b\u202e\u2066\ufeff\u2028"} - {"\n"}


@pytest.fixture(autouse=True)
def as_in_a_worker() -> Iterator[None]:
    """A KeyboardInterrupt is the cache's own here, and each test draws the same values."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)
    os.environ.pop("NASTY_SEED", None)


def seeded(seed: int) -> Callable[[Setup], Any]:
    """The factory of a seed."""
    os.environ["NASTY_SEED"] = str(seed)
    nasty._made = itertools.count()
    made: Callable[[Setup], Any] = getattr(nasty, KINDS[seed % len(KINDS)])
    return made


def is_misused(seed: int) -> bool:
    """Whether the cache of a seed is also called outside the guards."""
    return seed % 3 == 0


def searched(subject: Subject, misused: bool) -> VerifyOutcome:
    """One task of each kind of a search, with a short time to shrink."""
    bounds = bounds_for(subject, seconds=1, operations=200, deadline=Deadline.after(10), misused=misused)
    tasks = next(rounds(subject, bounds))
    result = RunResult.of(task() for task in {task.function: task for task in tasks}.values())
    verdicts = judged(result, subject.supports, subject.white_box, misused)
    found = tuple(shrink(subject, each, Deadline.after(0.2)) for each in result.found.values())
    report = Report(subject.name, bounds, verdicts, found, result.steps, result.runs, 1.0, (), ())
    return VerifyOutcome(report, tuple((each, scene(subject, each)) for each in found))


def is_harmless(text: str) -> bool:
    """Whether a terminal only prints this text."""
    return OBEYED.isdisjoint(text) and not any("\ud800" <= c <= "\udfff" for c in text)


def ran(seed: int) -> int:
    """The status of a search in this process, all of whose texts were written."""
    try:
        outcome = searched(resolve(seeded(seed)), is_misused(seed))
    except UsageError as wrong:
        return 2 if is_harmless(printable(str(wrong))) else 0
    stored = outcome.to_json()
    assert is_harmless(plain(verify_view.verify(outcome)))
    assert is_harmless(summary([stored]))
    ElementTree.fromstring(junit([stored]))
    return outcome.status


def commanded(seed: int) -> int:
    """The status of a whole command."""
    words = [sys.executable, "-m", "radixcheck", "verify", f"nasty:{KINDS[seed % len(KINDS)]}", "--seconds", "1", "--operations", "200"]
    words += ["--misuse"] * is_misused(seed)
    environment = os.environ | {"NASTY_SEED": str(seed)}
    done = subprocess.run(words, cwd=TESTS, env=environment, capture_output=True, text=True, check=False, timeout=LATE)
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    assert is_harmless(done.stdout)
    return done.returncode


@pytest.mark.parametrize("seed", range(10))
def test_a_nasty_cache_gets_a_verdict_or_a_sentence(seed: int) -> None:
    assert ran(seed) in (1, 2, 3)


@pytest.mark.slow
def test_no_nasty_cache_of_many_ends_with_a_traceback_or_never() -> None:
    statuses, longest = Counter[tuple[str, int]](), Counter[str]()
    for seed in range(RUNS):
        how, run = ("as commands", commanded) if seed % (RUNS // COMMANDS) == seed // (RUNS // COMMANDS) % 9 else ("here", ran)
        start = time.monotonic()
        statuses[how, run(seed)] += 1
        longest[how] = max(longest[how], round(time.monotonic() - start))
        print(seed, how, statuses.total(), longest[how], flush=True)
    print(f"{RUNS} runs: {dict(statuses)}; longest in seconds: {dict(longest)}")
    assert {status for _, status in statuses} <= {1, 2, 3}


@pytest.mark.parametrize(
    ("name", "arguments"),
    slow_unless(
        lambda name, arguments: (name == "named") == (arguments[0] == "diff"),
        product(["mostly_right", "named"], [("diff", "reference"), ("explore",)]),
    ),
)
def test_other_commands_with_a_nasty_cache(arguments: tuple[str, ...], name: str, command: Command) -> None:
    os.environ["NASTY_SEED"] = "3"
    done = command(arguments[0], f"nasty:{name}", *arguments[1:], "--seconds", "1")
    assert done.status in (1, 3) or (arguments[0], name) == ("diff", "named")  # its answers are right
    assert "Traceback" not in done.err + done.out
    assert is_harmless(done.out)


def test_a_replay_of_a_nasty_cache_ends_with_a_finding(command: Command) -> None:
    os.environ["NASTY_SEED"] = "3"
    assert command("replay", "--sample", "--subject", "nasty:mostly_right").status == 1


# What a cache declares.


class WithSupports(ReferenceSubject):
    """The reference, with another declaration."""


def declaring(declared: Any) -> Callable[[Setup], Any]:
    def made(setup: Setup) -> Any:
        return type("Declaring", (ReferenceSubject,), {"supports": declared}).of(setup)  # type: ignore[attr-defined]

    return made


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("page_sizes", wrong) for wrong in ((0,), ("1",), (), None, True, 7, float("nan"), (10**30,), (1, -1), range(0), range(5))),
        *(("page_sizes", wrong) for wrong in ("12", (True,), nasty.Endless(), (2**20,), range(1, 2**40))),
        *(("policies", wrong) for wrong in ((), ("lru", "random"), "lru", None, ("lru", None), [["lru"]])),
        *(("attributes", wrong) for wrong in ({"tame"}, None, 3, ["time", 5])),
        *(("without", wrong) for wrong in ({"fly"}, None, "match", {1: 2})),
        *(("remembers", wrong) for wrong in (None, 5, b"")),
        *(("choices", wrong) for wrong in (None, {1: "a"}, {"a": 1}, [("a", "b")])),
        *((flag, wrong) for flag in ("tree", "requests", "namespaces", "here") for wrong in (None, 1, "yes")),
    ],
    ids=str,
)
def test_a_wrong_declaration_is_one_sentence_about_its_field(field: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"`{field}` in its `supports`: expected .*, found "):
        resolve(declaring(Supports(**{field: value})))


def test_each_field_is_checked() -> None:
    assert checked({each.name: getattr(Supports(), each.name) for each in fields(Supports)}) == asdict(Supports())


def test_lists_and_ranges_are_declarations_too() -> None:
    found = resolve(declaring(Supports(page_sizes=range(1, 9), policies=["lru"], without=["peek"]))).supports  # type: ignore[arg-type]
    assert found == Supports(page_sizes=range(1, 9), policies=("lru",), without=frozenset({"peek"}))


@pytest.mark.parametrize("name", ["attributes", "no_such", "\udc80\x1b[31m"])
def test_a_cache_that_cannot_be_asked_is_one_sentence(name: str, command: Command) -> None:
    complaint = command("verify", f"nasty:{name}").complaint
    assert is_harmless(complaint)


@pytest.mark.parametrize("words", [("verify", "base"), ("diff", "base", "reference")])
def test_a_pool_that_does_not_fit_into_memory_is_one_sentence(words: tuple[str, ...], command: Command) -> None:
    complaint = command(*words, "--pool", 10**12).complaint
    assert "--pool 1000000000000: " in complaint
    assert "give at most 16777216" in complaint


# What it answers.


def answering(**methods: Any) -> Callable[[Setup], Any]:
    def made(setup: Setup) -> Any:
        return type("Answering", (ReferenceSubject,), methods).of(setup)  # type: ignore[attr-defined]

    return made


WRONG: tuple[Any, ...] = (
    None,
    float("nan"),
    -(10**30),
    10**5_000,
    True,
    "7",
    b"7",
    [7],
    nasty._raising("__index__"),
    nasty._raising("__eq__"),
)
INSERT = (Op("insert", Key((1, 2))), Op("match", Key((1, 2))))


@pytest.mark.parametrize("value", WRONG, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("verb", ["insert", "match", "observe", "sizes", "locate"])
def test_a_wrong_answer_is_a_violation(verb: str, value: Any) -> None:
    judged_ = judge(answering(**{verb: lambda *_: value}), Config("lru", 1, 8), INSERT)
    if (verb, type(value)) != ("locate", bool):  # the name of a node may be any object
        assert judged_.violations
    assert all(is_harmless(v.text) for v in judged_.violations)


@pytest.mark.parametrize("error", nasty._errors(), ids=lambda error: printable(type(error).__name__, 30))
@pytest.mark.parametrize("verb", ["insert", "observe"])
def test_whatever_a_cache_raises_is_a_violation(verb: str, error: BaseException) -> None:
    def raises(*_: object) -> None:
        raise error

    (violation,) = judge(answering(**{verb: raises}), Config("lru", 1, 8), INSERT[:1]).violations
    assert "raised " in violation.text
    assert is_harmless(violation.text)
    assert len(violation.text) < 1_000


def test_names_whose_comparison_raises_are_a_violation() -> None:
    class Name:
        __eq__ = nasty._raise

        def __hash__(self) -> int:
            return 1

    def observe(self: ReferenceSubject) -> Any:
        seen = ReferenceSubject.observe(self)
        seen.nodes[:] = [n._replace(name=Name()) for n in seen.nodes]  # type: ignore[index]
        return seen

    two = (Op("insert", Key((1,))), Op("insert", Key((2,))))
    violations = judge(answering(observe=observe), Config("lru", 1, 8), two).violations
    assert "cannot be compared (Raises: " in violations[0].text


def test_a_fault_without_operations_has_no_other_cause() -> None:
    alone = [Found(Violation("REFINEMENT", "raised in a probe"), (), Config("lru", 1, 8))]
    assert attributed(resolve("reference"), alone) == alone


# How it is shown.


def test_escapes() -> None:
    assert printable("a\x1b\r\u202e\u200b\udc80ü😀") == "a\\x1b\\r\\u202e\\u200b\\udc80ü😀"
    assert printable(printable("\n\x00")) == "\\n\\x00"
    assert (len(printable("x" * 10**6)), value_text(nasty._raising("__repr__"))) == (400, "a value of type Raising, which cannot be shown")
    assert error_text(nasty.StrRaises()) == "StrRaises: its message cannot be read"


class Texts(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.text = Counter[str](), ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", [*map(printable, nasty.TEXTS[:-1])])
def test_a_page_shows_the_text_itself(text: str) -> None:
    blocks = (Paragraph(text), Items((text,)), Plain(text), Table(("a",), ((text,),)), Part("p", text, ()))
    document = Document("report", (Section("s", "section", blocks),))
    page, empty = Texts(), Texts()
    page.feed(html(document))
    empty.feed(html(Document("report", (Section("s", "section", (Paragraph("x"), Items(("x",)), Plain("x"), Table(("a",), (("x",),)))),))))
    assert page.text.count(text.replace("`", "")) + page.text.count(text) >= 1
    assert page.tags["script"] == empty.tags["script"]
    rows = [line for line in markdown(document).splitlines() if line.startswith("| ") and line != "| a |"]
    assert [line.replace("\\|", "").count("|") for line in rows] == [2]


@pytest.mark.parametrize("text", nasty.TEXTS)
def test_a_terminal_shows_the_text_itself(text: str) -> None:
    from rich.table import Table as Shown  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    shown = Shown("column")
    shown.add_row(text)
    out = plain([shown, Text(text)])
    assert is_harmless(out)
    if text.startswith("[/red]"):
        assert out.count("[/red] [bold]b[/] :warning:") == 2


@pytest.mark.parametrize("text", nasty.TEXTS)
def test_files_with_nasty_texts_can_be_read_back(text: str, tmp_path: Path) -> None:
    trace = (Op("insert", Key((1,), (text[:1_000], 7))),)
    config = Config("lru", 1, 8)
    file = tmp_path / "a.jsonl"
    traces.write(file, traces.Recorded(config, trace, text[:1_000], "ORDER"))
    assert traces.read(file).trace == trace
    found = Found(Violation("ORDER", text), trace, config)
    source = regression_test.text(text, f"Found in {text}.", Shrunk(found, 1, 1, 0.0, complete=True))
    code: dict[str, Any] = {}
    exec(compile(source.encode(errors="backslashreplace"), "test", "exec"), code)
    assert (code["SUBJECT"], code["OPERATIONS"]) == (text, trace)
