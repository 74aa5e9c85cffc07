"""The picture of an explanation: every step in its lane, who led to it, the deciding pairs, and the LBA's versions."""

from functools import cache
from xml.etree import ElementTree

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.races.explain import Explanation, explain
from nvmelm_lab.races.story import story
from nvmelm_lab.views.causes import causes_of
from nvmelm_lab.views.explanation import explanation_figure
from nvmelm_lab.views.figures import Figure
from nvmelm_lab.views.palette import EQUAL, LOST, MAPPED, THEMES
from tests.views.pairs import counterexample

CASES = (
    ("copies_before_logging", 0),
    ("resumes_both", 0),
    ("moves_memory_before_the_pause", 0),
    ("ignores_deallocations", 2),
)
SVG = "{http://www.w3.org/2000/svg}"


@cache
def told(name: str, rung: int) -> tuple[Explanation, tuple[int, ...]]:
    found = counterexample(name, rung)
    explanation = explain(found)
    return explanation, causes_of(found.case, explanation)


def drawn(name: str, rung: int = 0, theme: str = "light") -> Figure:
    return explanation_figure(*told(name, rung), theme)


def words_of(figure: Figure) -> str:
    """All that is written in it, lines joined."""
    said = [words for trace in figure.data if "text" in trace.mode for words in trace.text]
    return "\n".join(said).replace("</b><br><b>", " ").replace("<br>", " ")


def squares(figure: Figure) -> list[tuple[float, float]]:
    marks = next(
        trace for trace in figure.data if trace.mode == "markers" and trace.marker.symbol == "square"
    )
    return list(zip(marks.x, marks.y, strict=True))


@pytest.mark.parametrize(("name", "rung"), CASES)
def test_each_step_has_a_row_with_its_words_and_a_mark_in_its_lane(name: str, rung: int) -> None:
    explanation, _ = told(name, rung)
    figure = drawn(name, rung)
    words, marks = words_of(figure), squares(figure)
    assert [y for _, y in marks] == sorted({y for _, y in marks})
    columns = sorted({x for x, _ in marks})
    for number, step in enumerate(explanation.steps):
        assert f"{step.who} {step.text}" in words
        assert marks[number][0] == columns[step.lane]


@pytest.mark.parametrize(("name", "rung"), CASES)
def test_both_steps_of_each_race_carry_its_letter(name: str, rung: int) -> None:
    explanation, _ = told(name, rung)
    figure, marks = drawn(name, rung), squares(drawn(name, rung))
    badges = [
        (words, y)
        for trace in figure.data
        if "text" in trace.mode
        for words, y in zip(trace.text, trace.y, strict=True)
    ]
    for race in explanation.races:
        for step in filter(None, (race.first, race.second)):
            assert (f"<b>{race.name}</b>", marks[step - 1][1]) in badges


def test_an_arrow_comes_from_the_lane_of_whoever_led_to_the_step() -> None:
    explanation, causes = told("copies_before_logging", 0)
    figure = drawn("copies_before_logging")
    marks = squares(figure)
    arrows = [trace for trace in figure.data if trace.mode == "lines+markers"]
    found = {trace.y[0]: trace.x[0] for trace in arrows}
    for number, (step, cause) in enumerate(zip(explanation.steps, causes, strict=True)):
        if cause and explanation.steps[cause - 1].lane != step.lane:
            assert found.pop(marks[number][1]) == marks[cause - 1][0]
    assert not found


def test_a_step_is_led_to_by_an_earlier_one() -> None:
    explanation, causes = told("copies_before_logging", 0)
    assert all(cause < number for number, cause in enumerate(causes, 1))
    texts = [step.text for step in explanation.steps]
    asked = next(n for n, text in enumerate(texts, 1) if text.startswith("submits command 1"))
    done = next(n for n, text in enumerate(texts, 1) if text.startswith("carries out command 1"))
    read = next(n for n, text in enumerate(texts, 1) if text.startswith("reads the completion of command 1"))
    assert causes[done - 1] == asked
    assert causes[read - 1] == done


def test_the_strip_shows_what_was_promised_beside_what_is_found() -> None:
    fills = [trace.fillcolor for trace in drawn("copies_before_logging").data if trace.fill == "toself"]
    assert [fills.count(colour) for colour in (MAPPED, EQUAL, LOST)] == [1, 1, 1]
    words = words_of(drawn("copies_before_logging"))
    for version in ("v1", "v0 ✓", "v0 ✗"):
        assert version in words.split("\n")
    assert LOST not in [trace.fillcolor for trace in drawn("resumes_both").data]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("name", "rung"), CASES)
def test_everything_lies_on_the_page_and_no_text_is_small(name: str, rung: int, theme: str) -> None:
    figure = drawn(name, rung, theme)
    root = ElementTree.fromstring(figure._repr_svg_())
    assert int(float(root.get("width"))) == 840
    assert float(root.get("font-size")) >= 12
    for node in root.iter(f"{SVG}text"):
        assert 0 < float(node.get("x")) < 840
        assert 0 < float(node.get("y")) < figure.layout.height
    assert figure.layout.paper_bgcolor == THEMES[theme]["bg"]


def test_its_text_twin_is_the_story() -> None:
    explanation, causes = told("copies_before_logging", 0)
    assert repr(explanation_figure(explanation, causes)) == story(explanation)


def test_a_theme_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="there is no theme 'sepia'"):
        drawn("copies_before_logging", theme="sepia")
