"""The player as a widget: one migration to play, step and scrub through, in the browser."""

from collections.abc import Mapping
from typing import Any

from nvmelm_lab.errors import InputError
from nvmelm_lab.views import text
from nvmelm_lab.views.check import check
from nvmelm_lab.views.model import unit_of
from nvmelm_lab.views.screen import Screen
from nvmelm_lab.views.still import still_svg


class Player(Screen):
    """One run, to be watched step by step, or a summary of one frame by frame; show it as the last line of a cell.

    `model` is a player model (`nvmelm_lab.views.model`) and is checked here; `step` is the index from 0 at
    which the player opens, and of which hosts without widgets get a still picture and the facts in words.
    """

    def __init__(self, model: Mapping[str, Any], step: int = 0) -> None:
        self._run = run = check(model)
        if not 0 <= step < len(run["steps"]):
            last = len(run["steps"]) - 1
            raise InputError(f"step is {step}; this run has {unit_of(run)}s 0 to {last}")
        super().__init__(
            run, step, lambda: text.summary(run, step), lambda colours: still_svg(run, step, colours)
        )

    def text(self, step: int) -> str:
        """Every fact of the picture at a step (from 0), in words."""
        return "\n".join(text.describe(self._run, step))
