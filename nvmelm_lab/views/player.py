"""The player as a widget: one migration to play, step and scrub through, in the browser."""

from collections.abc import Mapping
from typing import Any

from nvmelm_lab.errors import InputError
from nvmelm_lab.views import text
from nvmelm_lab.views.check import check
from nvmelm_lab.views.film import frame_at
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

    def bytes_at(self, step: int | str | None = None) -> tuple[str, str]:
        """Name of the layout, and hex digits, of the SQE, CQE or MQE that a step shows.

        `step` is from 0, or words of its sentence; where the player was opened if None.  InputError for a step that
        there is not, or that shows no bytes.
        """
        if step is None:
            step = self._step
        index = frame_at(self._run, step) if isinstance(step, str) else step
        if not 0 <= index < len(self._run["steps"]):
            raise InputError(f"step is {index}; this run has steps 0 to {len(self._run['steps']) - 1}")
        shown = self._run["steps"][index].get("bytes")
        if not shown:
            with_bytes = [str(n) for n, one in enumerate(self._run["steps"]) if one.get("bytes")]
            near = ", ".join(sorted(with_bytes, key=lambda n: abs(int(n) - index))[:3])
            hint = f"; near it, these do: {near}" if near else ""
            raise InputError(f"step {index} shows no SQE, CQE or MQE{hint}")
        return shown[0], shown[1]
