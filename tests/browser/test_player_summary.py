"""The player plays a summary as well: frames in place of steps, charts of its counters in place of lanes, maps that
open where a cell stands for many tiles; and what it says of any frame is what Python says."""

import random
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from nvmelm_lab.notebook import SMALL
from nvmelm_lab.runs import start
from nvmelm_lab.views import text
from nvmelm_lab.views.film import model_of
from nvmelm_lab.views.model import WORDS, State
from nvmelm_lab.views.replay import at, cells, counts
from tests.browser.conftest import Lab, OpenNotebook, set_theme
from tests.browser.measures import CONTRASTS, FAULTS, PLACES, SPOT, VERMILLION
from tests.browser.players import player, press_pane, scrub_to, show, step_of
from tests.views.synthetic_summary import summary

THEMES = ("JupyterLab Light", "JupyterLab Dark")
SHARES = (0.0, 0.3, 0.62, 1.0)
LARGE = summary(blocks=(1 << 22) - 5, tile=64, frames=512, busy=30, lose=True)
"""65 536 tiles of which the last is short, 256 of them a cell at the width beside the file browser."""

LAST = len(LARGE["steps"]) - 1
FIRSTS = [phase["first"] for phase in LARGE["phases"]]
CELL = 16384  # LBAs of a cell of the whole map
COLUMNS = 20


def wordy() -> dict[str, Any]:
    """A summary whose every word and number is as long as may be, over a namespace of 2^40 LBAs."""
    run = summary(blocks=1 << 40, tile=1 << 24, frames=90)
    counters = [{"name": f"Counter named {n}.", "unit": "machines", "sentence": "S" * 100} for n in range(6)]
    for step in run["steps"]:
        step["text"] = f"{step['text']} {'and goes on in words ' * 8}"[:100]
        step["counts"] = [(1 << 53) - 1 if n == step["t"] % 6 else 12 for n in range(6)]
    many = [{"name": f"property with a name {n}", "sentence": "It holds."} for n in range(8)]
    named = {"counters": counters, "lanes": [one["name"] for one in counters]}
    return run | named | {"seed": (1 << 64) - 1, "properties": many}


def one_counter() -> dict[str, Any]:
    """A summary with one counter, two frames and one tile, which is short."""
    run = summary(blocks=5, tile=8 >> 1, frames=2)
    steps = [step | {"counts": step["counts"][:1]} for step in run["steps"]]
    return run | {"counters": run["counters"][:1], "lanes": run["lanes"][:1], "steps": steps}


RUNS = {"large": LARGE, "wordy": wordy(), "one counter": one_counter()}


@pytest.fixture(scope="module")
def page(lab: Lab, shared_notebook: OpenNotebook) -> Page:
    return shared_notebook(show(lab, "summary.ipynb", LARGE))


@pytest.fixture
def root(page: Page) -> Locator:
    """The player of the large summary at its first frame, whole, with nothing picked and the focus on it."""
    found = player(page)
    out = found.get_by_role("button", name="Back to the whole namespace")
    if out.is_visible():
        out.click()
    found.locator(".nvp-seed").click()
    press(found, "Escape")
    found.focus()
    assert press(found, "Home") == 0
    return found


def press(root: Locator, *keys: str) -> int:
    for key in keys:
        root.page.keyboard.press(key)
    return step_of(root)


def picture(root: Locator, name: str) -> str:
    return root.locator(f"{name} canvas").evaluate("node => node.toDataURL()")


# --- it fits -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=RUNS)
def shown(request: pytest.FixtureRequest, lab: Lab, shared_notebook: OpenNotebook) -> Locator:
    return player(shared_notebook(show(lab, f"summary-{request.param}.ipynb", RUNS[request.param])))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("pane", [None, "Text", "Keys and signs"])
def test_nothing_overlaps_is_cut_or_scrolls_sideways(shown: Locator, theme: str, pane: str | None) -> None:
    set_theme(shown.page, theme)
    if pane:
        press_pane(shown, pane)
    for share in SHARES:
        scrub_to(shown, share)
        assert shown.evaluate(FAULTS) == [], f"at {share} of the run"
        worst = shown.evaluate(CONTRASTS)
        assert worst[0][0] >= 4.5, worst
    if pane:
        press_pane(shown, pane)
    box = shown.bounding_box()
    assert box is not None
    assert box["height"] == 540
    assert box["width"] >= 840


@pytest.mark.parametrize("width", [780, 820, 960, 1080, 1280, 1660])
def test_other_windows_show_it_whole_too_opened_or_not(shown: Locator, width: int) -> None:
    shown.page.set_viewport_size({"width": width, "height": 800})
    scrub_to(shown, 0.62)
    assert shown.evaluate(FAULTS) == []
    shown.locator(".nvp-map-1 canvas").click(position={"x": 22, "y": 8})
    step_of(shown)
    assert shown.evaluate(FAULTS) == []
    out = shown.get_by_role("button", name="Back to the whole namespace")
    if out.is_visible():
        out.click()
    shown.page.set_viewport_size({"width": 1280, "height": 800})


def test_nothing_shifts_or_grows_while_it_plays(shown: Locator) -> None:
    scrub_to(shown, 0.0)
    places = shown.evaluate(PLACES)
    shown.get_by_label("Speed").select_option("8")
    shown.get_by_role("button", name="Play").click()
    for _ in range(8):
        shown.page.wait_for_timeout(150)
        assert shown.evaluate(PLACES) == places
    shown.focus()
    press(shown, "End")
    assert shown.evaluate(PLACES) == places


def test_texts_are_12_px_and_targets_24_px_at_least(shown: Locator) -> None:
    small = shown.evaluate(
        """root => [
          ...[...root.querySelectorAll('*')].filter(node => node.textContent.trim())
            .filter(node => parseFloat(getComputedStyle(node).fontSize) < 12),
          ...[...root.querySelectorAll('button, select, input, .nvp-scrub')]
            .filter(node => node.getClientRects().length)
            .filter(node => Math.min(node.offsetWidth, node.offsetHeight) < 24),
        ].map(node => node.outerHTML)"""
    )
    assert small == []


# --- it says what Python says --------------------------------------------------------------------------------------


def rows(root: Locator) -> list[str]:
    """All rows of the text pane, through its pages."""
    found: list[str] = []
    while True:
        found += root.locator(".nvp-row").all_inner_texts()
        more = root.get_by_role("button", name="More rows")
        if not more.is_visible() or more.is_disabled():
            return found
        more.click()
        step_of(root)


def test_the_text_of_any_frame_is_that_of_python(root: Locator) -> None:
    press_pane(root, "Text")
    rng = random.Random(5)
    for share in [rng.random() for _ in range(12)]:
        index = scrub_to(root, share)
        assert rows(root) == text.describe(LARGE, index)
    press_pane(root, "Text")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.83, 1.0])
def test_sentence_levels_and_legend_are_those_of_python(root: Locator, share: float) -> None:
    index = scrub_to(root, share)
    assert root.locator(".nvp-say").inner_text() == text.sentence(LARGE, index)
    levels = [
        text.amount(n, one) for n, one in zip(LARGE["steps"][index]["counts"], LARGE["counters"], strict=True)
    ]
    tops = [text.amount(n, one) for n, one in zip(text.highest(LARGE), LARGE["counters"], strict=True)]
    assert root.locator(".nvp-level-now").all_inner_texts() == levels
    assert root.locator(".nvp-level-top").all_inner_texts() == tops
    moment = at(LARGE, index)
    here, there = counts(moment, 0), counts(moment, 1)
    for state, key in enumerate(root.locator(".nvp-key").all()):
        told = f"{WORDS[state]}: {here[state]} LBAs at the source, {there[state]} at the destination"
        assert key.get_attribute("title") == told
        assert key.locator(".nvp-count").inner_text() == text.short_count(counts(moment)[state])


def test_it_speaks_of_frames_and_offers_no_bytes(root: Locator) -> None:
    assert root.get_by_role("slider", name="Frame").get_attribute("aria-valuemax") == str(LAST + 1)
    assert root.get_by_role("button", name="One frame forward").is_visible()
    assert root.get_by_role("button", name="Bytes").count() == 0
    press_pane(root, "Keys and signs")
    assert "one frame back, forward" in rows_of_help(root)
    press_pane(root, "Keys and signs")
    assert "step" not in root.evaluate(
        'root => root.outerHTML.replace(/class="[^"]*"|aria-current="step"/g, \'\')'
    )


def rows_of_help(root: Locator) -> list[str]:
    return root.locator(".nvp-row span").all_inner_texts()


def test_a_summary_of_a_real_migration_is_told_as_python_tells_it(
    lab: Lab, open_notebook: OpenNotebook
) -> None:
    values = {"trace": "summary", "blocks": 16384, "filled": 600, "writes_per_second": 20_000}
    run = model_of(start(replace(SMALL, **values)).finish())
    cells = "from nvmelm_lab.notebook import watch", f"watch(at=9, **{values!r})"
    root = player(open_notebook(lab.write("real-summary.ipynb", *cells)))
    assert step_of(root) == 9
    press_pane(root, "Text")
    for share in (0.0, 0.4, 0.8, 1.0):
        assert rows(root) == text.describe(run, step_of(root))
        scrub_to(root, share)
        assert root.evaluate(FAULTS) == []
    press_pane(root, "Text")
    step_of(root)
    assert root.evaluate(FAULTS) == []


# --- keyboard ------------------------------------------------------------------------------------------------------


def test_arrows_home_end_and_page_keys_go_through_the_frames(root: Locator) -> None:
    assert press(root, "ArrowRight", "ArrowRight") == 2
    assert press(root, "ArrowLeft") == 1
    assert press(root, "Shift+ArrowRight") == 11
    assert press(root, "End") == LAST
    assert press(root, "Home") == 0
    assert [press(root, "PageDown") for _ in FIRSTS[1:]] == FIRSTS[1:]
    assert press(root, "PageUp") == FIRSTS[-2]


# --- charts --------------------------------------------------------------------------------------------------------

# The height of the middle of the mark in the column, from the top of the canvas in CSS pixels, row by row.
MARKS = """(canvas, [share, rows]) => {
  const ratio = devicePixelRatio;
  const ctx = canvas.getContext('2d');
  const x = Math.round((5 + share * (canvas.clientWidth - 10)) * ratio);
  const ink = [...getComputedStyle(canvas.closest('.nvp')).color.match(/\\d+/g).map(Number), 255];
  const pitch = canvas.height / rows;
  return Array.from({length: rows}, (_, row) => {
    const data = ctx.getImageData(x + 2, Math.round(row * pitch), 1, Math.round(pitch)).data;
    const inked = [];
    for (let y = 0; y < data.length / 4; y += 1) {
      if (ink.every((part, n) => Math.abs(part - data[4 * y + n]) < 30)) inked.push(y);
    }
    return (Math.round(row * pitch) + (inked[0] + inked.at(-1)) / 2 + 0.5) / ratio;
  });
}"""


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("index", [0, 100, 300, LAST])
def test_each_chart_stands_at_the_level_of_the_frame(root: Locator, theme: str, index: int) -> None:
    set_theme(root.page, theme)
    assert press(root, *["Shift+ArrowRight"] * (index // 10), *["ArrowRight"] * (index % 10)) == index
    canvas = root.locator(".nvp-lane-box canvas")
    marks = canvas.evaluate(MARKS, [index / LAST, 6])
    pitch = 124 / 6
    for row, (level, top) in enumerate(
        zip(LARGE["steps"][index]["counts"], text.highest(LARGE), strict=True)
    ):
        wanted = (row + 1) * pitch - 4 - level / max(1, top) * (pitch - 7)
        assert marks[row] == pytest.approx(wanted, abs=1), LARGE["lanes"][row]


def test_what_is_past_is_filled_and_what_comes_is_a_line(root: Locator) -> None:
    halves = """canvas => {
      const ctx = canvas.getContext('2d'), middle = canvas.width / 2;
      const part = from => ctx.getImageData(from, 0, middle - 20, canvas.height).data;
      return [part(5), part(middle + 15)].map(data => {
        let inked = 0;
        for (let n = 3; n < data.length; n += 4) inked += data[n] > 0;
        return inked;
      });
    }"""
    canvas = root.locator(".nvp-lane-box canvas")
    seen = {}
    for share in (0.0, 0.5, 1.0):
        scrub_to(root, share)
        seen[share] = canvas.evaluate(halves)
    assert seen[0.5] == [seen[1.0][0], seen[0.0][1]]
    assert seen[1.0][0] > 1.5 * seen[0.0][0]
    assert seen[1.0][1] > 1.5 * seen[0.0][1]


def test_a_click_on_a_chart_goes_to_the_frame_under_it_and_hovering_tells_of_it(root: Locator) -> None:
    canvas = root.locator(".nvp-lane-box canvas")
    width = canvas.evaluate("node => node.clientWidth")
    canvas.click(position={"x": 5 + (width - 10) * 0.25, "y": 60})
    assert step_of(root) == pytest.approx(0.25 * LAST, abs=1)
    assert root.locator(".nvp-now").inner_text() == str(step_of(root) + 1)
    canvas.hover(position={"x": 5 + (width - 10) * 0.75, "y": 60})
    assert canvas.get_attribute("title").startswith("Frame ")


def test_time_can_be_the_axis(lab: Lab, open_notebook: OpenNotebook) -> None:
    run = summary(frames=40)
    for n, step in enumerate(run["steps"]):
        step["t"] = 1000 * n * n
    root = player(open_notebook(show(lab, "axis.ipynb", run, step=20)))
    left = float(root.locator(".nvp-now").evaluate("node => parseFloat(node.style.left)"))
    root.get_by_role("button", name="What the horizontal axis shows").click()
    step_of(root)
    assert root.locator(".nvp-axis").inner_text() == "x = time"
    assert float(root.locator(".nvp-now").evaluate("node => parseFloat(node.style.left)")) < 0.6 * left


def test_a_filter_keeps_the_frames_in_which_an_lba_changed(root: Locator) -> None:
    lost = next(n for n, step in enumerate(LARGE["steps"]) if n == FIRSTS[5])
    lba = next(run[0] for run in LARGE["steps"][lost]["destination"] if run[2] == State.LOST)
    changed = [
        n for n, step in enumerate(LARGE["steps"])
        if any(run[0] <= lba < run[0] + run[1] for side in ("source", "destination") for run in step.get(side, ()))
    ]  # fmt: skip
    field = root.get_by_label("Only frames that touch this LBA")
    field.fill(str(lba))
    field.press("Enter")
    root.focus()
    press(root, "Home")
    assert [press(root, "ArrowRight") for _ in changed] == changed
    root.get_by_role("button", name="All frames again").click()


# --- maps that open ------------------------------------------------------------------------------------------------


def lost_tile() -> int:
    moment = at(LARGE, LAST)
    return moment.destination.index(State.LOST)


def cell_place(index: int) -> dict[str, float]:
    """The middle of a cell of the whole map, at the width that JupyterLab leaves beside its file browser."""
    return {"x": 2 + 15 * (index % COLUMNS) + 6, "y": 2 + 14 * (index // COLUMNS) + 6}


def test_one_lost_tile_among_65536_is_a_cell_of_12_px_and_opens_to_itself(root: Locator) -> None:
    press(root, "End")
    canvas = root.locator(".nvp-map-1 canvas")
    assert list(cells(at(LARGE, LAST), 1, CELL)).count(State.LOST) == 1
    for _ in range(2):
        size = canvas.evaluate(SPOT, VERMILLION)
        assert size is not None
        assert 8 <= min(size) <= max(size) <= 16
        where = canvas.evaluate(WHERE, VERMILLION)
        canvas.click(position=where)
        step_of(root)
    tile = lost_tile()
    told = root.locator(".nvp-detail-line").inner_text()
    assert told == f"LBAs {64 * tile}-{64 * tile + 63}: source changed, destination lost or stale"


# The middle of all pixels of (nearly) one colour, in CSS pixels.
WHERE = """(canvas, colour) => {
  const {width, height} = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  const found = [];
  for (let n = 0; n < data.length; n += 4) {
    if (colour.every((part, i) => Math.abs(data[n + i] - part) < 12)) found.push(n / 4);
  }
  const mean = values => values.reduce((sum, one) => sum + one, 0) / values.length / devicePixelRatio;
  return {x: mean(found.map(n => n % width)), y: mean(found.map(n => Math.floor(n / width)))};
}"""


def test_a_click_opens_a_cell_in_both_maps_and_back_closes_it(root: Locator) -> None:
    before = scrub_to(root, 0.5)
    captions = root.locator(".nvp-caption")
    whole = [picture(root, f".nvp-map-{side}") for side in (0, 1)]
    assert captions.all_inner_texts() == [f"1 cell = {CELL} LBAs", "worst shown"]
    out = root.get_by_role("button", name="Back to the whole namespace")
    assert not out.is_visible()
    root.locator(".nvp-map-0 canvas").click(position=cell_place(21))
    index = step_of(root)
    assert captions.all_inner_texts() == [f"LBAs {21 * CELL}-{22 * CELL - 1}", "1 cell = 64 LBAs"]
    assert all(picture(root, f".nvp-map-{side}") != whole[side] for side in (0, 1))
    assert (
        root.locator(".nvp-detail-line").inner_text().startswith(f"LBAs {21 * CELL}-{22 * CELL - 1}, worst ")
    )
    assert index == before
    out.click()
    root.locator(".nvp-seed").click()
    step_of(root)
    assert captions.all_inner_texts() == [f"1 cell = {CELL} LBAs", "worst shown"]
    press(root, "Escape")
    assert [picture(root, f".nvp-map-{side}") for side in (0, 1)] == whole


def test_enter_opens_the_cell_that_the_arrows_picked_and_closes_it_again(root: Locator) -> None:
    captions, detail = root.locator(".nvp-caption"), root.locator(".nvp-detail-line")
    scrub_to(root, 0.5)
    root.locator(".nvp-map-box").nth(1).focus()
    index = press(root, "ArrowRight", "ArrowDown", "ArrowRight")
    first = (COLUMNS + 1) * CELL
    assert detail.inner_text().startswith(f"LBAs {first}-{first + CELL - 1}, worst ")
    press(root, "Enter")
    assert captions.first.inner_text() == f"LBAs {first}-{first + CELL - 1}"
    press(root, "ArrowRight", "ArrowRight")
    assert detail.inner_text().startswith(f"LBAs {first + 64}-{first + 127}: source ")
    assert press(root, "Enter") == index
    assert captions.first.inner_text() == f"1 cell = {CELL} LBAs"
    press(root, "ArrowRight")
    assert detail.inner_text().startswith(f"LBAs {first + CELL}-{first + 2 * CELL - 1}, worst ")


def test_the_last_cell_and_tile_end_with_the_namespace(root: Locator) -> None:
    count = LARGE["blocks"] // CELL + 1
    root.locator(".nvp-map-0 canvas").click(position=cell_place(count - 1))
    step_of(root)
    last = LARGE["blocks"] - 1
    assert root.locator(".nvp-caption").first.inner_text() == f"LBAs {(count - 1) * CELL}-{last}"
    root.locator(".nvp-map-box").first.focus()
    press(root, *["ArrowLeft"], *["ArrowDown"] * 20, *["ArrowRight"] * 20)
    assert root.locator(".nvp-detail-line").inner_text().startswith(f"LBAs {last - 58}-{last}: source ")


def test_its_frames_are_those_that_touch_the_opened_cell(root: Locator) -> None:
    root.locator(".nvp-map-0 canvas").click(position=cell_place(240))
    root.get_by_role("button", name="Show only the frames that touch it").click()
    assert (
        root.get_by_label("Only frames that touch this LBA").input_value() == f"{240 * CELL}-{241 * CELL - 1}"
    )
    root.get_by_role("button", name="All frames again").click()
