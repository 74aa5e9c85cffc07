"""What still pictures are drawn with: texts, lines, and the one look of each state of an LBA, as SVG."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from nvmelm_lab.views.model import State
from nvmelm_lab.views.palette import LIGHT, LOOKS, Colours

# Each glyph as lines relative to the middle of its cell.
GLYPHS: Final = (
    "",
    "",
    "m-4 3l3.5-6m1 6l3.5-6",
    "m-3 0h6m-3-3l3 3-3 3",
    "m-3.5.3l2.5 2.5 4.5-5.4",
    "m-3-3l6 6m0-6l-6 6",
    "m-2.7 0a2.7 2.7 0 1 0 5.4 0a2.7 2.7 0 1 0-5.4 0",
)

THEMED: Final = {
    "bg": f"var(--jp-layout-color0, {LIGHT['bg']})",
    "fg": f"var(--jp-content-font-color0, {LIGHT['fg']})",
    "muted": f"var(--jp-ui-font-color2, {LIGHT['muted']})",
    "accent": f"var(--jp-brand-color0, {LIGHT['accent']})",
    "on": f"var(--jp-layout-color0, {LIGHT['on']})",
}

"""For a page of JupyterLab: its own colours; elsewhere those of the light picture."""

BOLD: Final = ' font-weight="600"'
MIDDLE: Final = ' text-anchor="middle"'
END: Final = ' text-anchor="end"'
THICK: Final = ' stroke-width="2"'


def page(width: int, height: int, title: str, parts: Iterable[str], colours: Colours) -> str:
    """A picture of `width` x `height` px, on its own ground."""
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    style = f'role="img" font-family="system-ui,sans-serif" font-size="12" fill="{colours["fg"]}"'
    ground = f'<rect width="{width}" height="{height}" fill="{colours["bg"]}"/>'
    words = f"<title>{escape(title)}</title>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{words}{ground}{"".join(parts)}</svg>'


def say(x: float, y: float, words: str, colour: str = "", more: str = "") -> str:
    """A text whose base line begins at x, y; `more` are attributes."""
    fill = f' fill="{colour}"' if colour else ""
    return f'<text x="{x:g}" y="{y:g}"{fill}{more}>{escape(words)}</text>'


def path(lines: str, fill: str = "none", stroke: str = "none", more: str = "") -> str:
    """A path; `more` are attributes."""
    return f'<path d="{lines}" fill="{fill}" stroke="{stroke}"{more}/>'


def squares(corners: Sequence[tuple[float, float]], wide: float, high: float) -> str:
    """Rectangles as the lines of a path, by their upper left corners."""
    return "".join(f"M{x:g} {y:g}h{wide:g}v{high:g}h-{wide:g}z" for x, y in corners)


def boxes(state: int, corners: Sequence[tuple[float, float]], wide: float, high: float) -> str:
    """All cells of one state: one path for the boxes, one for the glyphs."""
    fill, line, ink = LOOKS[state]
    inner = [(x + 0.5, y + 0.5) for x, y in corners]
    dashes = ' stroke-dasharray="2 3"' if state == State.DEALLOCATED else ""
    drawn = path(squares(inner, wide - 1, high - 1), fill, line, dashes)
    glyphs = "".join(f"M{x + wide / 2:g} {y + high / 2:g}{GLYPHS[state]}" for x, y in corners)
    return drawn + (path(glyphs, "none", ink, ' stroke-width="1.8"') if GLYPHS[state] else "")
