"""Pictures of a trace: what they show, that they say it in words too, and that they are well-formed whatever a cache holds."""

from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from hiding import BLACK_BOX, Hiding

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.operations import Op
from radixcheck.verification.report.drawing import WIDTH, stacked, svg
from radixcheck.verification.runs.show_job import frames
from radixcheck.verification.subjects.reference_subject import reference_subject
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.trace_replay.alt_text import alt_text, title
from radixcheck.verification.trace_replay.frame_results import Frame

SVG = "{http://www.w3.org/2000/svg}"
LEAF = (Op("insert", Key((1,))), Op("insert", Key((1, 1))), Op("evict", amount=1))
SMALL = Config("lru", 1, 6)


def of(subject: str, trace: Sequence[Op], config: Config = SMALL) -> tuple[Frame, ...]:
    """The frames of a cache by its name."""
    return frames(resolve(subject), config, trace)


def texts(drawn: str) -> list[tuple[str, str]]:
    """Each text of a drawing with its class."""
    return [("".join(t.itertext()), t.get("class", "")) for t in ElementTree.fromstring(drawn).iter("text")]


def shapes(drawn: str) -> list[str]:
    """The classes of the boxes."""
    return [box.get("class", "") for box in ElementTree.fromstring(drawn).iter("rect")]


@pytest.fixture(scope="module")
def evicted() -> tuple[Frame, ...]:
    """The smallest answer to Q1."""
    return of("as-submitted:pairs", LEAF)


def test_there_is_one_frame_for_the_start_and_one_for_each_operation(evicted: tuple[Frame, ...]) -> None:
    assert [title(frame) for frame in evicted] == [
        "before",
        "1  insert [1]: 0 present, slots 0",
        "2  insert [1 1]: 1 present, slots 1 2",
        "3  evict 1: freed 1",
    ]
    assert [v.property for v in evicted[-1].broken] == ["EVICT_LEAF", "COUNT", "NO_ORPHAN", "SLOT_PARTITION"]
    assert not any(frame.broken for frame in evicted[:-1])


def test_victim_what_is_cut_off_lost_slots_and_stale_entries_are_drawn_with_their_words(evicted: tuple[Frame, ...]) -> None:
    drawn = svg(evicted[-1], "p")

    assert shapes(drawn) == ["rc-box rc-gone", "rc-box rc-gone"]
    assert [text for text, style in texts(drawn) if "rc-bad" in style][:3] == ["evicted", "cut off", "lost: slots 2, which are unreachable"]
    assert ("5 for [1 1]  stale: its node is gone", "rc-text rc-struck") in texts(drawn)
    struck = [t.text for t in ElementTree.fromstring(drawn).iter("tspan") if t.get("class") == "rc-line"]
    assert struck == ["4 for no node of the tree", "5 for [1 1]"]
    assert evicted[-1].lost == (2,)


def stale(frame: Frame) -> list[str]:
    """Why each entry of the heap is stale; empty for those that are not."""
    assert frame.heap is not None
    return [entry.stale for entry in frame.heap]


def test_an_entry_is_stale_for_its_first_reason(evicted: tuple[Frame, ...]) -> None:
    touch = (Op("insert", Key((1,))), Op("match", Key((1,))))

    assert stale(evicted[2]) == ["inner", ""]
    assert stale(of("as-submitted:pairs", touch)[-1]) == ["aged"]
    assert stale(of("as-submitted:pairs", (*touch, Op("lock", Key((1,)), 1)))[-1]) == ["locked"]


def test_a_key_that_has_moved_on_is_seen_under_other_policies_too() -> None:
    twice = (Op("insert", Key((1,))), Op("insert", Key((1,))))

    assert [stale(frame) for frame in of("optimized", twice, Config("lfu", 1, 6))[1:]] == [[""], ["aged"]]


def test_the_description_says_all_of_it_in_words(evicted: tuple[Frame, ...]) -> None:
    assert alt_text(evicted[-1]).splitlines()[:7] == [
        "root",
        "└─ [1]  slots 0  time 4  evicted",
        "   └─ [1]  slots 2  time 5  cut off",
        "heap:",
        "4 for no node of the tree  stale: its node is gone",
        "5 for [1 1]  stale: its node is gone",
        "lost: slots 2, which are unreachable",
    ]
    assert (
        "EVICT_LEAF broken: evicted [1] while [1 1] was below it: slot 2 of [1 1] is not free, and cannot be reached any more"
        in alt_text(evicted[-1])
    )


def test_locks_and_a_split_are_drawn_and_said() -> None:
    trace = (Op("insert", Key((1, 2, 3))), Op("match", Key((1, 2))), Op("lock", Key((1, 2)), 1))
    split, locked = of("reference", trace)[2:]

    assert "[1 2]  slots" in alt_text(split)
    assert "new by a split" in alt_text(split)
    assert shapes(svg(split, "p")) == ["rc-box rc-new", "rc-box"]
    assert "locked 1" in alt_text(locked)
    assert shapes(svg(locked, "p")) == ["rc-box rc-locked", "rc-box"]
    assert "locked 1" in [text for text, _ in texts(svg(locked, "p"))]
    assert not any("heap" in text for text, _ in texts(svg(locked, "p")))


def test_a_start_that_evicts_marks_its_victims() -> None:
    trace = (Op("insert", Key((1, 2))), Op("insert", Key((3, 4))), Op("start", Key((5, 6)), 1))
    last = of("reference", trace, Config("lru", 1, 4))[-1]

    assert last.seen is not None
    assert [(n.segment, last.labels.get(n.name, "")) for n in last.seen.nodes] == [((3, 4), ""), ((1, 2), "evicted")]


def test_a_reset_forgets_and_does_not_evict() -> None:
    last = of("reference", (Op("insert", Key((1,))), Op("reset")))[-1]

    assert list(last.labels.values()) == ["forgotten"]


def test_a_black_box_has_frames_without_an_inside() -> None:
    shown = frames(lambda setup: Hiding(reference_subject(setup), BLACK_BOX), SMALL, LEAF)

    assert [frame.seen for frame in shown] == [None] * 4
    assert [frame.answer for frame in shown][1:] == ["0 present, slots 0", "1 present, slots 1 2", "freed 1"]
    assert alt_text(shown[-1]).splitlines() == [
        *("the cache does not show its inside; as specified:", "root", "└─ [1]  slots 0  time 2  hits 2"),
        *("   └─ [1]  slots 2  time 2  hits 1  evicted", "free 5  evictable 1  protected 0"),
    ]
    assert ElementTree.fromstring(svg(shown[-1], "p")).tag == "svg"


def test_what_cannot_be_called_is_said_and_what_raises_ends_it() -> None:
    shown = of("faulty:raises", (Op("unlock", holder=4), *LEAF, *LEAF))

    assert shown[1].answer.startswith("not performed")
    assert shown[-1].number == 4
    assert shown[-1].answer == "raised: ZeroDivisionError"
    assert r"raised ZeroDivisionError: 1 \x00 \x1b[31m <&>" in alt_text(shown[-1])
    assert "<&>" in "".join(text for text, _ in texts(svg(shown[-1], "p")))


def test_a_refusal_is_no_fault() -> None:
    shown = of("reference", (Op("start", Key(tuple(range(9))), 1),))

    assert shown[-1].answer == "refused: NoRoom"
    assert not shown[-1].broken


def test_a_cache_that_shows_nothing_any_more_ends_it_with_a_frame_that_says_so() -> None:
    shown = of("faulty:shows_nothing", (*LEAF, *LEAF))

    assert shown[-1].number == 3
    assert "it cannot be observed any more: observe() raised OSError: gone" in shown[-1].answer
    assert [v.property for v in shown[-1].broken] == ["REFINEMENT"]


class Odd:
    """A component of a namespace that writes itself as it likes."""

    def __repr__(self) -> str:
        return "</text><script>\x00\ud800\n]]>&'\""


def test_whatever_stands_in_a_namespace_is_escaped() -> None:
    trace = (Op("insert", Key((1, 2), (Odd(), "<b>"))), Op("match", Key((1, 2), ("\x1b",))))
    shown = frames(reference_subject, SMALL, trace)

    for frame in shown:
        drawn = svg(frame, 'a "name" & more')
        tags = {element.tag for element in ElementTree.fromstring(drawn).iter()}
        assert tags <= {"svg", "title", "desc", "path", "rect", "text", "tspan"}
        drawn.encode("utf-8")
    assert "script" in alt_text(shown[1])


def test_each_drawing_is_an_image_with_title_and_description_under_names_of_its_own(evicted: tuple[Frame, ...]) -> None:
    root = ElementTree.fromstring(stacked(evicted, "p"))
    images = [g for g in root.iter(f"{SVG}g") if g.get("role") == "img"]
    ids = [element.get("id") for element in root.iter() if element.get("id")]

    assert len(images) == len(evicted)
    assert len(ids) == len(set(ids)) == 2 * len(evicted)
    for image, frame in zip(images, evicted, strict=True):
        named = {each.get("id"): each.text for each in image}
        assert [named[name] for name in image.get("aria-labelledby", "").split()] == [title(frame), alt_text(frame)]


def test_a_large_tree_is_shown_in_part_and_a_deep_one_stays_within_its_width() -> None:
    wide = of("reference", [Op("insert", Key((i,))) for i in range(30)], Config("lru", 1, 64))[-1]
    deep = of("reference", [Op("insert", Key(tuple(range(1, i + 2)))) for i in range(20)], Config("lru", 1, 512))[-1]

    assert "and 6 more nodes" in [text for text, _ in texts(svg(wide, "p"))]
    for frame in (wide, deep):
        boxes = list(ElementTree.fromstring(svg(frame, "p")).iter("rect"))
        assert len(boxes) <= 24
        assert all(int(b.get("width", "0")) >= 100 for b in boxes)
        assert all(int(b.get("x", "0")) + int(b.get("width", "0")) <= WIDTH for b in boxes)


def test_a_wrong_heap_is_drawn_as_it_is() -> None:
    mutant: Factory = MUTANTS["heap_never_tidied"].factory
    trace = [Op("insert", Key((1,))), *(Op("match", Key((1,))), Op("lock", Key((1,)), 1), Op("unlock", holder=1)) * 6]
    last = frames(mutant, SMALL, trace)[-1]

    assert last.heap is not None
    assert f"heap:\n{last.heap[0].key}" in alt_text(last)
