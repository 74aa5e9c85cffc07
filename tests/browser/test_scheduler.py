"""You are the scheduler, in a real browser: to a lost write and back, by mouse and by keyboard."""

import string
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Lab, OpenNotebook, save

CELL = "from nvmelm_lab.notebook import scheduler\nscheduler()"
LOSING = ("create", "LBA Status", "execute Read", "execute Write", "submit", "ring", "fetch", "execute Write")


def shown(page: Page, number: int = 0) -> Locator:
    """The scheduler, once it is painted."""
    found = page.locator(".nvs[data-painted]").nth(number)
    found.wait_for()
    return found


def at_step(root: Locator, steps: int) -> None:
    """Waits until so many steps are taken, and the next one may be."""
    root.page.wait_for_function(
        "([root, steps]) => root.dataset.painted === steps && root.dataset.frozen === 'false'",
        arg=[root.element_handle(), str(steps)],
    )


def by_mouse(root: Locator, words: str) -> None:
    root.locator(".nvs-row", has_text=words).first.click()


def by_keyboard(root: Locator, words: str) -> None:
    rows = root.locator(".nvs-row").all_inner_texts()
    wanted = next(n for n, row in enumerate(rows) if words in row)
    chosen = int(root.locator(".nvs-row[aria-selected=true]").get_attribute("data-n") or 0)
    for _ in range(abs(wanted - chosen)):
        root.page.keyboard.press("ArrowDown" if wanted > chosen else "ArrowUp")
    root.page.wait_for_function(
        "([root, n]) => root.querySelector('[aria-selected=true]').dataset.n === n",
        arg=[root.element_handle(), str(wanted)],
    )
    root.page.keyboard.press("Enter")


@pytest.mark.parametrize("take", [by_mouse, by_keyboard])
def test_a_write_is_lost_and_the_way_back_is_free(
    lab: Lab, open_notebook: OpenNotebook, take: Callable[[Locator, str], None]
) -> None:
    name = lab.write(f"scheduler-{take.__name__}.ipynb", CELL, "1 + 1")
    page = open_notebook(name)
    root = shown(page)
    root.focus()
    for steps, words in enumerate(LOSING, 1):
        take(root, words)
        at_step(root, steps)
    verdict = root.locator(".nvs-verdict")
    assert "At risk: LBA 0." in verdict.inner_text()
    root.get_by_role("button", name="Let it run").click()
    page.wait_for_function("() => document.querySelector('.nvs-verdict').dataset.kind === 'lost'")
    assert "Lost: LBA 0. The guest was promised v1" in verdict.inner_text()
    end = int(root.get_attribute("data-painted") or 0)
    for steps in range(end - 1, -1, -1):
        if take is by_mouse:
            root.get_by_role("button", name="Undo").click()
        else:
            page.keyboard.press("ArrowLeft")
        at_step(root, steps)
    assert "Nothing lost yet." in verdict.inner_text()


def test_every_key_leaves_the_cells_of_the_notebook_alone(lab: Lab, open_notebook: OpenNotebook) -> None:
    name = lab.write("scheduler-keys.ipynb", CELL, "1 + 1", "2 + 2")
    page = open_notebook(name)
    root = shown(page)
    root.focus()
    sources = "() => jupyterapp.shell.currentWidget.content.model.cells.length"
    before = [cell["source"] for cell in lab.read(name)["cells"]]
    moves = [
        "ArrowUp",
        "ArrowDown",
        "ArrowLeft",
        "ArrowRight",
        "Enter",
        " ",
        "Delete",
        "Backspace",
        "Home",
        "End",
    ]
    for key in [*string.ascii_letters, *string.digits, *moves, "PageUp", "PageDown"]:
        page.keyboard.press(key)
    for _ in range(3):
        page.keyboard.press("Tab")
        for key in ["d", "d", "x", "a", "0", "0", "Enter"]:
            page.keyboard.press(key)
    assert page.evaluate(sources) == len(before)
    save(page)
    assert ["".join(cell["source"]) for cell in lab.read(name)["cells"]] == before


def test_a_search_freezes_the_choices_and_ends_in_the_loss_and_why_opens_the_player(
    lab: Lab, open_notebook: OpenNotebook
) -> None:
    page = open_notebook(lab.write("scheduler-search.ipynb", CELL))
    root = shown(page)
    root.get_by_role("button", name="Find a failing order").click()
    page.wait_for_function("() => document.querySelector('.nvs-verdict').dataset.kind === 'lost'")
    root.get_by_role("button", name="Why?").click()
    page.locator(".nvp[data-painted]").first.wait_for()


def test_a_long_search_can_be_cancelled_and_nothing_has_moved(lab: Lab, open_notebook: OpenNotebook) -> None:
    cell = (
        "from nvmelm_lab.notebook import scheduler\nfrom nvmelm_lab.races.case import Case\n"
        "from nvmelm_lab.races.ladder import SCENARIOS\nscheduler(Case(SCENARIOS[3]))"
    )
    page = open_notebook(lab.write("scheduler-cancel.ipynb", cell))
    root = shown(page)
    root.get_by_role("button", name="Find a failing order").click()
    page.wait_for_function("() => document.querySelector('.nvs').dataset.searching === 'true'")
    assert root.get_attribute("data-frozen") == "true"
    root.get_by_role("button", name="Cancel").click()
    page.wait_for_function("() => document.querySelector('.nvs').dataset.searching === 'false'")
    assert "The search was cancelled" in root.locator(".nvs-verdict").inner_text()
    at_step(root, 0)


def test_shown_twice_both_say_the_same(lab: Lab, open_notebook: OpenNotebook) -> None:
    cell = "from nvmelm_lab.notebook import scheduler\ns = scheduler()\ns"
    page = open_notebook(lab.write("scheduler-twice.ipynb", cell, "s"))
    by_mouse(shown(page), "submit")
    other = shown(page, 1)
    other.scroll_into_view_if_needed()
    at_step(other, 1)
    assert other.get_by_text("submit write 0").count() == 1


def test_a_click_that_wobbles_over_another_row_is_not_lost_to_painting(
    lab: Lab, open_notebook: OpenNotebook
) -> None:
    page = open_notebook(lab.write("scheduler-wobble.ipynb", CELL))
    root = shown(page)
    upper, lower = (row.bounding_box() for row in root.locator(".nvs-row").all()[:2])
    assert upper is not None
    assert lower is not None
    frames = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.mouse.move(upper["x"] + 40, upper["y"] + upper["height"] - 4)
    page.mouse.down()
    page.mouse.move(lower["x"] + 40, lower["y"] + 4)
    page.evaluate(frames)
    page.mouse.move(upper["x"] + 40, upper["y"] + upper["height"] - 4)
    page.evaluate(frames)
    page.mouse.up()
    at_step(root, 1)
