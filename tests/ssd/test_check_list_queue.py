"""The derived check list, rows Q: Controller Data Queue, Set and Get Features 21h.  Facts E."""

import pytest

from nvmelm_lab.nvme.structs import CQE
from tests.ssd import by_hand as do
from tests.ssd.by_hand import (
    INVALID_CONTROLLER_DATA_QUEUE,
    INVALID_FIELD,
    PRP_OFFSET_INVALID,
    SUCCESS,
    Queue,
    answer,
    bytes_of,
    number,
    status,
)
from tests.ssd.door import Bench, Y, ready


def logging(bench: Bench, slots: int = 8, *, written: int = 0) -> Queue:
    """A queue that tells of `written` writes so far."""
    queue = Queue(bench.x, slots, Y)
    assert status(bench.x, do.start_logging(queue.cdqid)) == SUCCESS
    for lba in range(written):
        assert status(bench.y, do.write_zeroes(lba, 1), qid=1) == SUCCESS
    return queue


def feature(bench: Bench, queue: Queue) -> tuple[int, int, int]:
    """DW0, HP and TPT as Get Features 21h gives them."""
    address = bench.x.take()
    code, dw0 = answer(bench.x, do.get_head(address, queue.cdqid))
    assert code == SUCCESS
    data = bytes_of(bench.x, address, 512)
    assert data[8:] == bytes(504)
    return dw0, number(data, 0, 3), number(data, 4, 7)


@pytest.mark.parametrize("dwords", [9, 17, 1023])
def test_q1_a_size_that_is_no_multiple_of_an_entry_is_refused(dwords: int) -> None:
    bench = ready()
    assert status(bench.x, do.create_cdq(bench.x.take(), dwords, Y)) == INVALID_FIELD


def test_q1_an_address_within_a_page_is_refused() -> None:
    bench = ready()
    assert status(bench.x, do.create_cdq(bench.x.take() + 4, 64, Y)) == PRP_OFFSET_INVALID


def test_q1_a_target_has_one_queue_at_most() -> None:
    bench = ready()
    Queue(bench.x, 8, Y)
    assert status(bench.x, do.create_cdq(bench.x.take(), 64, Y)) == INVALID_FIELD


@pytest.mark.parametrize("more", [1, 2, 0xFFF0])
def test_q2_deleting_a_queue_that_is_not_there_is_refused(more: int) -> None:
    bench = ready()
    queue = Queue(bench.x, 8, Y)
    assert status(bench.x, do.delete_cdq(queue.cdqid + more)) == INVALID_CONTROLLER_DATA_QUEUE
    assert status(bench.x, do.delete_cdq(queue.cdqid)) == SUCCESS
    assert status(bench.x, do.delete_cdq(queue.cdqid)) == INVALID_CONTROLLER_DATA_QUEUE


def test_q3_a_queue_that_is_not_there_has_no_head() -> None:
    bench = ready()
    queue = Queue(bench.x, 8, Y)
    assert status(bench.x, do.set_head(queue.cdqid + 1, 0)) == INVALID_CONTROLLER_DATA_QUEUE


@pytest.mark.parametrize("head", [1, 7, 8, 0xFFFF_FFFF])
def test_q3_the_head_of_an_empty_queue_does_not_move(head: int) -> None:
    bench = ready()
    queue = Queue(bench.x, 8, Y)
    assert status(bench.x, do.set_head(queue.cdqid, head)) == INVALID_FIELD
    assert status(bench.x, do.set_head(queue.cdqid, 0)) == SUCCESS


@pytest.mark.parametrize(("head", "expected"), [(4, INVALID_FIELD), (8, INVALID_FIELD), (2, SUCCESS)])
def test_q3_the_head_moves_to_no_slot_that_was_not_posted(head: int, expected: int) -> None:
    bench = ready()
    queue = logging(bench, written=3)
    assert status(bench.x, do.set_head(queue.cdqid, head)) == expected


@pytest.mark.parametrize(
    ("trigger", "expected"), [(7, SUCCESS), (8, INVALID_FIELD), (1 << 31, INVALID_FIELD)]
)
def test_q3_a_trigger_is_a_slot_of_the_queue(trigger: int, expected: int) -> None:
    bench = ready()
    queue = logging(bench, slots=8)
    assert status(bench.x, do.set_head(queue.cdqid, 0, trigger=trigger)) == expected


def test_q4_head_and_trigger_are_read_back() -> None:
    bench = ready()
    queue = logging(bench, written=3)
    assert feature(bench, queue) == (queue.cdqid, 0, 0)
    assert status(bench.x, do.set_head(queue.cdqid, 2, trigger=5)) == SUCCESS
    assert feature(bench, queue) == (1 << 31 | queue.cdqid, 2, 5)
    assert status(bench.x, do.set_head(queue.cdqid, 3)) == SUCCESS
    assert feature(bench, queue) == (queue.cdqid, 3, 0)


def test_q5_the_trigger_disarms_when_its_slot_is_posted() -> None:
    bench = ready()
    queue = logging(bench, written=1)
    assert status(bench.x, do.set_head(queue.cdqid, 0, trigger=2)) == SUCCESS
    for lba, armed in ((0, 1), (1, 0)):
        assert status(bench.y, do.write_zeroes(lba, 1), qid=1) == SUCCESS
        assert feature(bench, queue)[0] >> 31 == armed


def test_q5_the_trigger_raises_one_event() -> None:
    bench = ready()
    queue = logging(bench, written=1)
    first, second = bench.x.admin.submit(do.async_event_request(), do.async_event_request())
    assert status(bench.x, do.set_head(queue.cdqid, 0, trigger=2)) == SUCCESS
    for lba in range(4):
        assert status(bench.y, do.write_zeroes(lba, 1), qid=1) == SUCCESS
    bench.x.admin.reap()
    (event,) = bench.x.admin.unread.pop(first)
    cqe = CQE.pack(*event)
    assert (number(cqe, 0, 3), number(cqe, 4, 7)) == (0x0000_0004, queue.cdqid)
    assert number(cqe, 14, 15) >> 1 == SUCCESS
    assert second not in bench.x.admin.unread
