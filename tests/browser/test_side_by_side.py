"""Two runs in one player, in a notebook and in a file of their own: one scrub moves both, keys stay with it, what
differs is marked, and it fits, light and dark, wide and narrow."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from nvmelm_lab.views import text
from nvmelm_lab.views.export import export_html, page_html
from tests.browser.conftest import Lab, OpenNotebook, set_theme
from tests.browser.measures import CONTRASTS, FAULTS, PLACES
from tests.browser.players import player, press_pane, scrub_to, step_of
from tests.views.pairs import counterexample, pair

PAIR = pair("copies_before_logging")
LAST = len(PAIR["rows"]) - 1
CELL = """import json
from nvmelm_lab.views import SideBySide
SideBySide(json.load(open("pair.json")))"""
THEMES = ("JupyterLab Light", "JupyterLab Dark")
SOURCES = """() => jupyterapp.shell.currentWidget.context.model.toJSON().cells
  .map(cell => [cell.cell_type, cell.source])"""


@pytest.fixture(scope="module")
def page(lab: Lab, shared_notebook: OpenNotebook) -> Page:
    (lab.folder / "pair.json").write_text(json.dumps(PAIR), encoding="utf-8")
    return shared_notebook(lab.write("pair.ipynb", CELL, "1 + 1"))


@pytest.fixture
def root(page: Page) -> Locator:
    found = player(page)
    found.focus()
    return found


def press(root: Locator, *keys: str) -> int:
    for key in keys:
        root.page.keyboard.press(key)
    return step_of(root)


def sentences(root: Locator) -> list[str]:
    return root.locator(".nvp-say").all_inner_texts()


def test_it_opens_where_the_runs_begin_to_differ_and_says_so(root: Locator) -> None:
    assert step_of(root) == PAIR["differs"]
    assert root.locator(".nvp-phase[data-look=now]").inner_text().endswith("From here on different")
    assert root.locator(".nvp-split").inner_text() == "different from here on"


@pytest.mark.parametrize("share", [0.0, 0.15, 0.3, 0.6, 1.0])
def test_one_scrub_moves_both_runs_and_each_says_its_own_step(root: Locator, share: float) -> None:
    row = scrub_to(root, share)
    for which, said in enumerate(sentences(root)):
        run, step = PAIR["runs"][which], PAIR["rows"][row][which]
        whole = text.sentence(run, step)
        rests = row > 0 and PAIR["rows"][row - 1][which] == step
        assert said == (whole.replace("Step", "After step", 1) if rests else whole)


def test_the_keys_are_those_of_the_player_and_leave_the_notebook_alone(root: Locator) -> None:
    before = root.page.evaluate(SOURCES)
    assert press(root, "Home") == 0
    assert press(root, "ArrowRight", "ArrowRight") == 2
    assert press(root, "Shift+ArrowRight") == 12
    assert press(root, "Home", "PageDown") == PAIR["differs"]
    assert press(root, "PageDown") == PAIR["breaks"]
    assert press(root, "End") == LAST
    assert press(root, "ArrowLeft", "PageUp", "PageUp") == PAIR["differs"]
    assert root.page.evaluate(SOURCES) == before


def test_it_plays_up_to_where_they_begin_to_differ_and_holds(root: Locator) -> None:
    root.get_by_label("Speed").select_option("8")
    root.focus()
    press(root, "Home", " ")
    root.get_by_role("button", name="Play").wait_for()
    assert step_of(root) == PAIR["differs"]


def test_the_text_of_both_is_that_of_python(root: Locator) -> None:
    press(root, "Home", "PageDown")
    press_pane(root, "Text")
    panes = root.locator(".nvp-pane")
    for which, step in enumerate(PAIR["rows"][PAIR["differs"]]):
        shown = [row.inner_text() for row in panes.nth(which).locator(".nvp-row").all()]
        described = text.describe(PAIR["runs"][which], step)
        assert shown
        assert shown == described[: len(shown)]
    press_pane(root, "Text")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("pane", [None, "Bytes", "Text", "Keys and signs"])
def test_nothing_overlaps_is_cut_or_too_faint(root: Locator, theme: str, pane: str | None) -> None:
    set_theme(root.page, theme)
    if pane:
        press_pane(root, pane)
    for share in (0.0, 0.25, 0.6, 1.0):
        scrub_to(root, share)
        assert root.evaluate(FAULTS) == []
        worst = root.evaluate(CONTRASTS)
        assert worst[0][0] >= 4.5, worst
    if pane:
        press_pane(root, pane)
    box = root.bounding_box()
    assert box is not None
    assert box["height"] == 564


def test_nothing_shifts_from_step_to_step(root: Locator) -> None:
    press(root, "Home")
    places = root.evaluate(PLACES)
    for _ in range(4):
        press(root, "Shift+ArrowRight")
        assert root.evaluate(PLACES) == places


def test_its_ring_of_focus_is_seen_and_escape_leaves(root: Locator) -> None:
    assert root.evaluate("node => getComputedStyle(node).boxShadow") != "none"
    press(root, "Escape")
    assert not root.evaluate("root => root.contains(document.activeElement)")


# --- as a file ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "lost.html"
    path.write_text(export_html(counterexample("copies_before_logging")), encoding="utf-8")
    return path


@pytest.fixture(params=[("light", 1280), ("dark", 880), ("light", 700), ("dark", 640)], ids=str)
def opened(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[Page]:
    theme, width = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, offline=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(file.as_uri())
    yield page
    context.close()
    assert errors == []


def test_the_file_opens_from_a_disk_and_plays(opened: Page) -> None:
    root = player(opened)
    root.focus()
    assert press(root, "End") > press(root, "Home") == 0
    assert root.evaluate(FAULTS) == []
    wide = opened.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    shown = [figure.is_visible() for figure in opened.locator("figure").all()]
    assert sorted(shown) == [False, True]


def test_many_broken_promises_have_room(browser: Browser, tmp_path: Path) -> None:
    failing, repaired = PAIR["runs"]
    every = [[which, "bad", "LBA 0 and some more words"[:24]] for which in range(len(failing["properties"]))]
    steps = [*failing["steps"][:-1], failing["steps"][-1] | {"verdicts": every}]
    path = tmp_path / "broken.html"
    path.write_text(
        page_html(PAIR | {"runs": [failing | {"steps": steps}, repaired]}, "", {}), encoding="utf-8"
    )
    page = browser.new_page(viewport={"width": 880, "height": 900})
    page.goto(path.as_uri())
    root = player(page)
    root.focus()
    press(root, "End")
    assert root.evaluate(FAULTS) == []
    assert root.locator(".nvp-verdicts").first.inner_text() == "✗6 broken"
    page.close()
