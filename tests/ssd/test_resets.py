"""Resets beside that by CC.EN: function level resets, VF Enable, shutdown, secondary controllers offline and online."""

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import FunctionRegister, Property, SequenceIndicator, VirtualizationAction
from nvmelm_lab.ssd import Habits
from tests.ssd.door import ENABLE, Bench, Host, X, Y, raw, ready, status_of

FLUSH = commands.flush(0, 1)
IFLR = 1 << 15
CFS = 0b10
ADDRESSES = (Property.AQA, Property.ASQ, Property.ACQ)


def reset_function(host: Host) -> None:
    host.bench.configure(host.controller, FunctionRegister.PXDC, IFLR)


def set_functions(bench: Bench, count: int) -> None:
    bench.configure(bench.x.controller, FunctionRegister.SRIOV_CONTROL, 0)
    bench.configure(bench.x.controller, FunctionRegister.NUM_VFS, count)
    bench.configure(bench.x.controller, FunctionRegister.SRIOV_CONTROL, 1)


# -- the function of a target -----------------------------------------------------------------------------


@pytest.mark.parametrize("audited", [False, True])
def test_a_function_level_reset_clears_all_properties(audited: bool) -> None:
    bench = ready(audited=audited)
    reset_function(bench.y)
    assert [bench.y.read(offset) for offset in (*ADDRESSES, Property.CC, Property.CSTS)] == [0] * 5
    assert bench.z.write_blocks(0, [1]) == Status.SUCCESS
    assert bench.y.enable() == 1
    bench.y.make_ring(1)
    assert bench.y.read_blocks(0, 1) == [1]


@pytest.mark.parametrize("steps", range(1, 14))
def test_a_function_level_reset_leaves_no_change_untold_and_no_command_behind(steps: int) -> None:
    bench = ready()
    queue = bench.x.make_mq(16)
    queue.start()
    bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(4)))
    bench.engine.advance(steps)
    answered = len(bench.y.io.reap(tell=False))
    reset_function(bench.y)
    bench.engine.run()
    changed = {lba for lba in range(4) if not bench.ssd.namespaces[1].is_deallocated(lba, 1)}
    assert {entry.slba for entry in queue.take() if entry.blocks} == changed
    assert len(changed) >= answered
    assert bench.y.io.reap(tell=False) == []
    assert not bench.y.controller.in_flight


def test_a_function_level_reset_ends_a_suspension_and_forgets_what_was_not_committed() -> None:
    bench = ready()
    bench.x.suspend()
    state = bench.x.get_state()[:48]
    assert bench.x.set_state(state, sequence=SequenceIndicator.FIRST) == Status.SUCCESS
    reset_function(bench.y)
    assert bench.x.resume() == Status.CONTROLLER_NOT_SUSPENDED
    assert bench.x.suspend() == bench.x.resume() == Status.SUCCESS


def test_requests_for_events_end_with_a_function_level_reset_and_are_not_answered() -> None:
    bench = ready()
    bench.y.admin.submit(commands.async_event_request(0))
    bench.engine.run()
    reset_function(bench.y)
    bench.engine.run()
    assert bench.y.admin.look() is None
    assert not bench.y.controller.event_requests


def test_resources_stay_over_a_function_level_reset_so_that_it_can_come_between_assigning_and_online() -> (
    None
):
    bench = Bench()
    bench.x.enable()
    assign = VirtualizationAction.SECONDARY_ASSIGN
    for resource in (0, 1):
        assert (
            bench.x.admin.status(raw(0x1C, cdw10=Y << 16 | resource << 8 | assign, cdw11=4)) == Status.SUCCESS
        )
    reset_function(bench.y)
    assert bench.x.admin.status(raw(0x1C, cdw10=Y << 16 | 9)) == Status.SUCCESS
    assert bench.y.read(Property.CSTS) == 0


@pytest.mark.parametrize("steps", range(1, 12))
def test_a_suspend_that_waits_ends_when_the_function_is_reset(steps: int) -> None:
    bench = ready()
    bench.y.io.submit(*[FLUSH] * 4)
    bench.engine.advance(steps)
    (cid,) = bench.x.admin.submit(lm.suspend(0, Y))
    bench.engine.advance(4)
    reset_function(bench.y)
    bench.engine.run()
    bench.x.admin.reap()
    assert status_of(bench.x.admin.unread[cid][0]) == Status.SUCCESS


# -- the function of the MMC ------------------------------------------------------------------------------


@pytest.mark.parametrize("reset_resumes", ["either controller", "own controller"])
def test_a_function_level_reset_of_the_mmc_takes_its_virtual_functions_and_queues_along(
    reset_resumes: str,
) -> None:
    bench = ready(habits=Habits(reset_resumes=reset_resumes))
    queue = bench.x.make_mq(8)
    queue.start()
    bench.x.suspend()
    reset_function(bench.x)
    assert [bench.x.read(offset) for offset in ADDRESSES] == [0, 0, 0]
    assert bench.y.read(Property.CSTS) == bench.z.read(Property.CSTS) == CFS
    assert bench.x.controller.read_configuration(FunctionRegister.SRIOV_CONTROL) == 0
    assert bench.x.enable() == 1
    assert bench.x.admin.status(lm.delete_cdq(0, queue.cdqid)) == Status.INVALID_CONTROLLER_DATA_QUEUE
    assert bench.x.resume() == Status.CONTROLLER_NOT_SUSPENDED
    bench.x.make_ring(1)
    assert bench.x.write_blocks(0, [1]) == Status.SUCCESS


def test_after_it_secondary_controllers_come_online_once_vf_enable_is_set_again() -> None:
    bench = ready()
    reset_function(bench.x)
    bench.x.enable()
    for resource in (0, 1):
        assert bench.x.admin.status(raw(0x1C, cdw10=Y << 16 | resource << 8 | 8, cdw11=4)) == Status.SUCCESS
    online = raw(0x1C, cdw10=Y << 16 | 9)
    assert bench.x.admin.status(online) == Status.INVALID_SECONDARY_CONTROLLER_STATE
    set_functions(bench, 2)
    for resource in (0, 1):
        bench.x.admin.status(raw(0x1C, cdw10=Y << 16 | resource << 8 | 8, cdw11=4))
    assert bench.x.admin.status(online) == Status.SUCCESS
    assert bench.y.enable() == 1


# -- virtual functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("audited", [False, True])
def test_clearing_vf_enable_takes_every_secondary_controller_offline(audited: bool) -> None:
    bench = ready(audited=audited)
    bench.configure(bench.x.controller, FunctionRegister.SRIOV_CONTROL, 0)
    assert bench.y.read(Property.CSTS) == bench.z.read(Property.CSTS) == CFS
    assert bench.x.write_blocks(0, [1]) == Status.SUCCESS
    bench.configure(bench.x.controller, FunctionRegister.SRIOV_CONTROL, 1)
    bench.online(bench.y)
    assert bench.y.enable() == 1


def test_a_smaller_numvfs_leaves_the_functions_behind_it_offline() -> None:
    bench = ready()
    set_functions(bench, 1)
    bench.online(bench.y)
    assert bench.y.read(Property.CSTS) == 0
    for resource in (0, 1):
        assert bench.x.admin.status(raw(0x1C, cdw10=3 << 16 | resource << 8 | 8, cdw11=4)) == Status.SUCCESS
    online = raw(0x1C, cdw10=3 << 16 | 9)
    assert bench.x.admin.status(online) == Status.INVALID_SECONDARY_CONTROLLER_STATE


def test_numvfs_can_be_written_only_while_no_function_is_enabled_and_not_beyond_totalvfs() -> None:
    bench = ready()
    configure, read = bench.x.controller.write_configuration, bench.x.controller.read_configuration
    assert (read(FunctionRegister.TOTAL_VFS), read(FunctionRegister.NUM_VFS)) == (2, 2)
    configure(FunctionRegister.NUM_VFS, 1)
    assert read(FunctionRegister.NUM_VFS) == 2
    configure(FunctionRegister.SRIOV_CONTROL, 0)
    configure(FunctionRegister.NUM_VFS, 3)
    assert read(FunctionRegister.NUM_VFS) == 2
    configure(FunctionRegister.NUM_VFS, 0)
    assert read(FunctionRegister.NUM_VFS) == 0


def test_a_secondary_controllers_function_can_be_reset_and_has_no_functions_of_its_own() -> None:
    bench = ready()
    y = bench.y.controller
    assert y.read_configuration(FunctionRegister.PXDCAP) >> 28 & 1 == 1
    for register in (FunctionRegister.SRIOV_CONTROL, FunctionRegister.NUM_VFS, FunctionRegister.TOTAL_VFS):
        y.write_configuration(register, 1)
        assert y.read_configuration(register) == 0
    assert bench.z.write_blocks(0, [1]) == Status.SUCCESS


def test_other_bits_and_registers_do_nothing() -> None:
    bench = ready()
    for offset, value in ((FunctionRegister.PXDC, 0x7FFF), (FunctionRegister.PXDCAP, IFLR), (0x4C, IFLR)):
        bench.y.controller.write_configuration(offset, value)
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS
    assert bench.y.controller.read_configuration(0x4C) == 0


# -- shutdown ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_a_controller_that_was_shut_down_ends_what_it_has_fetched_and_fetches_no_more(seed: int) -> None:
    bench = ready(Random(seed))
    bench.y.io.submit(*[FLUSH] * 8)
    bench.engine.advance(6 + seed)
    fetched = bench.y.controller.sqs[1].fetched
    bench.y.write(Property.CC, ENABLE | 1 << 14)
    bench.engine.run()
    assert bench.y.controller.sqs[1].fetched == fetched
    assert len(bench.y.io.reap()) == fetched
    bench.y.write(Property.CC, 0)
    bench.y.enable()
    assert bench.y.make_ring(1).status(FLUSH) == Status.SUCCESS


def test_a_target_that_was_shut_down_stays_suspended_until_it_is_reset() -> None:
    bench = ready()
    bench.x.suspend()
    bench.y.write(Property.CC, ENABLE | 1 << 14)
    assert bench.x.resume() == Status.SUCCESS
    bench.x.suspend()
    bench.y.write(Property.CC, 0)
    assert bench.x.resume() == Status.CONTROLLER_NOT_SUSPENDED


def test_a_shutdown_of_the_mmc_keeps_its_migration_queues_and_the_suspensions() -> None:
    bench = ready()
    queue = bench.x.make_mq(8)
    bench.x.suspend()
    bench.x.write(Property.CC, ENABLE | 1 << 14)
    assert bench.y.read(Property.CSTS) == CFS
    assert queue.tell(0) == Status.SUCCESS
    assert bench.x.resume() == Status.SUCCESS


def test_namespaces_and_attachments_stay_over_every_reset() -> None:
    bench = ready()
    bench.y.write_blocks(7, [70])
    reset_function(bench.y)
    reset_function(bench.x)
    bench.x.enable()
    bench.x.make_ring(1)
    assert bench.x.read_blocks(7, 1) == [70]
    assert bench.attach(1, X) == bench.attach(1, Y) == Status.NAMESPACE_ALREADY_ATTACHED
