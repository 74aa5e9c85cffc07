"""The decoder as a widget: edit a field, and the bytes follow; edit the bytes, and the fields follow.

Python keeps the structure; the browser shows what it says and tells what was typed.  What cannot be is said in place,
and nothing changes.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import anywidget
import traitlets
from IPython.display import display

from nvmelm_lab.errors import InputError
from nvmelm_lab.views.decoder import KINDS, Structure, hex_lines, structure
from nvmelm_lab.views.owner import answer_while_a_cell_runs
from nvmelm_lab.views.screen import as_json

_HERE: Final = Path(__file__).parent
# One module, joined in this order; the parts share its scope.
_PARTS: Final = ("paint", "decoder")

Request = Mapping[str, Any]


@cache
def _code() -> bytes:
    return b"\n".join((_HERE / "js" / f"{part}.js").read_bytes() for part in _PARTS)


@cache
def _style() -> bytes:
    return (_HERE / "decoder.css").read_bytes()


class Decoder(anywidget.AnyWidget):
    """A structure to take apart and to change; show it as the last line of a cell.

    structure
        As it stands now.
    """

    _esm = (_HERE / "js" / "link.js").read_text(encoding="utf-8")
    _key = traitlets.Unicode().tag(sync=True)

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self._refused: dict[str, Any] = {}
        super().__init__(_key=uuid4().hex)
        self.on_msg(self._hear)
        self._send_all()
        answer_while_a_cell_runs(self)

    def __repr__(self) -> str:
        return repr(self.structure)

    def set_bytes(self, hex_digits: str) -> None:
        """Take other bytes, of the same kind.  InputError where they cannot be one."""
        self.structure = self.structure.with_bytes(hex_digits)
        self._say()

    def set_value(self, name: str, value: str) -> None:
        """Give the field `name` another value.  InputError for a field that there is not, or a value that cannot be."""
        names = [row.name for row in self.structure.rows]
        if name not in names:
            known = ", ".join(dict.fromkeys(names))
            raise InputError(f"{self.structure.layout.name} has no field {name!r}; there are: {known}")
        self.structure = self.structure.with_value(names.index(name), value)
        self._say()

    # -- what the browser asks for -------------------------------------------------------------------------

    def _hear(self, _widget: object, content: object, _buffers: object) -> None:
        if not isinstance(content, Mapping):
            return
        if content.get("kind") == "ask":
            self._send_all()
            return
        act = _ACTS.get(str(content.get("kind")))
        self._refused = {}
        if act is not None:
            try:
                self.structure = act(self.structure, content)
            except InputError as error:
                words = str(error)
                self._refused = {"at": content.get("index", -1), "words": f"{words[:1].upper()}{words[1:]}."}
        self._say()

    def _plain(self) -> dict[str, Any]:
        now = self.structure
        return {
            "title": f"{now.layout.name}, {len(now.data)} bytes",
            "kind": now.kind,
            "kinds": list(dict.fromkeys((*KINDS, now.kind))),
            "lines": [line.split("  ", 1)[1] for line in map(str.strip, hex_lines(now.data))],
            "rows": [asdict(row) for row in now.rows],
            "refused": self._refused,
        }

    def _say(self) -> None:
        self.send({"kind": "view", "view": self._plain()})

    def _send_all(self) -> None:
        self.send({"kind": "run", "step": 0}, [_code(), _style(), zlib.compress(as_json(self._plain()), 3)])

    # -- showing -------------------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **_kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        widget = self.get_view_spec()
        return {"text/plain": repr(self), "application/vnd.jupyter.widget-view+json": widget}, {}

    def _ipython_display_(self) -> None:
        bundle, metadata = self._repr_mimebundle_()
        display(bundle, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        # Hidden for as long as the live view stands, as the still picture of a player is.
        still = f'<div data-nvmelm-still="{self._key}">{self.structure._repr_html_()}</div>'
        display({"text/html": still, "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]


def _taken_for(now: Structure, kind: str) -> Structure:
    """The bytes taken for another kind; an example of it where they cannot be one."""
    try:
        return structure(kind, now.data.hex())
    except InputError:
        return Structure(kind, KINDS[kind].example)


_ACTS: Final[Mapping[str, Callable[[Structure, Request], Structure]]] = {
    "bytes": lambda now, request: now.with_bytes(str(request["text"])),
    "field": lambda now, request: now.with_value(int(request["index"]), str(request["text"])),
    "as": lambda now, request: _taken_for(now, str(request["name"])),
    "view": lambda now, _: now,
}
"""What the browser may ask for."""
