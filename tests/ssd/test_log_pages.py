"""Get Log Page: which pages there are, which commands, and what of a page is returned.  Base 2.1, section 5.1.12."""

import pytest

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import IdentifyController, Status, commands, unpack_page
from nvmelm_lab.nvme.codes import AdminOpcode, Cns, Feature, IoOpcode, LogPage
from nvmelm_lab.nvme.identify import FRMW_FFSRO, FRMW_NOFS, LPA_CSES, LPA_LPEDS
from nvmelm_lab.nvme.log_pages import (
    EFFECTS_CSUPP,
    EFFECTS_LBCC,
    EFFECTS_NIC,
    FEATURES_FSUPP,
    unpack_command_effects,
)
from tests.ssd.door import Bench, Host, raw, ready


@pytest.fixture
def bench() -> Bench:
    return ready()


def page(host: Host, lid: LogPage, length: int = PAGE_BYTES, offset: int = 0) -> bytes:
    """`length` bytes of a log page."""
    address = host.take(length)
    sqe = commands.get_log_page(0, lid, length // 4, *host.prp(address, length), offset=offset)
    assert host.admin.status(sqe) == Status.SUCCESS
    return host.space.read(address, length)


def is_unknown(host: Host, opcode: int, *, qid: int) -> bool:
    """Whether a command with this opcode, and with all else 0, ends with Invalid Command Opcode."""
    ring = host.rings[qid]
    (cid,) = ring.submit(raw(opcode))
    host.bench.engine.run()
    ring.reap()
    answers = ring.unread.pop(cid, None)
    return answers is not None and answers[0].status_word >> 1 & 0x7FF == Status.INVALID_OPCODE


@pytest.mark.parametrize("primary", [True, False])
def test_the_commands_that_are_listed_are_those_that_are_taken(primary: bool) -> None:
    bench = ready()
    host = bench.x if primary else bench.y
    admin, io = unpack_command_effects(page(host, LogPage.COMMAND_EFFECTS))
    assert all(EFFECTS_CSUPP.get(effects) for effects in (*admin.values(), *io.values()))
    assert set(admin) == {opcode for opcode in range(256) if not is_unknown(host, opcode, qid=0)}
    assert set(io) == {opcode for opcode in range(256) if not is_unknown(host, opcode, qid=1)}


def test_migration_is_the_primarys_business(bench: Bench) -> None:
    x, _ = unpack_command_effects(page(bench.x, LogPage.COMMAND_EFFECTS))
    y, _ = unpack_command_effects(page(bench.y, LogPage.COMMAND_EFFECTS))
    of_migrations = {0x3D, 0x41, 0x42, 0x45}
    assert of_migrations <= set(x)
    assert not of_migrations & set(y)


def test_what_may_change_user_data_says_so(bench: Bench) -> None:
    admin, io = unpack_command_effects(page(bench.y, LogPage.COMMAND_EFFECTS))
    changing = {opcode for opcode, effects in io.items() if EFFECTS_LBCC.get(effects)}
    assert changing >= {
        IoOpcode.WRITE,
        IoOpcode.WRITE_ZEROES,
        IoOpcode.WRITE_UNCORRECTABLE,
        IoOpcode.DATASET_MANAGEMENT,
    }
    assert not changing & {IoOpcode.READ, IoOpcode.FLUSH}
    assert not EFFECTS_LBCC.get(admin[AdminOpcode.IDENTIFY])


def test_what_may_change_which_namespaces_there_are_says_so(bench: Bench) -> None:
    admin, _ = unpack_command_effects(page(bench.x, LogPage.COMMAND_EFFECTS))
    changing = {opcode for opcode, effects in admin.items() if EFFECTS_NIC.get(effects)}
    assert changing == {AdminOpcode.NAMESPACE_MANAGEMENT, AdminOpcode.NAMESPACE_ATTACHMENT}


@pytest.mark.parametrize("primary", [True, False])
def test_the_features_that_are_listed_are_those_that_can_be_asked_for(primary: bool) -> None:
    bench = ready()
    host = bench.x if primary else bench.y
    if primary:
        bench.x.make_mq(8)
    data = page(host, LogPage.FEATURE_EFFECTS, 1024)
    listed = [int.from_bytes(data[4 * fid : 4 * fid + 4], "little") for fid in range(256)]
    address = host.take()
    for fid in range(256):
        status = host.admin.status(raw(AdminOpcode.GET_FEATURES, prp1=address, cdw10=fid))
        assert (status == Status.SUCCESS) == bool(FEATURES_FSUPP.get(listed[fid]))
    scopes = {fid: dword >> 20 for fid, dword in enumerate(listed) if dword}
    of_queues = {Feature.CONTROLLER_DATA_QUEUE: 1 << 6} if primary else {}
    assert scopes == {Feature.ARBITRATION: 1 << 1, Feature.NUMBER_OF_QUEUES: 1 << 1, **of_queues}


def test_there_is_one_firmware_slot_which_is_active_and_read_only(bench: Bench) -> None:
    address = bench.y.take()
    assert bench.y.admin.status(commands.identify(0, Cns.CONTROLLER, address)) == Status.SUCCESS
    found = unpack_page(IdentifyController, bench.y.space.read(address, PAGE_BYTES))
    assert (FRMW_NOFS.get(found.frmw), FRMW_FFSRO.get(found.frmw)) == (1, 1)
    data = page(bench.y, LogPage.FIRMWARE_SLOTS, 512)
    assert data[0] == 1
    assert data[8:16] == found.fr.encode().ljust(8)
    assert not any(data[1:8] + data[16:])


def test_the_pages_that_are_listed_are_those_that_can_be_read(bench: Bench) -> None:
    data = page(bench.y, LogPage.SUPPORTED_LOG_PAGES, 1024)
    listed = [int.from_bytes(data[4 * lid : 4 * lid + 4], "little") for lid in range(256)]
    address = bench.y.take()
    for lid in range(256):
        status = bench.y.admin.status(raw(AdminOpcode.GET_LOG_PAGE, prp1=address, cdw10=1023 << 16 | lid))
        assert status == (Status.SUCCESS if listed[lid] else Status.INVALID_LOG_PAGE)
    assert {lid for lid in range(256) if listed[lid]} == set(LogPage)
    assert set(listed) == {0, 1}


def test_a_page_is_read_in_parts(bench: Bench) -> None:
    whole = page(bench.x, LogPage.COMMAND_EFFECTS)
    parts = [
        page(bench.x, LogPage.COMMAND_EFFECTS, length, offset)
        for offset, length in ((0, 4), (4, 1020), (1024, 3072))
    ]
    assert b"".join(parts) == whole


def test_no_more_is_written_than_was_asked_for(bench: Bench) -> None:
    address = bench.x.take()
    bench.x.space.write(address, b"\xaa" * PAGE_BYTES)
    assert (
        bench.x.admin.status(commands.get_log_page(0, LogPage.COMMAND_EFFECTS, 2, address)) == Status.SUCCESS
    )
    assert bench.x.space.read(address + 8, PAGE_BYTES - 8) == b"\xaa" * (PAGE_BYTES - 8)


def test_the_length_has_32_bits(bench: Bench) -> None:
    """NUMDU is not ignored: 65537 dwords are 256 KiB and four bytes, of which the page fills the first 4 KiB."""
    length = 4 * 65537
    address = bench.x.take(length)
    prp1, prp2 = bench.x.prp(address, length)
    sqe = commands.get_log_page(0, LogPage.COMMAND_EFFECTS, 65537, prp1, prp2)
    assert bench.x.admin.status(sqe) == Status.SUCCESS
    assert bench.x.space.read(address, PAGE_BYTES) == page(bench.x, LogPage.COMMAND_EFFECTS)
    too_long = commands.get_log_page(0, LogPage.COMMAND_EFFECTS, 1 << 20, prp1, prp2)
    assert bench.x.admin.status(too_long) == Status.INVALID_FIELD


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (4092, Status.SUCCESS),
        (4096, Status.SUCCESS),
        (4100, Status.INVALID_FIELD),
        (2, Status.INVALID_FIELD),
        (1 << 32, Status.INVALID_FIELD),
    ],
)
def test_an_offset_is_aligned_and_within_the_page(bench: Bench, offset: int, expected: Status) -> None:
    sqe = commands.get_log_page(0, LogPage.COMMAND_EFFECTS, 1, bench.x.take(), offset=offset)
    assert bench.x.admin.status(sqe) == expected


def test_no_page_has_an_index(bench: Bench) -> None:
    sqe = raw(AdminOpcode.GET_LOG_PAGE, prp1=bench.x.take(), cdw10=5, cdw14=1 << 23)
    assert bench.x.admin.status(sqe) == Status.INVALID_FIELD


@pytest.mark.parametrize(
    ("nsid", "expected"), [(0, Status.SUCCESS), (0xFFFFFFFF, Status.SUCCESS), (1, Status.INVALID_FIELD)]
)
def test_no_page_is_about_one_namespace(bench: Bench, nsid: int, expected: Status) -> None:
    sqe = commands.get_log_page(0, LogPage.COMMAND_EFFECTS, 1, bench.x.take(), nsid=nsid)
    assert bench.x.admin.status(sqe) == expected


def test_identify_says_what_get_log_page_can_do(bench: Bench) -> None:
    address = bench.y.take()
    assert bench.y.admin.status(commands.identify(0, Cns.CONTROLLER, address)) == Status.SUCCESS
    found = unpack_page(IdentifyController, bench.y.space.read(address, PAGE_BYTES))
    assert found.lpa == LPA_CSES.put(1) | LPA_LPEDS.put(1)
