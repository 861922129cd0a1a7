"""Pictures of a cache with a host tier: which tier has each node, copies in flight, and what moves; a cache without it has the old ones."""

from xml.etree import ElementTree

import pytest

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.operations import Op
from radixcheck.verification.report.drawing import svg
from radixcheck.verification.runs.show_job import frames
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.trace_replay.alt_text import alt_text, title
from radixcheck.verification.trace_replay.frame_results import Frame

SVG = "{http://www.w3.org/2000/svg}"
TRACE = (
    *(Op("insert", Key((1, 1))), Op("complete"), Op("poll"), Op("insert", Key((1, 2))), Op("evict", amount=4), Op("complete"), Op("poll")),
    *(Op("evict", amount=1), Op("load_back", Key((1, 2))), Op("complete"), Op("evict_host", amount=9), Op("poll")),
)
CONFIG = Config("lru", 1, 4, "cpu", 3, "write_through")


@pytest.fixture(scope="module")
def shown() -> tuple[Frame, ...]:
    return frames(resolve("reference-host"), CONFIG, TRACE)


def test_each_node_shows_its_slots_on_each_tier(shown: tuple[Frame, ...]) -> None:
    assert alt_text(shown[1]).splitlines() == [
        "root",
        "└─ [1 1]  slots 0 1  host 0 1  time 1  hits 1  locked 1  new",
        "copies:",
        "backup of [1 1]: slots 0 1 to host 0 1",
        "free 2  evictable 0  protected 2  host free 1",
    ]


def test_what_leaves_a_tier_and_what_comes_back_is_marked(shown: tuple[Frame, ...]) -> None:
    marks = {frame.number: sorted(set(frame.labels.values())) for frame in shown if frame.labels}

    assert marks == {1: ["new"], 4: ["new", "new by a split"], 5: ["demoted"], 8: ["demoted"], 9: ["loaded"], 11: ["evicted"]}
    assert "   └─ [1]  host 1  time 1  hits 1  demoted" in alt_text(shown[5])


def test_a_copy_shows_its_span_its_pins_and_its_slots(shown: tuple[Frame, ...]) -> None:
    assert "load of [1 2] behind [1]: host 2 to slots 3" in alt_text(shown[9])
    assert "pinned 1  loaded" in alt_text(shown[9])
    assert "copies: none" in alt_text(shown[12])


def test_answers_name_what_the_host_has_and_the_copies(shown: tuple[Frame, ...]) -> None:
    assert title(shown[3]) == "3  poll: handled copies 0"
    assert title(shown[9]).endswith("1 token on the host alone, copies of 1 token issued")


def test_a_node_that_only_the_host_has_is_drawn_faded(shown: tuple[Frame, ...]) -> None:
    drawn = ElementTree.fromstring(svg(shown[8], "p"))
    faded = [box.get("class", "") for box in drawn.iter("rect") if "rc-faded" in box.get("class", "")]
    words = ["".join(text.itertext()) for text in drawn.iter("text")]

    assert len(faded) == 2
    assert any("host 2" in line for line in words)
    assert any("host free 0" in line for line in words)


def test_json_adds_the_tier_and_nothing_for_a_cache_without_it(shown: tuple[Frame, ...]) -> None:
    tiered, flat = shown[9].to_json(), frames(resolve("reference"), Config("lru", 1, 4), TRACE[:1])[1].to_json()

    assert (tiered["host_available"], tiered["copies"]) == (0, [{"up": True, "floor": 0, "aim": 1, "sources": [2], "targets": [3]}])
    assert [(node["slots"], node["host_slots"], node["pins"]) for node in tiered["nodes"]] == [([0], [0], 0), ([3], [2], 1), ([], [1], 0)]
    assert not {"host_available", "copies"} & flat.keys()
    assert not {"host_slots", "pins"} & flat["nodes"][0].keys()
