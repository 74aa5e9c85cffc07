"""What the browser says is what Python says: the text of every step, the bytes, the counts, word for word."""

import random

import pytest
from playwright.sync_api import Locator

from nvmelm_lab.views import text
from nvmelm_lab.views.model import WORDS
from nvmelm_lab.views.replay import at, counts
from tests.browser.conftest import Lab, OpenNotebook
from tests.browser.players import player, press_pane, scrub_to, show, step_of
from tests.views.synthetic import model

RUNS = {
    "small": model(),
    "lost": model(lose=True),
    "untimed": model(seed=3, steps=200) | {"timed": False},
    "large": model(blocks=16384, cell_lbas=64, slots=128, steps=3000),
}
SHARES = [random.Random(11).random() for _ in range(25)]


@pytest.fixture(scope="module", params=RUNS)
def shown(request: pytest.FixtureRequest, lab: Lab, shared_notebook: OpenNotebook) -> tuple[Locator, dict]:
    run = RUNS[request.param]
    return player(shared_notebook(show(lab, f"words-{request.param}.ipynb", run))), run


def rows(root: Locator) -> list[list[str]]:
    """All rows of the open pane, through its pages."""
    found = []
    while True:
        for row in root.locator(".nvp-row").all():
            found.append([cell.inner_text() for cell in row.locator("span").all()])
        more = root.get_by_role("button", name="More rows")
        if not more.is_visible() or more.is_disabled():
            return found
        more.click()
        step_of(root)


def test_the_text_of_any_step_is_that_of_python(shown: tuple[Locator, dict]) -> None:
    root, run = shown
    press_pane(root, "Text")
    for share in SHARES:
        index = scrub_to(root, share)
        assert [row[0] for row in rows(root)] == text.describe(run, index)
    press_pane(root, "Text")


def test_the_sentence_is_that_of_python(shown: tuple[Locator, dict]) -> None:
    root, run = shown
    for share in SHARES[:8]:
        index = scrub_to(root, share)
        assert root.locator(".nvp-say").inner_text() == text.sentence(run, index)


def test_the_bytes_of_any_step_are_those_of_python(shown: tuple[Locator, dict]) -> None:
    root, run = shown
    press_pane(root, "Bytes")
    for share in SHARES[:10]:
        index = scrub_to(root, share)
        while index < len(run["steps"]) - 1 and not run["steps"][index].get("bytes"):
            root.page.keyboard.press("ArrowRight")
            index = step_of(root)
        assert rows(root) == [[row[n] for n in (0, 2, 3, 4)] for row in text.decode(run, index)]
    press_pane(root, "Bytes")


def test_the_legend_counts_what_python_counts(shown: tuple[Locator, dict]) -> None:
    root, run = shown
    for share in SHARES[:8]:
        moment = at(run, scrub_to(root, share))
        here, there = counts(moment, 0), counts(moment, 1)
        for state, key in enumerate(root.locator(".nvp-key").all()):
            told = f"{WORDS[state]}: {here[state]} LBAs at the source, {there[state]} at the destination"
            assert key.get_attribute("title") == told
            number = counts(moment)[state]
            shown_as = str(number) if number < 10000 else f"{number // 1000}k"
            assert key.locator(".nvp-count").inner_text() == shown_as
