"""The player is worked by mouse and by keyboard, and no key pressed in it reaches the notebook."""

import pytest
from playwright.sync_api import Locator, Page

from nvmelm_lab.views import text
from tests.browser.conftest import Lab, OpenNotebook
from tests.browser.players import player, press_pane, scrub_to, show, step_of
from tests.views.synthetic import model

RUN = model()
LAST = len(RUN["steps"]) - 1
FIRSTS = [phase["first"] for phase in RUN["phases"]]
COLUMNS = 16  # of the map, at the width that JupyterLab leaves beside its file browser
SOURCES = """() => {
  const {cells, metadata} = jupyterapp.shell.currentWidget.context.model.toJSON();
  return JSON.stringify([cells.map(cell => [cell.cell_type, cell.source]), Object.keys(metadata)]);
}"""


@pytest.fixture(scope="module")
def page(lab: Lab, shared_notebook: OpenNotebook) -> Page:
    return shared_notebook(show(lab, "input.ipynb", RUN, "1 + 1", "# a cell to be kept"))


@pytest.fixture
def root(page: Page) -> Locator:
    """The player at its first step, with nothing picked, filtered or opened, and the focus on it."""
    found = player(page)
    found.locator(".nvp-seed").click()
    for _ in range(3):
        if found.evaluate("root => document.activeElement === root"):
            page.keyboard.press("Escape")
        found.focus()
    page.keyboard.press("Home")
    assert step_of(found) == 0
    return found


def press(root: Locator, *keys: str) -> int:
    for key in keys:
        root.page.keyboard.press(key)
    return step_of(root)


# --- keyboard --------------------------------------------------------------------------------------------------


def test_arrows_step_and_shift_takes_ten(root: Locator) -> None:
    assert press(root, "ArrowRight", "ArrowRight") == 2
    assert press(root, "ArrowLeft") == 1
    assert press(root, "Shift+ArrowRight") == 11
    assert press(root, "Shift+ArrowLeft") == 1
    assert press(root, "Shift+ArrowLeft") == 0


def test_home_and_end_go_to_the_first_and_last_step(root: Locator) -> None:
    assert press(root, "End") == LAST
    assert press(root, "ArrowRight") == LAST
    assert press(root, "Home") == 0


def test_page_keys_go_from_phase_to_phase(root: Locator) -> None:
    assert [press(root, "PageDown") for _ in FIRSTS[1:]] == FIRSTS[1:]
    assert press(root, "PageUp") == FIRSTS[-2]


def test_space_plays_and_pauses(root: Locator) -> None:
    press(root, " ")
    root.page.wait_for_function("() => Number(document.querySelector('.nvp').dataset.painted) > 2")
    stopped = press(root, " ")
    root.page.wait_for_timeout(600)
    assert step_of(root) == stopped


def test_the_slider_takes_the_same_keys_and_says_where_it_is(root: Locator) -> None:
    slider = root.get_by_role("slider", name="Step")
    slider.focus()
    assert press(root, "ArrowRight", "PageDown") == FIRSTS[1]
    assert slider.get_attribute("aria-valuenow") == str(FIRSTS[1] + 1)
    assert slider.get_attribute("aria-valuetext") == f"step {FIRSTS[1] + 1} of {LAST + 1}, Start logging"


def test_arrows_in_a_map_move_by_cell_and_not_by_step(root: Locator) -> None:
    root.locator(".nvp-map-box").first.focus()
    press(root, "ArrowRight", "ArrowRight", "ArrowDown")
    assert step_of(root) == 0
    assert root.locator(".nvp-detail-line").inner_text().startswith(f"LBA {1 + COLUMNS}:")


def test_tab_goes_through_the_regions_and_arrows_through_a_toolbar(root: Locator) -> None:
    seen = []
    for _ in range(12):
        root.page.keyboard.press("Tab")
        name = "() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
        seen.append(root.page.evaluate(name))
    assert seen[1:4] == ["Copy token", "Source · NS of Y", "Destination · NS of H"]
    assert "Step" in seen
    assert "Speed" in seen
    root.locator(".nvp-phase").first.focus()
    press(root, "ArrowRight")
    assert root.locator(".nvp-phase").nth(1).evaluate("node => document.activeElement === node")
    assert press(root, "Enter") == FIRSTS[1]


def test_escape_leaves_the_region_then_the_player(root: Locator) -> None:
    root.get_by_role("slider", name="Step").focus()
    press(root, "Escape")
    assert root.evaluate("root => document.activeElement === root")
    press(root, "Escape")
    assert not root.evaluate("root => root.contains(document.activeElement)")


def test_escape_first_closes_what_stands_open(root: Locator) -> None:
    press_pane(root, "Text")
    press(root, "Escape")
    assert root.get_by_role("button", name="Text", exact=True).get_attribute("aria-pressed") == "false"
    assert root.evaluate("root => document.activeElement === root")


def test_no_key_changes_the_notebook(root: Locator) -> None:
    page = root.page
    before = page.evaluate(SOURCES)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    named = ["Enter", "Delete", "Backspace", "Insert", "Tab", "ArrowUp", "ArrowDown", "PageUp", "End", "Home"]
    for key in (*letters, *"0123456789", *"[]\\;',./-=`", *named, "d", "d", "x", "z", "0", "0"):
        root.focus()
        page.keyboard.press(key)
        page.keyboard.press(f"Shift+{key}")
    page.wait_for_timeout(300)
    assert page.locator(".jp-Dialog").count() == 0
    assert page.evaluate(SOURCES) == before


# --- mouse -----------------------------------------------------------------------------------------------------


def test_buttons_step_and_arrows_go_on_after_a_click(root: Locator) -> None:
    root.get_by_role("button", name="One step forward").click()
    root.get_by_role("button", name="One step forward").click()
    root.get_by_role("button", name="One step back").click()
    assert step_of(root) == 1
    assert press(root, "ArrowRight") == 2
    root.get_by_role("button", name="Last step").click()
    assert step_of(root) == LAST
    root.get_by_role("button", name="First step").click()
    assert step_of(root) == 0


def test_play_goes_on_to_the_end_and_from_there_to_the_start(root: Locator) -> None:
    press(root, "End", "Shift+ArrowLeft")
    root.get_by_label("Speed").select_option("8")
    root.get_by_role("button", name="Play").click()
    root.page.wait_for_selector(f".nvp[data-painted='{LAST}']")
    root.get_by_role("button", name="Play").click()
    root.page.wait_for_function("() => Number(document.querySelector('.nvp').dataset.painted) < 100")
    root.get_by_role("button", name="Pause").click()
    root.get_by_label("Speed").select_option("1")


def test_play_stops_where_a_property_breaks(lab: Lab, open_notebook: OpenNotebook) -> None:
    run = model(lose=True)
    bad = next(
        n for n, step in enumerate(run["steps"]) if any(v[1] == "bad" for v in step.get("verdicts", ()))
    )
    found = player(open_notebook(show(lab, "stops.ipynb", run, step=bad - 6)))
    found.get_by_role("button", name="Play").click()
    found.page.wait_for_selector(f".nvp[data-painted='{bad}']")
    found.page.wait_for_timeout(600)
    assert step_of(found) == bad
    assert "no write lost: LBA" in found.locator(".nvp-status").inner_text()


def test_a_phase_jumps_to_its_first_step_and_is_marked_now(root: Locator) -> None:
    root.locator(".nvp-phase", has_text="Iterate").click()
    assert step_of(root) == FIRSTS[3]
    assert root.locator("[aria-current]").inner_text().split() == ["now", "Iterate"]


def test_scrubbing_follows_the_pointer(root: Locator) -> None:
    box = root.locator(".nvp-scrub-track").bounding_box()
    assert box is not None
    mouse = root.page.mouse
    mouse.move(box["x"] + 2, box["y"] + 14)
    mouse.down()
    seen = []
    for share in (0.25, 0.5, 0.75):
        mouse.move(box["x"] + share * box["width"], box["y"] + 14)
        seen.append(step_of(root))
    mouse.up()
    assert seen == [round(share * LAST) for share in (0.25, 0.5, 0.75)]


def test_a_mark_in_the_lanes_is_gone_to(root: Locator) -> None:
    canvas = root.locator(".nvp-lane-box canvas")
    canvas.click(position={"x": 300, "y": 60})
    there = step_of(root)
    assert 0 < there < 60
    canvas.hover(position={"x": 200, "y": 60})
    assert canvas.get_attribute("title").startswith("Step ")


def test_pointing_at_a_cell_tells_of_both_sides(root: Locator) -> None:
    scrub_to(root, 0.5)
    source, destination = (root.locator(f".nvp-map-{side} canvas") for side in (0, 1))
    source.hover(position={"x": 45, "y": 90})
    told = root.locator(".nvp-detail-line").inner_text()
    destination.hover(position={"x": 45, "y": 90})
    step_of(root)
    assert root.locator(".nvp-detail-line").inner_text() == told
    assert told.startswith("LBA 82: source ")


def test_a_cell_filters_the_steps_that_touch_it(root: Locator) -> None:
    touching = [n for n, step in enumerate(RUN["steps"]) if step.get("lbas") and covers(step["lbas"], 82)]
    root.locator(".nvp-map-0 canvas").click(position={"x": 45, "y": 90})
    root.get_by_role("button", name="Show only the steps that touch it").click()
    root.focus()
    press(root, "Home")
    assert [press(root, "ArrowRight") for _ in touching] == touching
    assert press(root, "ArrowRight") == touching[-1]
    root.get_by_role("button", name="All steps again").click()
    assert press(root, "ArrowLeft") == touching[-1] - 1


def covers(lbas: list[int], lba: int) -> bool:
    return lbas[0] <= lba < lbas[0] + lbas[1]


@pytest.mark.parametrize("typed", ["x", "999", "5-2", "12-"])
def test_a_filter_that_is_no_lba_is_said_in_place(root: Locator, typed: str) -> None:
    field = root.get_by_label("Only steps that touch this LBA")
    field.fill(typed)
    field.press("Enter")
    step_of(root)
    told = root.locator(".nvp-detail-line").inner_text()
    assert told == f'"{typed}": give an LBA from 0 to 175, or two with a dash'
    root.get_by_role("button", name="All steps again").click()


def test_the_legend_shows_one_state_and_counts_it(root: Locator) -> None:
    scrub_to(root, 0.5)
    key = root.locator(".nvp-key", has_text="unreadable")
    before = root.locator(".nvp-map-1 canvas").evaluate("node => node.toDataURL()")
    key.click()
    step_of(root)
    assert key.get_attribute("aria-pressed") == "true"
    assert root.locator(".nvp-map-1 canvas").evaluate("node => node.toDataURL()") != before
    key.click()
    step_of(root)
    assert root.locator(".nvp-map-1 canvas").evaluate("node => node.toDataURL()") == before


def test_time_can_be_the_axis_of_the_lanes(root: Locator) -> None:
    press(root, "Shift+ArrowRight")
    canvas = root.locator(".nvp-lane-box canvas")
    by_step = canvas.evaluate("node => node.toDataURL()")
    root.get_by_role("button", name="What the horizontal axis shows").click()
    step_of(root)
    assert root.locator(".nvp-axis").inner_text() == "x = time"
    assert canvas.evaluate("node => node.toDataURL()") != by_step
    root.get_by_role("button", name="What the horizontal axis shows").click()


def test_a_cell_of_many_lbas_opens_and_closes(lab: Lab, open_notebook: OpenNotebook) -> None:
    found = player(
        open_notebook(show(lab, "zoom.ipynb", model(blocks=16384, cell_lbas=64, steps=300), step=200))
    )
    captions = found.locator(".nvp-caption")
    found.locator(".nvp-map-0 canvas").click(position={"x": 5, "y": 5})
    step_of(found)
    assert captions.all_inner_texts() == ["LBAs 0-63", "1 cell = 1 LBA"]
    found.get_by_role("button", name="Back to the whole namespace").click()
    step_of(found)
    assert captions.all_inner_texts() == ["1 cell = 64 LBAs", "worst shown"]


def test_the_token_is_copied(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "token.ipynb", RUN), permissions=["clipboard-read", "clipboard-write"])
    player(page).get_by_role("button", name="Copy token").click()
    page.wait_for_function("() => document.querySelector('.nvp-copy').textContent === 'Copied'")
    assert page.evaluate("() => navigator.clipboard.readText()") == RUN["token"]


def test_the_live_regions_are_silent_while_it_plays(root: Locator) -> None:
    live = root.locator(".nvp-say, .nvp-verdicts")
    press(root, " ")
    root.page.wait_for_function("() => Number(document.querySelector('.nvp').dataset.painted) > 1")
    assert {node.get_attribute("aria-live") for node in live.all()} == {"off"}
    press(root, " ")
    assert {node.get_attribute("aria-live") for node in live.all()} == {"polite"}
    assert root.locator(".nvp-say").inner_text() == text.sentence(RUN, step_of(root))


def test_every_canvas_is_an_image_with_a_name(root: Locator) -> None:
    for canvas in root.locator(".nvp-canvas").all():
        assert canvas.get_attribute("role") == "img"
        assert canvas.get_attribute("aria-label")
