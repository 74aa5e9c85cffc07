"""What Track Send and Track Receive carry in their buffers: the ranges of host memory to track, and the changes.

Sources: Base 2.1, 5.1.27.1.2, Figures 468 and 469; 5.1.26.1.1, Figures 460 and 461.
"""

from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

from nvmelm_lab.errors import InputError

GRANULE_BYTES = 4096
"""The finest granule; a granularity exponent n means granules of 2 ** n times as many bytes."""

_REQUEST = Struct("<B2xBI")
_REPORT = Struct("<BBHIH6x")
_TRACKED_RANGE = Struct("<QI")
_CHANGED_RANGE = Struct("<QI4x")

REQUEST_HEADER_BYTES = _REQUEST.size
REQUEST_RANGE_BYTES = _TRACKED_RANGE.size
REPORT_HEADER_BYTES = _REPORT.size
REPORT_RANGE_BYTES = _CHANGED_RANGE.size

_SUSPENDED = 1 << 1
_MORE = 1 << 0


class MemoryRange(NamedTuple):
    """`granules` granules of memory from `address` (in bytes) on."""

    address: int
    granules: int


class TrackingRequest(NamedTuple):
    """The ranges to track (Track Memory Changes); of a header that was read alone, `ranges` is empty.

    version
        VER, 0.
    exponent
        RMRTG, the granularity asked for.
    stated
        RNMRTD, how many ranges there are.
    """

    version: int
    exponent: int
    stated: int
    ranges: tuple[MemoryRange, ...] = ()


class ChangesReport(NamedTuple):
    """Memory that changed (Tracked Memory Change), in ascending order of address.

    exponent
        RPMPG, the granularity of the lengths in this very report.
    suspended, more
        SUSP: the target was suspended while this was made; MTR: there is more to report.
    """

    cntlid: int
    exponent: int
    suspended: bool
    more: bool
    ranges: tuple[MemoryRange, ...]


def pack_tracking_request(exponent: int, ranges: Iterable[MemoryRange]) -> bytes:
    """The bytes of a request to track `ranges` in granules of ``2 ** exponent * 4`` KiB."""
    parts = [_TRACKED_RANGE.pack(address, granules) for address, granules in ranges]
    return b"".join((_REQUEST.pack(0, exponent, len(parts)), *parts))


def unpack_tracking_request(data: bytes) -> TrackingRequest:
    """The request that `data` holds: its header, and as many of its ranges as are wholly there."""
    version, exponent, count = _REQUEST.unpack_from(data)
    end = min(len(data), REQUEST_HEADER_BYTES + count * REQUEST_RANGE_BYTES)
    whole = end - (end - REQUEST_HEADER_BYTES) % REQUEST_RANGE_BYTES
    ranges = map(MemoryRange._make, _TRACKED_RANGE.iter_unpack(data[REQUEST_HEADER_BYTES:whole]))
    return TrackingRequest(version, exponent, count, tuple(ranges))


def pack_changes_report(report: ChangesReport) -> bytes:
    """The bytes of a report."""
    attributes = _SUSPENDED * report.suspended | _MORE * report.more
    header = _REPORT.pack(0, attributes, report.cntlid, len(report.ranges), report.exponent)
    return b"".join((header, *(_CHANGED_RANGE.pack(*each) for each in report.ranges)))


def unpack_changes_report(data: bytes | bytearray | memoryview) -> ChangesReport:
    """The report that `data` holds; bytes beyond it are ignored.  InputError when `data` is shorter than its own
    count says.
    """
    if len(data) < REPORT_HEADER_BYTES:
        raise InputError(
            f"report of memory changes of {len(data)} bytes: must be at least {REPORT_HEADER_BYTES}"
        )
    _, attributes, cntlid, count, exponent = _REPORT.unpack_from(data)
    end = REPORT_HEADER_BYTES + count * REPORT_RANGE_BYTES
    if len(data) < end:
        raise InputError(f"report of memory changes of {len(data)} bytes: its {count} ranges need {end}")
    ranges = map(MemoryRange._make, _CHANGED_RANGE.iter_unpack(data[REPORT_HEADER_BYTES:end]))
    return ChangesReport(
        cntlid, exponent, bool(attributes & _SUSPENDED), bool(attributes & _MORE), tuple(ranges)
    )
