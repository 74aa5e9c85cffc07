"""What the two readers of recordings share: the lines of a file, what a reader finds in them, and the
sentences for lines that cannot be used.  Nothing here knows a format.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import OperationKind

LONGEST_LINE = 8192
"""Bytes; file names end at 4 096 on Linux, so a longer line is no line of a recording."""


class Line(NamedTuple):
    """One line of a recording."""

    number: int
    """From 1."""
    text: str
    ended: bool
    """False for a last line without a line end: it may have been cut off."""


class RecordedIO(NamedTuple):
    """One I/O as the recording has it, in bytes of one file or device."""

    at_ns: int
    line: int
    kind: OperationKind
    source: str
    """The file or device that it went to."""
    offset: int
    length: int
    """Bytes; 0 for a flush."""


@dataclass(slots=True)
class Findings:
    """What a reader fills while it reads: the I/Os in the order of the file, and an account of the rest."""

    format: str
    source_word: str
    """What the recording calls a source: "file" or "device"."""
    ios: list[RecordedIO] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    lines_read: int = 0


def open_recording(path: str | os.PathLike[str]) -> BufferedReader:
    """The file, opened for reading.  InputError: missing, a directory, no regular file, or not readable."""
    shown = os.fspath(path)
    try:
        file = Path(path)
        if file.is_dir():
            raise InputError(f"{shown!r} is a directory: give the recording in it, a text file.")
        if file.exists() and not file.is_file():
            raise InputError(f"{shown!r} is no regular file: save the recording to a file first.")
        return file.open("rb")
    except FileNotFoundError:
        raise InputError(f"There is no file {shown!r}: give the path of a recording.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{shown!r} cannot be read ({reason}): give a recording that can.") from error


def lines_of(file: BufferedReader, name: str) -> Iterator[Line]:
    """The lines of an open file without their ends.  Bytes that are no UTF-8 are shown as ``\\xNN``, so that
    different file names stay different.  InputError: what cannot be text.
    """
    for number, raw in enumerate(iter(partial(file.readline, LONGEST_LINE), b""), 1):
        ended = raw.endswith(b"\n")
        if b"\0" in raw or (len(raw) == LONGEST_LINE and not ended):
            raise InputError(
                f"{name} is not text (line {number}): give a fio iolog, or what blkparse prints for a trace."
            )
        text = raw.decode("utf-8", "backslashreplace").strip()
        yield Line(number, text.removeprefix("\ufeff") if number == 1 else text, ended)


def bad_line(name: str, line: Line, findings: Findings, expected: str) -> InputError:
    """The error for a line in the middle of a recording that cannot be understood."""
    return InputError(
        f"{name} ({findings.format}), line {line.number} makes no sense: {shortened(line.text)!r}; "
        f"expected {expected} ({line.number - 1} lines were read before it)."
    )


def note_no_end(line: Line, findings: Findings) -> None:
    """A last line without line end that does make sense is kept, and said."""
    if not line.ended:
        findings.notes.append(f"The last line (line {line.number}) has no line end: taken as it stands.")


def note_cut_off(line: Line, findings: Findings) -> None:
    """A last line that has no line end and makes no sense was cut off: everything before it is good."""
    findings.notes.append(f"The last line (line {line.number}) is cut off: left out.")


def displayable(path: str | os.PathLike[str]) -> str:
    """The last part of a path, in characters that any terminal takes."""
    return (os.path.basename(path) or os.fspath(path)).encode("utf-8", "backslashreplace").decode()


def shortened(text: str) -> str:
    """At most 60 characters of it, for messages."""
    return text if len(text) <= 60 else text[:57] + "..."


def number(text: str) -> int | None:
    """A count written in at most 19 ASCII digits (more than any time or offset in bytes needs), or None."""
    return int(text) if len(text) < 20 and text.isdigit() and text.isascii() else None


def counted(count: int, noun: str) -> str:
    """``1 extent``, ``2 extents``, ``12 345 extents``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}".replace(",", " ")
