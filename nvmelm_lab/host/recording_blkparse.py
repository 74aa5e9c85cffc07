"""Reads what blkparse prints by default for a blktrace recording (manual page blkparse(1), "Default output").

An I/O passes several events on its way (queued, merged, issued, completed ...); exactly one kind of event is
counted: Q if the text has any, else D, else C.  Extents are in 512-byte sectors.  What happens to an I/O on
its way shows in further events: A (a stacked device passes it on) and X (it is split).
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import NamedTuple

from nvmelm_lab.host.operation import OperationKind
from nvmelm_lab.host.recording_lines import Findings, Line, RecordedIO, bad_line, note_cut_off, note_no_end

SECTOR_BYTES = 512

EVENT = re.compile(
    r"([0-9]{1,9},[0-9]{1,9})\s+[0-9]+\s+[0-9]+\s+([0-9]{1,12})\.([0-9]{9})\s+([0-9]+)"
    r"\s+([A-Z]{1,3}|m)\s+([A-Z]+)(?:\s+(\S.*))?"
)
"""Device, CPU, sequence, seconds, ns, process, action, RWBS, and what depends on the action."""
EXTENT = re.compile(r"([0-9]{1,19}) \+ ([0-9]{1,19})(?: (?:.*\[(-?[0-9]+)\]$)?|$)")
"""First sector, sectors; an error number in brackets ends the line of a completion."""
SPLIT = re.compile(r"([0-9]{1,19}) / ([0-9]{1,19})(?: |$)")
REMAPPED_FROM = re.compile(r"<- \(([0-9]{1,9},[0-9]{1,9})\) [0-9]+$")
RWBS = re.compile(r"(F?)(WZ|DE|Z|R|W|D|F|N|(?=$))[A-Z]*")
"""A flush before it, the operation, then flags: FUA, read Ahead, Sync, Metadata, Barrier."""

KINDS = {
    "R": OperationKind.READ,
    "W": OperationKind.WRITE,
    "WZ": OperationKind.ZEROES,
    "D": OperationKind.TRIM,
    "DE": OperationKind.TRIM,
}

SUMMARY = re.compile(r"(?![0-9]+,)\S.* \([^()]*\):?")
"""Heads a part of the statistics at the end: a CPU, a process or the total."""
FILE_ADDED = re.compile(r"Input file .* added")

EXPECTED = "'MAJOR,MINOR CPU SEQUENCE SECONDS.NANOSECONDS PID ACTION RWBS ...', as blkparse prints by default"
COUNTED = {"Q": "when it was queued (Q)", "D": "when it was issued (D)", "C": "when it completed (C)"}


class Event(NamedTuple):
    """One event line taken apart."""

    at_ns: int
    line: int
    device: str
    process: str
    action: str
    rwbs: str
    rest: str


def is_blkparse(text: str) -> bool:
    """Whether a first line is one of blkparse's default output."""
    return bool(FILE_ADDED.fullmatch(text) or EVENT.fullmatch(text))


def read_blkparse(first: Line, lines: Iterator[Line], name: str) -> Findings:
    """The I/Os of blkparse's text.  InputError: a line that is none; only the last one may be cut off."""
    found = Findings("blkparse", "device")
    events = _events(chain([first], lines), name, found)
    action = next((a for a in COUNTED if any(e.action == a and _is_io(e) for e in events)), "Q")
    found.notes.append(f"Each I/O is counted once, {COUNTED[action]}.")
    if any(later.at_ns < earlier.at_ns for earlier, later in pairwise(events)):
        found.notes.append("The lines are not in order of time: sorted.")
        events.sort(key=lambda event: event.at_ns)
    repeats = _Repeats({event.device for event in events if event.action == action})
    for event in events:
        if event.action == action:
            _keep(event, repeats, found)
            continue
        found.left_out[f"{event.action} events"] += 1
        repeats.watch(event)
    return found


def _events(lines: Iterator[Line], name: str, found: Findings) -> list[Event]:
    events: list[Event] = []
    in_summary = False
    for line in lines:
        found.lines_read = line.number
        match = EVENT.fullmatch(line.text)
        if match:
            device, seconds, ns, process, action, rwbs, rest = match.groups("")
            at_ns = int(seconds) * 1_000_000_000 + int(ns)
            events.append(Event(at_ns, line.number, device, process, action, rwbs, rest))
            note_no_end(line, found)
        elif not line.text or FILE_ADDED.fullmatch(line.text):
            continue
        elif in_summary or SUMMARY.fullmatch(line.text):
            in_summary = True
            found.left_out["lines of the summary"] += 1
        elif line.ended:
            raise bad_line(name, line, found, EXPECTED)
        else:
            note_cut_off(line, found)
    return events


def _is_io(event: Event) -> bool:
    return "F" in event.rwbs or EXTENT.match(event.rest) is not None


def _keep(event: Event, repeats: "_Repeats", found: Findings) -> None:
    """Adds the I/O of one counted event: a flush, an extent, or first one and then the other."""
    flags = RWBS.fullmatch(event.rwbs)
    extent = EXTENT.match(event.rest)
    first, sectors = (int(extent[1]), int(extent[2])) if extent else (0, 0)
    flush, operation = (bool(flags[1]) or flags[2] == "F", flags[2]) if flags else (False, "N")
    kind = KINDS.get(operation) if sectors else None
    reason = _reason_to_leave_out(event, operation, extent, kind, flush) or repeats.reason(
        event, first, sectors
    )
    if reason:
        found.left_out[reason] += 1
        return
    if flush:
        found.ios.append(RecordedIO(event.at_ns, event.line, OperationKind.FLUSH, event.device, 0, 0))
    if kind:
        offset, length = first * SECTOR_BYTES, sectors * SECTOR_BYTES
        found.ios.append(RecordedIO(event.at_ns, event.line, kind, event.device, offset, length))


def _reason_to_leave_out(
    event: Event, operation: str, extent: re.Match[str] | None, kind: OperationKind | None, flush: bool
) -> str | None:
    if event.action == "C" and extent and extent[3] not in (None, "0"):
        return "I/Os that failed"
    if kind or flush:
        return None
    if operation == "Z":
        return "zone commands"
    if operation not in KINDS:
        return "commands that neither read, write, deallocate nor flush"
    return "I/Os of length 0" if extent else "commands without an extent (passthrough)"


class _Repeats:
    """Tells counted events that show an I/O a second time: passed on by a stacked device that is recorded
    too, or what remains of one that was split (Linux before 4.12 queues that again).
    """

    __slots__ = ("_devices", "_last", "_remainder", "_remapped")

    def __init__(self, devices: set[str]) -> None:
        self._devices = devices
        self._last: dict[tuple[str, str], tuple[int, int]] = {}
        self._remainder: dict[tuple[str, str], tuple[int, int]] = {}
        self._remapped: Counter[tuple[str, int, int]] = Counter()

    def watch(self, event: Event) -> None:
        """Takes note of an event that announces a repetition."""
        extent, split = EXTENT.match(event.rest), SPLIT.match(event.rest)
        by = (event.device, event.process)
        if event.action == "A" and extent:
            source = REMAPPED_FROM.search(event.rest)
            if source and source[1] in self._devices and source[1] != event.device:
                self._remapped[event.device, int(extent[1]), int(extent[2])] += 1
        if event.action == "X" and split and by in self._last:
            first, sectors = self._last[by]
            middle, end = int(split[2]), first + sectors
            if int(split[1]) == first and first < middle < end:
                self._remainder[by] = (middle, end - middle)

    def reason(self, event: Event, first: int, sectors: int) -> str | None:
        """Why this counted event is a repetition, or None."""
        by = (event.device, event.process)
        remainder = self._remainder.pop(by, None)
        self._last[by] = (first, sectors)
        if remainder == (first, sectors):
            return "remainders of split I/Os"
        if self._remapped[event.device, first, sectors]:
            self._remapped[event.device, first, sectors] -= 1
            return "I/Os passed on by a stacked device that is recorded too"
        return None
