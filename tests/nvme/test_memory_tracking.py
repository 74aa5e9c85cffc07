"""The two structures of memory tracking against the tables of the fact sheet (B.7, B.8), byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.layouts import LAYOUTS
from nvmelm_lab.nvme.memory_tracking import (
    ChangesReport,
    MemoryRange,
    TrackingRequest,
    pack_changes_report,
    pack_tracking_request,
    unpack_changes_report,
    unpack_tracking_request,
)

REQUEST = bytes.fromhex(
    "00 00 00 08 02 00 00 0000 00 10 00 00 00 00 00 04 00 00 0000 00 00 00 01 00 00 00 01 00 00 00"
)
RANGES = (MemoryRange(0x10_0000, 4), MemoryRange(1 << 32, 1))

REPORT = bytes.fromhex(
    "00 03 05 00 01 00 00 00 09 00 00 00 00 00 00 0000 00 20 00 00 00 00 00 07 00 00 00 00 00 00 00"
)


def test_a_request_has_a_header_of_8_bytes_and_ranges_of_12() -> None:
    assert pack_tracking_request(8, RANGES) == REQUEST
    assert unpack_tracking_request(REQUEST) == TrackingRequest(0, 8, 2, RANGES)


def test_of_a_request_the_header_can_be_read_alone() -> None:
    assert unpack_tracking_request(REQUEST[:8]) == TrackingRequest(0, 8, 2)
    assert unpack_tracking_request(REQUEST[:30]).ranges == RANGES[:1]


def test_a_report_has_a_header_of_16_bytes_and_ranges_of_16() -> None:
    report = ChangesReport(5, 9, True, True, (MemoryRange(0x20_0000, 7),))
    assert pack_changes_report(report) == REPORT
    assert unpack_changes_report(REPORT + b"behind") == report


@pytest.mark.parametrize(
    ("suspended", "more", "attributes"), [(False, False, 0), (True, False, 2), (False, True, 1)]
)
def test_susp_is_bit_1_and_mtr_bit_0(suspended: bool, more: bool, attributes: int) -> None:
    assert pack_changes_report(ChangesReport(5, 0, suspended, more, ()))[1] == attributes


@pytest.mark.parametrize("length", [0, 15, 31])
def test_a_report_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(InputError, match=f"of {length} bytes"):
        unpack_changes_report(REPORT[:length])


def ranges(size: int) -> st.SearchStrategy[list[MemoryRange]]:
    return st.lists(
        st.builds(MemoryRange, st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 32) - 1)), max_size=size
    )


@given(st.integers(0, 255), ranges(5))
def test_a_request_comes_back_as_it_went(exponent: int, given: list[MemoryRange]) -> None:
    data = pack_tracking_request(exponent, given)
    assert unpack_tracking_request(data) == TrackingRequest(0, exponent, len(given), tuple(given))


@given(st.integers(0, 65535), st.integers(0, 65535), st.booleans(), st.booleans(), ranges(5))
def test_a_report_comes_back_as_it_went(
    cntlid: int, exponent: int, suspended: bool, more: bool, given: list[MemoryRange]
) -> None:
    report = ChangesReport(cntlid, exponent, suspended, more, tuple(given))
    assert unpack_changes_report(pack_changes_report(report)) == report


def test_the_layouts_have_the_same_bytes() -> None:
    header = LAYOUTS["Track Memory Changes"].unpack(REQUEST[:8])
    assert (header["VER"], header["RMRTG"], header["RNMRTD"]) == (0, 8, 2)
    assert LAYOUTS["Tracked Memory Range"].unpack(REQUEST[8:20]) == {"SADDR": 0x10_0000, "LEN": 4}
    header = LAYOUTS["Tracked Memory Change"].unpack(REPORT[:16])
    assert [header[name] for name in ("MTR", "SUSP", "CNTLID", "NTMCD", "RPMPG")] == [1, 1, 5, 1, 9]
    changed = LAYOUTS["Tracked Memory Changed Descriptor"].unpack(REPORT[16:])
    assert (changed["SADDR"], changed["LEN"]) == (0x20_0000, 7)
