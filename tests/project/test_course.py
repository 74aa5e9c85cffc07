"""The course in a learner's folder: laid, brought up to date, brought back, and never at the cost of their work."""

import json
from pathlib import Path

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons.course import RECORD, bring_back, fingerprint, is_checkout, lay, shipped

NAME = "notebooks/03_start_logging.ipynb"


def notebook(*sources: str, ran: bool = False) -> bytes:
    outputs = {"outputs": [{"output_type": "stream", "text": "hello"}], "execution_count": 7} if ran else {}
    cells = [{"cell_type": "code", "source": [source], **outputs} for source in sources]
    return json.dumps({"cells": cells, "nbformat": 4}).encode()


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return put(tmp_path / "kit", notebook("one"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "learner"


def put(folder: Path, content: bytes, name: str = NAME) -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "notebooks").iterdir()}


def test_the_kits_own_notebooks_are_laid_as_they_are(folder: Path) -> None:
    assert is_checkout(shipped())
    said = lay(folder, shipped())
    laid = files(folder)
    assert said == [f"Notebooks laid into {folder}: {len(laid)}."]
    assert laid == {path.name: path.read_bytes() for path in (shipped() / "notebooks").glob("[0-9]*.ipynb")}
    assert not is_checkout(folder)


def test_what_lies_beside_the_kits_notebooks_is_not_laid(course: Path, folder: Path) -> None:
    for name in (
        "notebooks/mine.ipynb",
        "notebooks/03_start_logging.mine.ipynb",
        "notebooks/.ipynb_checkpoints/03_a.ipynb",
    ):
        put(course, b"{}", name)
    lay(folder, course)
    assert list(files(folder)) == ["03_start_logging.ipynb"]


def test_a_second_time_nothing_is_touched_and_nothing_said(course: Path, folder: Path) -> None:
    lay(folder, course)
    put(folder, notebook("one", ran=True))
    assert lay(folder, course) == []
    assert files(folder) == {"03_start_logging.ipynb": notebook("one", ran=True)}


def test_what_the_learner_changed_stays_while_the_kits_is_the_same(course: Path, folder: Path) -> None:
    lay(folder, course)
    put(folder, notebook("mine"))
    assert lay(folder, course) == []
    assert files(folder) == {"03_start_logging.ipynb": notebook("mine")}


def test_a_new_version_replaces_a_notebook_that_was_only_run(course: Path, folder: Path) -> None:
    lay(folder, course)
    put(folder, notebook("one", ran=True))
    put(course, notebook("two"))
    assert lay(folder, course) == [f"{NAME} has a new version."]
    assert files(folder) == {"03_start_logging.ipynb": notebook("two")}


def test_beside_a_new_version_the_learners_work_is_kept_every_time(course: Path, folder: Path) -> None:
    lay(folder, course)
    for turn, kept in enumerate(("03_start_logging.mine.ipynb", "03_start_logging.mine-2.ipynb")):
        put(folder, notebook(f"mine {turn}"))
        put(course, notebook(f"new {turn}"))
        assert lay(folder, course) == [f"{NAME} has a new version; what you made of it is kept as {kept}."]
    assert files(folder) == {
        "03_start_logging.ipynb": notebook("new 1"),
        "03_start_logging.mine.ipynb": notebook("mine 0"),
        "03_start_logging.mine-2.ipynb": notebook("mine 1"),
    }


@pytest.mark.parametrize("record", [None, b"{", b"[]", b"\xff"])
def test_without_a_record_what_differs_counts_as_the_learners_own(course: Path, folder: Path, record) -> None:
    put(folder, notebook("mine"))
    if record is not None:
        (folder / RECORD).write_bytes(record)
    assert lay(folder, course) == [f"{NAME} was here already and stays as it is."]
    assert files(folder) == {"03_start_logging.ipynb": notebook("mine")}
    put(folder, notebook("one"))
    assert lay(folder, course) == []
    put(course, notebook("two"))
    assert lay(folder, course) == [f"{NAME} has a new version."]


def test_what_the_learner_removed_is_laid_again_and_a_damaged_one_counts_as_changed(
    course: Path, folder: Path
) -> None:
    lay(folder, course)
    (folder / NAME).unlink()
    assert lay(folder, course) == [f"Notebooks laid into {folder}: 1."]
    put(folder, b'{"cells": [')
    put(course, notebook("two"))
    lay(folder, course)
    assert files(folder)["03_start_logging.mine.ipynb"] == b'{"cells": ['


@pytest.mark.parametrize("name", ["03", "03_start_logging", "03_start_logging.ipynb", NAME])
def test_one_notebook_is_brought_back_and_the_learners_kept_beside_it(
    course: Path, folder: Path, name: str
) -> None:
    lay(folder, course)
    put(folder, notebook("mine"))
    said = bring_back(folder, course, name)
    assert said == f"{NAME} is as it was; what you made of it is kept as 03_start_logging.mine.ipynb."
    assert files(folder) == {
        "03_start_logging.ipynb": notebook("one"),
        "03_start_logging.mine.ipynb": notebook("mine"),
    }


def test_bringing_back_one_that_was_only_run_takes_its_outputs_away(course: Path, folder: Path) -> None:
    lay(folder, course)
    put(folder, notebook("one", ran=True))
    assert bring_back(folder, course, "03") == f"{NAME} is as it was."
    assert files(folder) == {"03_start_logging.ipynb": notebook("one")}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("03_start_loging", r"did you mean 03_start_logging\?"),
        ("9", "there are: 03_start_logging"),
    ],
)
def test_a_name_that_there_is_not_is_refused(course: Path, folder: Path, name: str, hint: str) -> None:
    with pytest.raises(InputError, match=f"NAME '{name}' is no notebook of the course; {hint}"):
        bring_back(folder, course, name)


def test_outputs_count_for_nothing_and_each_cell_counts() -> None:
    assert fingerprint(notebook("a", "b")) == fingerprint(notebook("a", "b", ran=True))
    assert len({fingerprint(notebook(*cells)) for cells in (("a", "b"), ("ab",), ("b", "a"), ("a",))}) == 4
