"""Showing a widget so that its place is never blank: in words where no widgets are, and when its kernel is gone."""

import ipywidgets as widgets
from IPython.display import display

GONE = "Kernel gone: run this cell again."

# Of its own output, not of one further inside: a cover has outputs in its output.
_OWN = "> .jp-OutputArea-output > .nvm-gone"

# JupyterLab puts each output into a box of its own.  While the widget stands, this line hides itself; otherwise it
# takes the place of what JupyterLab says of a widget that it cannot find, but only after a while: widgets come late.
_LINE = f"""<div class="nvm-gone"><style>
.jp-OutputArea-child:has(.nvm-live) + .jp-OutputArea-child:has({_OWN}),
.jp-OutputArea-child:not(:has(.nvm-live)):has(+ .jp-OutputArea-child {_OWN}) {{ display: none }}
.nvm-gone p {{ animation: nvm-late 0s 3s both }}
@keyframes nvm-late {{ from {{ visibility: hidden }} }}
</style><p>{GONE}</p></div>"""


def show(widget: widgets.DOMWidget, words: str, still: str = "") -> None:
    """Display `widget`; `words` say the same to hosts without widgets, and so does `still`, an SVG, if there is one."""
    widget.add_class("nvm-live")
    picture = {"image/svg+xml": still} if still else {}
    data = {
        "text/plain": words,
        **picture,
        "application/vnd.jupyter.widget-view+json": widget.get_view_spec(),
    }
    display(data, raw=True)  # type: ignore[no-untyped-call]
    display({"text/html": _LINE, "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]
