"""The derived check list, rows S: Migration Send.  Facts E."""

import pytest

from nvmelm_lab.nvme.codes import Property
from tests.ssd import by_hand as do
from tests.ssd.by_hand import (
    COMMAND_SEQUENCE_ERROR,
    CONTROLLER_NOT_SUSPENDED,
    CONTROLLER_SUSPENDED,
    FIRST_PART,
    INVALID_CONTROLLER_DATA_QUEUE,
    INVALID_CONTROLLER_IDENTIFIER,
    INVALID_FIELD,
    LAST_PART,
    MIDDLE_PART,
    ONLY_PART,
    SUCCESS,
    Queue,
    answer,
    bytes_of,
    status,
)
from tests.ssd.door import Bench, Y, Z, ready

STATE_BYTES = 104
"""A controller state with one I/O submission and one I/O completion queue."""


def bench_with_empty_target() -> Bench:
    """Z is enabled, has no I/O queues, and is suspended."""
    bench = ready()
    bench.z.write(Property.CC, 0)
    bench.z.enable()
    assert status(bench.x, do.suspend(Z)) == SUCCESS
    return bench


def state_of_y(bench: Bench) -> int:
    """The address of Y's state in X's memory."""
    address = bench.x.take()
    code, _ = answer(bench.x, do.get_state(address, Y))
    assert code == SUCCESS
    assert bytes_of(bench.x, address)[48:54] == bytes.fromhex("0000 0100 0100")
    return address


def part(address: int, first: int, behind: int, seqind: int) -> bytes:
    """Set Controller State of Z: the bytes `first` up to `behind` of the state at `address`."""
    buffer = address + first
    assert buffer // do.PAGE == (buffer + behind - first) // do.PAGE
    return do.set_state(buffer, Z, (behind - first) // 4, seqind=seqind, offset=first)


@pytest.mark.parametrize("stype", [2, 0x80, 0xFF])
def test_s1_a_reserved_type_of_suspend_is_refused(stype: int) -> None:
    bench = ready()
    assert status(bench.x, do.suspend(Y, stype=stype)) == INVALID_FIELD
    assert status(bench.x, do.resume(Y)) == CONTROLLER_NOT_SUSPENDED


def test_s2_suspending_twice_is_no_error() -> None:
    bench = ready()
    assert [status(bench.x, do.suspend(Y)) for _ in range(2)] == [SUCCESS, SUCCESS]
    assert status(bench.x, do.resume(Y)) == SUCCESS


def test_s3_resuming_what_is_not_suspended_is_refused() -> None:
    bench = ready()
    assert status(bench.x, do.resume(Y)) == CONTROLLER_NOT_SUSPENDED


@pytest.mark.parametrize("seqind", [MIDDLE_PART, LAST_PART])
def test_s4_a_part_that_no_first_part_precedes_is_out_of_sequence(seqind: int) -> None:
    bench = bench_with_empty_target()
    address = state_of_y(bench)
    assert status(bench.x, part(address, 0, STATE_BYTES, seqind)) == COMMAND_SEQUENCE_ERROR


def test_s5_resuming_amid_a_sequence_is_out_of_sequence() -> None:
    bench = bench_with_empty_target()
    address = state_of_y(bench)
    assert status(bench.x, part(address, 0, 48, FIRST_PART)) == SUCCESS
    assert status(bench.x, do.resume(Z)) == COMMAND_SEQUENCE_ERROR


def test_s6_a_second_first_part_begins_anew() -> None:
    bench = bench_with_empty_target()
    address = state_of_y(bench)
    wrong = bench.x.take()
    bench.x.space.write(wrong, b"\xff" * 48)
    assert status(bench.x, part(wrong, 0, 48, FIRST_PART)) == SUCCESS
    assert status(bench.x, part(address, 0, 48, FIRST_PART)) == SUCCESS
    assert status(bench.x, part(address, 48, STATE_BYTES, LAST_PART)) == SUCCESS
    assert status(bench.x, do.resume(Z)) == SUCCESS


def test_s6_a_second_first_part_discards_what_came_before() -> None:
    bench = bench_with_empty_target()
    address = state_of_y(bench)
    assert status(bench.x, part(address, 0, STATE_BYTES, FIRST_PART)) == SUCCESS
    assert status(bench.x, part(address, 0, 48, FIRST_PART)) == SUCCESS
    assert status(bench.x, part(address, 48, 48, LAST_PART)) == INVALID_FIELD


def test_s7_a_target_with_io_queues_takes_no_queues() -> None:
    bench = ready()
    address = state_of_y(bench)
    assert status(bench.x, do.suspend(Z)) == SUCCESS
    assert status(bench.x, part(address, 0, STATE_BYTES, ONLY_PART)) == INVALID_FIELD


@pytest.mark.parametrize("dwords", [STATE_BYTES // 4, 12])
def test_s8_a_state_without_any_format_is_refused(dwords: int) -> None:
    bench = bench_with_empty_target()
    address = bench.x.take()
    code, _ = answer(bench.x, do.get_state(address, Y, csvi=int(dwords > 12)))
    assert code == SUCCESS
    assert status(bench.x, do.set_state(address, Z, dwords, csvi=0, csuuidi=0)) == INVALID_FIELD


def test_s8_queues_without_their_format_are_refused() -> None:
    bench = bench_with_empty_target()
    address = state_of_y(bench)
    sqe = do.set_state(address, Z, STATE_BYTES // 4, csvi=0, csuuidi=1)
    assert status(bench.x, sqe) == INVALID_FIELD


def test_s9_the_only_part_may_not_be_empty() -> None:
    bench = bench_with_empty_target()
    assert status(bench.x, do.set_state(state_of_y(bench), Z, 0)) == INVALID_FIELD


def test_s9_the_last_part_may_be_empty() -> None:
    bench = bench_with_empty_target()
    address = state_of_y(bench)
    assert status(bench.x, part(address, 0, STATE_BYTES, FIRST_PART)) == SUCCESS
    assert status(bench.x, part(address, STATE_BYTES, STATE_BYTES, LAST_PART)) == SUCCESS
    assert status(bench.x, do.resume(Z)) == SUCCESS


def test_s10_a_target_that_is_online_disabled_and_not_suspended_takes_no_state() -> None:
    bench = ready()
    address = state_of_y(bench)
    bench.z.write(Property.CC, 0)
    assert status(bench.x, part(address, 0, STATE_BYTES, ONLY_PART)) == INVALID_CONTROLLER_IDENTIFIER


def test_s11_suspending_with_dudmq_deletes_the_queue() -> None:
    bench = ready()
    queue = Queue(bench.x, 8, Y)
    assert status(bench.x, do.set_head(queue.cdqid, 0)) == SUCCESS
    assert status(bench.x, do.suspend(Y, dudmq=1)) == SUCCESS
    assert status(bench.x, do.set_head(queue.cdqid, 0)) == INVALID_CONTROLLER_DATA_QUEUE


def test_s12_sanitize_is_refused_while_a_controller_is_suspended() -> None:
    bench = ready()
    assert status(bench.x, do.suspend(Y)) == SUCCESS
    assert status(bench.x, do.sanitize()) == CONTROLLER_SUSPENDED
