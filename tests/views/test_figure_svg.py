"""The still picture of a figure: the same texts, marks and lines in the same places, small, on a ground of its own."""

import json
import re
from base64 import b64decode
from collections import Counter
from functools import cache
from html import unescape
from typing import Any
from xml.etree import ElementTree

import nbformat
import plotly.io as pio
import pytest
from nbconvert import HTMLExporter

from nvmelm_lab.errors import KitError
from nvmelm_lab.lab import GuestSpec, LabSpec
from nvmelm_lab.runs import MigrationRun, start
from nvmelm_lab.views import convergence, topology
from nvmelm_lab.views.figure_svg import figure_svg
from nvmelm_lab.views.figures import Figure
from nvmelm_lab.views.palette import EDGE, LOOKS, THEMES

SVG = "{http://www.w3.org/2000/svg}"
OUTCOME = start(MigrationRun(blocks=512)).finish()
MANY = start(MigrationRun(blocks=1024, neighbour=False, rounds=60, writes_per_second=300_000)).finish()
FIGURES = {
    "topology": lambda: topology(),
    "dark": lambda: topology(theme="dark"),
    "phase": lambda: topology(phase="Iterate"),
    "signs": lambda: topology(LabSpec(guests=(GuestSpec("<b>&amp;"), GuestSpec("c & d", "Z", "I")))),
    "convergence": lambda: convergence(OUTCOME),
    "many rounds": lambda: convergence(MANY),
}
each_figure = pytest.mark.parametrize("kind", FIGURES)


@cache
def figure(kind: str) -> Figure:
    return FIGURES[kind]()


@cache
def picture(kind: str) -> ElementTree.Element:
    return ElementTree.fromstring(figure(kind)._repr_svg_())


def traces(kind: str, part: str) -> list[dict[str, Any]]:
    return [trace for trace in figure(kind).to_plotly_json()["data"] if part in trace["mode"]]


@each_figure
def test_it_is_as_large_as_the_page_and_has_its_ground(kind: str) -> None:
    layout = figure(kind).layout
    root = picture(kind)
    assert (float(root.get("width")), float(root.get("height"))) == (
        round(layout.width, 1),
        round(layout.height, 1),
    )
    ground = root.find(f"{SVG}rect")
    assert (ground.get("width"), ground.get("height"), ground.get("fill")) == (
        "100%",
        "100%",
        layout.paper_bgcolor,
    )


@each_figure
def test_its_title_is_the_first_line_of_the_text_twin(kind: str) -> None:
    assert picture(kind).find(f"{SVG}title").text == repr(figure(kind)).splitlines()[0]


@each_figure
def test_it_says_every_text_of_the_figure_word_for_word(kind: str) -> None:
    said = [words for trace in traces(kind, "text") for words in trace["text"] if words]
    wanted = [unescape(re.sub("</?b>|<br>", "", words)) for words in said]
    assert ["".join(node.itertext()) for node in picture(kind).iter(f"{SVG}text")] == wanted


@each_figure
def test_bold_words_are_bold(kind: str) -> None:
    words = [words for trace in traces(kind, "text") for words in trace["text"]]
    wanted = [unescape(bold) for line in words for bold in re.findall("<b>(.*?)</b>", line)]
    assert wanted
    assert [
        node.text for node in picture(kind).iter(f"{SVG}tspan") if node.get("font-weight") == "bold"
    ] == wanted


@each_figure
def test_every_disc_is_in_its_place(kind: str) -> None:
    wanted = []
    for trace in traces(kind, "markers"):
        marker = trace["marker"]
        if marker["opacity"] and marker.get("symbol", "circle") == "circle":
            wanted += zip(trace["x"], trace["y"], strict=True)
    found = {(float(node.get("cx")), float(node.get("cy"))) for node in picture(kind).iter(f"{SVG}circle")}
    assert {(round(x, 1), round(y, 1)) for x, y in wanted} <= found


@each_figure
def test_every_mark_is_drawn_once_in_its_fill(kind: str) -> None:
    wanted: Counter[str] = Counter()
    for trace in traces(kind, "markers"):
        marker, count = trace["marker"], len(trace["x"])
        sizes = marker["size"] if isinstance(marker["size"], (list, tuple)) else [marker["size"]] * count
        fills = (
            marker.get("color")
            if isinstance(marker.get("color"), (list, tuple))
            else [marker.get("color")] * count
        )
        wanted.update(fill for fill, size in zip(fills, sizes, strict=True) if size and marker["opacity"])
    others = Counter([figure(kind).layout.paper_bgcolor])
    others.update(trace.get("fillcolor", "none") for trace in traces(kind, "lines"))
    shapes = [node for tag in ("circle", "rect", "path") for node in picture(kind).iter(f"{SVG}{tag}")]
    assert Counter(node.get("fill") for node in shapes) == wanted + others


@each_figure
def test_it_has_the_colours_of_the_visual_language_alone(kind: str) -> None:
    theme = "dark" if kind == "dark" else "light"
    language = {colour for look in LOOKS for colour in look} | {EDGE, *THEMES[theme].values()}
    assert set(re.findall(r"#[0-9a-fA-F]{6}", figure(kind)._repr_svg_())) <= language


@each_figure
def test_it_adds_less_to_a_saved_notebook_than_the_figure_itself(kind: str) -> None:
    assert len(json.dumps(figure(kind)._repr_svg_())) < max(8_000, len(figure(kind).to_json()))
    assert len(figure(kind)._repr_svg_()) < 32_000


def test_a_marker_that_it_cannot_draw_is_our_error() -> None:
    plain = figure("convergence").to_plotly_json()
    marker = next(trace["marker"] for trace in plain["data"] if trace["mode"] == "markers")
    with pytest.raises(KitError, match="no marker 'star'"):
        figure_svg(
            [trace | {"marker": marker | {"symbol": "star"}} for trace in plain["data"]], plain["layout"]
        )


def test_a_host_that_knows_no_plotly_shows_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    output = nbformat.v4.new_output("display_data", figure("phase")._repr_mimebundle_())
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("topology()", outputs=[output])])
    page, _ = HTMLExporter().from_notebook_node(book)
    (shown,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', page)
    assert b64decode(shown).decode() == figure("phase")._repr_svg_()
