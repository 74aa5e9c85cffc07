"""Namespace Management and Attachment, Virtualization Management."""

import pytest

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import Status, commands
from nvmelm_lab.nvme.codes import BROADCAST_NSID, ResourceType, VirtualizationAction
from nvmelm_lab.nvme.identify import IdentifyNamespace
from nvmelm_lab.nvme.pages import pack_page
from tests.ssd.door import Bench, Host, X, Y, Z, raw, ready, status_of

FLUSH = commands.flush(0, 1)


def create(host: Host, page: bytes, *, csi: int = 0, select: int = 0) -> Status:
    address = host.take()
    host.space.write(address, page)
    return host.admin.status(raw(0x0D, prp1=address, cdw10=select, cdw11=csi << 24))


def described(**fields: int) -> bytes:
    return pack_page(IdentifyNamespace(**{"nsze": 8, "ncap": 8, **fields}))


# -- Namespace Management ---------------------------------------------------------------------------------


def test_a_new_namespace_is_deallocated_and_attached_to_nobody() -> None:
    bench = ready()
    nsid = bench.create_namespace(16)
    assert bench.x.io.status(commands.flush(0, nsid)) == Status.INVALID_FIELD
    assert bench.attach(nsid, X) == Status.SUCCESS
    assert bench.x.read_blocks(0, 16, nsid) == [0] * 16
    assert bench.x.lba_status(nsid=nsid) == ((), 2)


def test_the_lowest_free_nsid_is_given_and_given_again() -> None:
    bench = ready()
    assert [bench.create_namespace(8) for _ in range(3)] == [2, 3, 4]
    assert bench.x.admin.status(commands.namespace_delete(0, 3)) == Status.SUCCESS
    assert bench.create_namespace(8) == 3


@pytest.mark.parametrize(
    ("page", "more", "status"),
    [
        (described(nsze=0, ncap=0), {}, Status.INVALID_FIELD),
        (described(ncap=9), {}, Status.INVALID_FIELD),
        (described(ncap=7), {}, Status.THIN_PROVISIONING_NOT_SUPPORTED),
        (described(flbas=1), {}, Status.INVALID_FORMAT),
        (described(dps=1), {}, Status.INVALID_FORMAT),
        (described(nsze=4096, ncap=4096), {}, Status.NAMESPACE_INSUFFICIENT_CAPACITY),
        (described(nsze=1 << 63, ncap=1 << 63), {}, Status.NAMESPACE_INSUFFICIENT_CAPACITY),
        (described(), {"csi": 2}, Status.INVALID_FIELD),
        (described(), {"select": 2}, Status.INVALID_FIELD),
    ],
)
def test_a_namespace_that_cannot_be_is_not_made(page: bytes, more: dict[str, int], status: Status) -> None:
    bench = ready()
    assert create(bench.x, page, **more) == status
    assert list(bench.ssd.namespaces) == [1]


def test_capacity_is_given_out_to_the_last_block_and_comes_back() -> None:
    bench = ready(blocks=64)
    assert create(bench.x, described(nsze=4032, ncap=4032)) == Status.SUCCESS
    assert create(bench.x, described(nsze=1, ncap=1)) == Status.NAMESPACE_INSUFFICIENT_CAPACITY
    assert bench.x.admin.status(commands.namespace_delete(0, 1)) == Status.SUCCESS
    assert create(bench.x, described(nsze=64, ncap=64)) == Status.SUCCESS


def test_there_are_no_more_than_128_namespaces() -> None:
    bench = ready()
    for _ in range(127):
        bench.create_namespace(1)
    assert create(bench.x, described(nsze=1, ncap=1)) == Status.NAMESPACE_IDENTIFIER_UNAVAILABLE


@pytest.mark.parametrize(
    ("nsid", "status"),
    [
        (2, Status.INVALID_FIELD),
        (0, Status.INVALID_NAMESPACE_OR_FORMAT),
        (129, Status.INVALID_NAMESPACE_OR_FORMAT),
    ],
)
def test_a_namespace_that_is_not_there_cannot_be_deleted(nsid: int, status: Status) -> None:
    assert ready().x.admin.status(commands.namespace_delete(0, nsid)) == status


def test_a_deleted_namespace_is_gone_for_all_who_had_it() -> None:
    bench = ready()
    assert bench.x.admin.status(commands.namespace_delete(0, 1)) == Status.SUCCESS
    for host in (bench.x, bench.y):
        assert host.io.status(FLUSH) == Status.INVALID_FIELD


def test_the_broadcast_nsid_deletes_all_namespaces() -> None:
    bench = ready()
    bench.create_namespace(8)
    assert bench.x.admin.status(commands.namespace_delete(0, BROADCAST_NSID)) == Status.SUCCESS
    assert not bench.ssd.namespaces
    assert bench.create_namespace(8) == 1


def test_a_change_of_a_namespace_that_is_deleted_meanwhile_is_still_told_of() -> None:
    bench = ready()
    queue = bench.x.make_mq(8)
    queue.start()
    assert bench.y.write_blocks(0, [1]) == Status.SUCCESS
    bench.y.io.submit(commands.write_zeroes(0, 1, 0, 1, deallocate=True))
    while not any(command.changes for command in bench.y.controller.in_flight):
        bench.engine.advance(1)
    bench.ssd.namespaces.clear()
    bench.engine.run()
    assert [(entry.slba, entry.deallocated) for entry in queue.take()] == [(0, False), (0, True)]


# -- Namespace Attachment ---------------------------------------------------------------------------------


def test_a_shared_namespace_is_attached_to_several_controllers_which_see_the_same_blocks() -> None:
    bench = ready()
    assert bench.y.write_blocks(3, [33]) == Status.SUCCESS
    assert bench.x.read_blocks(3, 1) == bench.z.read_blocks(3, 1) == [33]


def test_a_private_namespace_has_one_controller_at_a_time() -> None:
    bench = ready()
    nsid = bench.create_namespace(8, shared=False)
    assert bench.attach(nsid, Y, Z) == Status.NAMESPACE_PRIVATE
    assert bench.attach(nsid, Y) == Status.SUCCESS
    assert bench.attach(nsid, Z) == Status.NAMESPACE_PRIVATE
    assert bench.detach(nsid, Y) == Status.SUCCESS
    assert bench.attach(nsid, Z) == Status.SUCCESS
    assert bench.y.io.status(commands.flush(0, nsid)) == Status.INVALID_FIELD
    assert bench.z.io.status(commands.flush(0, nsid)) == Status.SUCCESS


def test_attaching_twice_or_detaching_what_is_not_attached_changes_nothing() -> None:
    bench = ready()
    nsid = bench.create_namespace(8)
    assert bench.attach(nsid, Y) == Status.SUCCESS
    assert bench.attach(nsid, X, Y) == Status.NAMESPACE_ALREADY_ATTACHED
    assert bench.detach(nsid, Y, Z) == Status.NAMESPACE_NOT_ATTACHED
    assert bench.ssd.namespaces[nsid].attached == {Y}


@pytest.mark.parametrize(
    "listed",
    [b"\0\0", b"\1\0\0\0", b"\1\0\11\0", b"\2\0\3\0\2\0", b"\2\0\2\0\2\0", b"\0\10", b"\xff\xff"],
    ids=["empty", "CNTLID 0", "unknown", "descending", "twice the same", "2048", "65535"],
)
@pytest.mark.parametrize("select", [0, 1])
def test_a_bad_list_of_controllers_is_refused(listed: bytes, select: int) -> None:
    bench = ready()
    address = bench.x.take()
    bench.x.space.write(address, listed)
    sqe = raw(0x15, nsid=1, prp1=address, cdw10=select)
    assert bench.x.admin.status(sqe) == Status.CONTROLLER_LIST_INVALID


@pytest.mark.parametrize(
    ("nsid", "status"),
    [
        (2, Status.INVALID_FIELD),
        (0, Status.INVALID_NAMESPACE_OR_FORMAT),
        (BROADCAST_NSID, Status.INVALID_NAMESPACE_OR_FORMAT),
    ],
)
def test_a_namespace_that_is_not_there_cannot_be_attached(nsid: int, status: Status) -> None:
    assert ready().attach(nsid, Y) == status


def test_a_reserved_operation_on_attachments_is_refused() -> None:
    bench = ready()
    assert bench.x.admin.status(raw(0x15, nsid=1, prp1=bench.x.take(), cdw10=2)) == Status.INVALID_FIELD


# -- Virtualization Management ----------------------------------------------------------------------------


def manage(bench: Bench, action: int, cntlid: int = Y, resource: int = 0, count: int = 0) -> Status:
    return bench.x.admin.status(raw(0x1C, cdw10=cntlid << 16 | resource << 8 | action, cdw11=count))


OFFLINE, ASSIGN, ONLINE = 7, 8, 9


def primary_alone() -> Bench:
    bench = Bench()
    bench.x.enable()
    return bench


def test_a_controller_comes_online_once_it_has_queues_and_an_interrupt() -> None:
    bench = primary_alone()
    assert manage(bench, ONLINE) == Status.INVALID_SECONDARY_CONTROLLER_STATE
    assert manage(bench, ASSIGN, resource=0, count=2) == Status.SUCCESS
    assert manage(bench, ONLINE) == Status.INVALID_SECONDARY_CONTROLLER_STATE
    assert manage(bench, ASSIGN, resource=1, count=1) == Status.SUCCESS
    assert manage(bench, ONLINE) == Status.SUCCESS
    assert bench.y.enable() == 1
    bench.y.make_ring(1)


def test_one_queue_resource_is_too_few_for_an_admin_and_an_io_queue() -> None:
    bench = primary_alone()
    manage(bench, ASSIGN, resource=0, count=1)
    manage(bench, ASSIGN, resource=1, count=1)
    assert manage(bench, ONLINE) == Status.INVALID_SECONDARY_CONTROLLER_STATE


def test_resources_are_assigned_offline_only() -> None:
    assert manage(ready(), ASSIGN, count=3) == Status.INVALID_SECONDARY_CONTROLLER_STATE


def test_assigning_says_how_many_resources_were_assigned() -> None:
    bench = primary_alone()
    sqe = commands.virtualization(0, Y, VirtualizationAction.SECONDARY_ASSIGN, ResourceType.QUEUES, 5)
    assert bench.x.admin.run(sqe).dw0 == 5


@pytest.mark.parametrize(
    ("action", "more", "status"),
    [
        (ASSIGN, {"count": 17}, Status.INVALID_NUMBER_OF_CONTROLLER_RESOURCES),
        (ASSIGN, {"resource": 2, "count": 1}, Status.INVALID_RESOURCE_IDENTIFIER),
        (ASSIGN, {"cntlid": X}, Status.INVALID_CONTROLLER_IDENTIFIER),
        (OFFLINE, {"cntlid": X}, Status.INVALID_CONTROLLER_IDENTIFIER),
        (ONLINE, {"cntlid": 99}, Status.INVALID_CONTROLLER_IDENTIFIER),
        (1, {"cntlid": Y}, Status.INVALID_CONTROLLER_IDENTIFIER),
        (1, {"cntlid": X}, Status.INVALID_FIELD),
        (0, {}, Status.INVALID_FIELD),
        (2, {}, Status.INVALID_FIELD),
        (10, {}, Status.INVALID_FIELD),
    ],
)
def test_what_cannot_be_managed_is_refused(action: int, more: dict[str, int], status: Status) -> None:
    assert manage(primary_alone(), action, **more) == status


@pytest.mark.parametrize("action", [OFFLINE, ONLINE])
def test_it_is_no_error_to_ask_for_the_state_that_is(action: int) -> None:
    bench = ready()
    assert manage(bench, action) == Status.SUCCESS
    assert manage(bench, action) == Status.SUCCESS


def test_going_offline_resets_and_gives_back_the_resources() -> None:
    bench = ready()
    bench.y.io.submit(*[FLUSH] * 4)
    bench.engine.advance(5)
    assert manage(bench, OFFLINE) == Status.SUCCESS
    bench.engine.run()
    assert not bench.y.controller.in_flight
    assert not bench.y.controller.sqs
    for resource in (0, 1):
        assert manage(bench, ONLINE) == Status.INVALID_SECONDARY_CONTROLLER_STATE
        assert manage(bench, ASSIGN, resource=resource, count=4) == Status.SUCCESS
    assert manage(bench, ONLINE) == Status.SUCCESS
    bench.online(bench.y)
    assert bench.y.enable() == 1
    assert bench.y.make_ring(1).status(FLUSH) == Status.SUCCESS


def test_attachments_stay_when_a_controller_goes_offline() -> None:
    bench = ready()
    manage(bench, OFFLINE)
    assert bench.attach(1, Y) == Status.NAMESPACE_ALREADY_ATTACHED


def test_an_offline_controller_fetches_nothing_even_if_a_state_gives_it_queues() -> None:
    bench = ready()
    bench.x.suspend(Y)
    bench.y.io.submit(FLUSH)
    state = bench.x.get_state(Y)
    manage(bench, OFFLINE)
    manage(bench, ASSIGN, resource=0, count=4)
    manage(bench, ASSIGN, resource=1, count=4)
    assert bench.x.set_state(state) == Status.SUCCESS
    bench.y.io.put(FLUSH)
    bench.y.io.ring()
    bench.engine.run()
    assert bench.y.io.look() is None
    assert manage(bench, ONLINE) == Status.SUCCESS
    cqe = bench.y.io.look()
    assert cqe is not None
    assert status_of(cqe) == Status.SUCCESS
    assert len(bench.y.io.reap()) == 1, "what a doorbell told it while it was offline, it never heard"


def test_a_page_of_description_must_be_in_memory() -> None:
    bench = ready()
    sqe = commands.namespace_create(0, bench.x.space.size)
    assert bench.x.admin.status(sqe) == Status.DATA_TRANSFER_ERROR
    assert bench.x.admin.status(commands.namespace_create(0, PAGE_BYTES + 2)) == Status.PRP_OFFSET_INVALID
