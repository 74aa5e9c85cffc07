"""Migration Receive and Set Controller State: out of one controller, into another, and on where it was."""

from struct import pack
from typing import Any

import pytest

from nvmelm_lab.engine import Random
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import (
    CompletionQueueState,
    ControllerState,
    QueueStates,
    Status,
    SubmissionQueueState,
    commands,
    pack_controller_state,
    unpack_controller_state,
)
from nvmelm_lab.nvme import migration_commands as lm
from nvmelm_lab.nvme.codes import Property, SequenceIndicator
from nvmelm_lab.ssd.vendor_state import AdminState
from tests.ssd.door import MEMORY, Bench, Host, X, Y, Z, raw, ready, status_of

FLUSH = commands.flush(0, 1)
SEQUENCE = SequenceIndicator


# -- Migration Receive ------------------------------------------------------------------------------------


def receive(
    bench: Bench, target: int = Y, *, dwords: int = 1024, offset: int = 0, **more: int
) -> tuple[bytes, int]:
    """What Migration Receive puts into a buffer of As, and DW0."""
    address = bench.x.take()
    bench.x.space.write(address, b"A" * PAGE_BYTES)
    cqe = bench.x.admin.run(lm.get_controller_state(0, address, 0, target, dwords, offset, **more))
    assert status_of(cqe) == Status.SUCCESS
    return bench.x.space.read(address, PAGE_BYTES), cqe.dw0


def test_the_state_of_one_ring_is_104_bytes_as_in_the_facts() -> None:
    bench = ready()
    bench.x.suspend()
    for _ in range(5):
        bench.y.io.put(FLUSH)
    data, _ = receive(bench)
    ring = bench.y.io
    expected = (
        bytes.fromhex("00000100000000000000000000000000 0e000000000000000000000000000000") + bytes(16)
        + bytes.fromhex("0000010001000000")
        + ring.sq.to_bytes(8, "little") + bytes.fromhex("0f000100010001000000000000000000")
        + ring.cq.to_bytes(8, "little") + bytes.fromhex("0f0001000000000003000000") + bytes(4)
    )  # fmt: skip
    assert data[:104] == expected
    assert data[104:] == b"A" * (PAGE_BYTES - 104)


@pytest.mark.parametrize("suspended", [False, True])
def test_state_says_whether_the_controller_was_suspended(suspended: bool) -> None:
    bench = ready()
    if suspended:
        bench.x.suspend()
    data, dw0 = receive(bench)
    assert (data[2] & 1, dw0) == (suspended, suspended)


@pytest.mark.parametrize("seed", range(10))
def test_state_that_is_taken_while_commands_still_end_does_not_claim_to_fit_together(seed: int) -> None:
    bench = ready(Random(seed))
    bench.y.io.submit(*[FLUSH] * 10)
    bench.engine.advance(10 + seed)
    address = bench.x.take()
    _, get = bench.x.admin.submit(lm.suspend(0, Y), lm.get_controller_state(0, address, 0, Y, 26))
    busy = True
    while not (done := bench.x.admin.reap()) or get not in [cqe.cid for cqe in done]:
        busy = bool(bench.y.controller.in_flight)
        bench.engine.advance(1)
    cqe = bench.x.admin.unread[get][0]
    if cqe.dw0:
        assert not busy
        queues = unpack_controller_state(bench.x.space.read(address, 104)).queues
        assert queues is not None
        assert queues.submission[0].head == bench.y.controller.cqs[1].posted


def test_queues_are_listed_by_ascending_identifier() -> None:
    bench = ready()
    bench.y.make_ring(3)
    bench.y.make_ring(2)
    data, _ = receive(bench)
    queues = unpack_controller_state(data).queues
    assert queues is not None
    assert [sq.qid for sq in queues.submission] == [cq.qid for cq in queues.completion] == [1, 2, 3]


@pytest.mark.parametrize(("version", "uuid", "length"), [(0, 0, 48), (1, 0, 104), (0, 1, 104), (1, 1, 160)])
def test_only_the_parts_asked_for_are_returned(version: int, uuid: int, length: int) -> None:
    data, _ = receive(ready(), version_index=version, uuid_index=uuid)
    state = unpack_controller_state(data)
    assert (state.queues is not None, bool(state.vendor_data)) == (bool(version), bool(uuid))
    assert data[length:] == b"A" * (PAGE_BYTES - length)


@pytest.mark.parametrize("dwords", [1, 5, 12, 100])
def test_state_comes_in_pieces_by_offset(dwords: int) -> None:
    bench = ready()
    bench.x.suspend()
    whole, _ = receive(bench, uuid_index=1)
    pieces = b"".join(
        receive(bench, uuid_index=1, dwords=dwords, offset=offset)[0][: 4 * dwords]
        for offset in range(0, 160, 4 * dwords)
    )
    assert pieces[:160] == whole[:160]


def test_nothing_lies_behind_the_end() -> None:
    assert receive(ready(), offset=104)[0] == b"A" * PAGE_BYTES


@pytest.mark.parametrize(
    ("sqe", "status"),
    [
        (lm.get_controller_state(0, 0x1000, 0, Y, 1, offset=2), Status.INVALID_FIELD),
        (lm.get_controller_state(0, 0x1000, 0, Y, 1, offset=108), Status.INVALID_FIELD),
        (lm.get_controller_state(0, 0x1000, 0, Y, 1, offset=1 << 40), Status.INVALID_FIELD),
        (lm.get_controller_state(0, 0x1000, 0, Y, 1, version_index=2), Status.INVALID_FIELD),
        (lm.get_controller_state(0, 0x1000, 0, Y, 1, uuid_index=2), Status.INVALID_FIELD),
        (lm.get_controller_state(0, 0x1000, 0, Y, 1 << 30), Status.INVALID_FIELD),
        (lm.get_controller_state(0, 0x1000, 0, X, 1), Status.INVALID_CONTROLLER_IDENTIFIER),
        (lm.get_controller_state(0, 0x1000, 0, 9, 1), Status.INVALID_CONTROLLER_IDENTIFIER),
        (lm.get_controller_state(0, 0x1001, 0, Y, 1), Status.PRP_OFFSET_INVALID),
        (lm.get_controller_state(0, MEMORY, 0, Y, 1), Status.DATA_TRANSFER_ERROR),
        (raw(0x42, prp1=0x1000, cdw10=1 << 16 | 1, cdw11=Y), Status.INVALID_FIELD),
        (raw(0x42, prp1=0x1000, cdw10=1 << 16 | 0xFF, cdw11=Y), Status.INVALID_FIELD),
    ],
)
def test_receive_checks_its_fields(sqe: bytes, status: Status) -> None:
    assert ready().x.admin.status(sqe) == status


# -- Set Controller State: checks -------------------------------------------------------------------------


def fresh(target: str = "z") -> Bench:
    """A bench whose controller Z is enabled, suspended, and has no I/O queues."""
    bench = ready()
    host: Host = getattr(bench, target)
    host.write(Property.CC, 0)
    host.enable()
    assert bench.x.suspend(host.cntlid) == Status.SUCCESS
    return bench


def sq(**changes: Any) -> SubmissionQueueState:
    return SubmissionQueueState(
        **{"qid": 1, "cqid": 1, "prp1": 0x10000, "entries": 16, "head": 0, "tail": 0} | changes
    )


def cq(**changes: Any) -> CompletionQueueState:
    fields = {"qid": 1, "prp1": 0x20000, "entries": 16, "head": 0, "tail": 0, "slot0_phase": 0}
    return CompletionQueueState(**fields | changes)


def packed(*queues: SubmissionQueueState | CompletionQueueState) -> bytes:
    submission = tuple(queue for queue in queues if isinstance(queue, SubmissionQueueState))
    completion = tuple(queue for queue in queues if isinstance(queue, CompletionQueueState))
    return pack_controller_state(ControllerState(suspended=True, queues=QueueStates(submission, completion)))


GOOD = packed(sq(), cq())


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (GOOD, Status.SUCCESS),
        (packed(), Status.SUCCESS),
        (packed(cq()), Status.SUCCESS),
        (packed(sq(), sq(qid=2), cq()), Status.SUCCESS),
        (packed(sq()), Status.INVALID_FIELD),
        (packed(sq(cqid=2), cq()), Status.INVALID_FIELD),
        (packed(sq(cqid=0), cq()), Status.INVALID_FIELD),
        (packed(sq(prp1=0x10010), cq()), Status.INVALID_FIELD),
        (packed(sq(), cq(prp1=MEMORY)), Status.INVALID_FIELD),
        (packed(sq(prp1=MEMORY - 4096, entries=128), cq()), Status.INVALID_FIELD),
        (packed(sq(entries=1), cq()), Status.INVALID_FIELD),
        (packed(sq(head=16), cq()), Status.INVALID_FIELD),
        (packed(sq(tail=16), cq()), Status.INVALID_FIELD),
        (packed(sq(), cq(head=16)), Status.INVALID_FIELD),
        (packed(sq(), cq(tail=0xFFFF)), Status.INVALID_FIELD),
        (packed(sq(contiguous=0), cq()), Status.INVALID_FIELD),
        (packed(sq(), sq(), cq()), Status.INVALID_FIELD),
        (packed(sq(qid=0), cq()), Status.INVALID_FIELD),
        (packed(sq(qid=4), cq()), Status.NOT_ENOUGH_RESOURCES),
        (packed(sq(), cq(), cq(qid=9)), Status.NOT_ENOUGH_RESOURCES),
        (packed(sq(entries=2048), cq()), Status.NOT_ENOUGH_RESOURCES),
        (packed(sq(), cq(vector=4)), Status.NOT_ENOUGH_RESOURCES),
        (b"\1" + GOOD[1:], Status.INVALID_FIELD),
        (GOOD[:-4], Status.INVALID_FIELD),
        (GOOD[:44], Status.INVALID_FIELD),
        (GOOD[:31] + b"\1" + GOOD[32:], Status.INVALID_FIELD),
        (GOOD[:48] + b"\1" + GOOD[49:], Status.INVALID_FIELD),
        (GOOD[:52] + b"\2" + GOOD[53:], Status.INVALID_FIELD),
    ],
)
def test_a_state_is_verified_before_anything_of_it_is_committed(state: bytes, status: Status) -> None:
    bench = fresh()
    before = bench.x.get_state(Z)
    assert bench.x.set_state(state, Z, uuid=0) == status
    if status != Status.SUCCESS:
        assert bench.x.get_state(Z) == before


ADMIN = AdminState(0x460001, 0xF000F, 0x30000, 0x40000, 0, 0, 0, 0, phase=1, csts=1, arbitration=0)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, Status.SUCCESS),
        ({"csts": 0, "asq": 1}, Status.SUCCESS),
        ({"cc": 0}, Status.INVALID_FIELD),
        ({"asq": 0x30008}, Status.INVALID_FIELD),
        ({"acq": MEMORY}, Status.INVALID_FIELD),
        ({"aqa": 0}, Status.INVALID_FIELD),
        ({"sq_head": 16}, Status.INVALID_FIELD),
        ({"cq_tail": 16}, Status.INVALID_FIELD),
        ({"phase": 2}, Status.INVALID_FIELD),
        ({"requests": 2, "cids": bytes.fromhex("0100 0200 0000 0000")}, Status.SUCCESS),
        ({"requests": 2, "cids": bytes.fromhex("0100 0100 0000 0000")}, Status.INVALID_FIELD),
        ({"requests": 5}, Status.INVALID_FIELD),
    ],
    ids=str,
)
def test_the_vendor_specific_part_is_verified_too(changes: dict[str, Any], status: Status) -> None:
    bench = fresh()
    before = bench.x.get_state(Z)
    vendor = pack("<IIQQHHHHIIII8s", *ADMIN._replace(**changes))
    state = pack_controller_state(ControllerState(suspended=True, queues=None, vendor_data=vendor))
    assert bench.x.set_state(state, Z, version=0) == status
    if status != Status.SUCCESS:
        assert bench.x.get_state(Z) == before


@pytest.mark.parametrize("length", [4, 44, 48, 52, 60])
def test_vendor_data_of_another_length_is_refused(length: int) -> None:
    state = pack_controller_state(ControllerState(suspended=True, queues=None, vendor_data=bytes(length)))
    assert fresh().x.set_state(state, Z) == Status.INVALID_FIELD


@pytest.mark.parametrize(
    ("version", "uuid", "status"),
    [
        (1, 1, Status.SUCCESS),
        (0, 0, Status.INVALID_FIELD),
        (0, 1, Status.INVALID_FIELD),
        (1, 0, Status.INVALID_FIELD),
        (2, 1, Status.INVALID_FIELD),
        (1, 2, Status.INVALID_FIELD),
    ],
)
def test_each_part_needs_its_index(version: int, uuid: int, status: Status) -> None:
    bench = fresh()
    bench.x.suspend(Y)
    state = bench.x.get_state(Y)[:160]
    assert bench.x.set_state(state, Z, version=version, uuid=uuid) == status


def test_a_controller_that_has_io_queues_takes_no_state() -> None:
    bench = ready()
    bench.x.suspend(Z)
    assert bench.x.set_state(GOOD, Z, uuid=0) == Status.INVALID_FIELD
    assert bench.x.set_state(packed(), Z, uuid=0) == Status.INVALID_FIELD


def test_a_controller_that_is_neither_suspended_nor_enabled_nor_offline_takes_no_state() -> None:
    bench = ready()
    bench.z.write(Property.CC, 0)
    assert bench.x.set_state(GOOD, Z, uuid=0) == Status.INVALID_CONTROLLER_IDENTIFIER
    bench.x.suspend(Z)
    assert bench.x.set_state(GOOD, Z, uuid=0) == Status.SUCCESS


def test_an_enabled_controller_takes_a_state_and_goes_on_at_once() -> None:
    bench = ready()
    bench.z.write(Property.CC, 0)
    bench.z.enable()
    bench.z.space.write(0x10000, FLUSH)
    state = packed(sq(tail=1), cq())
    assert bench.x.set_state(state, Z, uuid=0) == Status.SUCCESS
    assert bench.z.space.read(0x20000, 16)[8:12] == bytes([1, 0, 1, 0])


def test_a_controller_in_fatal_status_goes_on_once_it_has_a_good_state() -> None:
    bench = ready()
    bench.x.suspend(Y)
    state = bench.x.get_state(Y)
    bench.z.write(Property.CC, 0)
    assert bench.z.enable(cc=0x460001 | 1 << 7) == 2
    assert bench.x.set_state(state, Z) == Status.SUCCESS
    host = Host(bench, bench.z.controller)
    for number in bench.y.space.pages():
        bench.y.space.copy_page(number, bench.z.space)
    assert host.read(Property.CSTS) == 1
    bench.z.rings = bench.y.rings
    for ring in bench.z.rings.values():
        ring.host = bench.z
    assert bench.z.io.status(FLUSH) == Status.SUCCESS


@pytest.mark.parametrize("seed", range(10))
def test_a_controller_with_commands_in_flight_takes_no_state(seed: int) -> None:
    bench = ready(Random(seed))
    bench.z.write(Property.CC, 0)
    bench.z.enable()
    bench.z.admin.submit(*[commands.get_number_of_queues(0)] * 6)
    while not bench.z.controller.in_flight:
        bench.engine.advance(1)
    address = bench.x.take()
    bench.x.space.write(address, GOOD)
    (cid,) = bench.x.admin.submit(lm.set_controller_state(0, address, 0, Z, len(GOOD) // 4))
    busy = [False]
    while bench.x.admin.look() is None:
        if 1 not in bench.z.controller.sqs:
            busy.append(bool(bench.z.controller.in_flight))
        bench.engine.advance(1)
    bench.x.admin.reap()
    status = status_of(bench.x.admin.unread[cid][0])
    assert status in (Status.SUCCESS, Status.INVALID_FIELD)
    assert status != Status.SUCCESS or not busy[-1]
    bench.engine.run()
    assert len(bench.z.admin.reap()) == 6


@pytest.mark.parametrize("target", [X, 0, 9])
def test_only_a_migratable_controller_takes_a_state(target: int) -> None:
    assert ready().x.set_state(GOOD, target, uuid=0) == Status.INVALID_CONTROLLER_IDENTIFIER


# -- Set Controller State: in parts -----------------------------------------------------------------------


@pytest.mark.parametrize("sequence", [SEQUENCE.MIDDLE, SEQUENCE.LAST])
def test_a_part_without_a_first_part_is_out_of_sequence(sequence: SequenceIndicator) -> None:
    assert fresh().x.set_state(GOOD, Z, uuid=0, sequence=sequence) == Status.COMMAND_SEQUENCE_ERROR


@pytest.mark.parametrize("size", [4, 24, 48, 52, 100])
def test_parts_make_up_a_state(size: int) -> None:
    bench = fresh()
    parts = [(at, GOOD[at : at + size]) for at in range(0, len(GOOD), size)]
    for number, (at, part) in enumerate(parts):
        sequence = (
            SEQUENCE.FIRST if number == 0 else SEQUENCE.LAST if number == len(parts) - 1 else SEQUENCE.MIDDLE
        )
        assert 1 not in bench.z.controller.sqs
        assert bench.x.set_state(part, Z, uuid=0, offset=at, sequence=sequence) == Status.SUCCESS
    assert 1 in bench.z.controller.sqs


def test_the_last_part_may_be_empty() -> None:
    bench = fresh()
    assert bench.x.set_state(GOOD, Z, uuid=0, sequence=SEQUENCE.FIRST) == Status.SUCCESS
    assert bench.x.resume(Z) == Status.COMMAND_SEQUENCE_ERROR
    assert bench.x.set_state(b"", Z, uuid=0, offset=len(GOOD), sequence=SEQUENCE.LAST) == Status.SUCCESS
    assert bench.x.resume(Z) == Status.SUCCESS


@pytest.mark.parametrize("sequence", [SEQUENCE.ONLY, SEQUENCE.FIRST, SEQUENCE.MIDDLE])
def test_no_other_part_may_be_empty(sequence: SequenceIndicator) -> None:
    bench = fresh()
    bench.x.set_state(GOOD, Z, uuid=0, sequence=SEQUENCE.FIRST)
    assert bench.x.set_state(b"", Z, uuid=0, sequence=sequence) == Status.INVALID_FIELD


def test_a_first_part_begins_anew() -> None:
    bench = fresh()
    bench.x.set_state(b"\xff" * 48, Z, uuid=0, sequence=SEQUENCE.FIRST)
    assert bench.x.set_state(GOOD[:48], Z, uuid=0, sequence=SEQUENCE.FIRST) == Status.SUCCESS
    assert bench.x.set_state(GOOD[48:], Z, uuid=0, offset=48, sequence=SEQUENCE.LAST) == Status.SUCCESS


def test_after_a_failure_everything_can_be_sent_again() -> None:
    bench = fresh()
    bench.x.set_state(GOOD[:48], Z, uuid=0, sequence=SEQUENCE.FIRST)
    assert bench.x.set_state(bytes(56), Z, uuid=0, offset=48, sequence=SEQUENCE.LAST) == Status.INVALID_FIELD
    assert bench.x.set_state(GOOD, Z, uuid=0) == Status.SUCCESS
    assert bench.x.resume(Z) == Status.SUCCESS


@pytest.mark.parametrize("offset", [2, 52, 1 << 33])
def test_an_offset_that_is_no_dword_or_lies_behind_what_came_is_refused(offset: int) -> None:
    bench = fresh()
    bench.x.set_state(GOOD[:48], Z, uuid=0, sequence=SEQUENCE.FIRST)
    assert (
        bench.x.set_state(GOOD[48:], Z, uuid=0, offset=offset, sequence=SEQUENCE.LAST) == Status.INVALID_FIELD
    )


def test_a_reset_of_the_target_forgets_what_was_not_committed() -> None:
    bench = fresh()
    bench.x.set_state(GOOD[:48], Z, uuid=0, sequence=SEQUENCE.FIRST)
    bench.z.write(Property.CC, 0)
    bench.z.enable()
    sqe_status = bench.x.set_state(GOOD[48:], Z, uuid=0, offset=48, sequence=SEQUENCE.LAST)
    assert sqe_status == Status.COMMAND_SEQUENCE_ERROR
