"""The player can be read: contrast of texts and outlines in both themes, states told apart without colour, one
bad LBA among thousands seen, and colours that follow the theme."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Lab, OpenNotebook, set_theme
from tests.browser.measures import CONTRASTS, LIGHT, SPOT, VERMILLION
from tests.browser.players import player, press_pane, scrub_to, show, step_of
from tests.views.synthetic import model

THEMES = ("JupyterLab Light", "JupyterLab Dark")

# The drawn legend, state by state: contrast of the outline with the page, of the glyph with its fill, and the
# picture in greys.
GLYPHS = f"""root => {{{LIGHT}
  const page = light(getComputedStyle(root).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number));
  return [...root.querySelectorAll('.nvp-glyph')].map(canvas => {{
    const {{width, height}} = canvas;
    const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
    const at = (x, y) => {{
      const n = 4 * (y * width + x);
      return data[n + 3] < 128 ? page : light([...data.slice(n, n + 3)]);
    }};
    const rim = [], inner = [];
    for (let i = 1; i < width - 1; i += 1) rim.push(at(i, 1), at(i, height - 2), at(1, i), at(width - 2, i));
    for (let x = 3; x < width - 3; x += 1) for (let y = 3; y < height - 3; y += 1) inner.push(at(x, y));
    const most = (values, against) => Math.max(...values.map(value => ratio(value, against)));
    return {{outline: most(rim, page), glyph: most(inner, at(3, 3)), greys: inner}};
  }});
}}"""

GLYPHLESS = (0, 1)


def one_lost(blocks: int, cell: int) -> dict[str, Any]:
    """A run of one step after which a single LBA is lost and all others are equal."""
    run = model(blocks=blocks, cell_lbas=cell, steps=60)
    lost = blocks // 3
    step = {"t": 5, "lane": 1, "actor": "Ctlr Y", "text": f"Ctlr Y executed Write {lost}", "lbas": [lost, 1]}
    step |= {"source": [[0, blocks, 1]], "destination": [[0, blocks, 4], [lost, 1, 5]]}
    phases = [dict(phase, first=0 if n < 1 else None) for n, phase in enumerate(run["phases"])]
    return run | {"steps": [step], "phases": phases}


@pytest.fixture(scope="module")
def root(lab: Lab, shared_notebook: OpenNotebook) -> Locator:
    return player(shared_notebook(show(lab, "look.ipynb", model(lose=True))))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("pane", [None, "Bytes", "Text", "Keys and signs"])
def test_every_text_stands_out_by_4_5_to_1(root: Locator, theme: str, pane: str | None) -> None:
    set_theme(root.page, theme)
    if pane:
        press_pane(root, pane)
    for share in (0.1, 0.5, 0.95):
        scrub_to(root, share)
        worst = root.evaluate(CONTRASTS)
        assert worst[0][0] >= 4.5, worst
    if pane:
        press_pane(root, pane)


@pytest.mark.parametrize("theme", THEMES)
def test_every_state_has_an_outline_and_a_glyph_of_3_to_1(root: Locator, theme: str) -> None:
    set_theme(root.page, theme)
    step_of(root)
    for state, look in enumerate(root.evaluate(GLYPHS)):
        assert look["outline"] >= 3, state
        if state not in GLYPHLESS:
            assert look["glyph"] >= 3, state


@pytest.mark.parametrize("theme", THEMES)
def test_states_are_told_apart_without_colour(root: Locator, theme: str) -> None:
    set_theme(root.page, theme)
    step_of(root)
    greys = [look["greys"] for look in root.evaluate(GLYPHS)]
    for n, one in enumerate(greys):
        for m, other in enumerate(greys[:n]):
            differing = sum(abs(a - b) > 0.08 for a, b in zip(one, other, strict=True))
            assert differing >= 10, (m, n)


def test_canvas_and_page_take_on_the_new_theme(root: Locator) -> None:
    seen = []
    for theme in (*THEMES, THEMES[0]):
        set_theme(root.page, theme)
        step_of(root)
        ground = root.evaluate("node => getComputedStyle(node).backgroundColor")
        pixels = root.locator(".nvp-lane-box canvas").evaluate("node => node.toDataURL()")
        seen.append((ground, pixels))
    assert seen[0] == seen[2]
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] != seen[1][1]


@pytest.mark.parametrize(("blocks", "cell"), [(176, 1), (16384, 64), (1 << 20, 1)])
def test_one_lost_lba_among_many_is_a_cell_of_at_least_12_px(
    lab: Lab, open_notebook: OpenNotebook, blocks: int, cell: int
) -> None:
    root = player(open_notebook(show(lab, "lost.ipynb", one_lost(blocks, cell))))
    source, destination = (root.locator(f".nvp-map-{side} canvas") for side in (0, 1))
    assert source.evaluate(SPOT, VERMILLION) is None
    size = destination.evaluate(SPOT, VERMILLION)
    assert size is not None
    assert min(size) >= 12 - 2 * 2  # the fill inside its own outline of 2 px
    assert f"LBA {blocks // 3}: source v0" in root.locator(".nvp-detail-line").inner_text()


def test_its_caption_says_how_many_lbas_a_cell_stands_for(lab: Lab, open_notebook: OpenNotebook) -> None:
    root = player(open_notebook(show(lab, "caption.ipynb", one_lost(16384, 64))))
    assert root.locator(".nvp-caption").all_inner_texts() == ["1 cell = 64 LBAs", "worst shown"]
    page: Page = root.page
    page.set_viewport_size({"width": 1660, "height": 800})
    page.wait_for_function("() => document.querySelector('.nvp-caption').textContent.includes('worst')")
    assert root.locator(".nvp-caption").all_inner_texts() == ["1 cell = 64 LBAs, worst shown"] * 2


def test_canvases_are_sharp_on_fine_screens(lab: Lab, open_notebook: OpenNotebook) -> None:
    root = player(open_notebook(show(lab, "fine.ipynb", model()), device_scale_factor=2))
    widths = root.evaluate(
        "root => [...root.querySelectorAll('.nvp-canvas')].map(node => [node.width, node.clientWidth])"
    )
    assert widths == [[2 * css, css] for _, css in widths]
