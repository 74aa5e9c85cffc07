"""Laying the course into a learner's folder, and bringing it up to date there, without losing what they wrote.

A small record in the folder says which version of each notebook was laid.  A notebook is told from another by its
cells: outputs that were left by running it count for nothing.  What the notebooks say is no business of this module.
"""

import json
import os
from collections.abc import Iterator
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Final

import nvmelm_lab
from nvmelm_lab.errors import InputError
from nvmelm_lab.lessons.progress import FOLDERS

RECORD: Final = ".nvmelm-course.json"
_PACKAGE: Final = Path(nvmelm_lab.__file__).parent

Record = dict[str, str]
"""The fingerprint of each notebook that was laid, by its path in the learner's folder, with slashes."""


def shipped() -> Path:
    """The folder that holds the kit's own notebooks: inside an installed kit, else beside it, in the checkout."""
    installed = _PACKAGE / "course"
    return installed if installed.is_dir() else _PACKAGE.parent


def is_checkout(folder: Path) -> bool:
    """Whether this is the kit's own working copy, whose notebooks are the originals."""
    return (folder / "nvmelm_lab").is_dir() and (folder / "pyproject.toml").is_file()


def holds_a_course(folder: Path) -> bool:
    """Whether a course was laid here."""
    return (folder / RECORD).is_file()


def lay(folder: Path, course: Path) -> list[str]:
    """Lay the notebooks of `course` into `folder`, and return what was done, in sentences.

    What is missing is added.  A notebook that the learner has not changed is brought up to date.  One that they have
    changed stays while the kit's is the same; when the kit has a new version, that takes the name, and theirs is kept
    beside it as ``NAME.mine.ipynb``.  A file that was not laid from here stays as it is.
    """
    record = _read(folder)
    there_before = len([name for name in _names(course) if (folder / name).exists()])
    said = [_bring_up_to_date(folder, course, name, record) for name in _names(course)]
    _write(folder / RECORD, json.dumps(record, indent=1).encode() + b"\n")
    added = len(said) - there_before
    return [f"Notebooks laid into {folder}: {added}."] * bool(added) + [each for each in said if each]


def _bring_up_to_date(folder: Path, course: Path, name: str, record: Record) -> str:
    """Do so for one notebook and note it in `record`; what is worth saying, or ""."""
    new, there = (course / name).read_bytes(), folder / name
    version, laid = fingerprint(new), record.get(name)
    theirs = fingerprint(there.read_bytes()) if there.exists() else None
    if theirs not in (None, version) and laid is None:
        return f"{name} was here already and stays as it is."
    record[name] = version
    if theirs is None:
        _write(there, new)
        return ""
    if version in (theirs, laid):
        return ""
    said = f"{name} has a new version{_aside(there) if theirs != laid else ''}."
    _write(there, new)
    return said


def bring_back(folder: Path, course: Path, name: str) -> str:
    """Lay one notebook anew, named like ``03`` or ``03_start_logging``, and return what was done.

    What the learner has of it is kept beside it.  InputError for a name that there is not.
    """
    path = _called(name, list(_names(course)))
    new, there = (course / path).read_bytes(), folder / path
    is_changed = there.exists() and fingerprint(there.read_bytes()) != fingerprint(new)
    said = f"{path} is as it was{_aside(there) if is_changed else ''}."
    _write(there, new)
    record = _read(folder) | {path: fingerprint(new)}
    _write(folder / RECORD, json.dumps(record, indent=1).encode() + b"\n")
    return said


def fingerprint(notebook: bytes) -> str:
    """What tells this notebook from another: a hash of its cells, without outputs; of all of it if it is damaged."""
    try:
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(notebook)["cells"]]
    except (ValueError, TypeError, KeyError):
        return sha256(notebook).hexdigest()
    return sha256(json.dumps(cells).encode()).hexdigest()


# -- names and files ---------------------------------------------------------------------------------------


def _names(course: Path) -> Iterator[str]:
    """The notebooks of a course, as paths with slashes; not what somebody has put beside them."""
    for folder in FOLDERS:
        for path in sorted((course / folder).glob("[0-9][0-9]_*.ipynb")):
            if path.name.count(".") == 1:
                yield f"{folder}/{path.name}"


def _called(name: str, known: list[str]) -> str:
    """The notebook that is meant: by its path, its name or its number."""
    short = name.removesuffix(".ipynb")
    found = [path for path in known if short in (path[:-6], Path(path).stem, Path(path).stem[:2])]
    if len(found) == 1:
        return found[0]
    stems = [Path(path).stem for path in known]
    near = found or get_close_matches(short, stems, n=1)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(stems)}"
    raise InputError(f"NAME {name!r} is no notebook of the course; {hint}")


def _aside(path: Path) -> str:
    """Keep the learner's notebook beside the one that takes its place, and say so."""
    number, kept = 1, path.with_suffix(".mine.ipynb")
    while kept.exists():
        number += 1
        kept = path.with_suffix(f".mine-{number}.ipynb")
    os.replace(path, kept)
    return f"; what you made of it is kept as {kept.name}"


def _read(folder: Path) -> Record:
    """The record; one that is missing or damaged is empty, and then whatever is there counts as the learner's."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {str(name): str(version) for name, version in record.items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    os.replace(new, path)
