"""Properties and doorbells: enabling, resetting, shutting down, and what an offline controller shows."""

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import (
    CAP_CQR,
    CAP_CSS,
    CAP_MPSMAX,
    CAP_MPSMIN,
    CAP_MQES,
    DOORBELLS,
    Cns,
    Property,
    cq_head_doorbell,
    sq_tail_doorbell,
)
from nvmelm_lab.ssd import Habits
from tests.ssd.door import ENABLE, MEMORY, Bench, X, Y, ready, status_of

RDY, CFS, SHUT_DOWN = 1, 2, 2 << 2


def test_capabilities_say_what_queues_and_pages_are_possible() -> None:
    cap = Bench().x.read(Property.CAP)
    assert CAP_MQES.get(cap) == 1023
    assert CAP_CQR.get(cap) == 1
    assert CAP_CSS.get(cap) == 1
    assert (CAP_MPSMIN.get(cap), CAP_MPSMAX.get(cap)) == (0, 0)


def test_the_version_is_that_of_the_standard_followed() -> None:
    assert Bench().x.read(Property.VS) == 0x0002_0100


def test_an_enabled_controller_is_ready_and_answers() -> None:
    bench = Bench()
    assert bench.x.read(Property.CSTS) == 0
    assert bench.x.enable() == RDY
    assert bench.x.admin.status(commands.identify(0, Cns.CONTROLLER, bench.x.take())) == Status.SUCCESS


@pytest.mark.parametrize(
    ("name", "aqa", "asq", "acq", "cc"),
    [
        ("pages of 8 KiB", 0x000F_000F, 0x1000, 0x2000, ENABLE | 1 << 7),
        ("another command set", 0x000F_000F, 0x1000, 0x2000, ENABLE | 6 << 4),
        ("weighted arbitration", 0x000F_000F, 0x1000, 0x2000, ENABLE | 1 << 11),
        ("an admin SQ of one slot", 0x000F_0000, 0x1000, 0x2000, ENABLE),
        ("an admin CQ of one slot", 0x0000_000F, 0x1000, 0x2000, ENABLE),
        ("an admin SQ outside memory", 0x000F_000F, MEMORY, 0x2000, ENABLE),
        ("an admin CQ that reaches outside memory", 0x0FFF_000F, 0x1000, MEMORY - 4096, ENABLE),
    ],
)
def test_a_configuration_that_cannot_be_is_a_fatal_status_until_a_reset(
    name: str, aqa: int, asq: int, acq: int, cc: int
) -> None:
    host = Bench().x
    for offset, value in ((Property.AQA, aqa), (Property.ASQ, asq), (Property.ACQ, acq), (Property.CC, cc)):
        host.write(offset, value)
    assert host.read(Property.CSTS) == CFS
    host.write(Property.CC, 0)
    assert host.read(Property.CSTS) == 0
    assert host.enable() == RDY


def test_admin_queue_properties_cannot_be_moved_while_enabled() -> None:
    host = ready().x
    before = [host.read(offset) for offset in (Property.AQA, Property.ASQ, Property.ACQ)]
    for offset in (Property.AQA, Property.ASQ, Property.ACQ):
        host.write(offset, 0x7000)
    assert [host.read(offset) for offset in (Property.AQA, Property.ASQ, Property.ACQ)] == before


def test_a_reset_clears_all_but_the_admin_queue_properties() -> None:
    host = ready().y
    kept = [host.read(offset) for offset in (Property.AQA, Property.ASQ, Property.ACQ)]
    host.write(Property.CC, 0)
    assert (host.read(Property.CC), host.read(Property.CSTS)) == (0, 0)
    assert [host.read(offset) for offset in (Property.AQA, Property.ASQ, Property.ACQ)] == kept
    assert not host.controller.sqs
    assert not host.controller.cqs


def test_a_reset_forgets_commands_under_way_and_completes_none_of_them() -> None:
    bench = ready()
    bench.y.io.submit(*(commands.flush(0, 1) for _ in range(5)))
    bench.engine.advance(4)
    bench.y.write(Property.CC, 0)
    bench.engine.run()
    assert bench.y.io.look() is None
    assert bench.y.enable() == RDY
    bench.y.make_ring(1)
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS


@pytest.mark.parametrize("notification", [1, 2])
def test_a_shutdown_is_reported_complete_and_ends_with_a_reset(notification: int) -> None:
    host = ready().y
    host.write(Property.CC, ENABLE | notification << 14)
    assert host.read(Property.CSTS) == RDY | SHUT_DOWN
    host.write(Property.CC, 0)
    assert host.read(Property.CSTS) == 0


def test_a_shutdown_of_a_disabled_controller_is_over_when_it_is_enabled() -> None:
    host = Bench().x
    host.write(Property.CC, 1 << 14)
    assert host.read(Property.CSTS) == SHUT_DOWN
    assert host.enable() == RDY


def test_reserved_properties_read_as_zero_and_take_no_write() -> None:
    host = ready().x
    for offset in (Property.INTMS, Property.INTMC, Property.NSSR, 0x38, 0x40, 0xFFC):
        host.write(offset, 0xFFFF_FFFF)
        assert host.read(offset) == 0
    assert host.read(Property.CSTS) == RDY


# -- offline ----------------------------------------------------------------------------------------------


def test_an_offline_controller_shows_a_fatal_status_alone() -> None:
    bench = Bench()
    for offset in Property:
        assert bench.y.read(offset) == (CFS if offset == Property.CSTS else 0)


def test_an_offline_controller_takes_no_write() -> None:
    bench = Bench()
    bench.x.enable()
    bench.y.enable()
    bench.online(bench.y)
    assert [bench.y.read(o) for o in (Property.AQA, Property.ASQ, Property.ACQ, Property.CC)] == [0] * 4


@pytest.mark.parametrize("value", [0, ENABLE | 1 << 14], ids=["reset", "shutdown"])
def test_a_reset_or_shutdown_of_the_primary_takes_its_secondary_controllers_offline(value: int) -> None:
    bench = ready()
    bench.x.write(Property.CC, value)
    assert bench.y.read(Property.CSTS) == bench.z.read(Property.CSTS) == CFS
    bench.x.write(Property.CC, 0)
    assert bench.x.enable() == RDY
    bench.online(bench.y)
    assert bench.y.read(Property.CSTS) == 0
    assert bench.y.enable() == RDY


def test_a_reset_of_a_secondary_controller_leaves_the_others_alone() -> None:
    bench = ready()
    bench.y.write(Property.CC, 0)
    assert bench.x.read(Property.CSTS) == bench.z.read(Property.CSTS) == RDY
    assert bench.z.write_blocks(0, [5]) == Status.SUCCESS
    assert bench.x.read_blocks(0, 1) == [5]


def test_what_a_reset_leaves_in_the_rings_is_not_taken_for_new() -> None:
    bench = ready()
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS
    bench.y.write(Property.CC, 0)
    bench.y.enable()
    bench.engine.run()
    assert not bench.y.controller.in_flight


# -- doorbells --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [16, 17, 0xFFFF, 0xFFFF_FFFF, 1 << 40, -1])
def test_a_tail_that_is_no_slot_is_ignored(value: int) -> None:
    bench = ready(entries=16)
    bench.y.write(sq_tail_doorbell(1), value)
    bench.engine.run()
    assert not bench.y.controller.in_flight
    assert bench.y.io.look() is None
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS


@pytest.mark.parametrize("value", [1, 5, 15, 16, 0xFFFF, -1])
def test_a_head_that_would_overtake_the_tail_is_ignored(value: int) -> None:
    bench = ready(entries=16)
    bench.y.write(cq_head_doorbell(1), value)
    assert bench.y.controller.cqs[1].consumed.level == 0
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS


@pytest.mark.parametrize(
    "offset", [sq_tail_doorbell(9), cq_head_doorbell(9), sq_tail_doorbell(1) + 1, DOORBELLS + (1 << 20)]
)
def test_a_doorbell_of_no_queue_is_ignored(offset: int) -> None:
    bench = ready()
    bench.y.write(offset, 1)
    bench.engine.run()
    assert not bench.y.controller.in_flight
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS


def test_doorbells_of_a_disabled_controller_are_ignored() -> None:
    bench = ready()
    bench.y.write(Property.CC, 0)
    bench.y.write(sq_tail_doorbell(0), 1)
    bench.y.write(sq_tail_doorbell(1), 1)
    bench.engine.run()
    assert not bench.y.controller.in_flight


# -- resets and migration ----------------------------------------------------------------------------------


def test_a_reset_of_the_primary_deletes_its_migration_queues() -> None:
    bench = ready()
    queue = bench.x.make_mq(8)
    assert queue.start() == Status.SUCCESS
    bench.x.write(Property.CC, 0)
    bench.x.enable()
    assert bench.x.admin.status(lm.delete_cdq(0, queue.cdqid)) == Status.INVALID_CONTROLLER_DATA_QUEUE
    assert bench.x.make_mq(8).cdqid == queue.cdqid


def test_nothing_is_written_into_the_memory_of_a_deleted_queue() -> None:
    bench = ready(Random(4))
    queue = bench.x.make_mq(8)
    queue.start()
    bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(6)))
    bench.engine.advance(20)
    bench.x.write(Property.CC, 0)
    bench.x.space.write(queue.base, bytes(8 * 32))
    bench.engine.run()
    assert bench.x.space.read(queue.base, 8 * 32) == bytes(8 * 32)


@pytest.mark.parametrize("steps", range(1, 14))
@pytest.mark.parametrize("order", ["entry first", "completion first"])
def test_a_reset_of_the_target_leaves_no_change_untold(steps: int, order: str) -> None:
    bench = ready(habits=Habits(entry_order=order))
    queue = bench.x.make_mq(16)
    queue.start()
    bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(4)))
    bench.engine.advance(steps)
    bench.y.write(Property.CC, 0)
    bench.engine.run()
    status = bench.x.lba_status()
    assert not isinstance(status, Status)
    changed = {d.slba + n for d in status.descriptors for n in range(d.blocks)}
    assert {entry.slba for entry in queue.take() if entry.blocks} == changed
    assert queue.stop() == Status.SUCCESS
    assert [entry.esa for entry in queue.take()] == [2]


@pytest.mark.parametrize("steps", range(1, 12))
def test_a_suspend_that_waits_for_commands_ends_when_the_target_is_reset(steps: int) -> None:
    bench = ready()
    bench.y.io.submit(*(commands.flush(0, 1) for _ in range(4)))
    bench.engine.advance(steps)
    (cid,) = bench.x.admin.submit(lm.suspend(0, Y))
    bench.engine.advance(4)
    bench.y.write(Property.CC, 0)
    bench.engine.run()
    bench.x.admin.reap()
    assert status_of(bench.x.admin.unread[cid][0]) == Status.SUCCESS


def test_namespaces_stay_attached_and_keep_their_data_over_every_reset() -> None:
    bench = ready()
    assert bench.y.write_blocks(7, [70]) == Status.SUCCESS
    bench.x.write(Property.CC, 0)
    bench.x.enable()
    bench.x.make_ring(1)
    assert bench.x.read_blocks(7, 1) == [70]
    assert bench.attach(1, X) == Status.NAMESPACE_ALREADY_ATTACHED
    assert bench.attach(1, Y) == Status.NAMESPACE_ALREADY_ATTACHED
