"""Reads fio's iologs, versions 2 and 3, as fio's manual ("Trace file format") describes them and as fio 3.33
writes them.

Version 3 begins each line with the time since the job's start.  The manual names no unit; fio writes
microseconds.  Version 2 has no times but ``wait`` lines.  A file name may hold spaces, so lines are taken
apart from the right.
"""

from collections.abc import Iterator
from typing import NamedTuple

from nvmelm_lab.host.operation import OperationKind
from nvmelm_lab.host.recording_lines import (
    Findings,
    Line,
    RecordedIO,
    bad_line,
    counted,
    note_cut_off,
    note_no_end,
    number,
)

HEADERS = {"fio version 2 iolog": 2, "fio version 3 iolog": 3}

KINDS = {
    "read": OperationKind.READ,
    "write": OperationKind.WRITE,
    "trim": OperationKind.TRIM,
    "sync": OperationKind.FLUSH,
    "datasync": OperationKind.FLUSH,
    "syncfs": OperationKind.FLUSH,
}
NOT_FOR_THE_DEVICE = ("sync_file_range",)
"""Starts writing out the page cache; asks the device for nothing that the log does not show."""
FILE_ACTIONS = ("add", "open", "close")

US = 1_000

EXPECTED = {
    2: "'FILE add|open|close', 'FILE read|write|trim|sync|datasync OFFSET LENGTH' or 'FILE wait TIME 0'",
    3: "'TIME FILE add|open|close' or 'TIME FILE read|write|trim|sync|datasync OFFSET LENGTH'",
}
SEVERAL_JOBS = "; several jobs wrote into this file at once and cut each other's lines: record each by itself"


class Entry(NamedTuple):
    """One line taken apart."""

    time_us: int
    """0 in version 2."""
    file: str
    action: str
    offset: int
    length: int


def read_iolog(header: Line, lines: Iterator[Line], name: str) -> Findings:
    """The I/Os of an iolog whose first line is ``header``.

    A further header within the file begins the log of another job: its clock starts anew, and it runs beside
    the others.  InputError: a line that is none of the format, or an I/O to a file that was never added; only
    the last line may be cut off.
    """
    version = HEADERS[header.text]
    found = Findings(f"fio iolog v{version}", "file", lines_read=header.number)
    jobs, clock_us, waits = 1, 0, 0
    added: set[str] = set()
    for line in lines:
        found.lines_read = line.number
        if not line.text:
            continue
        if HEADERS.get(line.text) == version:
            jobs, clock_us = jobs + 1, 0
            continue
        entry = take_apart(line.text, version)
        if entry and entry.action in KINDS and entry.file not in added:
            entry = None
        if entry is None and not line.ended:
            note_cut_off(line, found)
            break
        if entry is None:
            several = jobs > 1 or "fio version" in line.text
            expected = f"{EXPECTED[version]}, for a FILE that was added"
            raise bad_line(name, line, found, expected + (SEVERAL_JOBS if several else ""))
        if entry.action in FILE_ACTIONS:
            added.add(entry.file)
            found.left_out["add, open and close lines"] += 1
        elif entry.action in NOT_FOR_THE_DEVICE:
            found.left_out[f"{entry.action} lines"] += 1
        elif entry.action == "wait":
            clock_us += entry.offset
            waits += 1
        else:
            _keep(entry, clock_us if version == 2 else entry.time_us, line, found)
    _explain(found, version, jobs, waits)
    return found


def take_apart(text: str, version: int) -> Entry | None:
    """One line's fields, or None if it has not the form of this version."""
    time_us = 0
    if version == 3:
        time, *rest = text.split(None, 1)
        read = number(time)
        if read is None or not rest:
            return None
        time_us, text = read, rest[0]
    pieces = text.rsplit(None, 3)
    if len(pieces) == 4 and (pieces[1] in KINDS or pieces[1] in (*NOT_FOR_THE_DEVICE, "wait")):
        return _io_entry(time_us, pieces, version)
    pieces = text.rsplit(None, 2)
    if version == 2 and len(pieces) == 3 and pieces[1] == "wait":
        return _io_entry(time_us, [*pieces, "0"], version)
    pieces = text.rsplit(None, 1)
    if len(pieces) == 2 and pieces[1] in FILE_ACTIONS:
        return Entry(time_us, pieces[0], pieces[1], 0, 0)
    return None


def _io_entry(time_us: int, pieces: list[str], version: int) -> Entry | None:
    offset, length = number(pieces[2]), number(pieces[3])
    if offset is None or length is None or (pieces[1] == "wait" and version == 3):
        return None
    return Entry(time_us, pieces[0], pieces[1], offset, length)


def _keep(entry: Entry, at_us: int, line: Line, found: Findings) -> None:
    kind = KINDS[entry.action]
    if kind is OperationKind.FLUSH:
        found.ios.append(RecordedIO(at_us * US, line.number, kind, entry.file, 0, 0))
    elif entry.length:
        found.ios.append(RecordedIO(at_us * US, line.number, kind, entry.file, entry.offset, entry.length))
    else:
        found.left_out["I/Os of length 0"] += 1
    note_no_end(line, found)


def _explain(found: Findings, version: int, jobs: int, waits: int) -> None:
    if jobs > 1:
        found.notes.append(
            f"The file holds the logs of {jobs} jobs: they run beside each other from a common start."
        )
    if version == 3:
        return
    if waits:
        found.notes.append(
            f"{counted(waits, 'wait line')}, in microseconds since the wait before, as fio's manual has it "
            "(fio 3.33 itself replays them as milliseconds since its start)."
        )
        return
    found.notes.append("A version 2 log without wait lines has no times: every I/O is due at once.")
