"""Questions, covers and progress as the kernel sees them: a first answer stays, and opens what waits for it."""

import io
import json
import zipfile
from collections import defaultdict

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons import progress
from nvmelm_lab.lessons.question import SKIP, UNSURE
from nvmelm_lab.lessons.questions import QUESTIONS
from nvmelm_lab.notebook import after, predict, rounds
from nvmelm_lab.notebook import progress as progress_view
from nvmelm_lab.views import answers
from nvmelm_lab.views.cover import Cover

NAME = "00 downtime"
QUESTION = QUESTIONS[NAME]
RIGHT, WRONG = "B", "A"


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    """A progress file of the test's own, and a kernel that has just started."""
    path = tmp_path / "progress.json"
    monkeypatch.setenv(progress.VARIABLE, str(path))
    monkeypatch.setattr(answers, "_waiting", defaultdict(list))
    monkeypatch.setattr(answers, "_unsaved", {})
    monkeypatch.setattr(answers, "_trouble", [])
    return path


def press(asked, words):
    """What the browser sends when a button is pressed."""
    asked._hear(asked, {"said": words}, [])


def test_before_an_answer_neither_words_nor_browser_know_what_is_right():
    asked = predict(NAME)
    assert asked.answer is None
    assert QUESTION.why not in repr(asked)
    state = json.dumps(asked.get_state(), default=str)
    assert QUESTION.why[:40] not in state
    assert "right" not in asked._asked


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_wrong_answer_is_told_the_right_one_and_why_and_a_second_answer_changes_nothing(name):
    asked, question = predict(name), QUESTIONS[name]
    wrong = next(option for n, option in enumerate(question.options) if n != question.right)
    press(asked, wrong.text)
    press(asked, question.options[question.right].text)
    assert asked.answer.said == wrong.text
    assert not asked.answer.right
    assert asked._settled["right"] == question.right
    assert question.options[question.right].text in asked._settled["words"][0]
    assert question.why in repr(asked)


def test_the_right_answer_is_praised():
    assert "You saw it coming." in repr(predict(NAME).choose(RIGHT))


@pytest.mark.parametrize("words", [UNSURE, SKIP])
def test_not_being_sure_and_skipping_are_answers_and_are_explained(words):
    asked = predict(NAME).choose(words)
    assert (asked.answer.said, asked.answer.right) == (words, False)
    assert f"You said: {words}." in repr(asked)
    assert QUESTION.why in repr(asked)


def test_an_answer_that_there_is_not_is_refused():
    with pytest.raises(
        InputError, match="there is no answer 'D'; give one of A, B, C, 'I am not sure', 'Skip'"
    ):
        predict(NAME).choose("D")


def test_a_second_run_of_the_cell_shows_the_first_answer(file):
    predict(NAME).choose(WRONG)
    again = predict(NAME).choose(RIGHT)
    assert again.answer.said == QUESTION.options[0].text
    assert list(json.loads(file.read_text())["answers"]) == [NAME]


def test_a_question_shown_twice_is_answered_in_both_places():
    first, second = predict(NAME), predict(NAME)
    press(first, UNSURE)
    assert second.answer == first.answer
    assert second._settled == first._settled


def test_where_nothing_can_be_written_an_answer_lasts_as_long_as_the_kernel_and_says_so(
    tmp_path, monkeypatch
):
    (tmp_path / "a file").touch()
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "a file" / "progress.json"))
    asked = predict(NAME).choose(WRONG)
    assert asked.answer.said == QUESTION.options[0].text
    assert "last only until the kernel ends" in repr(asked)
    assert predict(NAME).answer == asked.answer


# -- the cover ---------------------------------------------------------------------------------------------


def test_an_outcome_is_covered_until_the_question_is_answered():
    covered = after(NAME, rounds())
    assert not covered.is_open
    assert covered._under.layout.visibility == "hidden"
    press(predict(NAME), QUESTION.options[0].text)
    assert covered.is_open
    assert covered._under.layout.visibility is None


def test_show_me_skips_the_question_and_opens(file):
    asked, covered = predict(NAME), after(NAME, rounds())
    covered._curtain._handle_custom_msg({"kind": "reveal"}, [])
    assert covered.is_open
    assert asked.answer.said == SKIP


def test_once_the_question_is_answered_the_view_is_shown_as_it_is():
    predict(NAME).choose(UNSURE)
    view = rounds()
    assert after(NAME, view) is view


def test_where_nothing_could_be_uncovered_the_words_of_the_outcome_are_there():
    view = rounds()
    assert repr(view) in repr(Cover(NAME, view))


def test_a_cover_for_a_question_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="there is no question '00 down time'; did you mean '00 downtime'"):
        after("00 down time", rounds())


# -- progress ----------------------------------------------------------------------------------------------


def row(view):
    """What the table says of the first notebook."""
    return view._shown["rows"][0]


def ask(view, **content):
    """What the browser sends when a button is pressed; gives back the files that came to the browser."""
    came = []
    view.send = lambda content, buffers: came.append((content["name"], buffers[0]))
    view._handle_custom_msg(content, [])
    return came


def test_the_table_follows_the_answers_and_says_where_they_are_kept(file):
    view = progress_view()
    assert row(view) == ("00_start_here", "0 of 4", "0", "0 of 3")
    predict(NAME).choose(RIGHT)
    predict("00 write rate").choose(SKIP)
    predict("00 in an entry").choose("B")
    assert row(view) == ("00_start_here", "2 of 4", "1", "1 of 3")
    assert str(file) in repr(view)
    assert "00_start_here | 2 of 4 | 1 | 1 of 3" in repr(view)


def test_what_is_exported_can_be_imported_elsewhere(file):
    predict(NAME).choose(RIGHT)
    view = progress_view()
    ((name, content),) = ask(view, kind="export")
    assert (name, content) == (file.name, file.read_bytes())
    file.unlink()
    ask(view, kind="import", text=content.decode())
    assert "Answers imported: 1." in repr(view)
    assert row(view)[1] == "1 of 4"


def test_before_the_first_answer_there_is_nothing_to_export():
    view = progress_view()
    assert ask(view, kind="export") == []
    assert "nothing to export yet" in repr(view)


def test_a_file_that_is_something_else_is_not_imported_and_said_so():
    view = progress_view()
    ask(view, kind="import", text="hello")
    assert "Nothing was imported: this is no progress file" in repr(view)


def test_my_work_holds_the_notebooks_as_saved_and_the_answers(tmp_path, monkeypatch, file):
    for name in (
        "notebooks/00.ipynb",
        "exercises/01.ipynb",
        "my own.ipynb",
        "notebooks/.ipynb_checkpoints/00.ipynb",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path / "notebooks")
    predict(NAME).choose(RIGHT)
    ((name, content),) = ask(progress_view(), kind="work")
    assert name == "my-work.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = {each: archive.read(each).decode() for each in archive.namelist()}
    assert held.pop(file.name) == file.read_text()
    assert held == {each: each for each in ("my own.ipynb", "notebooks/00.ipynb", "exercises/01.ipynb")}


def test_a_notebook_is_started_anew(file):
    predict(NAME).choose(WRONG)
    view = progress_view()
    ask(view, kind="forget", text="00_start_here")
    assert row(view)[1] == "0 of 4"
    assert predict(NAME).choose(RIGHT).answer.right
    assert row(view)[1] == "1 of 4"


def test_a_damaged_file_is_told_of(file):
    file.write_text("{")
    assert f"{file.name} was damaged and is kept as {file.name}.damaged-1" in repr(progress_view())


def test_on_binder_it_reminds_of_taking_the_work_along(monkeypatch):
    assert "Binder" not in repr(progress_view())
    monkeypatch.setenv("BINDER_REPO_URL", "https://example.org")
    assert "Binder forgets everything when it ends" in repr(progress_view())
