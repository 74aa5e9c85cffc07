"""The first notebook in a real JupyterLab, as a newcomer meets it."""

import json

import pytest
from playwright.sync_api import Locator, Page

from nvmelm_lab.lessons.questions import LESSONS
from tests.notebooks.conftest import Newcomer, cell, painted

QUESTIONS = LESSONS[0].questions
NAME = "00_start_here.ipynb"
WITH_PLAYERS = ("watch())", "watch(at=", 'bench("writes', 'bench("gran', 'bench("queue', "bench()")

# Texts that stick out of their boxes, and boxes that stick out of the cell's output.
SPILLED = """root => {
  const bad = [];
  const frame = root.closest('.jp-OutputArea-output').getBoundingClientRect();
  for (const node of root.querySelectorAll('*')) {
    if (node.closest('.nvp')) continue;
    const style = getComputedStyle(node);
    if (style.visibility === 'hidden' || node.tagName === 'STYLE' || !node.offsetParent) continue;
    const box = node.getBoundingClientRect();
    if (box.right > frame.right + 1 || box.left < frame.left - 1) bad.push('out: ' + node.className);
    const hasText = [...node.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (hasText && node.scrollWidth > node.clientWidth + 1 && style.display !== 'inline') {
      bad.push('cut: ' + node.textContent.trim().slice(0, 40));
    }
  }
  return bad;
}"""


def numbers(bench: Locator, row: int) -> list[str]:
    """What the table of a bench says in one row: 1 of this run, 2 of the run before."""
    return bench.locator(".nvb-table tr").nth(row).locator("td").all_text_contents()


@pytest.fixture(scope="module", params=["JupyterLab Light", "JupyterLab Dark"])
def page(reader: Newcomer, request: pytest.FixtureRequest) -> Page:
    return reader.open_of_the_course(NAME, request.param)


def test_it_runs_from_top_to_bottom_and_nothing_stays_blank(page: Page):
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    for source in WITH_PLAYERS:
        assert painted(cell(page, source)).bounding_box()["height"] > 500
    assert page.locator(".nvq-text").count() == len(QUESTIONS)


def test_an_outcome_is_covered_until_one_asks_to_see_it_or_answers_and_takes_no_other_room_then(page: Page):
    watched = cell(page, "watch())")
    player = painted(watched)
    assert not player.is_visible()
    assert not any(words.is_visible() for words in watched.get_by_text("Step 1 of").all())
    place = player.bounding_box()
    watched.get_by_role("button", name="Show me").focus()
    page.keyboard.press("Enter")
    player.wait_for(state="visible")
    assert player.bounding_box() == place
    assert page.evaluate("document.activeElement.classList.contains('nvc-open')")
    skipped = cell(page, 'predict("00 downtime")').locator(".nvq")
    assert "Skip: your answer" in skipped.inner_text()
    assert QUESTIONS["00 downtime"].why in skipped.inner_text()


def test_a_question_is_answered_by_a_click_explained_and_opens_what_it_covers(page: Page):
    asked = cell(page, 'predict("00 write rate")').locator(".nvq")
    question = QUESTIONS["00 write rate"]
    asked.get_by_role("button", name=question.options[question.right].text).click()
    asked.get_by_text("You saw it coming.").wait_for()
    assert question.why in asked.inner_text()
    assert asked.evaluate(SPILLED) == []
    assert cell(page, 'bench("writes').locator(".nvb").is_visible()


def test_the_other_questions_are_skipped_by_the_keyboard(page: Page):
    for name in ("00 granularity", "00 queue full"):
        asked = cell(page, f'predict("{name}")').locator(".nvq")
        asked.get_by_role("button", name="Skip").focus()
        page.keyboard.press("Enter")
        asked.get_by_text("Skip: your answer").wait_for()


def test_progress_follows_and_is_exported_to_a_file(page: Page):
    shown = cell(page, "progress()").locator(".nvg")
    assert shown.locator("tbody td").all_text_contents()[:4] == ["00_start_here", "4 of 4", "1", "0 of 3"]
    with page.expect_download() as exported:
        shown.get_by_role("button", name="Export").click()
    assert exported.value.suggested_filename == "my-progress.json"
    assert len(json.loads(exported.value.path().read_text())["answers"]) == 4


def test_nothing_is_cut_off_or_sticks_out_sideways(page: Page):
    for source in WITH_PLAYERS[2:]:
        bench = cell(page, source).locator(".nvb")
        painted(bench)
        assert bench.evaluate(SPILLED) == []
    for asked in page.locator(".nvq:not(.nvc-curtain)").all():
        assert asked.evaluate(SPILLED) == []
    panel = page.locator(".jp-WindowedPanel-outer").first
    assert panel.evaluate("node => node.scrollWidth - node.clientWidth") == 0


def test_the_player_steps_and_plays(page: Page):
    player = painted(cell(page, "watch())"))
    at = player.element_handle()
    player.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("node => node.dataset.painted === '1'", arg=at)
    assert "Ctlr Y fetches command" in player.locator(".nvp-say").inner_text()
    page.keyboard.press("Space")
    page.wait_for_function("node => Number(node.dataset.painted) > 4", arg=at)
    page.keyboard.press("Space")
    page.keyboard.press("End")
    page.wait_for_function("node => Number(node.dataset.painted) > 300", arg=at)
    verdicts = player.locator(".nvp-verdicts").inner_text()
    assert "no write lost" in verdicts
    assert "open" not in verdicts


def test_the_player_goes_where_the_scrub_is_clicked(page: Page):
    player = painted(cell(page, "watch())"))
    track = player.locator(".nvp-scrub-track")
    track.click(position={"x": track.bounding_box()["width"] / 2, "y": 10})
    page.wait_for_function(
        "node => Math.abs(Number(node.dataset.painted) - 200) < 40", arg=player.element_handle()
    )


def test_turning_a_knob_with_the_keyboard_changes_table_and_film(page: Page):
    bench = cell(page, 'bench("writes_per_second"))').locator(".nvb")
    before = painted(bench).get_attribute("data-painted")
    was = numbers(bench, 1)
    bench.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowRight")
    compared = "root => root.querySelectorAll('.nvb-table tr')[2].textContent.includes('good')"
    page.wait_for_function(compared, arg=bench.element_handle())
    assert numbers(bench, 2) == was
    assert numbers(bench, 1) != was
    page.wait_for_function("([root, was]) => ![undefined, was].includes(root.querySelector('.nvp')?.dataset.painted)",
                           arg=[bench.element_handle(), before])  # fmt: skip
    assert "VMM pauses the VM" in painted(bench).locator(".nvp-say").inner_text()
