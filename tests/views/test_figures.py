"""What all figures share: colours to be read, words for hosts that draw nothing, nothing loaded before its time."""

import json
import re
import subprocess
import sys
from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio
import pytest

from nvmelm_lab.lessons.methods import SAME_GUEST, compared
from nvmelm_lab.runs import MigrationRun, start
from nvmelm_lab.views import convergence, convergence_text, topology, topology_text
from nvmelm_lab.views.comparison_figure import comparison
from nvmelm_lab.views.downtime import downtime
from nvmelm_lab.views.figures import SMALLEST
from nvmelm_lab.views.model import State
from nvmelm_lab.views.occupancy import occupancy
from nvmelm_lab.views.palette import EDGE, LOOKS, THEMES
from nvmelm_lab.views.phases_figure import phases

ROOT = Path(__file__).resolve().parents[2]
OUTCOME = start(MigrationRun(blocks=512)).finish()
OBSERVED = compared(SAME_GUEST)
FIGURES = {
    "topology": lambda theme: topology(theme=theme),
    "phase": lambda theme: topology(phase="Iterate", theme=theme),
    "convergence": lambda theme: convergence(OUTCOME, theme=theme),
    "phases": lambda theme: phases("Iterate", theme=theme),
    "comparison": lambda theme: comparison(OBSERVED, theme=theme),
    "downtime": lambda theme: downtime(OBSERVED[0], theme=theme),
    "occupancy": lambda theme: occupancy(OBSERVED[-1], theme=theme),
}
each_figure = pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES)
each_theme = pytest.mark.parametrize("theme", THEMES)


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# -- colours -------------------------------------------------------------------------------------------------


@each_theme
def test_texts_stand_out_by_4_5_to_1_on_the_page_and_on_panels(theme):
    page = THEMES[theme]
    for ground in ("bg", "panel"):
        for text in ("fg", "muted", "accent"):
            assert contrast(page[text], page[ground]) >= 4.5, (text, ground)
    assert contrast(page["on"], page["accent"]) >= 4.5


@each_theme
def test_outlines_of_states_and_lines_stand_out_by_3_to_1_on_the_page(theme):
    for fill, outline, _ in LOOKS:
        strongest = max(
            contrast(colour, THEMES[theme]["bg"]) for colour in (fill, outline) if colour != "none"
        )
        assert strongest >= 3, fill
    assert contrast(EDGE, THEMES[theme]["bg"]) >= 3
    assert contrast(EDGE, THEMES[theme]["panel"]) >= 3


def test_every_state_has_its_look_and_the_live_player_has_the_same_hues():
    assert len(LOOKS) == len(State)
    script = (ROOT / "nvmelm_lab/views/js/paint.js").read_text(encoding="utf-8")
    fills = json.loads(re.search(r"const FILLS = (\[.*\]);", script)[1])
    assert ["none", *fills[1:]] == [fill for fill, *_ in LOOKS]


@each_figure
@each_theme
def test_a_figure_has_the_colours_of_its_theme_and_of_the_visual_language_alone(make, theme):
    figure = make(theme)
    language = {colour for look in LOOKS for colour in look} | {EDGE, *THEMES[theme].values()}
    used = set(re.findall(r"#[0-9a-fA-F]{6}", figure.to_json()))
    assert used <= language
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == THEMES[theme]["bg"]


@each_figure
def test_no_text_is_smaller_than_12_px(make):
    sizes = re.findall(
        r'font": \{[^{}]*"size": (\d+)', json.dumps(make("light").to_plotly_json(), default=str)
    )
    assert min(map(int, sizes)) == SMALLEST == 12


# -- hosts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["topology", "convergence"])
def test_a_figure_is_plotlys_own_and_shows_its_words_where_nothing_can_be_drawn(kind, monkeypatch):
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    figure = FIGURES[kind]("light")
    words = {"topology": topology_text(), "convergence": convergence_text(OUTCOME)}[kind]
    assert isinstance(figure, go.Figure)
    assert repr(figure) == words
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "application/vnd.plotly.v1+json"}
    assert bundle["text/plain"] == words
    assert bundle["application/vnd.plotly.v1+json"]["config"]["displayModeBar"] is False


@each_figure
def test_a_figure_survives_being_saved_and_read_again(make):
    figure = make("dark")
    again = pio.from_json(figure.to_json())
    assert again.layout.meta == figure.layout.meta
    assert again.to_json() == figure.to_json()


@each_figure
def test_a_figure_takes_little_room_in_a_saved_notebook(make):
    assert len(make("light").to_json()) < 64_000


@each_figure
def test_the_wheel_and_the_mouse_scroll_the_page_and_not_the_figure(make):
    layout = make("light").layout
    assert layout.xaxis.fixedrange
    assert layout.yaxis.fixedrange
    assert layout.dragmode is False


def test_the_page_is_measured_in_px_from_its_upper_left_corner():
    layout = topology().layout
    assert tuple(layout.xaxis.range) == (0, layout.width)
    assert tuple(layout.yaxis.range) == (layout.height, 0)
    assert {layout.margin[side] for side in "lrtb"} == {0}


# -- what is loaded ------------------------------------------------------------------------------------------


def loaded_after(program: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}\nprint(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {name.split(".")[0] for name in run.stdout.split()}


def test_views_load_widgets_and_figures_only_when_they_are_asked_for():
    heavy = {"plotly", "networkx", "anywidget", "ipywidgets", "IPython", "numpy"}
    assert not loaded_after("import nvmelm_lab.views") & heavy
    assert loaded_after("from nvmelm_lab.views import topology_text") & heavy == {"networkx"}
    assert not loaded_after("from nvmelm_lab.views import convergence_text") & heavy
    assert {"plotly", "networkx"} <= loaded_after("from nvmelm_lab.views import topology; topology()")


def test_figures_need_no_numpy():
    program = "sys.modules['numpy'] = None\nfrom nvmelm_lab.views import topology\ntopology(phase='State').to_json()"
    assert "plotly" in loaded_after(program)


def test_each_name_of_the_face_is_there_and_is_no_module():
    from nvmelm_lab import views

    for name in views.__all__:
        assert callable(getattr(views, name)), name
    assert not hasattr(views, "nothing")
