"""Recordings of real workloads: fio's iologs and blkparse's text become workloads like the built-in ones.

A recording is read once, laid onto the namespace, and kept with an account of what was left out or changed.
How a format reads is in ``recording_fio.py`` and ``recording_blkparse.py``; how extents are made to fit is in
``recording_fit.py``.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.recording_blkparse import is_blkparse, read_blkparse
from nvmelm_lab.host.recording_fio import HEADERS, read_iolog
from nvmelm_lab.host.recording_fit import fit
from nvmelm_lab.host.recording_lines import (
    Findings,
    Line,
    counted,
    displayable,
    lines_of,
    open_recording,
    shortened,
)
from nvmelm_lab.host.workloads import WORKLOADS, Workload, suggestion, workload


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as it will be played on one namespace."""

    name: str
    """The file's name without its folder."""
    format: str
    """"fio iolog v2", "fio iolog v3" or "blkparse"."""
    operations: tuple[Operation, ...]
    """In order of time, the first at 0 ns."""
    lines_read: int
    left_out: Mapping[str, int]
    """What was not turned into operations: a reason and how often."""
    notes: tuple[str, ...]
    """Plain sentences on how the recording was understood and what was changed."""
    duration_ns: int
    """From the first operation to the last."""
    read_blocks: int
    written_blocks: int
    """LBAs written, written again included; Write Zeroes count too."""
    trimmed_blocks: int
    sha256: str
    """Of the whole file, in hex: a replay refuses another one."""


def load_recording(
    path: str | os.PathLike[str],
    *,
    lba_bytes: int,
    blocks: int,
    outside: Literal["wrap", "refuse"] = "wrap",
) -> Recording:
    """Reads a fio iolog (version 2 or 3) or blkparse's text, for a namespace of ``blocks`` LBAs.

    ``outside`` says what happens to extents past the namespace's end.  Operations can be longer than one
    command may be.  InputError, in one sentence: a file that cannot be read or is none of these formats, a
    line that makes no sense, no I/O at all, or an extent past the end that is to be refused.
    """
    _require_namespace(lba_bytes, blocks, outside)
    name = displayable(path)
    with open_recording(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        found = _read(lines_of(file, name), name)
    operations = fit(found, name, lba_bytes, blocks, outside == "wrap")
    if not operations:
        account = [f"{counted(found.lines_read, 'line')} read"]
        account += [f"{count} {reason}" for reason, count in found.left_out.items()]
        raise InputError(
            f"{name} holds no I/O ({', '.join(account)}): record a workload that reads or writes."
        )
    return Recording(
        name=name,
        format=found.format,
        operations=operations,
        lines_read=found.lines_read,
        left_out=dict(found.left_out),
        notes=tuple(found.notes),
        duration_ns=operations[-1].at_ns,
        read_blocks=_blocks(operations, OperationKind.READ),
        written_blocks=_blocks(operations, OperationKind.WRITE, OperationKind.ZEROES),
        trimmed_blocks=_blocks(operations, OperationKind.TRIM),
        sha256=sha256,
    )


def recording_workload(recording: Recording, *, repeat: bool = False) -> Workload:
    """The recording as a workload: played once, or again and again; between two rounds lies the average time
    between two of its operations.
    """
    times = "again and again" if repeat else "once"
    summary = (
        f"Plays {times} what {recording.name} ({recording.format}) recorded: "
        f"{counted(len(recording.operations), 'operation')} in {_duration(recording.duration_ns)}."
    )
    return Workload(recording.name, summary, _player(recording, repeat))


def resolve_workload(
    name_or_path: str,
    *,
    lba_bytes: int,
    blocks: int,
    seed: int,
    writes_per_second: int | None = None,
    outside: Literal["wrap", "refuse"] = "wrap",
    repeat: bool = False,
) -> Workload:
    """The built-in workload of that name, or the recording at that path.

    ``outside`` and ``repeat`` are for recordings, ``writes_per_second`` for built-in workloads: a recording
    brings its own times, so giving one there is an InputError, as is a name that is neither.
    """
    if name_or_path in WORKLOADS:
        rate = {} if writes_per_second is None else {"writes_per_second": writes_per_second}
        return workload(name_or_path, blocks=blocks, seed=seed, **rate)
    if not os.path.lexists(name_or_path):
        raise InputError(f"There is no workload and no file {name_or_path!r}: {suggestion(name_or_path)}")
    if writes_per_second is not None:
        raise InputError(f"A write rate was given, but the recording {name_or_path!r} brings its own times.")
    recording = load_recording(name_or_path, lba_bytes=lba_bytes, blocks=blocks, outside=outside)
    return recording_workload(recording, repeat=repeat)


def samples() -> tuple[Path, ...]:
    """The recordings that come with the kit, for trying things out."""
    folder = Path(__file__).parents[1] / "samples"
    return tuple(sorted(path for path in folder.iterdir() if path.is_file()))


def _require_namespace(lba_bytes: int, blocks: int, outside: str) -> None:
    if lba_bytes < 512 or lba_bytes & (lba_bytes - 1):
        raise InputError(f"An LBA has 512, 1024, 2048 or 4096 ... bytes, not {lba_bytes}.")
    if blocks < 1:
        raise InputError(f"A namespace has at least 1 LBA, not {blocks}.")
    if outside not in ("wrap", "refuse"):
        raise InputError(
            f"Extents past the end of the namespace are to 'wrap' or to 'refuse', not {outside!r}."
        )


def _read(lines: Iterator[Line], name: str) -> Findings:
    """Everything in the file, by the format that its first line tells."""
    first = next((line for line in lines if line.text), None)
    if first is None:
        raise InputError(f"{name} is empty: give a fio iolog, or what blkparse prints for a trace.")
    if first.text in HEADERS:
        return read_iolog(first, lines, name)
    if is_blkparse(first.text):
        return read_blkparse(first, lines, name)
    raise InputError(
        f"{name} begins with {shortened(first.text)!r}, which is neither 'fio version 2 iolog', "
        "'fio version 3 iolog' nor a line as blkparse prints it by default: give one of these."
    )


def _player(recording: Recording, repeat: bool) -> Callable[[], Iterator[Operation]]:
    operations = recording.operations
    round_ns = recording.duration_ns + recording.duration_ns // max(1, len(operations) - 1)

    def again_and_again() -> Iterator[Operation]:
        start_ns = 0
        while True:
            for kind, slba, blocks, at_ns, _ in operations:
                yield Operation(kind, slba, blocks, start_ns + at_ns)
            start_ns += round_ns

    return again_and_again if repeat else lambda: iter(operations)


def _blocks(operations: tuple[Operation, ...], *kinds: OperationKind) -> int:
    return sum(operation.blocks for operation in operations if operation.kind in kinds)


def _duration(ns: int) -> str:
    """In the largest unit that leaves at least 10, rounded down."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if ns >= 10 * size:
            return f"{ns // size} {unit}"
    return f"{ns} ns"
