"""The learner's file: first answers stay, nothing is lost, neither to damage nor to a second kernel."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons.progress import Answer, bring_in, forget, keep, place, read


@pytest.fixture
def path(tmp_path):
    return tmp_path / "my-progress.json"


def file_of(**days):
    rows = {name: {"said": f"on {day}", "right": True, "on": day} for name, day in days.items()}
    return json.dumps({"format": 1, "answers": rows})


def test_it_lies_beside_the_courses_folders_or_where_the_variable_says(tmp_path):
    assert place(tmp_path / "notebooks", {}) == tmp_path / "my-progress.json"
    assert place(tmp_path / "exercises", {}) == tmp_path / "my-progress.json"
    assert place(tmp_path, {}) == tmp_path / "my-progress.json"
    assert place(tmp_path, {"NVMELM_PROGRESS": "/elsewhere/mine.json"}) == Path("/elsewhere/mine.json")


def test_reading_writes_nothing(path):
    assert read(path).answers == {}
    assert list(path.parent.iterdir()) == []


def test_the_first_answer_stays(path):
    first = keep(path, "00 a", "yes", True)
    assert keep(path, "00 a", "no", False) == first
    assert read(path).answers == {"00 a": first}


def test_questions_are_forgotten_one_notebook_at_a_time(path):
    for name in ("00 a", "03 a"):
        keep(path, name, "yes", True)
    forget(path, {"03 a"})
    assert list(read(path).answers) == ["00 a"]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1, 2]",
        b'{"format": 9, "answers": {}}',
        b'{"format": 1, "answers": [1]}',
        b'{"format": 1, "answers": {"00 a": {"said": 3, "right": true, "on": ""}}}',
        b'{"format": 1, "answers": {"00 a": "yes"}}',
    ],
)
def test_a_damaged_file_is_set_aside_and_said_so(path, damage):
    path.write_bytes(damage)
    kept = read(path)
    assert kept.answers == {}
    assert "my-progress.json was damaged and is kept as my-progress.json.damaged-1" in kept.note
    assert path.with_name("my-progress.json.damaged-1").read_bytes() == damage
    path.write_bytes(damage)
    keep(path, "00 a", "yes", True)
    assert path.with_name("my-progress.json.damaged-2").read_bytes() == damage
    assert "00 a" in read(path).answers


def test_what_a_later_kit_wrote_is_carried_along(path):
    path.write_text('{"format": 1, "answers": {}, "exercises": {"one": "passed"}}')
    keep(path, "00 a", "yes", True)
    forget(path, {"00 a"})
    assert json.loads(path.read_text())["exercises"] == {"one": "passed"}


def test_of_two_files_the_earlier_answer_stays(path):
    path.write_text(file_of(a="2026-03-02", b="2026-03-02"))
    assert bring_in(path, file_of(a="2026-03-01", b="2026-03-03", c="2026-03-03")) == 2
    days = {name: answer.on for name, answer in read(path).answers.items()}
    assert days == {"a": "2026-03-01", "b": "2026-03-02", "c": "2026-03-03"}


def test_what_is_no_progress_file_is_refused_and_changes_nothing(path):
    path.write_text(file_of(a="2026-03-02"))
    with pytest.raises(InputError, match="this is no progress file"):
        bring_in(path, "hello")
    assert read(path).answers == {"a": Answer("on 2026-03-02", True, "2026-03-02")}


def test_two_kernels_that_write_at_once_lose_nothing(path):
    write = (
        "import sys; from pathlib import Path; from nvmelm_lab.lessons.progress import keep\n"
        "for n in range(40): keep(Path(sys.argv[1]), f'{sys.argv[2]} {n}', 'yes', True)"
    )
    kernels = [subprocess.Popen([sys.executable, "-c", write, path, name]) for name in ("00", "03")]
    assert [kernel.wait(60) for kernel in kernels] == [0, 0]
    assert len(read(path).answers) == 80
