"""The questions of the whole course: how many, what they are called, and that each misconception is met."""

from pathlib import Path

import pytest

from nvmelm_lab.lessons.misconceptions import MISCONCEPTIONS
from nvmelm_lab.lessons.questions import LESSONS, QUESTIONS

NOTEBOOKS = sorted(path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LAST_OF_THE_COURSE = "11"


def test_the_misconceptions_are_numbered_from_one_to_twelve():
    assert list(MISCONCEPTIONS) == list(range(1, 13))


def test_each_notebook_has_its_questions_and_each_file_of_questions_its_notebook():
    assert [lesson.name for lesson in LESSONS] == NOTEBOOKS


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_notebook_has_two_to_four_predictions_and_a_check_of_understanding(lesson):
    assert 2 <= len(lesson.predictions) <= 4
    assert lesson.checks
    assert not lesson.predictions.keys() & lesson.checks.keys()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_names_of_its_questions_begin_with_its_number(lesson):
    assert all(name.startswith(f"{lesson.number} ") for name in lesson.questions)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_its_predictions_meet_a_misconception(lesson):
    met = {option.misconception for question in lesson.predictions.values() for option in question.options}
    assert met - {None}


@pytest.mark.parametrize("name", QUESTIONS)
def test_options_differ_the_right_one_is_among_them_and_stands_for_no_misconception(name):
    question = QUESTIONS[name]
    texts = [option.text for option in question.options]
    assert len(set(texts)) == len(texts) >= 2
    assert 0 <= question.right < len(texts)
    assert question.options[question.right].misconception is None
    assert {option.misconception for option in question.options} <= {None, *MISCONCEPTIONS}


def test_the_whole_course_meets_every_misconception():
    """Notebooks come one by one; from the last on, none may be missing."""
    met = {option.misconception for question in QUESTIONS.values() for option in question.options} - {None}
    missing = MISCONCEPTIONS.keys() - met
    assert not missing or LESSONS[-1].number < LAST_OF_THE_COURSE
