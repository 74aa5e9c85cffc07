"""Figures in a real JupyterLab: nothing overlaps, nothing is cut, and what is pointed at says what it is."""

from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from nvmelm_lab.views import topology_graph
from nvmelm_lab.views.model import PHASES
from nvmelm_lab.views.palette import DARK, LIGHT
from tests.browser.conftest import Lab, OpenNotebook, set_theme

SHOW = """from IPython.display import display
from nvmelm_lab.lab import GuestSpec, LabSpec
from nvmelm_lab.runs import MigrationRun, start
from nvmelm_lab.views import convergence, topology

for phase in (None, "Prepare", "Start logging", "Initial copy", "Iterate", "Suspend", "State", "Resume", "Clean up"):
    display(topology(phase=phase))
disks = GuestSpec("a very long name", blocks=(1 << 16, 64, 8))
display(topology(LabSpec(guests=(disks, GuestSpec("second", "Z", "I"))), "Suspend", theme="dark"))
small = dict(blocks=1024, neighbour=False)
for more in (
    {}, {"writes_per_second": 300_000}, {"rounds": 60, "writes_per_second": 300_000}, {"method": "stop"},
    {"schedule": ("random", 3), "blocks": 256}, {"rounds": 0}, {"workload": "idle"}, {"downtime_budget_ns": 0},
):
    display(convergence(start(MigrationRun(**small | more)).finish(), theme="dark" if more else "light"))

from nvmelm_lab.notebook import compare, downtime, phases, queue_occupancy, sweep

display(phases("Clean up"))
display(compare())
display(downtime(method="stop", theme="dark"))
display(downtime())
display(queue_occupancy())
display(queue_occupancy(queue_entries=8, writes_per_second=60_000))
display(sweep("queue_entries", (4, 8, 16, 128), blocks=256, writes_per_second=60_000))
"""
FIGURES = 1 + len(PHASES) + 1 + 8 + 7

TEXTS = """figure => {
  const page = figure.getBoundingClientRect();
  const inPage = box => [box.left - page.left, box.top - page.top, box.right - page.left, box.bottom - page.top];
  return [...figure.querySelectorAll('.main-svg .textpoint text, .main-svg text.textpoint, .textpoint')]
    .filter((node, n, all) => !all.some(other => other !== node && node.contains(other)))
    .map(node => ({
      words: node.textContent,
      box: inPage(node.getBoundingClientRect()),
      size: parseFloat(getComputedStyle(node).fontSize),
    }));
}"""


@pytest.fixture(scope="module")
def page(lab: Lab, shared_notebook: OpenNotebook) -> Page:
    opened = shared_notebook(lab.write("figures.ipynb", SHOW))
    opened.wait_for_function(
        f"() => document.querySelectorAll('.js-plotly-plot .textpoint').length > {FIGURES}"
    )
    opened.wait_for_function(f"() => document.querySelectorAll('.js-plotly-plot').length === {FIGURES}")
    return opened


def figure(page: Page, number: int) -> Locator:
    found = page.locator(".js-plotly-plot").nth(number)
    found.scroll_into_view_if_needed()
    found.locator(".textpoint").first.wait_for()
    return found


def texts(found: Locator) -> list[dict[str, Any]]:
    return found.evaluate(TEXTS)


each_figure = pytest.mark.parametrize("number", range(FIGURES))


@each_figure
def test_no_text_touches_another_or_is_cut(page: Page, number: int) -> None:
    found = figure(page, number)
    width, height = found.bounding_box()["width"], found.bounding_box()["height"]
    said = texts(found)
    assert len(said) > 8
    for text in said:
        left, top, right, bottom = text["box"]
        assert left >= 0, text
        assert top >= 0, text
        assert right <= width, text
        assert bottom <= height, text
        assert text["size"] >= 12, text
    for one, other in combinations(said, 2):
        apart = (
            one["box"][2] <= other["box"][0]
            or other["box"][2] <= one["box"][0]
            or one["box"][3] <= other["box"][1] + 1
            or other["box"][3] <= one["box"][1] + 1
        )
        assert apart, (one, other)


# The still pictures that came with the figures of the notebook.
STILLS = """() => {
  const { outputs } = jupyterapp.shell.currentWidget.content.widgets[0].model;
  return Array.from({ length: outputs.length }, (_, n) => outputs.get(n).data['image/svg+xml']).filter(Boolean);
}"""
STILL_TEXTS = """pictures => pictures.map(svg => {
  const page = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].map(node => {
    const box = node.getBoundingClientRect();
    return {
      words: node.textContent,
      box: [box.left - page.left, box.top - page.top, box.right - page.left, box.bottom - page.top],
      size: parseFloat(getComputedStyle(node).fontSize),
    };
  });
})"""


@pytest.fixture(scope="module")
def stills(page: Page) -> list[list[dict[str, Any]]]:
    """The texts of each still picture.  The page that shows them is closed again: it would slow the other one."""
    beside = page.context.new_page()
    beside.set_content("".join(f"<div>{svg}</div>" for svg in page.evaluate(STILLS)))
    drawn: list[list[dict[str, Any]]] = beside.locator("svg").evaluate_all(STILL_TEXTS)
    beside.close()
    return drawn


def test_jupyterlab_shows_the_live_figure_and_not_the_still_one(
    page: Page, stills: list[list[dict[str, Any]]]
) -> None:
    assert len(stills) == FIGURES
    shown = page.locator(".jp-OutputArea-output[data-mime-type]").evaluate_all(
        "nodes => nodes.map(node => node.dataset.mimeType)"
    )
    assert page.locator(".js-plotly-plot").count() == FIGURES
    assert set(shown) == {"text/html"}, "but for the style sheets, JupyterLab itself has drawn nothing"


@each_figure
def test_in_the_still_picture_every_text_stands_where_the_live_one_has_it(
    page: Page, stills: list[list[dict[str, Any]]], number: int
) -> None:
    live, still = texts(figure(page, number)), stills[number]
    assert [text["words"] for text in still] == [text["words"] for text in live]
    assert [text["size"] for text in still] == [text["size"] for text in live]
    for one, other in zip(still, live, strict=True):
        assert one["box"] == pytest.approx(other["box"], abs=1.5), (one, other)


def test_every_name_fits_into_its_box(page: Page) -> None:
    graph = topology_graph()
    for number in range(1 + len(PHASES)):
        said = texts(figure(page, number))
        for _, part in graph.nodes(data=True):
            if not part["inside"]:
                continue
            (x, y), (width, height) = part["pos"], part["size"]
            words = part["label"] + part["detail"]
            own = [
                text["box"]
                for text in said
                if text["words"] == words and abs(text["box"][1] + 16 - y) < height
            ]
            assert any(
                x - width / 2 <= left
                and right <= x + width / 2
                and y - height / 2 <= top
                and bottom <= y + height / 2
                for left, top, right, bottom in own
            ), (words, own)


def test_figures_are_as_wide_as_the_notebook_beside_the_file_browser_allows(page: Page) -> None:
    area = page.locator(".jp-OutputArea").first
    assert area.evaluate("node => node.scrollWidth <= node.clientWidth")


@pytest.mark.parametrize("name", ["VM guest", "Ctlr X", "Ctlr Y", "MQ", "NS 1 at the destination"])
def test_a_part_that_is_pointed_at_says_what_it_is(page: Page, name: str) -> None:
    part = topology_graph().nodes[name]
    found = figure(page, 0)
    x, y = part["pos"]
    width, height = part["size"]
    for dx, dy in ((0, 0), (-width / 2 + 8, 0), (width / 2 - 8, height / 2 - 8)):
        assert hovered(page, found, x + dx, y + dy) == part["sentence"]


def test_a_number_that_is_pointed_at_says_its_line(page: Page) -> None:
    graph = topology_graph()
    found = figure(page, 1 + PHASES.index("Initial copy"))
    x, y = graph.edges["VMM at the source", "VMM at the destination"]["sign"]
    assert hovered(page, found, x, y).startswith("2 Source → destination: the blocks cross the link")


def hovered(page: Page, found: Locator, x: float, y: float) -> str:
    """What the figure says at that place, once it says it."""
    box = found.bounding_box()
    label = found.locator(".hoverlayer .hovertext text.nums")
    page.mouse.move(box["x"] - 30, box["y"] + y)
    label.wait_for(state="detached")
    page.mouse.move(box["x"] + x, box["y"] + y)
    label.wait_for()
    return label.evaluate(
        "node => [...node.querySelectorAll('tspan')].map(part => part.textContent).join(' ')"
    )


def test_a_figure_is_not_moved_by_wheel_or_mouse(page: Page) -> None:
    found = figure(page, 0)
    before = texts(found)
    box = found.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 180, steps=4)
    page.mouse.up()
    assert texts(found) == before
    assert found.locator(".modebar-btn").count() == 0


# Every colour of the light page that is still seen in a figure.
LEFT_OVER = """(figure, light) => [...figure.querySelectorAll('*')].flatMap(node => {
  const style = getComputedStyle(node);
  return ['fill', 'stroke', 'backgroundColor'].filter(what => light.includes(style[what]) && node.style.length)
    .map(what => `${node.tagName} ${node.getAttribute('class')} ${what} ${style[what]}`);
})"""


def test_a_light_figure_follows_jupyterlab_into_the_dark_and_back(page: Page) -> None:
    light = [as_browsers_write(colour) for name, colour in LIGHT.items() if name != "on"]
    for number in (3, 10):
        found = figure(page, number)
        assert len(found.evaluate(LEFT_OVER, light)) > 20
        set_theme(page, "JupyterLab Dark")
        assert found.evaluate(LEFT_OVER, light) == []
        ground = found.locator(".main-svg").first.evaluate("node => getComputedStyle(node).backgroundColor")
        assert ground == as_browsers_write(DARK["bg"])
        inks = found.evaluate(
            "node => [...node.querySelectorAll('.textpoint text')].map(n => getComputedStyle(n).fill)"
        )
        assert set(inks) <= {as_browsers_write(DARK[name]) for name in ("fg", "muted", "accent", "on")}
        set_theme(page, "JupyterLab Light")
        assert len(found.evaluate(LEFT_OVER, light)) > 20


def as_browsers_write(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[n : n + 2], 16)) for n in (1, 3, 5))})"
