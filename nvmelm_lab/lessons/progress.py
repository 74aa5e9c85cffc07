"""What a learner has answered: one small JSON file of theirs, which never loses anything.

The first answer to a question stays.  The file is read, merged and replaced as a whole under a lock, so that two
kernels that write at once both get their way; one that is damaged is set aside under another name.  Tables in it that
this kit does not know are carried along.  Which questions there are, and how they are shown, is no business of this
module.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

from nvmelm_lab.errors import InputError

FILE: Final = "my-progress.json"
VARIABLE: Final = "NVMELM_PROGRESS"
"""The environment variable that names another file."""

FOLDERS: Final = ("notebooks", "exercises")
"""Folders of the course: what is done in one of them is kept beside it."""

_FORMAT: Final = 1
_DAMAGE: Final = (InputError, UnicodeDecodeError)
_ANSWERS: Final = "answers"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: the words of the option that was `said`, whether it was `right`, and the day, as YYYY-MM-DD."""

    said: str
    right: bool
    on: str


@dataclass(frozen=True, slots=True)
class Progress:
    """What a file holds: the first answer to each question, by the question's name.

    note
        What was done about a damaged file, in a sentence; "" if there was none.
    """

    answers: Mapping[str, Answer]
    note: str = ""


def place(folder: Path, environment: Mapping[str, str]) -> Path:
    """The file of a learner who works in `folder`: beside the course's folders, unless a variable names another."""
    if named := environment.get(VARIABLE):
        return Path(named).expanduser()
    return top(folder) / FILE


def top(folder: Path) -> Path:
    """The learner's folder, which holds those of the course, seen from one of them or from itself."""
    return folder.parent if folder.name in FOLDERS else folder


def here() -> Path:
    """The file of whoever runs this program, where it runs."""
    return place(Path.cwd(), os.environ)


def read(path: Path) -> Progress:
    """What the file holds; nothing where there is none.  A damaged one is set aside."""
    try:
        data = _text(path)
    except _DAMAGE:
        with _locked(path):
            data = _load(path)
    aside = sorted(each.name for each in path.parent.glob(f"{path.name}.damaged-*"))
    note = f"{path.name} was damaged and is kept as {', '.join(aside)}; a new one was begun." if aside else ""
    return Progress(_answers(data), note)


def keep(path: Path, name: str, said: str, right: bool) -> Answer:
    """Write an answer down, and return the one that counts: the first.  OSError where nothing can be written."""
    with _locked(path):
        data = _load(path)
        if first := _answers(data).get(name):
            return first
        answer = Answer(said, right, date.today().isoformat())
        _store(path, _with(data, {name: answer}))
        return answer


def forget(path: Path, names: set[str]) -> None:
    """Take these questions as never answered."""
    with _locked(path):
        data = _load(path)
        kept = {name: row for name, row in data.get(_ANSWERS, {}).items() if name not in names}
        _store(path, {**data, _ANSWERS: kept})


def bring_in(path: Path, text: str) -> int:
    """Add the answers of another progress file, and return how many were new.

    Of two answers to one question the earlier stays.  InputError when the text is no progress file.
    """
    theirs = _answers(_parse(text))
    with _locked(path):
        data = _load(path)
        mine = _answers(data)
        new = {name: one for name, one in theirs.items() if name not in mine or one.on < mine[name].on}
        _store(path, _with(data, new))
    return len(new)


# -- the file ----------------------------------------------------------------------------------------------


def _text(path: Path) -> dict[str, Any]:
    """The file as plain data."""
    try:
        return _parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def _load(path: Path) -> dict[str, Any]:
    """The same for whoever holds the lock, who may also set a damaged file aside."""
    try:
        return _text(path)
    except _DAMAGE:
        os.replace(path, _unused(path))
        return {}


def _unused(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return aside


def _parse(text: str) -> dict[str, Any]:
    """The file as plain data, each answer looked at.  InputError when it is something else."""
    wrong = InputError("this is no progress file: expected the JSON text that Export gives")
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.get("format") != _FORMAT:
            raise wrong
        _answers(data)
    except (ValueError, TypeError, AttributeError) as error:
        raise wrong from error
    return data


def _answers(data: Mapping[str, Any]) -> dict[str, Answer]:
    rows = data.get(_ANSWERS, {}).items()
    return {name: _answer(**row) for name, row in rows}


def _answer(said: str, right: bool, on: str) -> Answer:
    if not (isinstance(said, str) and isinstance(right, bool) and isinstance(on, str)):
        raise TypeError("an answer of another form")
    return Answer(said, right, on)


def _with(data: Mapping[str, Any], new: Mapping[str, Answer]) -> dict[str, Any]:
    rows = {name: {"said": one.said, "right": one.right, "on": one.on} for name, one in new.items()}
    return {**data, "format": _FORMAT, _ANSWERS: {**data.get(_ANSWERS, {}), **rows}}


def _store(path: Path, data: Mapping[str, Any]) -> None:
    """Replace the file as a whole: whoever reads it meanwhile sees the old one or the new one."""
    new = path.with_name(f".{path.name}.new-{os.getpid()}")
    new.write_text(
        json.dumps({"format": _FORMAT, **data}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    os.replace(new, path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone with the file, among threads and programs; the lock goes with whoever holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as held:
        _lock(held)
        yield


def _lock(held: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(held.fileno(), msvcrt.LK_LOCK, 1)
        return
    # A browser's Python has no locks, and no second program either.
    with suppress(ImportError):
        import fcntl

        fcntl.flock(held, fcntl.LOCK_EX)
