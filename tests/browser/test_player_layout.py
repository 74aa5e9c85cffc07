"""The player fits: at 1280 x 800 beside the file browser nothing overlaps, is cut, scrolls sideways or shifts,
in light and in dark, at any step and in any pane; narrower and wider windows keep that."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Lab, OpenNotebook, set_theme
from tests.browser.measures import FAULTS, PLACES
from tests.browser.players import player, press_pane, scrub_to, show, step_of
from tests.views.synthetic import model

THEMES = ("JupyterLab Light", "JupyterLab Dark")
SHARES = (0.0, 0.2, 0.36, 0.52, 0.77, 0.92, 1.0)
PANES = (None, "Bytes", "Text", "Keys and signs")


def wordy() -> dict[str, Any]:
    """A run whose every text is as long as the player model allows, with more properties than have room."""
    run = model(steps=160)
    for step in run["steps"]:
        step["text"] = f"{step['text']} {'and goes on in words ' * 8}"[:100]
        step["note"] = "and a note, as long as a note may get, here"
    many = [{"name": f"property with a name {n}", "sentence": "It holds."} for n in range(8)]
    return run | {"seed": (1 << 64) - 1, "properties": many}


RUNS = {
    "small": model(),
    "lost": model(lose=True),
    "large": model(blocks=16384, cell_lbas=64, slots=128, steps=900),
    "wordy": wordy(),
}


def open_pane(root: Locator, pane: str | None) -> None:
    if pane:
        press_pane(root, pane)


@pytest.fixture(scope="module", params=RUNS)
def page(request: pytest.FixtureRequest, lab: Lab, shared_notebook: OpenNotebook) -> Page:
    opened = shared_notebook(show(lab, f"layout-{request.param}.ipynb", RUNS[request.param]))
    player(opened)
    return opened


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("pane", PANES)
def test_nothing_overlaps_is_cut_or_scrolls_sideways(page: Page, theme: str, pane: str | None) -> None:
    set_theme(page, theme)
    root = player(page)
    open_pane(root, pane)
    for share in SHARES[1::2] if pane else SHARES:
        scrub_to(root, share)
        assert root.evaluate(FAULTS) == [], f"at {share} of the run"
    open_pane(root, pane)
    box = root.bounding_box()
    assert box is not None
    assert box["height"] == 540
    assert box["width"] >= 840


@pytest.mark.parametrize("width", [820, 960, 1080, 1280, 1660])
def test_other_windows_show_it_whole_too(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    root = player(page)
    for share in (0.36, 0.92):
        scrub_to(root, share)
        assert root.evaluate(FAULTS) == []
    page.set_viewport_size({"width": 1280, "height": 800})


def test_nothing_shifts_or_grows_while_it_plays(page: Page) -> None:
    root = player(page)
    scrub_to(root, 0.0)
    places = root.evaluate(PLACES)
    root.get_by_label("Speed").select_option("8")
    root.get_by_role("button", name="Play").click()
    for _ in range(12):
        page.wait_for_timeout(150)
        assert root.evaluate(PLACES) == places
    root.get_by_role("button", name="Pause").click()
    assert step_of(root) > 20


def test_every_target_is_at_least_24_px(page: Page) -> None:
    small = player(page).evaluate(
        """root => [...root.querySelectorAll('button, select, input, .nvp-scrub')]
          .filter(node => node.getClientRects().length)
          .filter(node => Math.min(node.offsetWidth, node.offsetHeight) < 24).map(node => node.outerHTML)"""
    )
    assert small == []


def test_no_text_is_smaller_than_12_px(page: Page) -> None:
    small = player(page).evaluate(
        """root => [...root.querySelectorAll('*')].filter(node => node.textContent.trim())
          .filter(node => parseFloat(getComputedStyle(node).fontSize) < 12).map(node => node.outerHTML)"""
    )
    assert small == []
