"""The derived check list, rows R: what a controller says of itself, and Migration Receive.  Facts E."""

import pytest

from tests.ssd import by_hand as do
from tests.ssd.by_hand import INVALID_FIELD, PAGE, SUCCESS, answer, bytes_of, number, status
from tests.ssd.door import Bench, Host, Y, raw, ready


def identified(host: Host, cns: int) -> bytes:
    address = host.take()
    assert status(host, do.identify(address, cns)) == SUCCESS
    return bytes_of(host, address)


def received(bench: Bench, *, csvi: int = 1, csuuidi: int = 0) -> tuple[bytes, int]:
    """The state of Y in a buffer of FFh, and DW0 of the completion."""
    address = bench.x.take()
    bench.x.space.write(address, b"\xff" * PAGE)
    code, dw0 = answer(bench.x, do.get_state(address, Y, csvi=csvi, csuuidi=csuuidi))
    assert code == SUCCESS
    return bytes_of(bench.x, address), dw0


def test_r1_hmlms_is_set_on_the_mmc_alone_and_hmpre_is_zero_everywhere() -> None:
    bench = ready()
    pages = [identified(host, 0x01) for host in (bench.x, bench.y, bench.z)]
    assert [number(page, 256, 257) >> 11 & 1 for page in pages] == [1, 0, 0]
    assert [number(page, 272, 275) for page in pages] == [0, 0, 0]


def test_r2_the_mmc_lists_formats_of_controller_state_and_a_target_refuses_to() -> None:
    bench = ready()
    formats = identified(bench.x, 0x20)
    assert formats[0] >= 1 or formats[1] >= 1
    assert status(bench.y, do.identify(bench.y.take(), 0x20)) == INVALID_FIELD


def test_r3_without_a_format_the_state_is_its_header() -> None:
    state, _ = received(ready(), csvi=0, csuuidi=0)
    assert number(state, 16, 31) == number(state, 32, 47) == 0
    assert state[48:] == b"\xff" * (PAGE - 48)


@pytest.mark.parametrize("index", ["csvi", "csuuidi"])
def test_r4_a_format_behind_the_last_is_refused(index: str) -> None:
    bench = ready()
    formats = identified(bench.x, 0x20)
    last = formats[0 if index == "csvi" else 1]
    for value, expected in ((last, SUCCESS), (last + 1, INVALID_FIELD)):
        code, _ = answer(bench.x, do.get_state(bench.x.take(), Y, **{index: value}))
        assert code == expected


@pytest.mark.parametrize(
    ("offset", "expected"), [(0, SUCCESS), (2, INVALID_FIELD), (104, SUCCESS), (108, INVALID_FIELD)]
)
def test_r5_an_offset_that_is_no_dword_or_lies_beyond_the_state_is_refused(
    offset: int, expected: int
) -> None:
    bench = ready()
    state, _ = received(bench)
    assert 48 + 4 * number(state, 16, 31) == 104
    code, _ = answer(bench.x, do.get_state(bench.x.take(), Y, dwords=1, offset=offset))
    assert code == expected


@pytest.mark.parametrize("suspended", [0, 1])
def test_r6_csup_and_cp_say_whether_the_target_is_suspended(suspended: int) -> None:
    bench = ready()
    if suspended:
        assert status(bench.x, do.suspend(Y)) == SUCCESS
    state, dw0 = received(bench)
    assert (dw0, state[2]) == (suspended, suspended)


@pytest.mark.parametrize("select", [1, 2, 0xBF, 0xC0, 0xFF])
def test_r7_a_reserved_operation_is_refused(select: int) -> None:
    bench = ready()
    sqe = raw(0x42, prp1=bench.x.take(), cdw10=1 << 16 | select, cdw11=Y, cdw15=25)
    assert status(bench.x, sqe) == INVALID_FIELD
