"""Answers in a running notebook: kept in the learner's file, and told to the views that wait for them.

Where the file cannot be written, an answer lasts as long as the kernel, and `trouble` says why.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from nvmelm_lab.lessons import progress
from nvmelm_lab.lessons.progress import Answer
from nvmelm_lab.lessons.questions import QUESTIONS

_waiting: Final[defaultdict[str, list[Callable[[Answer], None]]]] = defaultdict(list)
_unsaved: Final[dict[str, Answer]] = {}
_trouble: Final[list[str]] = []


def given(name: str) -> Answer | None:
    """The answer to the question called `name` that counts, None before there is one."""
    try:
        kept = progress.read(progress.here()).answers.get(name)
    except OSError as error:
        kept = None
        _note(error)
    return kept or _unsaved.get(name)


def give(name: str, said: str) -> Answer:
    """Answer the question called `name` with the words `said`, and return the answer that counts: the first."""
    right = QUESTIONS[name].is_right(said)
    try:
        answer = progress.keep(progress.here(), name, said, right)
    except OSError as error:
        answer = _unsaved.setdefault(name, Answer(said, right, ""))
        _note(error)
    for tell in _waiting.pop(name, []):
        tell(answer)
    return answer


def when_given(name: str, tell: Callable[[Answer], None]) -> None:
    """Call `tell` once, with the answer to the question called `name`, when it comes."""
    _waiting[name].append(tell)


def forget(names: Iterable[str]) -> None:
    """Take these questions as never answered.  OSError where the file cannot be written."""
    for name in names:
        _unsaved.pop(name, None)
    progress.forget(progress.here(), set(names))


def trouble() -> str:
    """Why answers are not kept on disk, in a sentence; "" while they are."""
    return _trouble[-1] if _trouble else ""


def _note(error: OSError) -> None:
    why = error.strerror or str(error)
    _trouble.append(
        f"Your answers last only until the kernel ends: {progress.here()} cannot be used ({why})."
    )
