"""The player fits: at 1280 x 800 beside the file browser nothing overlaps, is cut, scrolls sideways or shifts,
in light and in dark, at any step and in any pane; narrower and wider windows keep that."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Lab, OpenNotebook, set_theme
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

# Every text, control and canvas with its box.  What meets without one holding the other, what reaches out of
# the player or out of a box that hides what does not fit, and what could be scrolled sideways.
FAULTS = """root => {
  const visible = node => getComputedStyle(node).visibility === 'visible' && node.getClientRects().length > 0;
  const all = [];
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const owner = node.parentElement;
    if (!node.data.trim() || !visible(owner) || owner.closest('option')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) all.push({name: node.data, box, owner});
  }
  for (const node of root.querySelectorAll('button:not(.nvp-phase), select, input, canvas, .nvp-scrub')) {
    if (visible(node)) all.push({name: node.className, box: node.getBoundingClientRect(), owner: node});
  }
  const slack = 0.6;
  const meet = (a, b) => a.left < b.right - slack && b.left < a.right - slack
    && a.top < b.bottom - slack && b.top < a.bottom - slack;
  const faults = [];
  all.forEach((one, n) => all.slice(n + 1).forEach(other => {
    const nested = one.owner.contains(other.owner) || other.owner.contains(one.owner);
    if (!nested && meet(one.box, other.box)) faults.push(`overlap: ${one.name} / ${other.name}`);
  }));
  const hides = node => node === root || getComputedStyle(node).overflow !== 'visible';
  const holders = [root, ...root.querySelectorAll('*')].filter(hides);
  for (const holder of holders) {
    const hull = holder.getBoundingClientRect();
    for (const {name, box, owner} of all) {
      if (owner === holder || !holder.contains(owner)) continue;
      const inside = box.left >= hull.left - slack && box.right <= hull.right + slack
        && box.top >= hull.top - slack && box.bottom <= hull.bottom + slack;
      if (!inside) faults.push(`cut: ${name}`);
    }
  }
  for (const node of document.querySelectorAll('html, .jp-WindowedPanel-outer, .jp-OutputArea-output')) {
    if (node.scrollWidth > node.clientWidth + 1) faults.push(`sideways: ${node.className}`);
  }
  return faults;
}"""

# Where regions and controls stand; what moves by design (labels over the lanes, the thumb) is not among them.
PLACES = """root => {
  const fixed = root.querySelectorAll('button, select, input, canvas, .nvp > *, .nvp-lane, .nvp-count');
  return [...fixed].map(node => node.getBoundingClientRect()).map(box => [box.x, box.y, box.width, box.height].join());
}"""


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
