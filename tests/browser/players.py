"""Handling a player in the browser: showing one in a notebook, finding it, and moving to a step."""

import json
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Locator, Page

from tests.browser.conftest import Lab

PLAYER_CELL = """import json
from nvmelm_lab.views import Player
player = Player(json.load(open({path!r})), step={step})
player"""


def show(lab: Lab, name: str, model: Mapping[str, Any], *more: str, step: int = 0) -> str:
    """A notebook whose first cell shows a player of the model; further cells follow."""
    run = f"{name}.json"
    (lab.folder / run).write_text(json.dumps(model), encoding="utf-8")
    return lab.write(name, PLAYER_CELL.format(path=run, step=step), *more)


def player(page: Page, number: int = 0) -> Locator:
    """The player, once it has been painted."""
    found = page.locator(".nvp[data-painted]").nth(number)
    found.wait_for()
    return found


def step_of(root: Locator) -> int:
    """The step (from 0) that was painted last, after the frame that is due."""
    root.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return int(root.get_attribute("data-painted") or -1)


def scrub_to(root: Locator, share: float) -> int:
    """A click on the scrub at that share of its length; gives the step that came of it."""
    track = root.locator(".nvp-scrub-track")
    box = track.bounding_box()
    assert box is not None
    track.click(position={"x": min(box["width"] * share, box["width"] - 0.5), "y": box["height"] / 2})
    return step_of(root)


def press_pane(root: Locator, name: str) -> None:
    """Opens or closes the pane (Bytes, Text, Keys and signs) in place of the lanes; waits for the paint."""
    root.get_by_role("button", name=name, exact=True).click()
    step_of(root)
