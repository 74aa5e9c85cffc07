"""The granularity explorer: the picture and its words follow the slider, and say what the SSD answered."""

import re
import xml.etree.ElementTree as ET

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons.granularity import GRANULARITIES, surveys
from nvmelm_lab.notebook import granularity_explorer
from nvmelm_lab.views.granularity import picture, words
from nvmelm_lab.views.palette import THEMES

FOUND = surveys()
each_survey = pytest.mark.parametrize("survey", FOUND.surveys, ids=lambda survey: str(survey.granularity))


@each_survey
def test_the_words_say_what_was_reported_and_what_it_costs(survey):
    told = words(FOUND, survey)
    ranges = re.search(r"Reported: (.*)\.", told)[1].split(", ")
    spans = [tuple(map(int, part.split("-"))) for part in ranges]
    assert [(span[0], span[-1] - span[0] + 1) for span in spans] == list(survey.ranges)
    assert f"{survey.copied} LBAs to copy" in told
    assert f"{FOUND.bits(survey)} here" in told
    for each in FOUND.surveys:
        assert f"{each.copied} copied" in told


@pytest.mark.parametrize("theme", THEMES)
@each_survey
def test_the_picture_carries_the_same_numbers_and_nothing_is_cut(survey, theme):
    drawn = ET.fromstring(picture(FOUND, survey, THEMES[theme]))
    texts = drawn.findall(".//{*}text")
    bold = [node.text for node in texts if "font-weight" in node.attrib]
    for number in (survey.copied, len(survey.ranges), FOUND.bits(survey), survey.granularity):
        assert str(number) in bold
    assert words(FOUND, survey).splitlines()[1] in [node.text for node in texts]
    for node in texts:
        assert float(node.get("x")) >= 6
        assert 12 <= float(node.get("y")) <= float(drawn.get("height")) - 4


def test_the_slider_moves_the_picture_and_the_words():
    explorer = granularity_explorer()
    before = explorer._picture.value
    explorer.granularity = 64
    assert explorer._picture.value != before
    assert repr(explorer).startswith("Granularity 64 LBAs: Get LBA Status reports 1 range, 256 LBAs to copy.")
    assert explorer.survey.granularity == 64
    assert "0 LBAs" not in repr(granularity_explorer(GRANULARITIES[0])).splitlines()[1]


def test_a_granularity_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="granularity cannot be 5 here; give one of 1, 2, 4"):
        granularity_explorer(5)
