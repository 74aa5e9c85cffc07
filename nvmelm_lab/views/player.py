"""The player as a widget: one migration to play, step and scrub through, in the browser.

Python's part ends when the run has been sent: it is packed once, goes over in one message, and scrubbing
asks nothing of the kernel.  The widget's saved state holds neither the run nor the player's code, only
`js/link.js`, which fetches both; so a saved notebook stays small, and says so when its kernel is gone.
"""

import json
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import anywidget
import traitlets
from IPython.display import display

from nvmelm_lab.errors import InputError
from nvmelm_lab.views import text
from nvmelm_lab.views.check import check
from nvmelm_lab.views.model import PlayerModel, unit_of
from nvmelm_lab.views.still import still_html, still_svg

_HERE = Path(__file__).parent
# One module, joined in this order; the parts share its scope.
_PARTS = (
    "run",
    "words",
    "paint",
    "maps",
    "ring",
    "lanes",
    "charts",
    "panes",
    "frame",
    "view",
    "input",
    "player",
)


@cache
def _code() -> bytes:
    return b"\n".join((_HERE / "js" / f"{part}.js").read_bytes() for part in _PARTS)


@cache
def _style() -> bytes:
    return (_HERE / "player.css").read_bytes()


def _pack(run: PlayerModel) -> bytes:
    """The run as deflated JSON; its seed as text, for it may have 64 bits and a browser's numbers have 53."""
    words = json.dumps({**run, "seed": str(run["seed"])}, separators=(",", ":"))
    return zlib.compress(words.encode(), 3)


class Player(anywidget.AnyWidget):
    """One run, to be watched step by step, or a summary of one frame by frame; show it as the last line of a cell.

    `model` is a player model (`nvmelm_lab.views.model`) and is checked here; `step` is the index from 0 at
    which the player opens, and of which hosts without widgets get a still picture and the facts in words.
    """

    _esm = (_HERE / "js" / "link.js").read_text(encoding="utf-8")
    _key = traitlets.Unicode().tag(sync=True)

    def __init__(self, model: Mapping[str, Any], step: int = 0) -> None:
        self._run = check(model)
        if not 0 <= step < len(self._run["steps"]):
            last = len(self._run["steps"]) - 1
            raise InputError(f"step is {step}; this run has {unit_of(self._run)}s 0 to {last}")
        self._step = step
        self._packed = _pack(self._run)
        super().__init__(_key=uuid4().hex)
        self.on_msg(self._answer)
        self._send_run()

    def text(self, step: int) -> str:
        """Every fact of the picture at a step (from 0), in words."""
        return "\n".join(text.describe(self._run, step))

    def __repr__(self) -> str:
        return text.summary(self._run, self._step)

    def _answer(self, _widget: object, content: object, _buffers: object) -> None:
        if content == {"kind": "ask"}:
            self._send_run()

    def _send_run(self) -> None:
        self.send({"kind": "run", "step": self._step}, [_code(), _style(), self._packed])

    def _repr_mimebundle_(self, **_kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = {
            "text/plain": repr(self),
            "image/svg+xml": still_svg(self._run, self._step),
            "application/vnd.jupyter.widget-view+json": self.get_view_spec(),
        }
        return bundle, {}

    def _ipython_display_(self) -> None:
        bundle, metadata = self._repr_mimebundle_()
        display(bundle, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        still = still_html(self._run, self._step, self._key)
        display({"text/html": still, "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]
