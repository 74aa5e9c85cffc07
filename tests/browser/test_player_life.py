"""The player outlives what happens to a page: scrolling, hiding, a second view, a reload, a busy or a dead
kernel, a saved notebook, an error of its own.  It is never blank."""

import json

from playwright.sync_api import Locator, Page

from tests.browser.conftest import Lab, OpenNotebook, ready, run_all, save
from tests.browser.players import player, scrub_to, show, step_of
from tests.views.synthetic import model

RUN = model()
INKED = """root => [...root.querySelectorAll('.nvp-canvas')].filter(node => node.clientWidth).map(node => {
  const {data} = node.getContext('2d').getImageData(0, 0, node.width, node.height);
  return data.some((value, n) => n % 4 === 3 && value > 0);
})"""
BUSY = """import time
display(Player(player._run))
for _ in range(300):
    time.sleep(0.1)"""
BROKEN = """class Broken(Player):
    def _send_run(self):
        code = b"export const read = model => model; export function mount() { throw new Error('made to fail') }"
        self.send({"kind": "run", "step": 0}, [code, b"", self._packed])

Broken(player._run)"""


def is_drawn(root: Locator) -> bool:
    return all(root.evaluate(INKED))


def test_it_is_there_while_its_own_cell_still_keeps_the_kernel_busy(
    lab: Lab, open_notebook: OpenNotebook
) -> None:
    page = open_notebook(show(lab, "busy.ipynb", RUN, BUSY), wait=False)
    found = player(page, 1)
    assert page.locator(".jp-InputArea-prompt").all_inner_texts()[1] == "[*]:"
    assert scrub_to(found, 0.5) > 0
    assert is_drawn(found)
    page.evaluate("() => { jupyterapp.commands.execute('notebook:interrupt-kernel'); }")


def test_scrolled_away_and_back_it_is_still_drawn(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "scroll.ipynb", RUN, *(f"# {n}\n" + "\n" * 40 for n in range(30))))
    index = scrub_to(player(page), 0.5)
    cells = page.locator(".jp-WindowedPanel-outer")
    cells.evaluate("node => { node.scrollTop = node.scrollHeight; }")
    page.wait_for_timeout(400)
    cells.evaluate("node => { node.scrollTop = 0; }")
    assert step_of(player(page)) == index
    assert is_drawn(player(page))


def test_a_hidden_tab_comes_back_drawn(lab: Lab, open_notebook: OpenNotebook) -> None:
    (lab.folder / "other.txt").write_text("another tab")
    page = open_notebook(show(lab, "hidden.ipynb", RUN))
    index = scrub_to(player(page), 0.5)
    page.evaluate("path => { jupyterapp.commands.execute('docmanager:open', {path}); }", "other.txt")
    page.wait_for_function("() => document.querySelector('.nvp').clientWidth === 0")
    page.evaluate("path => { jupyterapp.commands.execute('docmanager:open', {path}); }", "hidden.ipynb")
    page.wait_for_function("() => document.querySelector('.nvp').clientWidth > 0")
    assert step_of(player(page)) == index
    assert is_drawn(player(page))


def test_two_views_of_one_player_are_moved_apart(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "twice.ipynb", RUN, "player"))
    first, second = player(page, 0), player(page, 1)
    there = scrub_to(first, 0.7)
    assert scrub_to(second, 0.2) < there
    assert step_of(first) == there
    assert is_drawn(first)
    assert is_drawn(second)


def test_a_player_inside_a_box_is_drawn(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "box.ipynb", RUN, "import ipywidgets\nipywidgets.VBox([player])"))
    assert is_drawn(player(page, 1))


def test_a_reloaded_page_shows_it_again(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "reload.ipynb", RUN, step=30))
    player(page)
    save(page)
    page.reload()
    ready(page)
    again = player(page)
    assert step_of(again) == 30
    assert is_drawn(again)
    assert still(page).count() == 0 or not still(page).first.is_visible()


def still(page: Page) -> Locator:
    return page.locator("[data-nvmelm-still]")


def test_the_still_picture_gives_way_to_the_player(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "still.ipynb", RUN))
    player(page)
    assert still(page).count() == 1
    assert not still(page).is_visible()
    outputs = page.locator(".jp-OutputArea-child:visible")
    assert outputs.count() == 1


def test_when_the_kernel_dies_it_plays_on_and_says_so(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "dies.ipynb", RUN, "# import os; os._exit(1)"))
    found = player(page)
    page.evaluate("() => { jupyterapp.commands.execute('kernelmenu:shutdown'); }")
    said = found.get_by_role("status")
    page.wait_for_function("() => document.querySelector('.nvp-gone').textContent !== ''")
    assert said.inner_text() == "static copy: kernel gone"
    assert scrub_to(found, 0.5) > 0
    assert is_drawn(found)


def test_when_the_kernel_crashes_it_says_so_too(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(
        show(lab, "crash.ipynb", RUN, "import os, time\ntime.sleep(2)\nos._exit(1)"), wait=False
    )
    player(page)
    page.wait_for_function("() => document.querySelector('.nvp-gone').textContent !== ''")
    assert player(page).get_by_role("status").inner_text() == "static copy: kernel gone"


def test_reopened_without_its_kernel_it_asks_to_be_run_again(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "gone.ipynb", RUN, step=208))
    player(page)
    save(page)
    page.evaluate("() => { jupyterapp.commands.execute('kernelmenu:shutdown'); }")
    page.wait_for_function("() => document.querySelector('.nvp-gone').textContent !== ''")
    page.reload()
    ready(page)
    still(page).wait_for()
    assert "the kernel is gone: run this cell again" in still(page).inner_text()
    assert still(page).locator("svg").is_visible()
    page.get_by_text("Error displaying widget").wait_for(state="attached")
    assert not page.get_by_text("Error displaying widget").is_visible()
    assert page.locator(".jp-OutputArea-child:visible").count() == 1
    run_all(page)
    assert is_drawn(player(page))
    assert not still(page).is_visible()


def test_a_saved_notebook_holds_neither_the_run_nor_the_code(lab: Lab, open_notebook: OpenNotebook) -> None:
    large = model(blocks=16384, cell_lbas=64, slots=128, steps=20000)
    page = open_notebook(show(lab, "saved.ipynb", large, step=9000))
    player(page)
    save(page)
    saved = json.dumps(lab.read("saved.ipynb"))
    assert "Ctlr X posted the entry" not in saved.replace(json.dumps(large["steps"][9000]["text"])[1:-1], "")
    assert len(saved) < 80_000


def test_an_error_is_said_in_place(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "broken.ipynb", RUN, BROKEN))
    said = page.locator(".nvp-fault", has_text="made to fail")
    said.wait_for()
    assert said.inner_text() == "The player cannot be shown: made to fail. Run this cell again."


def test_an_error_while_painting_is_said_in_place(lab: Lab, open_notebook: OpenNotebook) -> None:
    page = open_notebook(show(lab, "paint.ipynb", RUN))
    # Before paint fails: whoever paints on its own after that, as at a late change of size, shows the error too.
    player(page).focus()
    page.evaluate(
        "() => { CanvasRenderingContext2D.prototype.fillRect = () => { throw new Error('no paint'); }; }"
    )
    page.keyboard.press("ArrowRight")
    said = page.get_by_role("alert")
    said.wait_for()
    assert said.inner_text().startswith("The player cannot go on. no paint. Run this cell again")
