"""The site: its links are checked, its pages lose no word, and the specification is on it with every formula."""

import ast
import html
import re
from collections import Counter
from pathlib import Path

import pytest
from pdoc.render_helpers import to_html
from places import LAYERS, ROOT
from site_links import Anchors, broken_links
from site_pages import (
    SPECIFICATION,
    VERIFICATION,
    Page,
    documented_modules,
    link_texts,
    linked_file,
    markdown_of,
    page_file,
    pages,
    place_of,
    rendered,
)
from site_specification import specification
from sources import modules, syntax, tracked

from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.operations import OPERATIONS
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.text import text
from radixcheck.spec.theorems import FORMULAS
from radixcheck.spec.transitions import CACHE
from radixcheck.verification.core.catalogue import EVERY, HOST_FORMULAS


def shown(page: str) -> str:
    """The text of HTML."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def letters(text_: str) -> str:
    """The letters of a text. Numbers of lists are not written in HTML, and hard to tell from others."""
    return "".join(re.findall(r"[^\W\d_]", text_))


def lost_words(docstring: str, markdown: str) -> str:
    """What HTML of this Markdown does not show of a docstring."""
    actual, expected = letters(shown(to_html(markdown))), letters(docstring)
    return "" if actual == expected else expected


def test_every_markdown_file_is_a_page_and_every_page_has_a_file_of_its_own() -> None:
    assert {page.source for page in pages()} == {path for path in tracked() if path.endswith(".md")}
    assert max(Counter(page.name for page in pages()).values()) == 1
    assert [page.title for page in pages()][:2] == ["Tour", "Check your cache"]


def test_every_module_of_the_caches_and_each_named_one_of_the_kit_is_documented() -> None:
    names = documented_modules()

    assert VERIFICATION <= {*names} <= {*modules()}
    assert {name.split(".")[1] for name in names} == {*LAYERS}
    assert {path for name, path in modules().items() if name not in names and path.startswith(LAYERS[:3])} == set()


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_a_page_shows_every_word_of_its_file(page: Page) -> None:
    source = (ROOT / page.source).read_text()
    words = re.sub(r"\]\([^)]*\)", "]", re.sub(r"^```\w*$", "", source, flags=re.MULTILINE))

    assert lost_words(words, source) == ""


@pytest.mark.slow
def test_the_site_shows_every_word_of_the_docstrings() -> None:
    nodes = [node for name in documented_modules() for node in ast.walk(syntax(modules()[name]))]
    texts = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]

    assert [text_ for text_ in texts if lost_words(text_, markdown_of(text_))] == []
    assert len(texts) > 1_000


def test_a_word_that_is_lost_is_seen() -> None:
    docstring = "Tokens\n[1 2]: they are lost."

    assert lost_words(docstring, docstring)
    assert not lost_words(docstring, markdown_of(docstring))


def test_the_specification_has_each_property_step_and_call_once_with_its_sentence_and_formula() -> None:
    page, toc = specification()
    ids, words = Counter(re.findall(r"id=[\"']([^\"']+)", page)), shown(page)

    assert {id_ for id_ in EVERY if ids[id_] != 1} == set()
    assert {each.name for each in CACHE if ids[each.name] != 1} | {each.name for each in TIERED if ids[f"host-{each.name}"] != 1} == set()
    assert {name for name in OPERATIONS if ids[f"call-{name}"] != 1} == set()
    assert max(ids.values()) == 1
    for found in (*FORMULAS.values(), *HOST_FORMULAS.values()):
        assert found.sentence in words
        assert found.formula is None or text(found.formula(POLICIES["lru"])) in words
    for each in (*CACHE, *TIERED):
        assert f"Requires: {each.requires}" in words
        assert f"Effect: {each.effect}" in words
        assert text(each.guard) in words
    assert {*re.findall('href="#([^"]+)', toc)} <= {*ids}


def test_a_step_is_shown_with_its_updates() -> None:
    page = shown(specification()[0])

    for line in ("node(m) := true", "up(m) := up(c)", "end(q) := m  where cached(q) and end(q) = c and q <= m", "now := now + 1"):
        assert line.lower() in page.lower()
    assert "repeat evict(n) if " in page
    assert "StaleHandle if not node(n) and n /= eps" in page


@pytest.mark.parametrize(
    ("named", "source", "expected"),
    [
        ("README.md", "verification/remote/README.md", "verification-remote.html"),
        ("remote/README.md", "verification/README.md", "verification-remote.html"),
        ("spec/logic.py", "README.md", "radixcheck/spec/logic.html"),
        ("logic.py", "spec/README.md", "radixcheck/spec/logic.html"),
        ("host/", "spec/README.md", "spec-host.html"),
        ("spec/", "README.md", "spec.html"),
        ("tests/constraints.txt", "README.md", "files/tests/constraints.txt.txt"),
        (".ci/run", "README.md", "files/ci/run.txt"),
        ("gone.py", "README.md", None),
        ("../outside.md", "README.md", None),
    ],
)
def test_a_path_that_a_file_names_has_its_place_on_the_site(named: str, source: str, expected: str | None) -> None:
    assert place_of(named, source) == expected
    assert expected is None or not expected.startswith("files") or named in linked_file.used


def test_files_and_properties_that_a_text_names_become_links() -> None:
    page = (
        '<h2>COUNT</h2><p>NO_ORPHAN is in <code>invariants.py</code> &amp; <a href="../README.md">there</a>, not in <code>x.py</code></p>'
    )
    page += '<pre><code>spec/logic.py NO_ORPHAN</code></pre><p>MY_NAME <a href="host/README.md#id">NO_ORPHAN</a><br/></p>'

    assert link_texts(page, "spec/README.md", "deep/spec.html") == (
        f'<h2>COUNT</h2><p><a href="../{SPECIFICATION}#NO_ORPHAN">NO_ORPHAN</a> is in <code>'
        '<a href="../radixcheck/spec/invariants.html">invariants.py</a></code> &amp; <a href="../index.html">there</a>, not in '
        "<code>x.py</code></p><pre><code>spec/logic.py NO_ORPHAN</code></pre><p>MY_NAME "
        '<a href="../spec-host.html#id">NO_ORPHAN</a><br/></p>'
    )


def test_a_page_is_rendered_with_its_table_of_contents() -> None:
    page = next(page for page in pages() if page.source == "spec/host/README.md")
    content, toc = rendered(page)

    assert page_file(page.source) == page.name == "spec-host.html"
    assert Anchors(toc).links
    assert {link.lstrip("#") for link in Anchors(toc).links} <= Anchors(content).ids


def test_links_that_lead_nowhere_are_seen(tmp_path: Path) -> None:
    assert broken_links(tmp_path) == [f"{tmp_path} has no pages"]
    folder = tmp_path / "deep"
    folder.mkdir()
    (tmp_path / "a.html").write_text(
        '<p id="x"><a href="deep/b.html#y">right</a><a href="#x">right</a><a href="https://example.org/#gone">not followed</a>'
        '<a href="gone.html">1</a><a href="deep/b.html#x">2</a><a href="#y">3</a><a href="">4</a><a href="deep">5</a><img src="gone.svg">'
    )
    (folder / "b.html").write_text('<p id="y"><a href="../a.html?search=1#x">right</a><a href="a.html">6</a>')

    assert broken_links(tmp_path) == [
        "a.html: gone.html leads to no file",
        "a.html: deep/b.html#x leads to no id of b.html",
        "a.html: #y leads to no id of a.html",
        "a.html: a link is empty",
        "a.html: deep leads to no file",
        "a.html: gone.svg leads to no file",
        "deep/b.html: a.html leads to no file",
    ]
