"""A learner's work in one file to take away: the notebooks as they were saved last, and the progress file."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nvmelm_lab.lessons.progress import FOLDERS

NAME: Final = "my-work.zip"


def packed(folder: Path, progress: Path) -> bytes:
    """A ZIP of the learner's `folder` (the one that holds the course's folders): its notebooks, and `progress`."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _notebooks(folder):
            archive.write(path, path.relative_to(folder))
        if progress.exists():
            archive.write(progress, progress.name)
    return written.getvalue()


def _notebooks(folder: Path) -> Iterator[Path]:
    for each in (folder, *(folder / name for name in FOLDERS)):
        yield from sorted(each.glob("*.ipynb"))
