"""Lays what a recording holds onto a namespace: bytes of files or devices become LBAs, and everything that
does not fit is either made to fit, and said, or refused.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from nvmelm_lab.errors import InputError
from nvmelm_lab.host.operation import Operation, OperationKind
from nvmelm_lab.host.recording_lines import Findings, RecordedIO, counted


@dataclass(slots=True)
class _Tally:
    """How often something had to be changed."""

    widened: int = 0
    narrowed: int = 0
    wrapped: int = 0
    clipped: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def fit(found: Findings, name: str, lba_bytes: int, blocks: int, wrap: bool) -> tuple[Operation, ...]:
    """The operations of a recording on a namespace of ``blocks`` LBAs of ``lba_bytes``, in order of time, the
    first at 0.  What was changed is added to the notes of ``found``.

    Several files or devices lie one behind another.  Reads and writes that cover parts of LBAs get them
    whole; a deallocation keeps only the LBAs that it covers whole.  With ``wrap`` an extent past the end goes
    where its first LBA modulo ``blocks`` is (moved down if it crossed the end there); without, InputError.
    """
    tally = _Tally()
    bases, end = _one_behind_another(found.ios, lba_bytes)
    if len(bases) > 1:
        sources = counted(len(bases), found.source_word)
        found.notes.append(f"{sources}, laid one behind another in the order of their appearance.")
    if end > blocks and not wrap:
        raise InputError(_refusal(found.ios, bases, name, lba_bytes, blocks, end))
    found.ios.sort(key=lambda io: io.at_ns)
    start_ns = found.ios[0].at_ns if found.ios else 0
    operations = []
    for io in found.ios:
        slba, count = _in_lbas(io, lba_bytes, tally)
        if count:
            slba, count = _inside(slba + bases[io.source], count, blocks, tally)
        if count or io.kind is OperationKind.FLUSH:
            operations.append(Operation(io.kind, slba, count, io.at_ns - start_ns))
    found.left_out.update(tally.left_out)
    found.notes.extend(_sentences(tally, lba_bytes, blocks))
    return tuple(operations)


def _in_lbas(io: RecordedIO, lba_bytes: int, tally: _Tally) -> tuple[int, int]:
    """First LBA and count within the source; a count of 0 is a flush, or a deallocation that is none."""
    first, head = divmod(io.offset, lba_bytes)
    end, tail = divmod(io.offset + io.length, lba_bytes)
    if not head and not tail:
        return first, end - first
    if io.kind is not OperationKind.TRIM:
        tally.widened += 1
        return first, end + bool(tail) - first
    whole = end - first - bool(head)
    if whole < 1:
        tally.left_out["deallocations of less than one LBA"] += 1
        return 0, 0
    tally.narrowed += 1
    return first + bool(head), whole


def _one_behind_another(ios: Iterable[RecordedIO], lba_bytes: int) -> tuple[dict[str, int], int]:
    """The LBA at which each source begins, and the end of the last one; as long as its furthest extent."""
    ends: dict[str, int] = {}
    for io in ios:
        ends[io.source] = max(ends.get(io.source, 0), -(-(io.offset + io.length) // lba_bytes))
    base, bases = 0, {}
    for source, end in ends.items():
        bases[source] = base
        base += end
    return bases, base


def _inside(slba: int, count: int, blocks: int, tally: _Tally) -> tuple[int, int]:
    """The extent within the namespace."""
    if slba + count <= blocks:
        return slba, count
    tally.wrapped += 1
    tally.clipped += count > blocks
    count = min(count, blocks)
    return min(slba % blocks, blocks - count), count


def _refusal(
    ios: list[RecordedIO], bases: dict[str, int], name: str, lba_bytes: int, blocks: int, end: int
) -> str:
    def end_of(io: RecordedIO) -> int:
        return bases[io.source] + -(-(io.offset + io.length) // lba_bytes)

    outside = [io for io in ios if io.length and end_of(io) > blocks]
    first = outside[0]
    return (
        f"{name} does not fit a namespace of {blocks} LBAs of {lba_bytes} bytes: {len(outside)} of its "
        f"{len(ios)} I/Os end past it (the one in line {first.line} at LBA {end_of(first)}), so take one of "
        f"{end} LBAs, or let them wrap."
    )


def _sentences(tally: _Tally, lba_bytes: int, blocks: int) -> list[str]:
    """The notes on what was changed, one for each way."""
    ways = (
        (tally.widened, "I/O", f"not a multiple of {lba_bytes} bytes: widened to whole LBAs"),
        (
            tally.narrowed,
            "deallocation",
            f"not a multiple of {lba_bytes} bytes: only the whole LBAs inside kept",
        ),
        (tally.wrapped, "extent", f"past the end of the namespace ({blocks} LBAs): wrapped around it"),
        (tally.clipped, "extent", "longer than the whole namespace: clipped to it"),
    )
    return [f"{counted(count, noun)} {what}." for count, noun, what in ways if count]
