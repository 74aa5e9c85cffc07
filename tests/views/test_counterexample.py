"""A counterexample as a notebook shows it: in words, as a page, and as a file to give away."""

from pathlib import Path
from typing import Any

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.notebook import find
from nvmelm_lab.races.story import story
from nvmelm_lab.views import counterexample
from nvmelm_lab.views.counterexample import CounterexampleView
from nvmelm_lab.views.side_by_side import SideBySide


@pytest.fixture(scope="module")
def shown() -> CounterexampleView:
    return find("copy-before-logging")


def test_its_text_is_what_the_defect_is_and_the_story(shown: CounterexampleView) -> None:
    said = repr(shown)
    assert said.startswith("copy-before-logging (VMM): The first copy is made before logging starts.\n")
    assert said.endswith(story(shown.told))
    assert max(len(line) for line in said.splitlines()[:-1]) <= 80


def test_a_notebook_gets_story_figure_and_both_runs(
    shown: CounterexampleView, monkeypatch: pytest.MonkeyPatch
) -> None:
    displayed: list[Any] = []
    monkeypatch.setattr(counterexample, "display", lambda what, **_: displayed.append(what))
    shown._ipython_display_()
    words, pair = displayed
    assert words["text/plain"] == repr(shown)
    assert words["text/html"].count("<svg") == 2
    assert "The first copy is made before logging starts." in words["text/html"]
    assert isinstance(pair, SideBySide)
    assert pair is shown.pair


def test_its_token_brings_the_same_story_back_without_an_introduction(shown: CounterexampleView) -> None:
    assert repr(find(shown.token)) == story(shown.told)


def test_it_is_given_away_as_one_file(shown: CounterexampleView, tmp_path: Path) -> None:
    file = shown.export(tmp_path / "lost.html")
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(InputError, match=r"nowhere/lost.html' cannot be written: No such file"):
        shown.export(tmp_path / "nowhere" / "lost.html")


def test_its_words_cannot_end_what_they_stand_in(shown: CounterexampleView) -> None:
    view = CounterexampleView(shown.counterexample, ["</p><script>alert(1)</script>"])
    assert "<script" not in view._repr_html_()


@pytest.mark.parametrize(
    ("what", "said"),
    [("copy-before-loging", "did you mean 'copy-before-logging'?"), ("nvmelm1.x", "damaged")],
)
def test_what_there_is_not_is_refused_in_one_sentence(what: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        find(what)
