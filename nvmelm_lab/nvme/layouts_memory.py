"""The tracking of host memory, bit by bit: what Track Send and Track Receive carry, and an answer of Track Send."""

from nvmelm_lab.nvme.fields import bits, layout, reserved, reserved_bits, whole_bytes
from nvmelm_lab.nvme.layouts_data import CQE

TRACK_MEMORY_CHANGES = layout(
    "Track Memory Changes",
    8,
    "Base 2.1, 5.1.27, Figure 468",
    whole_bytes(0, 0, "VER", "version of this structure: 0"),
    reserved(1, 2),
    whole_bytes(3, 3, "RMRTG", "granularity asked for: 2 ** n * 4 KiB"),
    whole_bytes(4, 7, "RNMRTD", "number of ranges that follow, a plain count"),
)

TRACKED_RANGE = layout(
    "Tracked Memory Range",
    12,
    "Base 2.1, 5.1.27, Figure 469",
    whole_bytes(0, 7, "SADDR", "where the range begins, a multiple of the granule", hexadecimal=True),
    whole_bytes(8, 11, "LEN", "length of the range", unit="granules"),
)

TRACKED_MEMORY_CHANGE = layout(
    "Tracked Memory Change",
    16,
    "Base 2.1, 5.1.26, Figure 460",
    whole_bytes(0, 0, "VER", "version of this structure: 0"),
    bits(1, 1, 0, 0, "MTR", "1: there is more to report"),
    bits(1, 1, 1, 1, "SUSP", "1: the target was suspended while this was made"),
    reserved_bits(1, 1, 7, 2),
    whole_bytes(2, 3, "CNTLID", "the target, whose writes these are"),
    whole_bytes(4, 7, "NTMCD", "number of ranges that follow"),
    whole_bytes(8, 9, "RPMPG", "granularity of this report: 2 ** n * 4 KiB"),
    reserved(10, 15),
)

CHANGED_RANGE = layout(
    "Tracked Memory Changed Descriptor",
    16,
    "Base 2.1, 5.1.26, Figure 461",
    whole_bytes(0, 7, "SADDR", "where the range begins", hexadecimal=True),
    whole_bytes(8, 11, "LEN", "length of the range", unit="granules"),
    reserved(12, 15),
)

CQE_TRACK_MEMORY = layout(
    "CQE Track Send, Track Memory Changes",
    16,
    "Base 2.1, 5.1.27",
    whole_bytes(0, 1, "MRTG", "with Not Enough Resources: finest granularity possible, 2 ** n * 4 KiB"),
    reserved(2, 3),
    whole_bytes(4, 7, "NMRTD", "with Not Enough Resources: ranges possible at the granularity asked for"),
    *(each for each in CQE.fields if each.byte >= 8),
)
