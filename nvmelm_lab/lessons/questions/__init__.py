"""The questions that notebooks ask before a run and at their end: one module for each notebook, named as it is.

Each has two tables, name -> question: `PREDICTIONS`, asked before a run, and `CHECKS`, asked at the end.  A name
begins with the two digits of its notebook.  They stand here and not in the notebooks, so that nobody reads the answer
before giving one.  What an explanation claims of the kit's own runs is held by the tests of its notebook.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from nvmelm_lab.lessons.question import Question

Table = Mapping[str, Question]


@dataclass(frozen=True, slots=True)
class Lesson:
    """The questions of one notebook, whose file is called `name` without its ending."""

    name: str
    predictions: Table
    checks: Table

    @property
    def number(self) -> str:
        """The two digits with which its file and its questions begin."""
        return self.name[:2]

    @property
    def questions(self) -> Table:
        """All its questions, in the order in which they are asked."""
        return {**self.predictions, **self.checks}


def _lesson(module: str) -> Lesson:
    tables = import_module(f"{__name__}.{module}")
    return Lesson(module.removeprefix("n"), tables.PREDICTIONS, tables.CHECKS)


LESSONS: Final = tuple(
    _lesson(each.name) for each in sorted(iter_modules(__path__), key=lambda one: one.name)
)
"""In the order of the course."""

QUESTIONS: Final[Table] = {
    name: question for lesson in LESSONS for name, question in lesson.questions.items()
}
"""All of them, by name."""
