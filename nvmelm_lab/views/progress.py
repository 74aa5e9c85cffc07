"""What the learner has done so far, notebook by notebook: where it is kept, and how to take it along."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import anywidget
import traitlets

from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons import progress as kept
from nvmelm_lab.lessons.progress import Progress
from nvmelm_lab.lessons.questions import LESSONS, QUESTIONS, Lesson, Table
from nvmelm_lab.lessons.work import NAME, packed
from nvmelm_lab.views import answers
from nvmelm_lab.views.owner import answer_while_a_cell_runs
from nvmelm_lab.views.predict import source
from nvmelm_lab.views.standby import show

HEADS: Final = ("Notebook", "Predictions made", "Seen coming", "Checks passed")
BINDER: Final = "Binder forgets everything when it ends: press Download my work before you go."


class ProgressView(anywidget.AnyWidget):
    """The learner's progress as a table, with buttons to export, import, download and forget."""

    _esm = source("js/progress.js")
    _css = source("predict.css")
    _shown = traitlets.Dict().tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self._refresh()
        self._follow(QUESTIONS)
        self.on_msg(self._hear)
        answer_while_a_cell_runs(self)

    def _follow(self, names: Iterable[str]) -> None:
        for name in names:
            answers.when_given(name, lambda _: self._refresh())

    def _refresh(self, *said: str) -> None:
        path = kept.here()
        try:
            now = kept.read(path)
        except OSError as error:
            now = Progress({}, f"{path} cannot be read: {error.strerror}.")
        reminder = BINDER if any(name.startswith("BINDER_") for name in os.environ) else ""
        self._shown = {
            "path": str(path),
            "heads": HEADS,
            "rows": [_row(lesson, now) for lesson in LESSONS],
            "notes": [note for note in (*said, now.note, answers.trouble(), reminder) if note],
        }

    def _hear(self, _widget: object, content: dict[str, str], _buffers: object) -> None:
        try:
            self._refresh(self._done(**content))
        except InputError as error:
            self._refresh(f"Nothing was imported: {error}.")
        except OSError as error:
            self._refresh(f"That did not work: {error.strerror or error}.")

    def _done(self, kind: str, text: str = "") -> str:
        """Do what a button asks for, and say what was done."""
        path = kept.here()
        match kind:
            case "export":
                return self._hand_over(path.name, path.read_bytes() if path.exists() else b"")
            case "work":
                return self._hand_over(NAME, packed(kept.top(Path.cwd()), path))
            case "import":
                return f"Answers imported: {kept.bring_in(path, text)}."
            case _:
                lesson = next(each for each in LESSONS if each.name == text)
                answers.forget(lesson.questions)
                self._follow(lesson.questions)
                return f"The answers of {lesson.name} are forgotten; run its cells again."

    def _hand_over(self, name: str, content: bytes) -> str:
        if not content:
            return "There is nothing to export yet: no question has been answered."
        self.send({"name": name}, [content])
        return f"{name} went to your browser's downloads."

    def __repr__(self) -> str:
        shown = self._shown
        lines = [" | ".join(map(str, row)) for row in (shown["heads"], *shown["rows"])]
        return "\n".join([f"Your progress is kept in {shown['path']}", *lines, *shown["notes"]])

    def _ipython_display_(self) -> None:
        show(self, repr(self))


def _row(lesson: Lesson, now: Progress) -> tuple[str, str, str, str]:
    made = [now.answers[name] for name in lesson.predictions if name in now.answers]
    seen = sum(answer.right for answer in made)
    return lesson.name, f"{len(made)} of {len(lesson.predictions)}", str(seen), _passed(lesson.checks, now)


def _passed(checks: Table, now: Progress) -> str:
    passed = sum(now.answers[name].right for name in checks if name in now.answers)
    return f"{passed} of {len(checks)}"


def progress() -> ProgressView:
    """What the learner has done so far; where it is kept; Export, Import, Download my work, and starting anew."""
    return ProgressView()
