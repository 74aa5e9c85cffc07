"""Sanitize: the whole subsystem is emptied in the background, and hardly a command is carried out meanwhile."""

import pytest

from nvmelm_lab.engine import Random, Timed
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    IoOpcode,
    LbaStatusAction,
    LogAction,
    Property,
    SanitizeAction,
    VirtualizationAction,
)
from nvmelm_lab.nvme.identify import IdentifyController
from nvmelm_lab.nvme.pages import unpack_page
from nvmelm_lab.ssd import Habits, admin, io_commands
from nvmelm_lab.ssd.sanitizer import ALLOWED
from tests.ssd import by_hand
from tests.ssd.by_hand import HABITS
from tests.ssd.door import Bench, X, Y, Z, raw, ready, status_of
from tests.ssd.mq import entry_bytes

BLOCKS = 64
OPERATIONS = [SanitizeAction.BLOCK_ERASE, SanitizeAction.OVERWRITE, SanitizeAction.CRYPTO_ERASE]


def filled(**more: object) -> Bench:
    """Namespace 1 is everybody's, 2 nobody's; each has an LBA written."""
    bench = ready(blocks=BLOCKS, **more)  # type: ignore[arg-type]
    assert bench.create_namespace(8) == 2
    bench.attach(2, Z)
    for nsid in (1, 2):
        assert bench.z.write_blocks(3, [7], nsid) == Status.SUCCESS
    bench.detach(2, Z)
    return bench


def used(bench: Bench) -> dict[int, int]:
    return {nsid: namespace.used_blocks() for nsid, namespace in bench.ssd.namespaces.items()}


def sanitize(bench: Bench, action: SanitizeAction = SanitizeAction.BLOCK_ERASE) -> Status:
    """Submit, and run until it has completed; the operation goes on."""
    return begun(bench, commands.sanitize(0, action))


def begun(bench: Bench, sqe: bytes) -> Status:
    bench.x.admin.submit(sqe)
    while not bench.x.admin.look():
        bench.engine.advance(1)
    (cqe,) = bench.x.admin.reap()
    bench.x.admin.unread.clear()
    return status_of(cqe)


@pytest.mark.parametrize("action", OPERATIONS)
def test_everything_is_emptied_after_the_command_has_completed(action: SanitizeAction) -> None:
    bench = filled()
    bench.y.io.status(commands.write_uncorrectable(0, 1, 20, 1))
    assert sanitize(bench, action) == Status.SUCCESS
    assert bench.ssd.sanitizer.under_way
    assert used(bench) == {1: 2, 2: 1}
    bench.engine.run()
    assert not bench.ssd.sanitizer.under_way
    assert used(bench) == {1: 0, 2: 0}
    assert bench.y.read_blocks(0, BLOCKS) == [0] * BLOCKS


def test_it_can_be_done_again() -> None:
    bench = filled()
    for stamp in (1, 2):
        assert bench.y.write_blocks(0, [stamp]) == Status.SUCCESS
        assert bench.x.admin.status(commands.sanitize(0, SanitizeAction.OVERWRITE)) == Status.SUCCESS
        assert used(bench) == {1: 0, 2: 0}


def test_there_is_no_failure_to_leave() -> None:
    bench = filled()
    assert sanitize(bench, SanitizeAction.EXIT_FAILURE) == Status.SUCCESS
    bench.engine.run()
    assert used(bench) == {1: 1, 2: 1}


@pytest.mark.parametrize("cdw10", [0, 5, 6, 7, 2 | 1 << 10, 2 | 1 << 9, 3 | 1 << 9, 4 | 3 << 9])
def test_an_action_or_option_that_there_is_not_is_refused(cdw10: int) -> None:
    bench = filled()
    assert bench.x.admin.status(raw(0x84, cdw10=cdw10)) == Status.INVALID_FIELD
    bench.engine.run()
    assert used(bench) == {1: 1, 2: 1}


@pytest.mark.parametrize("cdw10", [2 | 1 << 3, 3 | 5 << 4 | 1 << 8, 1 | 3 << 9])
def test_options_that_are_no_matter_here_are_no_matter(cdw10: int) -> None:
    bench = filled()
    assert bench.x.admin.status(raw(0x84, cdw10=cdw10, cdw11=0x1234_5678)) == Status.SUCCESS


def test_the_primary_alone_sanitizes_and_says_so() -> None:
    bench = filled()
    assert bench.y.admin.status(commands.sanitize(0, SanitizeAction.BLOCK_ERASE)) == Status.INVALID_OPCODE
    capabilities = {}
    for host in (bench.x, bench.y):
        address = host.take()
        assert by_hand.status(host, by_hand.identify(address, 1)) == Status.SUCCESS
        page = unpack_page(IdentifyController, host.space.read(address, 4096))
        capabilities[host.cntlid] = page.sanicap
    assert capabilities == {X: 1 << 30 | 1 << 29 | 0b111, Y: 0}


@pytest.mark.parametrize("suspended", [Y, Z])
@pytest.mark.parametrize("action", [*OPERATIONS, SanitizeAction.EXIT_FAILURE])
def test_while_any_controller_is_suspended_nothing_is_sanitized(
    suspended: int, action: SanitizeAction
) -> None:
    bench = filled()
    assert bench.x.suspend(suspended) == Status.SUCCESS
    assert sanitize(bench, action) == Status.CONTROLLER_SUSPENDED
    bench.engine.run()
    assert used(bench) == {1: 1, 2: 1}
    assert bench.x.resume(suspended) == Status.SUCCESS
    assert sanitize(bench, action) == Status.SUCCESS


# -- meanwhile --------------------------------------------------------------------------------------------


def under_way() -> Bench:
    """By the clock: the operation takes long."""
    bench = filled()
    bench.engine.use(Timed())
    assert sanitize(bench) == Status.SUCCESS
    return bench


@pytest.mark.parametrize("opcode", sorted(admin.HANDLERS), ids=lambda opcode: AdminOpcode(opcode).name)
def test_admin_commands_are_shut_out_but_for_those_that_the_standard_lets_in(opcode: int) -> None:
    """Whatever they ask for: all else about this SQE is wrong for most of them."""
    bench = under_way()
    bench.x.admin.submit(raw(opcode, prp1=bench.x.take()))
    while not bench.x.admin.look() and bench.ssd.sanitizer.under_way:
        bench.engine.advance(1)
    found = [status_of(cqe) for cqe in bench.x.admin.reap()]
    assert (Status.SANITIZE_IN_PROGRESS in found) == (opcode not in ALLOWED)


@pytest.mark.parametrize(
    "sqe",
    [
        lm.suspend(0, Y),
        lm.resume(0, Y),
        lm.track_send(0, 0, LogAction.START),
        lm.create_cdq(0, 0x1000, 64, Y),
        lm.delete_cdq(0, 0),
        lm.get_controller_state(0, 0x1000, 0, Y, 10),
        lm.get_lba_status(0, 1, 0, 0, 100, LbaStatusAction.ALLOCATED, 0x1000),
        commands.namespace_delete(0, 1),
        commands.virtualization(0, Y, VirtualizationAction.SECONDARY_OFFLINE),
        commands.format_nvm(0, 1),
        commands.sanitize(0, SanitizeAction.BLOCK_ERASE),
    ],
    ids=lambda sqe: AdminOpcode(sqe[0]).name,
)
def test_nothing_of_a_migration_happens_meanwhile(sqe: bytes) -> None:
    assert begun(under_way(), sqe) == Status.SANITIZE_IN_PROGRESS


BLOCK_COMMANDS = {
    IoOpcode.WRITE: commands.write(0, 1, 0, 1, 0x1000),
    IoOpcode.READ: commands.read(0, 1, 0, 1, 0x1000),
    IoOpcode.WRITE_UNCORRECTABLE: commands.write_uncorrectable(0, 1, 0, 1),
    IoOpcode.COMPARE: commands.compare(0, 1, 0, 1, 0x1000),
    IoOpcode.WRITE_ZEROES: commands.write_zeroes(0, 1, 0, 1),
    IoOpcode.DATASET_MANAGEMENT: commands.dataset_management(0, 1, 1, 0x1000),
    IoOpcode.VERIFY: commands.verify(0, 1, 0, 1),
    IoOpcode.COPY: commands.copy(0, 1, 8, 1, 0x1000),
}


def test_no_io_command_but_flush_is_carried_out_meanwhile() -> None:
    assert BLOCK_COMMANDS.keys() == io_commands.HANDLERS.keys() - {IoOpcode.FLUSH}
    bench = under_way()
    bench.y.io.submit(*BLOCK_COMMANDS.values(), commands.zero_namespace(0, 1), commands.flush(0, 1))
    bench.engine.advance(1)
    found: list[Status] = []
    while len(found) < len(BLOCK_COMMANDS) + 2:
        assert bench.ssd.sanitizer.under_way
        bench.engine.advance(1)
        found += [status_of(cqe) for cqe in bench.y.io.reap()]
    assert found.count(Status.SANITIZE_IN_PROGRESS) == len(BLOCK_COMMANDS) + 1
    assert found.count(Status.SUCCESS) == 1
    bench.engine.run()
    bench.y.io.unread.clear()
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS


@pytest.mark.parametrize("cntlid", [X, Y])
def test_a_reset_does_not_end_it(cntlid: int) -> None:
    bench = under_way()
    host = bench.x if cntlid == X else bench.y
    host.write(Property.CC, 0)
    assert bench.ssd.sanitizer.under_way
    bench.engine.run()
    assert used(bench) == {1: 0, 2: 0}


# -- logging ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HABITS)
def test_the_target_of_each_queue_is_told_what_its_namespaces_have_lost(name: str) -> None:
    bench = filled(habits=HABITS[name])
    queue, other = bench.x.make_mq(8), bench.x.make_mq(8, Z)
    assert queue.start() == Status.SUCCESS
    bench.y.write_blocks(5, [1])
    before = len(queue.look())
    assert sanitize(bench) == Status.SUCCESS
    assert queue.look() == []
    bench.engine.run()
    assert queue.slot(before) == entry_bytes(
        1, 0, BLOCKS, 0x01 if HABITS[name].deallocation_flag == "as a change" else 0x21
    )
    assert other.look() == []


def test_a_namespace_that_the_target_does_not_have_is_not_told_of() -> None:
    bench = filled()
    queue = bench.x.make_mq(8)
    queue.start()
    bench.x.admin.status(commands.sanitize(0, SanitizeAction.BLOCK_ERASE))
    assert [(entry.nsid, entry.slba, entry.blocks) for entry in queue.take()] == [(1, 0, BLOCKS)]


def test_a_first_entry_may_say_all_lbs() -> None:
    bench = filled(habits=Habits(whole_namespace="all LBs"))
    queue = bench.x.make_mq(8)
    queue.start()
    bench.x.admin.status(commands.sanitize(0, SanitizeAction.BLOCK_ERASE))
    assert queue.slot(0) == bytes.fromhex("01000000") + bytes(27) + b"\x63"


@pytest.mark.parametrize("seed", range(20))
def test_nothing_that_is_promised_is_lost_to_it(seed: int) -> None:
    """Writes before it and behind it, and a suspend as soon as one is let in."""
    bench = ready(Random(seed), blocks=BLOCKS, habits=Habits(entry_order="open"), audited=True)
    queue = bench.x.make_mq(32)
    queue.start()
    bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(4)))
    bench.engine.advance(seed)
    assert sanitize(bench) == Status.SUCCESS
    bench.y.io.submit(*(commands.write_zeroes(0, 1, lba, 1) for lba in range(8, 12)))
    while begun(bench, lm.suspend(0, Y)) != Status.SUCCESS:
        bench.engine.advance(3)
    bench.engine.run()
    entries = queue.look()
    told = [(entry.slba, entry.blocks) for entry in entries]
    assert entries[-1].esa == 3
    assert (0, BLOCKS) in told
    behind = told[told.index((0, BLOCKS)) + 1 : -1]
    namespace = bench.ssd.namespaces[1]
    assert {(lba, 1) for lba in range(BLOCKS) if not namespace.is_deallocated(lba, 1)} <= set(behind)
