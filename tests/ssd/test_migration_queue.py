"""Controller Data Queue, Set and Get Features 21h, Track Send: facts A.1, A.2, A.6."""

import pytest

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.ssd import Habits
from tests.ssd.door import MEMORY, Bench, X, Y, Z, raw, ready, status_of
from tests.ssd.mq import MigrationQueue

# -- create -----------------------------------------------------------------------------------------------


def create(bench: Bench, **changes: int) -> Status:
    """Create a queue of 128 slots for Y, with changes."""
    fields = {"prp1": bench.x.take(8192), "dwords": 1024, "target": Y, "contiguous": 1} | changes
    sqe = lm.create_cdq(0, fields["prp1"], fields["dwords"], fields["target"], bool(fields["contiguous"]))
    return bench.x.admin.status(sqe)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, Status.SUCCESS),
        ({"dwords": 16}, Status.SUCCESS),
        ({"dwords": 0}, Status.INVALID_FIELD),
        ({"dwords": 8}, Status.INVALID_FIELD),
        ({"dwords": 9}, Status.INVALID_FIELD),
        ({"dwords": 1025}, Status.INVALID_FIELD),
        ({"prp1": 0x1004}, Status.PRP_OFFSET_INVALID),
        ({"prp1": 0x1800}, Status.PRP_OFFSET_INVALID),
        ({"prp1": MEMORY}, Status.INVALID_FIELD),
        ({"prp1": MEMORY - 4096, "dwords": 2048}, Status.INVALID_FIELD),
        ({"dwords": 0xFFFF_FFF8}, Status.INVALID_FIELD),
        ({"target": X}, Status.INVALID_CONTROLLER_IDENTIFIER),
        ({"target": 99}, Status.INVALID_CONTROLLER_IDENTIFIER),
        ({"target": 0xFFFF}, Status.INVALID_CONTROLLER_IDENTIFIER),
        ({"contiguous": 0, "prp1": 0x1008}, Status.PRP_OFFSET_INVALID),
        ({"contiguous": 0, "dwords": 0xFFFF_FFF8}, Status.INVALID_FIELD),
    ],
    ids=str,
)
def test_create_checks_size_place_and_target(changes: dict[str, int], status: Status) -> None:
    bench = ready()
    assert create(bench, **changes) == status
    assert len(bench.ssd.migration_queues) == (status == Status.SUCCESS)


@pytest.mark.parametrize(
    ("queue_type", "select"), [(1, 0), (0xBF, 0), (0xC0, 0), (0, 2), (0, 0xBF), (0, 0xC0)]
)
def test_reserved_types_and_operations_are_refused(queue_type: int, select: int) -> None:
    bench = ready()
    sqe = raw(0x45, prp1=0x1000, cdw10=queue_type << 16 | select, cdw11=Y << 16 | 1, cdw12=64)
    assert bench.x.admin.status(sqe) == Status.INVALID_FIELD


def test_one_target_has_one_queue() -> None:
    bench = ready()
    assert create(bench) == Status.SUCCESS
    assert create(bench) == Status.INVALID_FIELD
    assert create(bench, target=Z) == Status.SUCCESS


def test_ids_count_from_zero_and_are_given_again() -> None:
    bench = ready()
    first, second = bench.x.make_mq(8, Y), bench.x.make_mq(8, Z)
    assert (first.cdqid, second.cdqid) == (0, 1)
    assert bench.x.admin.status(lm.delete_cdq(0, 0)) == Status.SUCCESS
    assert bench.x.make_mq(8, Y).cdqid == 0


@pytest.mark.parametrize("cdqid", [0, 1, 0xFFFF])
def test_deleting_a_queue_that_is_not_there_is_refused(cdqid: int) -> None:
    bench = ready()
    if cdqid:
        bench.x.make_mq(8)
    assert bench.x.admin.status(lm.delete_cdq(0, cdqid)) == Status.INVALID_CONTROLLER_DATA_QUEUE


def listed_queue(bench: Bench, slots: int, pages: list[int]) -> MigrationQueue:
    """A queue in pages all over memory; the reader sees it through a window of its own."""
    cqe = bench.x.admin.run(lm.create_cdq(0, bench.x.prp_list(pages), 8 * slots, Y, contiguous=False))
    assert status_of(cqe) == Status.SUCCESS
    return MigrationQueue(bench.x, cqe.dw0, pages[0], slots)


def test_a_queue_may_lie_in_pages_that_a_prp_list_names() -> None:
    bench = ready(blocks=400)
    pages = [bench.x.take() for _ in range(3)]
    pages = [pages[2], pages[0], pages[1]]
    queue = listed_queue(bench, 300, pages)
    assert queue.start() == Status.SUCCESS
    for lba in range(290):
        bench.y.io.status(commands.write_zeroes(0, 1, lba, 1))
    for number in (0, 127, 128, 255, 256, 289):
        address = pages[number // 128] + 32 * (number % 128)
        assert int.from_bytes(bench.x.space.read(address + 8, 8), "little") == number


@pytest.mark.parametrize(
    ("pages", "status"),
    [([0x9000, 0xA004], Status.PRP_OFFSET_INVALID), ([0x9000, MEMORY], Status.INVALID_FIELD)],
)
def test_a_list_that_leads_nowhere_is_refused(pages: list[int], status: Status) -> None:
    bench = ready()
    listed = bench.x.prp_list(pages)
    assert bench.x.admin.status(lm.create_cdq(0, listed, 2048, Y, contiguous=False)) == status


# -- Track Send -------------------------------------------------------------------------------------------


def test_starting_twice_is_refused_and_stopping_twice_is_not() -> None:
    queue = ready().x.make_mq(8)
    assert queue.start() == Status.SUCCESS
    assert queue.start() == Status.INVALID_CONTROLLER_DATA_QUEUE
    assert queue.stop() == Status.SUCCESS
    assert queue.stop() == Status.SUCCESS
    assert [entry.esa for entry in queue.take()] == [2]
    assert queue.start() == Status.SUCCESS


@pytest.mark.parametrize("action", [0, 1])
def test_tracking_through_a_queue_that_is_not_there_is_refused(action: int) -> None:
    bench = ready()
    sqe = raw(0x3D, cdw10=action << 16, cdw11=7)
    assert bench.x.admin.status(sqe) == Status.INVALID_CONTROLLER_DATA_QUEUE


@pytest.mark.parametrize(("select", "action"), [(2, 0), (2, 1), (0xFF, 0), (0, 2), (0, 0xF)])
def test_reserved_and_unsupported_tracking_is_refused(select: int, action: int) -> None:
    bench = ready()
    queue = bench.x.make_mq(8)
    sqe = raw(0x3D, cdw10=action << 16 | select, cdw11=queue.cdqid)
    assert bench.x.admin.status(sqe) == Status.INVALID_FIELD


def test_tracking_can_neither_start_nor_stop_while_the_target_is_suspended() -> None:
    bench = ready()
    queue = bench.x.make_mq(8)
    bench.x.suspend()
    assert queue.start() == queue.stop() == Status.CONTROLLER_SUSPENDED
    bench.x.resume()
    assert queue.start() == Status.SUCCESS
    bench.x.suspend()
    assert queue.stop() == Status.CONTROLLER_SUSPENDED


@pytest.mark.parametrize("order", ["at once", "after commands in flight"])
def test_starting_on_a_full_queue_is_refused_until_the_host_makes_room(order: str) -> None:
    bench = ready(habits=Habits(start_logging=order))
    queue = bench.x.make_mq(3)
    queue.start()
    bench.y.write_blocks(0, [1])
    bench.y.write_blocks(1, [1])
    assert queue.start() == Status.CONTROLLER_DATA_QUEUE_FULL
    queue.take()
    assert queue.start() == Status.SUCCESS


def test_each_target_is_logged_in_its_own_queue() -> None:
    bench = ready()
    of_y, of_z = bench.x.make_mq(8, Y), bench.x.make_mq(8, Z)
    of_y.start()
    of_z.start()
    bench.y.write_blocks(1, [1])
    bench.z.write_blocks(2, [2])
    bench.x.write_blocks(3, [3])
    assert [entry.slba for entry in of_y.take()] == [1]
    assert [entry.slba for entry in of_z.take()] == [2]


# -- Set and Get Features 21h -----------------------------------------------------------------------------


def filled(slots: int = 8, entries: int = 3) -> tuple[Bench, MigrationQueue]:
    bench = ready()
    queue = bench.x.make_mq(slots)
    queue.start()
    for lba in range(entries):
        bench.y.write_blocks(lba, [1])
    return bench, queue


@pytest.mark.parametrize("build", [lm.set_head(0, 5, 0), lm.get_cdq_feature(0, 5, 0x1000)])
def test_a_queue_that_is_not_there_has_no_head(build: bytes) -> None:
    bench = ready()
    assert bench.x.admin.status(build) == Status.INVALID_CONTROLLER_DATA_QUEUE
    assert bench.y.admin.status(build) == Status.INVALID_CONTROLLER_DATA_QUEUE


def test_the_head_of_an_empty_queue_stays_where_it_is() -> None:
    queue = ready().x.make_mq(8)
    assert queue.tell(0) == Status.SUCCESS
    for head in (1, 7, 8, 0xFFFF_FFFF):
        assert queue.tell(head) == Status.INVALID_FIELD


def test_the_head_moves_over_posted_entries_one_or_several_at_a_time() -> None:
    _, queue = filled(slots=8, entries=5)
    for head, status in (
        (6, Status.INVALID_FIELD),
        (8, Status.INVALID_FIELD),
        (2, Status.SUCCESS),
        (1, Status.INVALID_FIELD),
        (2, Status.SUCCESS),
        (3, Status.SUCCESS),
        (5, Status.SUCCESS),
        (4, Status.INVALID_FIELD),
        (6, Status.INVALID_FIELD),
    ):
        assert queue.tell(head) == status, head


def test_the_head_follows_the_tail_around_the_ring() -> None:
    bench, queue = filled(slots=4, entries=2)
    assert queue.tell(2) == Status.SUCCESS
    bench.y.write_blocks(9, [1])
    bench.y.write_blocks(10, [1])
    assert queue.tell(1) == Status.INVALID_FIELD
    assert queue.tell(0) == Status.SUCCESS
    assert queue.tell(3) == Status.INVALID_FIELD


@pytest.mark.parametrize(
    ("trigger", "status"), [(0, Status.SUCCESS), (7, Status.SUCCESS), (8, Status.INVALID_FIELD)]
)
def test_a_trigger_must_be_a_slot(trigger: int, status: Status) -> None:
    bench, queue = filled()
    assert bench.x.admin.status(lm.set_head(0, queue.cdqid, 1, trigger)) == status
    assert bench.ssd.migration_queues[queue.cdqid].head == (status == Status.SUCCESS)


def feature(bench: Bench, queue: MigrationQueue) -> tuple[int, int, int]:
    """DW0, head and trigger as Get Features tells them."""
    address = bench.x.take()
    bench.x.space.write(address, b"\xff" * PAGE_BYTES)
    cqe = bench.x.admin.run(lm.get_cdq_feature(0, queue.cdqid, address))
    assert status_of(cqe) == Status.SUCCESS
    data = bench.x.space.read(address, PAGE_BYTES)
    assert data[8:512] == bytes(504)
    assert data[512:] == b"\xff" * (PAGE_BYTES - 512)
    return cqe.dw0, int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")


def test_head_and_trigger_are_read_back_until_the_trigger_fires() -> None:
    bench, queue = filled(slots=8, entries=3)
    assert feature(bench, queue) == (queue.cdqid, 0, 0)
    bench.x.admin.run(lm.set_head(0, queue.cdqid, 2, 4))
    assert feature(bench, queue) == (1 << 31 | queue.cdqid, 2, 4)
    bench.y.write_blocks(3, [1])
    assert feature(bench, queue) == (1 << 31 | queue.cdqid, 2, 4)
    bench.y.write_blocks(4, [1])
    assert feature(bench, queue) == (queue.cdqid, 2, 0)


def test_setting_the_head_without_a_trigger_disarms() -> None:
    bench, queue = filled()
    bench.x.admin.run(lm.set_head(0, queue.cdqid, 1, 6))
    bench.x.admin.run(lm.set_head(0, queue.cdqid, 2))
    assert feature(bench, queue) == (queue.cdqid, 2, 0)


def test_the_feature_cannot_be_saved() -> None:
    bench, queue = filled()
    sqe = raw(0x09, cdw10=1 << 31 | 0x21, cdw11=queue.cdqid, cdw12=1)
    assert bench.x.admin.status(sqe) == Status.FEATURE_NOT_SAVEABLE


@pytest.mark.parametrize("feature_id", [0x00, 0x02, 0x06, 0x22, 0xFF])
@pytest.mark.parametrize("opcode", [0x09, 0x0A])
def test_a_feature_that_is_not_there_is_refused(opcode: int, feature_id: int) -> None:
    assert ready().x.admin.status(raw(opcode, cdw10=feature_id)) == Status.INVALID_FIELD
