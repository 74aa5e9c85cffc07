"""The bench in a real JupyterLab: its buttons answer whatever the kernel is doing."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, save
from tests.notebooks.conftest import Newcomer, cell, painted

BENCH = "from nvmelm_lab.notebook import bench\nmade = bench()\nmade"
LONG = """import pathlib, time
while not pathlib.Path({path!r}).exists(): time.sleep(0.02)
print('through')"""
SLOW = """import time
from nvmelm_lab import runs
from nvmelm_lab.notebook import bench
advance = runs.Run.advance
def slowly(run, budget):
    time.sleep(0.02)
    return advance(run, 4)
made = bench("queue_entries")
runs.Run.advance = slowly
made"""

expect.set_options(timeout=PATIENCE_MS)

THIS_RUN = "root => root.querySelectorAll('.nvb-table tr')[1].textContent"


def turn(page: Page, bench: Locator, knob: int, key: str) -> None:
    bench.locator(".noUi-handle").nth(knob).focus()
    page.keyboard.press(key)


def this_run(bench: Locator) -> str:
    return bench.evaluate(THIS_RUN)


def wait_for_another_run(page: Page, bench: Locator, was: str) -> None:
    page.wait_for_function(f"([root, was]) => ({THIS_RUN})(root) !== was", arg=[bench.element_handle(), was])


def start_cell(page: Page, number: int) -> None:
    """Runs a cell and does not wait for its end."""
    page.evaluate(
        """number => {
          const notebook = jupyterapp.shell.currentWidget.content;
          notebook.activeCellIndex = number;
          jupyterapp.commands.execute('notebook:run-cell');
        }""",
        number,
    )
    page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
    )


def is_through(page: Page) -> bool:
    return page.get_by_text("through", exact=True).count() > 0


def opened(newcomer: Newcomer, name: str, *cells: str) -> tuple[Page, Locator]:
    newcomer.lab.write(name, *cells)
    page = newcomer.open(name)
    bench = cell(page, "made").locator(".nvb")
    painted(bench)
    return page, bench


@pytest.mark.parametrize("subshells", [True, False])
def test_knobs_answer_with_and_without_subshells(newcomer: Newcomer, subshells: bool):
    if not subshells:
        newcomer.use_no_subshells()
    page, bench = opened(newcomer, f"knobs-{subshells}.ipynb", BENCH)
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        was = this_run(bench)
        turn(page, bench, 0, key)
        wait_for_another_run(page, bench, was)
    painted(bench)
    assert bench.locator(".nvp").count() == 1
    assert "nvb-fault" not in bench.inner_html().replace(".nvb-fault", "")


def opened_and_busy(newcomer: Newcomer, name: str) -> tuple[Page, Locator, Path]:
    """A bench, and a cell below it that runs until the file is there."""
    page, bench = opened(newcomer, f"{name}.ipynb", BENCH, "'idle'")
    go_on = newcomer.lab.folder / f"{name}-go-on"
    page.evaluate(
        "source => jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.setSource(source)",
        LONG.format(path=str(go_on)),
    )
    start_cell(page, 1)
    return page, bench, go_on


def test_while_a_cell_runs_a_knob_answers_at_once(newcomer: Newcomer):
    page, bench, go_on = opened_and_busy(newcomer, "busy")
    was = this_run(bench)
    turn(page, bench, 0, "ArrowRight")
    wait_for_another_run(page, bench, was)
    painted(bench)
    assert not is_through(page)
    go_on.touch()
    expect(page.get_by_text("through", exact=True)).to_be_visible()


def test_without_subshells_a_knob_waits_for_the_cell_and_is_not_forgotten(newcomer: Newcomer):
    newcomer.use_no_subshells()
    page, bench, go_on = opened_and_busy(newcomer, "waiting")
    was = this_run(bench)
    turn(page, bench, 0, "ArrowRight")
    expect(bench.locator(".widget-readout").first).to_have_text("20\u202f000")
    assert this_run(bench) == was
    go_on.touch()
    wait_for_another_run(page, bench, was)
    painted(bench)
    assert is_through(page)


@pytest.mark.parametrize("subshells", [True, False])
def test_a_long_run_shows_progress_and_can_be_cancelled(newcomer: Newcomer, subshells: bool):
    if not subshells:
        newcomer.use_no_subshells()
    page, bench = opened(newcomer, f"long-{subshells}.ipynb", SLOW)
    turn(page, bench, 0, "ArrowRight")
    status = bench.locator(".nvb-status")
    expect(status).to_contain_text("changed since")
    expect(bench.locator(".progress-bar")).to_be_visible()
    bench.get_by_role("button", name="Cancel").click()
    expect(bench.locator(".nvb-status")).to_contain_text("Ended early: cancelled.")
    assert this_run(bench).endswith("cancelled")
    painted(bench)
    expect(bench.get_by_role("button", name="Cancel")).to_be_disabled()


def test_after_a_reload_the_bench_is_there_again_and_its_knobs_answer(newcomer: Newcomer):
    page, bench = opened(newcomer, "reload.ipynb", BENCH)
    was = this_run(bench)
    save(page)
    page.reload()
    bench = cell(page, "made").locator(".nvb")
    painted(bench)
    assert this_run(bench) == was
    turn(page, bench, 2, "ArrowLeft")
    turn(page, bench, 0, "ArrowRight")
    wait_for_another_run(page, bench, was)
    painted(bench)


def test_a_saved_bench_is_small_and_holds_no_run(newcomer: Newcomer):
    page, _ = opened(newcomer, "saved.ipynb", BENCH)
    save(page)
    assert (newcomer.lab.folder / "saved.ipynb").stat().st_size < 100_000


def test_when_its_kernel_is_gone_the_bench_says_so_in_its_place(newcomer: Newcomer):
    page, bench = opened(newcomer, "gone.ipynb", BENCH)
    line = page.get_by_text("Kernel gone: run this cell again.", exact=True)
    expect(line).to_have_count(1)
    expect(line).to_be_hidden()
    save(page)
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.reload()
    expect(line).to_be_visible()
    expect(bench).to_have_count(0)
    outputs = cell(page, "made").locator(".jp-OutputArea-output:visible")
    assert [text.strip() for text in outputs.all_inner_texts()] == ["Kernel gone: run this cell again."]
    newcomer.complaints[:] = [said for said in newcomer.complaints if "widget model not found" not in said]
