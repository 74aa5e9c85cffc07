"""Identify: what each page says on the primary and on a secondary controller, and which are refused."""

import pytest

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import Status, commands, identify
from nvmelm_lab.nvme.codes import Cns, IoOpcode, VirtualizationAction
from nvmelm_lab.nvme.identify_lists import (
    SecondaryController,
    unpack_controller_list,
    unpack_namespace_list,
    unpack_secondary_controllers,
    unpack_state_formats,
)
from nvmelm_lab.nvme.pages import unpack_page
from nvmelm_lab.ssd import MAX_TRANSFER_BYTES, STATE_UUID, io_commands
from tests.ssd.door import MEMORY, Host, X, Y, Z, raw, ready


def page(host: Host, cns: int, **fields: int) -> bytes:
    address = host.take()
    assert host.admin.status(commands.identify(0, Cns(cns), address, **fields)) == Status.SUCCESS
    return host.space.read(address, PAGE_BYTES)


def refusal(host: Host, cns: int, *, csi: int = 0, **fields: int) -> Status:
    cntid = fields.pop("cntid", 0)
    sqe = raw(0x06, prp1=host.take(), cdw10=cns | cntid << 16, cdw11=csi << 24, **fields)
    return host.admin.status(sqe)


def test_the_primary_is_a_migration_management_controller_and_a_secondary_is_not() -> None:
    bench = ready()
    x = unpack_page(identify.IdentifyController, page(bench.x, Cns.CONTROLLER))
    y = unpack_page(identify.IdentifyController, page(bench.y, Cns.CONTROLLER))
    assert (identify.OACS_HMLMS.get(x.oacs), identify.OACS_HMLMS.get(y.oacs)) == (1, 0)
    assert (identify.OACS_VMS.get(x.oacs), identify.OACS_VMS.get(y.oacs)) == (1, 0)
    assert (identify.OACS_NMS.get(x.oacs), identify.OACS_NMS.get(y.oacs)) == (1, 0)
    assert (identify.TRATTR_TUDCS.get(x.trattr), identify.TRATTR_TUDCS.get(y.trattr)) == (1, 0)
    assert x.mcudmq == x.mnsudmq == 16
    assert y.mcudmq == y.mnsudmq == 0


def test_an_mmc_tells_what_it_can_track_and_a_target_tracks_nothing() -> None:
    bench = ready()
    x = unpack_page(identify.IdentifyController, page(bench.x, Cns.CONTROLLER))
    y = unpack_page(identify.IdentifyController, page(bench.y, Cns.CONTROLLER))
    assert (identify.TRATTR_THMCS.get(x.trattr), identify.TRATTR_MRTLL.get(x.trattr)) == (1, 0)
    assert x.cmmrtd == x.nmmrtd == 64
    assert (x.minmrtg, x.maxmrtg) == (0, 10)
    assert page(bench.y, Cns.CONTROLLER)[570:588] == bytes(18)
    assert (y.trattr, y.cmmrtd, y.nmmrtd, y.minmrtg, y.maxmrtg) == (0, 0, 0, 0, 0)


def test_no_controller_beside_an_mmc_wants_host_memory() -> None:
    bench = ready()
    for host in (bench.x, bench.y):
        assert unpack_page(identify.IdentifyController, page(host, Cns.CONTROLLER)).hmpre == 0


def test_a_controller_tells_its_cntlid_its_limits_and_the_capacity() -> None:
    bench = ready(blocks=64)
    x = unpack_page(identify.IdentifyController, page(bench.x, Cns.CONTROLLER))
    y = unpack_page(identify.IdentifyController, page(bench.y, Cns.CONTROLLER))
    assert (x.cntlid, y.cntlid) == (X, Y)
    assert PAGE_BYTES << x.mdts == MAX_TRANSFER_BYTES
    assert (x.tnvmcap, x.unvmcap) == (4096 * 4096, (4096 - 64) * 4096)
    assert (x.nn, x.sqes, x.cqes) == (128, 0x66, 0x44)
    assert x.subnqn == y.subnqn


def test_a_namespace_tells_its_size_use_and_form() -> None:
    bench = ready(blocks=64, block_bytes=512)
    bench.y.write_blocks(0, [1, 2, 3])
    namespace = unpack_page(identify.IdentifyNamespace, page(bench.y, Cns.NAMESPACE, nsid=1))
    assert (namespace.nsze, namespace.ncap, namespace.nuse) == (64, 64, 3)
    assert namespace.lbads == 9
    assert identify.NMIC_SHRNS.get(namespace.nmic) == 1
    assert identify.DLFEAT_DRB.get(namespace.dlfeat) == 1
    assert identify.DLFEAT_WZDS.get(namespace.dlfeat) == 1


def test_each_optional_io_command_that_there_is_is_named() -> None:
    bits = {
        IoOpcode.COMPARE: identify.ONCS_NVMCMPS,
        IoOpcode.WRITE_UNCORRECTABLE: identify.ONCS_NVMWUSV,
        IoOpcode.DATASET_MANAGEMENT: identify.ONCS_NVMDSMSV,
        IoOpcode.WRITE_ZEROES: identify.ONCS_NVMWZSV,
        IoOpcode.VERIFY: identify.ONCS_NVMVFYS,
        IoOpcode.COPY: identify.ONCS_NVMCPYS,
    }
    bench = ready()
    for host in (bench.x, bench.y):
        page_of = unpack_page(identify.IdentifyController, page(host, Cns.CONTROLLER))
        named = {opcode for opcode, bit in bits.items() if bit.get(page_of.oncs)}
        assert named | {IoOpcode.FLUSH, IoOpcode.READ, IoOpcode.WRITE} == io_commands.HANDLERS.keys()
        assert identify.ONCS_NSZS.get(page_of.oncs)
        assert page_of.ocfs == 1


def test_the_nvm_command_set_tells_granularity_and_that_allocation_is_tracked() -> None:
    bench = ready(granularity=8)
    namespace = unpack_page(identify.IdentifyNvmNamespace, page(bench.y, Cns.IOCS_NAMESPACE, nsid=1))
    controller = unpack_page(identify.IdentifyNvmController, page(bench.y, Cns.IOCS_CONTROLLER))
    assert namespace.tlbaag == 8
    assert identify.AOCS_RALBAS.get(controller.aocs) == 1
    assert controller.lbamqf == 0


def test_an_inactive_namespace_is_a_page_of_zeros() -> None:
    bench = ready()
    bench.detach(1, Y)
    for cns in (Cns.NAMESPACE, Cns.IOCS_NAMESPACE):
        assert page(bench.y, cns, nsid=1) == bytes(PAGE_BYTES)
        assert page(bench.x, cns, nsid=1) != bytes(PAGE_BYTES)
        assert page(bench.x, cns, nsid=128) == bytes(PAGE_BYTES)


@pytest.mark.parametrize("cns", [Cns.NAMESPACE, Cns.IOCS_NAMESPACE, Cns.ALLOCATED_NAMESPACE])
@pytest.mark.parametrize("nsid", [0, 129, 0xFFFF_FFFF])
def test_a_namespace_that_cannot_be_is_refused(cns: Cns, nsid: int) -> None:
    assert refusal(ready().x, cns, nsid=nsid) == Status.INVALID_NAMESPACE_OR_FORMAT


def test_lists_of_namespaces_tell_active_from_allocated_and_start_behind_an_nsid() -> None:
    bench = ready()
    for _ in range(3):
        bench.create_namespace(8)
    bench.attach(3, Y)
    assert unpack_namespace_list(page(bench.y, Cns.ACTIVE_NAMESPACES)) == (1, 3)
    assert unpack_namespace_list(page(bench.y, Cns.ACTIVE_NAMESPACES, nsid=1)) == (3,)
    assert unpack_namespace_list(page(bench.y, Cns.ACTIVE_NAMESPACES, nsid=3)) == ()
    assert unpack_namespace_list(page(bench.x, Cns.ALLOCATED_NAMESPACES)) == (1, 2, 3, 4)
    assert unpack_namespace_list(page(bench.x, Cns.ALLOCATED_NAMESPACES, nsid=2)) == (3, 4)


@pytest.mark.parametrize("cns", [Cns.ACTIVE_NAMESPACES, Cns.ALLOCATED_NAMESPACES])
@pytest.mark.parametrize("nsid", [0xFFFF_FFFE, 0xFFFF_FFFF])
def test_a_list_of_namespaces_cannot_start_behind_the_last(cns: Cns, nsid: int) -> None:
    assert refusal(ready().x, cns, nsid=nsid) == Status.INVALID_NAMESPACE_OR_FORMAT


def test_lists_of_controllers_tell_all_and_those_attached() -> None:
    bench = ready()
    bench.detach(1, Z)
    assert unpack_controller_list(page(bench.x, Cns.CONTROLLERS)) == (X, Y, Z)
    assert unpack_controller_list(page(bench.x, Cns.CONTROLLERS, cntid=2)) == (Y, Z)
    assert unpack_controller_list(page(bench.x, Cns.ATTACHED_CONTROLLERS, nsid=1)) == (X, Y)
    assert unpack_controller_list(page(bench.x, Cns.ATTACHED_CONTROLLERS, nsid=1, cntid=2)) == (Y,)


@pytest.mark.parametrize(
    ("nsid", "status"),
    [
        (2, Status.INVALID_FIELD),
        (0, Status.INVALID_NAMESPACE_OR_FORMAT),
        (129, Status.INVALID_NAMESPACE_OR_FORMAT),
    ],
)
def test_controllers_of_a_namespace_that_is_not_there_cannot_be_listed(nsid: int, status: Status) -> None:
    assert refusal(ready().x, Cns.ATTACHED_CONTROLLERS, nsid=nsid) == status


def test_the_primary_lists_its_secondary_controllers() -> None:
    bench = ready()
    listed = unpack_secondary_controllers(page(bench.x, Cns.SECONDARY_CONTROLLERS))
    assert listed == (
        SecondaryController(scid=Y, pcid=X, online=True, vfn=1, nvq=4, nvi=4),
        SecondaryController(scid=Z, pcid=X, online=True, vfn=2, nvq=4, nvi=4),
    )
    assert [
        s.scid for s in unpack_secondary_controllers(page(bench.x, Cns.SECONDARY_CONTROLLERS, cntid=3))
    ] == [Z]


def test_the_primary_lists_the_formats_of_controller_state() -> None:
    formats = unpack_state_formats(page(ready().x, Cns.CONTROLLER_STATE_FORMATS))
    assert formats.versions == (0,)
    assert formats.uuids == (STATE_UUID,)


def test_an_allocated_namespace_is_described_to_whom_it_is_not_attached() -> None:
    bench = ready(blocks=64)
    attached = page(bench.y, Cns.NAMESPACE, nsid=1)
    bench.detach(1, Y)
    assert page(bench.y, Cns.NAMESPACE, nsid=1) == bytes(PAGE_BYTES)
    assert page(bench.y, Cns.ALLOCATED_NAMESPACE, nsid=1) == attached
    assert page(bench.y, Cns.ALLOCATED_NAMESPACE, nsid=2) == bytes(PAGE_BYTES)


def test_the_primary_tells_which_resources_it_gives_away_and_has_given() -> None:
    bench = ready()
    found = unpack_page(identify.PrimaryCapabilities, page(bench.x, Cns.PRIMARY_CAPABILITIES))
    assert (found.cntlid, found.crt) == (X, 0b11)
    assert (found.vqfrt, found.vqrfa, found.vqfrsm, found.vqgran) == (32, 8, 16, 1)
    assert (found.vifrt, found.virfa, found.vifrsm, found.vigran) == (32, 8, 16, 1)
    assert (found.vqrfap, found.virfap) == (0, 0)
    bench.x.admin.status(commands.virtualization(0, Y, VirtualizationAction.SECONDARY_OFFLINE))
    found = unpack_page(identify.PrimaryCapabilities, page(bench.x, Cns.PRIMARY_CAPABILITIES))
    assert (found.vqrfa, found.virfa) == (4, 4)


PRIMARY_ALONE = [Cns.PRIMARY_CAPABILITIES, Cns.SECONDARY_CONTROLLERS, Cns.CONTROLLER_STATE_FORMATS]


@pytest.mark.parametrize("cns", PRIMARY_ALONE)
def test_what_only_a_primary_can_tell_a_secondary_refuses(cns: Cns) -> None:
    assert refusal(ready().y, cns) == Status.INVALID_FIELD


@pytest.mark.parametrize("cns", [0x04, 0x07, 0x21, 0x7F, 0xFF])
def test_a_page_that_is_not_there_is_refused(cns: int) -> None:
    assert refusal(ready().x, cns, nsid=1) == Status.INVALID_FIELD


@pytest.mark.parametrize("cns", [Cns.IOCS_NAMESPACE, Cns.IOCS_CONTROLLER])
def test_another_command_set_is_refused(cns: Cns) -> None:
    assert refusal(ready().x, cns, nsid=1, csi=2) == Status.INVALID_FIELD


def test_a_page_may_lie_across_two_pages_of_memory() -> None:
    host = ready().x
    straight = page(host, Cns.CONTROLLER)
    address = host.take(2 * PAGE_BYTES) + 128
    assert (
        host.admin.status(commands.identify(0, Cns.CONTROLLER, *host.prp(address, PAGE_BYTES)))
        == Status.SUCCESS
    )
    assert host.space.read(address, PAGE_BYTES) == straight


@pytest.mark.parametrize(
    ("prp1", "prp2", "status"),
    [
        (0x1002, 0, Status.PRP_OFFSET_INVALID),
        (0x1800, 0x3004, Status.PRP_OFFSET_INVALID),
        (MEMORY, 0, Status.DATA_TRANSFER_ERROR),
        (0x1800, MEMORY, Status.DATA_TRANSFER_ERROR),
        (0xFFFF_FFFF_FFFF_F000, 0, Status.DATA_TRANSFER_ERROR),
    ],
)
def test_a_bad_pointer_is_refused(prp1: int, prp2: int, status: Status) -> None:
    assert ready().x.admin.status(commands.identify(0, Cns.CONTROLLER, prp1, prp2)) == status
