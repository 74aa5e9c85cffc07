"""The still picture: well formed, small, with every state drawn and the words of its step."""

from xml.etree import ElementTree

import pytest

from nvmelm_lab.views import text
from nvmelm_lab.views.still import GONE, LOOKS, still_html, still_svg
from tests.views.synthetic import model

RUNS = {
    "small": model(lose=True),
    "large": model(blocks=16384, cell_lbas=64, slots=128, steps=900),
    "huge": model(blocks=1 << 20, steps=100),
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
    assert len(picture) < 32_000


def test_every_text_stands_inside_the_picture() -> None:
    root = ElementTree.fromstring(still_svg(RUNS["small"], 200))
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


def test_the_page_can_hide_it_by_its_key_and_it_says_what_to_do() -> None:
    page = still_html(RUNS["small"], 3, "k1")
    assert page.startswith('<div data-nvmelm-still="k1"')
    assert GONE in page
    assert "var(--jp-layout-color0" in page
