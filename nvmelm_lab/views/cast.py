"""Who takes part in a live migration, as a picture: two hosts, two SSDs, VMs, a VMM and six controllers."""

from html import escape
from typing import Final

from nvmelm_lab.views.palette import EDGE
from nvmelm_lab.views.still import THEMED

WIDTH: Final = 840
HEIGHT: Final = 244

IN_WORDS: Final = """Source host: the VM (the guest) on Ctlr Y, a virtual function (VF) of the source SSD: the MC.
  Another VM on Ctlr Z, a VF as well.  Ctlr X, on physical function PF 0 of the same SSD: the MMC.
Destination host: room for the VM on Ctlr H, a VF of the destination SSD.  Ctlr G, on its PF 0: the MMC there.
The VMM (the MMH) reaches Ctlr X, and over the link Ctlr G.  The VM moves from Ctlr Y to Ctlr H while it runs."""

_ARROW: Final = (
    '<marker id="nvmelm-cast-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
    ' orient="auto"><path d="M0 0l8 4-8 4z" fill="{accent}"/></marker>'
)


class Cast:
    """The picture; show it as the last line of a cell.  Its text says the same."""

    def __repr__(self) -> str:
        return IN_WORDS

    def _repr_html_(self) -> str:
        return f'<div style="max-width:{WIDTH}px">{_svg()}</div>'


def who_is_who() -> Cast:
    """Who takes part in a live migration, as a picture."""
    return Cast()


def _svg() -> str:
    parts = [
        _box(6, 18, 396, 222, dashed=False),
        _box(438, 18, 396, 222, dashed=False),
        _say(16, 13, "Source host", bold=True),
        _say(448, 13, "Destination host", bold=True),
        _box(16, 146, 376, 84, dashed=False),
        _box(448, 146, 376, 84, dashed=False),
        _line("M82 66V170M204 66V170M326 126V170M514 126V170"),
        _line("M636 66V170", dashed=True),
        _say(214, 162, "Source SSD"),
        _say(646, 162, "Destination SSD"),
        *_named(26, 32, 112, "another VM"),
        *_named(144, 32, 120, "VM: the guest", strong=True),
        *_named(576, 32, 120, "room for the VM", dashed=True),
        *_named(282, 92, 276, "VMM, acting as MMH", strong=True),
        *_controller(26, "Ctlr Z", "VF"),
        *_controller(148, "Ctlr Y", "VF: the MC"),
        *_controller(270, "Ctlr X", "PF 0: the MMC"),
        *_controller(458, "Ctlr G", "PF 0: the MMC"),
        *_controller(580, "Ctlr H", "VF: the MC"),
        *_controller(702, "Ctlr I", "VF"),
        f'<path d="M264 49H575" fill="none" stroke="{THEMED["accent"]}" stroke-width="2" stroke-dasharray="6 4"'
        ' marker-end="url(#nvmelm-cast-tip)"/>',
        _say(333, 42, "moves while it runs", middle=True),
        _say(420, 140, "link", middle=True),
    ]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="system-ui,sans-serif" font-size="13"'
        f' fill="{THEMED["fg"]}"><title>{escape(IN_WORDS)}</title>{_ARROW.format(accent=THEMED["accent"])}'
        f"{''.join(parts)}</svg>"
    )


def _named(
    x: int, y: int, width: int, words: str, *, strong: bool = False, dashed: bool = False
) -> list[str]:
    return [
        _box(x, y, width, 34, dashed=dashed, fill=THEMED["bg"], stroke=THEMED["accent"] if strong else EDGE),
        _say(x + width // 2, y + 22, words, middle=True, bold=strong),
    ]


def _controller(x: int, name: str, role: str) -> list[str]:
    return [
        _box(x, 170, 112, 50, dashed=False, fill=THEMED["bg"]),
        _say(x + 56, 190, name, middle=True, bold=True),
        _say(x + 56, 208, role, middle=True),
    ]


def _box(
    x: int, y: int, width: int, height: int, *, dashed: bool, fill: str = "none", stroke: str = EDGE
) -> str:
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="{fill}" stroke="{stroke}"{dashes}/>'


def _line(path: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<path d="{path}" fill="none" stroke="{EDGE}" stroke-width="1.5"{dashes}/>'


def _say(x: int, y: int, words: str, *, middle: bool = False, bold: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x}" y="{y}"{anchor}{weight}>{escape(words)}</text>'
