"""What all figures share: the page they are drawn on, and the words they leave where nothing can be drawn.

A page is measured in px, from its upper left corner.  A figure is made whole in its constructor and never changed
afterwards.  Its text twin travels with it, in `layout.meta`.
"""

from collections.abc import Sequence
from functools import cache
from html import escape
from textwrap import wrap
from typing import Any, Final

import plotly.graph_objects as go
from IPython.display import display

from nvmelm_lab.errors import InputError
from nvmelm_lab.views.figure_svg import figure_svg
from nvmelm_lab.views.palette import DARK, LIGHT, THEMES, Colours

FONT: Final = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
SMALLEST: Final = 12
"""Texts have at least so many px."""

LINE: Final = 19
"""Px from one line of text to the next."""

LINE_CHARS: Final = 118
"""Characters for which a page of 840 px has room, in a wide typeface."""

HOVER_CHARS: Final = 52

CONFIG: Final = {"displayModeBar": False}
"""Plotly's buttons would lie on the picture; there is nothing to zoom, and nothing to upload."""

Trace = dict[str, Any]
Said = tuple[float, float, str, str, str]
"""A text: x, y, its words, where it stands from there ("middle right"), its colour."""


class Figure(go.Figure):  # type: ignore[misc]
    """A plotly figure that shows a still picture of itself, or its text twin, in hosts that know no plotly.

    `data` and `layout` are plotly's own, as plain dicts; `layout["meta"]` is the text.  A light figure turns dark
    where JupyterLab is dark; the still picture stays on its own ground.
    """

    def __repr__(self) -> str:
        return str(self.layout.meta)

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        drawn = super()._repr_mimebundle_(*args, **{"config": CONFIG, **kwargs})
        return {"text/plain": repr(self), "image/svg+xml": self._repr_svg_(), **drawn}

    def _repr_svg_(self) -> str:
        plain_figure = self.to_plotly_json()
        return figure_svg(plain_figure["data"], plain_figure["layout"])

    def _ipython_display_(self) -> None:
        if self.layout.paper_bgcolor == LIGHT["bg"]:
            display({"text/html": _dark_style(), "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]
        display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]


@cache
def _dark_style() -> str:
    """A style sheet, itself unseen, that turns the light figure behind it dark while JupyterLab is dark.

    Plotly writes each colour into the style of what it draws; there the colours of the light page are replaced.
    """
    own = ".jp-OutputArea-child:has(> .jp-OutputArea-output > [data-nvmelm-figure])"
    figure = f'[data-jp-theme-light="false"] {own} + .jp-OutputArea-child .js-plotly-plot'
    rules = [
        f'{figure} [style*="{what}: {_as_plotly_writes(LIGHT[name])}"]{{{what}:{DARK[name]}!important}}'
        for name in ("bg", "panel", "fg", "muted", "accent")
        for what in ("fill", "stroke", "background")
    ]
    return f"<style data-nvmelm-figure>{own}{{display:none}}{''.join(rules)}</style>"


def _as_plotly_writes(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[n : n + 2], 16)) for n in (1, 3, 5))})"


def colours(theme: str) -> Colours:
    """The colours of the theme ``light`` or ``dark``.  InputError for another name."""
    if theme not in THEMES:
        raise InputError(f"there is no theme {theme!r}; there are: {', '.join(THEMES)}")
    return THEMES[theme]


def figure(traces: Sequence[Trace], words: str, page: Colours, width: float, height: float) -> Figure:
    """The traces on a page of `width` x `height` px, with the text twin `words`."""
    axis = {"visible": False, "fixedrange": True}
    layout = {
        "meta": words,
        "template": "none",
        "width": width,
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": {**axis, "range": [0, width]},
        "yaxis": {**axis, "range": [height, 0]},
        "paper_bgcolor": page["bg"],
        "plot_bgcolor": page["bg"],
        "font": {"family": FONT, "size": SMALLEST, "color": page["fg"]},
        "hoverlabel": {
            "align": "left",
            "bgcolor": page["panel"],
            "bordercolor": page["muted"],
            "font": {"family": FONT, "size": 13, "color": page["fg"]},
        },
        "hovermode": "closest",
        "showlegend": False,
        "hoverdistance": 6,
        "dragmode": False,
    }
    return Figure(data=list(traces), layout=layout)


def points(places: Sequence[tuple[float | None, float | None]], mode: str, **more: Any) -> Trace:
    """A trace at these places, in plotly's words: `mode` lines, markers, text or some of them.  It has no hover."""
    return {
        "type": "scatter",
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "mode": mode,
        "hoverinfo": "skip",
        **more,
    }


def texts(said: Sequence[Said]) -> Trace:
    """Texts as a trace."""
    return points(
        [(x, y) for x, y, *_ in said],
        "text",
        text=[words for _, _, words, *_ in said],
        textposition=[position for *_, position, _ in said],
        textfont={"color": [colour for *_, colour in said]},
    )


def hover(sentences: Sequence[str]) -> dict[str, Any]:
    """What a trace's places say when pointed at."""
    return {"hovertext": [hover_text(sentence) for sentence in sentences], "hoverinfo": "text"}


def hover_text(sentence: str) -> str:
    """A sentence in lines that a hover label can hold."""
    return "<br>".join(plain(line) for line in wrap(sentence, HOVER_CHARS))


def plain(words: str) -> str:
    """Words whose signs plotly must not take for markup."""
    return escape(words, quote=False)
