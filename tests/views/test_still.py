"""The still picture: well formed, small, with every state drawn and the words of its step."""

import re
from xml.etree import ElementTree

import pytest

from nvmelm_lab.views import text
from nvmelm_lab.views.palette import LOOKS
from nvmelm_lab.views.still import GONE, still_html, still_svg
from nvmelm_lab.views.svg import THEMED
from tests.views.synthetic import model
from tests.views.synthetic_summary import summary

RUNS = {
    "small": model(lose=True),
    "large": model(blocks=16384, cell_lbas=64, slots=128, steps=900),
    "huge": model(blocks=1 << 20, steps=100),
    "summary": summary(lose=True),
    "large summary": summary(blocks=(1 << 22) - 5, tile=64, frames=512),
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("share", [0, 0.3, 0.6, 1])
def test_it_is_well_formed_and_small_at_any_step(kind: str, share: float) -> None:
    run = RUNS[kind]
    index = round(share * (len(run["steps"]) - 1))
    picture = still_svg(run, index)
    root = ElementTree.fromstring(picture)
    assert root.find(f"{SVG}title").text == text.sentence(run, index)
    assert len(picture) < 40_000


@pytest.mark.parametrize("kind", ["small", "summary", "large summary"])
def test_every_text_stands_inside_the_picture(kind: str) -> None:
    root = ElementTree.fromstring(still_svg(RUNS[kind], 200))
    for node in root.iter(f"{SVG}text"):
        assert 0 < float(node.get("x")) <= 840
        assert 0 < float(node.get("y")) < 540


def test_states_are_drawn_in_the_colours_of_the_live_player() -> None:
    run = RUNS["small"]
    fills = {node.get("fill") for node in ElementTree.fromstring(still_svg(run, 200)).iter(f"{SVG}path")}
    assert {fill for fill, _, _ in LOOKS} <= fills


def test_it_says_phase_actor_and_verdicts() -> None:
    run = RUNS["small"]
    root = ElementTree.fromstring(still_svg(run, len(run["steps"]) - 1))
    bold = [node.text for node in root.iter(f"{SVG}text") if node.get("font-weight")]
    assert "Clean up" in bold
    assert "VMM (MMH)" in bold
    assert any(node.text.startswith("✗ no write lost: LBA ") for node in root.iter(f"{SVG}text"))


def test_of_a_summary_it_shows_each_counter_with_its_level_and_the_highest() -> None:
    run = RUNS["summary"]
    root = ElementTree.fromstring(still_svg(run, 200))
    said = [node.text for node in root.iter(f"{SVG}text")]
    for n, one in enumerate(run["counters"]):
        at = said.index(one["name"])
        top = max(step["counts"][n] for step in run["steps"])
        assert said[at + 1] == text.amount(run["steps"][200]["counts"][n], one)
        assert said[at + 2] == f"of {text.amount(top, one)}"


def test_of_a_summary_it_draws_no_phase_tags_for_they_are_not_known() -> None:
    single = {"0", "1"}
    tagged, bare = (ElementTree.fromstring(still_svg(RUNS[kind], 200)) for kind in ("small", "summary"))
    assert single & {node.text for node in tagged.iter(f"{SVG}text")}
    assert not single & {node.text for node in bare.iter(f"{SVG}text")}


@pytest.mark.parametrize("index", [0, 137, 411])
def test_a_chart_stands_at_the_level_of_the_frame(index: int) -> None:
    """Followed from frame to frame, each line ends where the mark of its level is."""
    run = summary(busy=5)
    paths = [node.get("d") for node in ElementTree.fromstring(still_svg(run, index)).iter(f"{SVG}path")]
    lines = [path for path in paths if path.endswith("H260z")]
    marks = re.findall(r"M(\S+) (\S+)h6v6h-6z", paths[-1])
    assert len(lines) == len(marks) == len(run["counters"])
    for line, (x, y) in zip(lines, marks, strict=True):
        assert end_of(line.split("V")[0]) == (float(x) + 3, pytest.approx(float(y) + 3))


def end_of(line: str) -> tuple[float, float]:
    start, *moves = re.findall(r"M\S+ [\d.]+|h-?\d+v-?\d+", line)
    x, y = map(float, start[1:].split())
    for move in moves:
        right, down = move[1:].split("v")
        x, y = x + int(right), y + int(down)
    return x, y


def test_the_page_can_hide_it_by_its_key_and_it_says_what_to_do() -> None:
    page = still_html(still_svg(RUNS["small"], 3, THEMED), "k1")
    assert page.startswith('<div data-nvmelm-still="k1"')
    assert GONE in page
    assert "var(--jp-layout-color0" in page
