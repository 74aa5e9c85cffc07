"""What a view is that plays in the browser: its model goes over once, and scrubbing asks nothing of the kernel.

The widget's saved state holds neither the model nor the code that plays it, only `js/link.js`, which fetches both; so
a saved notebook stays small, and says so when its kernel is gone.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import anywidget
import traitlets
from IPython.display import display

from nvmelm_lab.views.palette import LIGHT, Colours
from nvmelm_lab.views.still import still_html
from nvmelm_lab.views.svg import THEMED

_HERE: Final = Path(__file__).parent
# One module, joined in this order; the parts share its scope.
_PARTS: Final = (
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
    "screen",
    "twin",
    "pair",
    "player",
)


@cache
def code() -> bytes:
    """The module that plays a model: `read` takes what was unpacked, `mount` shows it."""
    return b"\n".join((_HERE / "js" / f"{part}.js").read_bytes() for part in _PARTS)


@cache
def style() -> bytes:
    """Its style sheet."""
    return (_HERE / "player.css").read_bytes()


def as_json(model: Mapping[str, Any]) -> bytes:
    """A model as JSON; its seeds as text, for they may have 64 bits and a browser's numbers have 53."""
    return json.dumps(_safe(model), separators=(",", ":")).encode()


def _safe(model: Mapping[str, Any]) -> dict[str, Any]:
    plain = dict(model)
    if "seed" in plain:
        plain["seed"] = str(plain["seed"])
    if "runs" in plain:
        plain["runs"] = [_safe(run) for run in plain["runs"]]
    return plain


class Screen(anywidget.AnyWidget):
    """A model that plays in the browser, opened at `step` (from 0).

    Hosts without widgets get `words()` and `picture(colours)`, an SVG; in the colours of JupyterLab's own variables
    the picture also stands in until the live view comes.
    """

    _esm = (_HERE / "js" / "link.js").read_text(encoding="utf-8")
    _key = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        model: Mapping[str, Any],
        step: int,
        words: Callable[[], str],
        picture: Callable[[Colours], str],
    ) -> None:
        self._step, self._words, self._picture = step, words, picture
        self._packed = zlib.compress(as_json(model), 3)
        super().__init__(_key=uuid4().hex)
        self.on_msg(self._answer)
        self._send_run()

    def __repr__(self) -> str:
        return self._words()

    def _answer(self, _widget: object, content: object, _buffers: object) -> None:
        if content == {"kind": "ask"}:
            self._send_run()

    def _send_run(self) -> None:
        self.send({"kind": "run", "step": self._step}, [code(), style(), self._packed])

    def _repr_mimebundle_(self, **_kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = {
            "text/plain": repr(self),
            "image/svg+xml": self._picture(LIGHT),
            "application/vnd.jupyter.widget-view+json": self.get_view_spec(),
        }
        return bundle, {}

    def _ipython_display_(self) -> None:
        bundle, metadata = self._repr_mimebundle_()
        display(bundle, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        still = still_html(self._picture(THEMED), self._key)
        display({"text/html": still, "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]
