"""The page of a report in a real browser: widths, colours, references, the filter, the keyboard, paper, and what axe-core finds."""

import base64
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WIDTHS = (400, 768, 1280)
SCHEMES = ("light", "dark")
LONGEST = """for (const row of document.querySelector('#answers tbody').rows) {
    row.cells[2].innerHTML = '<b class="verdict">NOT AS EXPECTED</b>';
    row.cells[3].innerHTML = '<a href="#">evict_frees_the_deleted_nodes_twice</a>';
    row.cells[4].innerHTML = '<a href="#">C10-DEVICE-MATCH_SOUND</a> <a href="#">and 12 more</a>';
}"""
SHOWN = "return [...document.querySelectorAll('main .whole, main tbody tr')].filter(e => e.getClientRects().length).length"


@pytest.fixture
def page(report_folder: Path, browser: webdriver.Chrome) -> webdriver.Chrome:
    """The browser with the page, 1,280 pixels wide."""
    show(browser, report_folder, 1280)
    return browser


def show(browser: webdriver.Chrome, report_folder: Path, width: int, scheme: str = "light") -> None:
    """Open the page anew at this width and in these colours."""
    sizes = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", sizes)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.get("about:blank")
    browser.get((report_folder / "report.html").as_uri())


def unfold(browser: webdriver.Chrome) -> None:
    """Open everything that is folded."""
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")


def find(browser: webdriver.Chrome, words: str) -> None:
    """Replace what stands in the filter."""
    browser.execute_script("const f = document.getElementById('filter'); f.value = ''; f.focus()")
    browser.find_element(By.ID, "filter").send_keys(words)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_needs_no_scrolling_sideways(report_folder: Path, browser: webdriver.Chrome, width: int, tmp_path: Path) -> None:
    show(browser, report_folder, width)
    unfold(browser)
    browser.execute_script(LONGEST)
    shown = tmp_path / f"{width}.png"

    assert browser.title == "radixcheck report: sglang#6907"
    assert browser.execute_script("return window.innerWidth") == width
    assert browser.execute_script("return Math.max(document.body.scrollWidth, document.documentElement.scrollWidth)") <= width
    wide = (
        "return [...document.querySelectorAll('main table.rows, pre, p, figure')].filter(e => e.getBoundingClientRect().right > innerWidth)"
    )
    assert browser.execute_script(f"{wide}.map(e => e.textContent.slice(0, 60))") == []
    assert browser.save_screenshot(str(shown))
    assert shown.stat().st_size > 10_000


def test_something_too_wide_is_noticed(page: webdriver.Chrome) -> None:
    page.execute_script("document.querySelector('main p').style.width = '3000px'; document.querySelector('main p').style.maxWidth = 'none'")

    assert page.execute_script("return document.documentElement.scrollWidth") > 1280


def test_every_reference_can_be_followed_in_a_browser(page: webdriver.Chrome) -> None:
    """The target is there and can be seen: what it is folded in opens."""
    within = "[...document.links].map(a => a.getAttribute('href')).filter(to => to.startsWith('#'))"
    links: list[str] = page.execute_script(f"return [...new Set({within})]")

    hidden = []
    for link in links:
        page.execute_script("location.hash = arguments[0]", link)
        seen = page.execute_script("const e = document.getElementById(arguments[0]); return e && e.getClientRects().length", link[1:])
        hidden += [] if seen else [link]
    assert hidden == []
    assert len(links) > 100


def violations(browser: webdriver.Chrome) -> list[str]:
    """What axe-core finds wrong: the rule, and the first element that breaks it."""
    source = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    browser.execute_script(source)
    browser.set_script_timeout(120)
    found: list[dict[str, Any]] = browser.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(found => arguments[arguments.length - 1](found.violations))"
    )
    return [f"{each['id']}: {each['nodes'][0]['html'][:100]}" for each in found]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), pytest.param(400, "dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_wrong(report_folder: Path, browser: webdriver.Chrome, width: int, scheme: str) -> None:
    show(browser, report_folder, width, scheme)

    assert violations(browser) == []


def test_axe_finds_a_pale_verdict_and_a_field_without_a_label(page: webdriver.Chrome) -> None:
    page.execute_script("document.querySelector('main b.verdict').style.color = '#ccc'; document.querySelector('label').remove()")
    page.execute_script("document.getElementById('filter').removeAttribute('placeholder')")

    assert {each.partition(":")[0] for each in violations(page)} >= {"color-contrast", "label"}


def test_the_filter_shows_what_has_all_words_and_escape_empties_it(page: webdriver.Chrome) -> None:
    every = page.execute_script(SHOWN)

    find(page, "leaves evicted heap")
    few = page.execute_script(SHOWN)
    assert 0 < few < every
    assert page.find_element(By.ID, "question-Q1").is_displayed()
    assert not page.find_element(By.ID, "question-Q13").is_displayed()
    assert not page.find_element(By.CSS_SELECTOR, "nav a[href='#question-Q13']").is_displayed()
    assert page.find_element(By.ID, "filtered").text.endswith("entries")
    page.find_element(By.ID, "filter").send_keys(Keys.ESCAPE)
    assert page.execute_script(SHOWN) == every


@pytest.mark.slow
def test_the_filter_opens_what_is_folded_and_folds_it_again(page: webdriver.Chrome) -> None:
    folded = "return document.getElementById('mutants').open"

    find(page, "evict_internal")
    assert page.execute_script(folded)
    find(page, "no such word")
    assert page.execute_script(SHOWN) == 0
    page.find_element(By.ID, "filter").send_keys(Keys.ESCAPE)
    assert not page.execute_script(folded)


@pytest.mark.slow
def test_a_reference_to_what_the_filter_hides_shows_it(page: webdriver.Chrome) -> None:
    find(page, "evict_internal")
    page.execute_script("location.hash = '#question-Q13'")
    page.execute_async_script("setTimeout(arguments[0], 50)")

    assert page.find_element(By.ID, "question-Q13").is_displayed()
    assert page.find_element(By.ID, "filter").get_attribute("value") == ""


def test_the_keyboard_reaches_content_filter_and_contents(report_folder: Path, browser: webdriver.Chrome) -> None:
    show(browser, report_folder, 400)
    focus = "return document.activeElement.id || document.activeElement.className"
    reached = []
    for _ in range(4):
        webdriver.ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(browser.execute_script(focus))
    assert reached[:1] + reached[1:3] == ["skip", "filter", "menu"]

    browser.execute_script("document.getElementById('menu').focus()")
    webdriver.ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert browser.find_element(By.ID, "contents").is_displayed()
    webdriver.ActionChains(browser).send_keys(Keys.TAB).perform()
    assert browser.execute_script("return document.activeElement.hash") == "#summary"
    assert browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    webdriver.ActionChains(browser).send_keys(Keys.ESCAPE).perform()
    assert not browser.find_element(By.ID, "contents").is_displayed()
    assert browser.execute_script(focus) == "menu"


@pytest.mark.slow
def test_contents_and_filter_stay_in_sight(report_folder: Path, browser: webdriver.Chrome) -> None:
    for width in WIDTHS:
        show(browser, report_folder, width)
        browser.execute_script("window.scrollTo(0, 3000)")
        assert browser.execute_script("return document.getElementById('filter').getBoundingClientRect().top") < 200


@pytest.mark.slow
def test_the_heads_of_a_matrix_stay_in_sight(report_folder: Path, browser: webdriver.Chrome) -> None:
    show(browser, report_folder, 400)
    edges = """
        const matrix = document.querySelector('#kept .matrix');
        const rows = matrix.querySelector('tbody');
        for (let i = 0; i < 60; i++) rows.append(rows.rows[0].cloneNode(true));
        for (const row of matrix.querySelectorAll('tr')) for (let i = 0; i < 40; i++) row.append(row.cells[1].cloneNode(true));
        matrix.scrollTo(30, 600);
        const at = e => e.getBoundingClientRect();
        const [head, name] = [matrix.querySelector('thead th:last-child'), rows.rows[30].cells[0]];
        return [matrix.scrollTop, at(head).top - at(matrix).top, at(name).left - at(matrix).left];
    """
    scrolled, top, left = browser.execute_script(edges)

    assert scrolled == 600
    assert 0 <= top <= 2
    assert 0 <= left <= 2


@pytest.mark.slow
def test_the_head_of_the_answers_stays_in_sight(page: webdriver.Chrome) -> None:
    page.execute_script("document.querySelector('#answers tbody tr:nth-child(20)').scrollIntoView()")

    assert page.execute_script("return document.querySelector('#answers thead th').getBoundingClientRect().top") == 0


@pytest.mark.slow
def test_on_a_narrow_screen_each_cell_has_its_label_and_its_role(report_folder: Path, browser: webdriver.Chrome) -> None:
    show(browser, report_folder, 400)
    cell = "document.querySelector('#answers tbody td')"

    assert browser.execute_script(f"return [{cell}.getAttribute('role'), {cell}.dataset.head]") == ["cell", "answer"]
    assert browser.execute_script(f"return getComputedStyle({cell}, '::before').content").startswith('"answer')


@pytest.mark.slow
def test_without_scripts_the_page_shows_everything(report_folder: Path, browser: webdriver.Chrome) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        show(browser, report_folder, 400)
        assert not browser.find_element(By.ID, "filter").is_displayed()
        assert browser.find_element(By.ID, "contents").is_displayed()
        assert browser.find_element(By.ID, "question-Q13").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.slow
def test_on_paper_there_is_no_navigation_and_nothing_is_cut_off(page: webdriver.Chrome) -> None:
    printed = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert printed.startswith(b"%PDF")

    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 720, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
    assert not page.find_element(By.ID, "filter").is_displayed()
    unfold(page)
    cut = "return [...document.querySelectorAll('main table')].filter(e => e.getBoundingClientRect().right > innerWidth).length"
    assert page.execute_script(cut) == 0
