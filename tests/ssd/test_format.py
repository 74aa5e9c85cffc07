"""Format NVM: whole namespaces are emptied at once, and a change of the controller that did it."""

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.nvme import LbaChange, Status, commands
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import BROADCAST_NSID, Property
from nvmelm_lab.nvme.identify import FNA_CRYES, FNA_FNS, FNA_FNVMBS, FNA_SENS, OACS_FNVMS, IdentifyController
from nvmelm_lab.nvme.pages import unpack_page
from nvmelm_lab.ssd import Habits
from tests.ssd import by_hand
from tests.ssd.by_hand import HABITS
from tests.ssd.door import Bench, Host, Y, Z, raw, ready, status_of
from tests.ssd.mq import MigrationQueue, entry_bytes

BLOCKS = 64
FIRST, FULL = 1, 7


@pytest.fixture
def bench() -> Bench:
    """Namespace 1 is everybody's, 2 is Z's, 3 nobody's; each has LBAs 10 to 13 written."""
    bench = ready(blocks=BLOCKS)
    for nsid in (2, 3):
        assert bench.create_namespace(BLOCKS) == nsid
        assert bench.attach(nsid, Z) == Status.SUCCESS
    for nsid in (1, 2, 3):
        assert bench.z.write_blocks(10, [1, 2, 3, 4], nsid) == Status.SUCCESS
    assert bench.detach(3, Z) == Status.SUCCESS
    return bench


def used(bench: Bench) -> dict[int, int]:
    return {nsid: namespace.used_blocks() for nsid, namespace in bench.ssd.namespaces.items()}


def form(host: Host, nsid: int, **more: int) -> Status:
    cqe = host.admin.run(commands.format_nvm(0, nsid, **more))
    assert (cqe.dw0, cqe.dw1) == (0, 0)
    return status_of(cqe)


@pytest.mark.parametrize("secure_erase", [0, 1, 2])
def test_a_formatted_namespace_is_empty_and_its_size_stays(bench: Bench, secure_erase: int) -> None:
    bench.y.io.status(commands.write_uncorrectable(0, 1, 20, 1))
    assert form(bench.y, 1, secure_erase=secure_erase) == Status.SUCCESS
    assert bench.y.read_blocks(0, BLOCKS) == [0] * BLOCKS
    assert used(bench) == {1: 0, 2: 4, 3: 4}
    assert bench.y.write_blocks(BLOCKS - 1, [5]) == Status.SUCCESS


def test_a_namespace_that_was_formatted_holds_what_is_written_next(bench: Bench) -> None:
    form(bench.y, 1)
    bench.y.write_blocks(10, [7])
    assert bench.y.read_blocks(9, 3) == [0, 7, 0]


def test_all_that_are_attached_can_be_formatted_at_once(bench: Bench) -> None:
    assert form(bench.z, BROADCAST_NSID) == Status.SUCCESS
    assert used(bench) == {1: 0, 2: 0, 3: 4}


def test_with_nothing_attached_there_is_nothing_to_format(bench: Bench) -> None:
    bench.detach(1, Y)
    assert form(bench.y, BROADCAST_NSID) == Status.SUCCESS
    assert used(bench) == {1: 4, 2: 4, 3: 4}


def test_who_manages_namespaces_formats_any_that_is_allocated(bench: Bench) -> None:
    assert form(bench.x, 3) == Status.SUCCESS
    assert used(bench) == {1: 4, 2: 4, 3: 0}


@pytest.mark.parametrize(
    ("nsid", "status"),
    [
        (0, Status.INVALID_NAMESPACE_OR_FORMAT),
        (2, Status.INVALID_FIELD),
        (3, Status.INVALID_FIELD),
        (4, Status.INVALID_FIELD),
        (129, Status.INVALID_NAMESPACE_OR_FORMAT),
    ],
)
def test_others_format_what_is_attached_to_them(bench: Bench, nsid: int, status: Status) -> None:
    assert form(bench.y, nsid) == status
    assert used(bench) == {1: 4, 2: 4, 3: 4}


@pytest.mark.parametrize(
    ("cdw10", "status"),
    [
        *((ses << 9, Status.INVALID_FIELD) for ses in (3, 4, 7)),
        *((lbafl, Status.INVALID_FORMAT) for lbafl in (1, 2, 15)),
        *((kind << 5, Status.INVALID_FORMAT) for kind in (1, 2, 3, 7)),
    ],
)
def test_a_form_that_there_is_not_is_refused(bench: Bench, cdw10: int, status: Status) -> None:
    assert bench.y.admin.status(raw(0x80, nsid=1, cdw10=cdw10)) == status
    assert used(bench) == {1: 4, 2: 4, 3: 4}


def test_bits_without_metadata_or_extended_formats_are_no_matter(bench: Bench) -> None:
    assert bench.y.admin.status(raw(0x80, nsid=1, cdw10=1 << 4 | 3 << 12)) == Status.SUCCESS


def test_identify_says_what_format_does(bench: Bench) -> None:
    for host in (bench.x, bench.y):
        address = host.take()
        assert by_hand.status(host, by_hand.identify(address, 1)) == Status.SUCCESS
        page = unpack_page(IdentifyController, host.space.read(address, 4096))
        assert OACS_FNVMS.get(page.oacs) == 1
        assert FNA_CRYES.get(page.fna) == 1
        assert [bit.get(page.fna) for bit in (FNA_FNS, FNA_SENS, FNA_FNVMBS)] == [0, 0, 0]


# -- logging ----------------------------------------------------------------------------------------------


def logged(habits: Habits | None = None, slots: int = 16) -> tuple[Bench, MigrationQueue]:
    bench = ready(blocks=BLOCKS, habits=habits)
    bench.y.write_blocks(10, [1, 2, 3, 4])
    queue = bench.x.make_mq(slots)
    assert queue.start() == Status.SUCCESS
    return bench, queue


def test_a_format_by_the_target_is_told_of_as_a_deallocation_of_all_lbas() -> None:
    bench, queue = logged()
    bench.y.write_blocks(0, [1])
    assert form(bench.y, 1) == Status.SUCCESS
    assert queue.slot(1) == entry_bytes(1, 0, BLOCKS, 0x21)


def test_a_format_by_somebody_else_is_not_told_of() -> None:
    bench, queue = logged()
    assert form(bench.x, 1) == form(bench.z, 1) == Status.SUCCESS
    assert queue.take() == []


def test_each_namespace_of_the_target_that_is_formatted_is_told_of() -> None:
    bench, queue = logged()
    bench.create_namespace(8)
    bench.create_namespace(8)
    bench.attach(2, Y)
    assert form(bench.y, BROADCAST_NSID) == Status.SUCCESS
    assert [(entry.nsid, entry.slba, entry.blocks) for entry in queue.take()] == [(1, 0, BLOCKS), (2, 0, 8)]


def test_a_format_that_is_refused_is_not_told_of() -> None:
    bench, queue = logged()
    bench.y.admin.status(raw(0x80, nsid=1, cdw10=1))
    assert queue.take() == []


@pytest.mark.parametrize("name", HABITS)
def test_whatever_the_habits_a_format_is_told_of_completely(name: str) -> None:
    bench, queue = logged(HABITS[name])
    bench.create_namespace(8)
    bench.attach(2, Y)
    assert form(bench.y, BROADCAST_NSID) == Status.SUCCESS
    told: set[tuple[int, int]] = set()
    for entry in queue.take():
        if entry.change == LbaChange.ALL:
            assert entry.esa, "LBACIR must be 00b with ESA 000b"
            told |= {(entry.nsid, lba) for lba in range(BLOCKS if entry.nsid == 1 else 8)}
        told |= {(entry.nsid, lba) for lba in range(entry.slba, entry.slba + entry.blocks)}
    expected = {(1, lba) for lba in range(BLOCKS)}
    if HABITS[name].no_change == "logged":
        expected |= {(2, lba) for lba in range(8)}
    assert told == expected


@pytest.mark.parametrize("seed", range(10))
def test_a_suspend_waits_for_the_entry_of_a_format_under_way(seed: int) -> None:
    bench = ready(Random(seed), blocks=BLOCKS, habits=Habits(entry_order="open"))
    bench.y.write_blocks(10, [1])
    queue = bench.x.make_mq(16)
    queue.start()
    bench.y.admin.submit(commands.format_nvm(0, 1))
    bench.engine.advance(seed)
    bench.x.admin.submit(lm.suspend(0, Y))
    bench.engine.run()
    esas = [(entry.esa, entry.blocks) for entry in queue.take()]
    assert esas in ([(1, BLOCKS), (3, 0)], [(3, 0)])
    assert (esas == [(3, 0)]) == bool(bench.ssd.namespaces[1].used_blocks())


@pytest.mark.parametrize("order", ["entry first", "completion first"])
def test_a_reset_amid_it_tells_of_what_was_formatted(order: str) -> None:
    bench, queue = logged(Habits(entry_order=order))
    bench.y.admin.submit(commands.format_nvm(0, 1))
    while bench.ssd.namespaces[1].used_blocks():
        bench.engine.advance(1)
    bench.y.write(Property.CC, 0)
    bench.engine.run()
    assert [(entry.slba, entry.blocks) for entry in queue.take()] == [(0, BLOCKS)]


# -- freedom: whole namespaces ----------------------------------------------------------------------------


def test_all_lbs_may_be_said_of_a_whole_namespace_in_a_first_entry() -> None:
    bench, queue = logged(Habits(whole_namespace="all LBs"))
    form(bench.y, 1)
    form(bench.y, 1)
    assert queue.slot(0) == bytes.fromhex("01000000") + bytes(27) + b"\x63"
    assert queue.slot(1) == entry_bytes(1, 0, BLOCKS, 0x21), "ESA 000b wants LBACIR 00b"


def test_all_lbs_may_be_said_in_the_entry_that_fills_the_queue() -> None:
    bench, queue = logged(Habits(whole_namespace="all LBs"), slots=3)
    bench.y.write_blocks(0, [1])
    form(bench.y, 1)
    (_, last) = queue.look()
    assert (last.change, last.esa, last.nsid, last.deallocated) == (LbaChange.ALL, FULL, 1, True)


def test_all_lbs_is_said_whichever_command_it_was_and_of_no_less() -> None:
    bench, queue = logged(Habits(whole_namespace="all LBs"))
    bench.y.io.status(commands.write_zeroes(0, 1, 0, BLOCKS))
    (entry,) = queue.take()
    assert (entry.change, entry.esa, entry.deallocated) == (LbaChange.ALL, FIRST, False)
    queue.stop()
    queue.start()
    bench.y.io.status(commands.write_zeroes(0, 1, 0, BLOCKS - 1))
    assert [entry.blocks for entry in queue.take()] == [0, BLOCKS - 1]


def test_a_suspended_controller_formats_nothing_until_it_resumes(bench: Bench) -> None:
    assert bench.x.suspend() == Status.SUCCESS
    bench.y.admin.submit(commands.format_nvm(0, 1))
    bench.engine.run()
    assert used(bench)[1] == 4
    assert form(bench.x, 1) == Status.SUCCESS, "others are free to"
    assert bench.x.resume() == Status.SUCCESS
    bench.engine.run()
    assert [status_of(cqe) for cqe in bench.y.admin.reap()] == [Status.SUCCESS]
