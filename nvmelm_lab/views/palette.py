"""The one visual language: what each state of an LBA looks like, and the colours of a page, light and dark.

Values only.  Hues alone tell nothing here: wherever one is used, a glyph, a shape or a word says the same, and
outlines stand out from the page by 3:1, texts by 4.5:1.  The live player derives its own shades from the same hues
and from the colours of its host (`js/paint.js`).
"""

from collections.abc import Mapping
from typing import Final

EDGE: Final = "#808080"
"""Outlines and lines: stands out by 3:1 from both pages."""

INK: Final = "#141414"
"""Glyphs on a light hue, and the outline of what is lost."""

MAPPED, CHANGED, COPYING, EQUAL, LOST, UNREADABLE = (
    "#0072B2",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#D55E00",
    "#CC79A7",
)
"""The hue of each state of an LBA; a deallocated one is empty.  Every view uses them in these meanings."""

LOOKS: Final = (
    ("none", EDGE, "none"),
    (MAPPED, MAPPED, "none"),
    (CHANGED, "#9A6A00", INK),
    (COPYING, "#2E86B8", INK),
    (EQUAL, "#008460", "#FFFFFF"),
    (LOST, INK, "#FFFFFF"),
    (UNREADABLE, "#A8588A", INK),
)
"""Fill, outline and glyph of each `State`."""

Colours = Mapping[str, str]
"""Of a page: its ground (bg), a panel on it, text (fg), lesser text (muted), what is meant (accent), text on that
(on)."""

LIGHT: Final[Colours] = {
    "bg": "#FFFFFF",
    "panel": "#F4F5F7",
    "fg": "#1B1B1B",
    "muted": "#5B5F66",
    "accent": "#1565C0",
    "on": "#FFFFFF",
}
DARK: Final[Colours] = {
    "bg": "#111111",
    "panel": "#1E2023",
    "fg": "#F2F3F5",
    "muted": "#A9AEB6",
    "accent": "#64B5F6",
    "on": "#111111",
}
THEMES: Final[Mapping[str, Colours]] = {"light": LIGHT, "dark": DARK}
"""By the names that people know; the grounds are those of JupyterLab's own two themes."""
