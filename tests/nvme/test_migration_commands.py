"""Builders of the commands of a live migration against the worked encodings of the fact sheet."""

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme import migration_commands as commands
from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    LbaStatusAction,
    LogAction,
    SequenceIndicator,
    SuspendType,
)
from nvmelm_lab.nvme.structs import SQE, Sqe

TARGET, CDQID = 5, 3


def fields_of(command):
    assert len(command) == 64
    return Sqe._make(SQE.unpack(command))


@pytest.mark.parametrize(
    ("command", "opcode", "cdw10", "cdw11", "cdw12", "cdw13", "cdw15"),
    [
        (commands.create_cdq(7, 0x1000, 4096 // 4, TARGET), 0x45, 0x00000000, 0x00050001, 0x400, 0, 0),
        (commands.delete_cdq(7, CDQID), 0x45, 0x00000001, 0x00000003, 0, 0, 0),
        (commands.track_send(7, CDQID, LogAction.START), 0x3D, 0x00010000, 0x00000003, 0, 0, 0),
        (commands.track_send(7, CDQID, LogAction.STOP), 0x3D, 0x00000000, 0x00000003, 0, 0, 0),
        (commands.set_head(7, CDQID, 17, 63), 0x09, 0x00000021, 0x80000003, 0x11, 0x3F, 0),
        (commands.suspend(7, TARGET, delete_queue=True), 0x41, 0x00000000, 0x80010005, 0, 0, 0),
        (commands.suspend(7, TARGET), 0x41, 0x00000000, 0x00010005, 0, 0, 0),
        (
            commands.get_controller_state(7, 0x1000, 0, TARGET, 104 // 4),
            0x42,
            0x00010000,
            0x00000005,
            0,
            0,
            0x19,
        ),
        (
            commands.set_controller_state(7, 0x1000, 0, TARGET, 104 // 4),
            0x41,
            0x00030002,
            0x00010005,
            0,
            0,
            0x1A,
        ),
        (commands.track_memory(7, TARGET, True, 0x1000), 0x3D, 0x00010001, 0x00000005, 0, 0, 0),
        (commands.track_memory(7, TARGET, False), 0x3D, 0x00000001, 0x00000005, 0, 0, 0),
        (commands.track_receive(7, TARGET, 1024, 0x1000), 0x3E, 0, 0x00000005, 0x3FF, 0, 0),
        (commands.resume(7, TARGET), 0x41, 0x00000001, 0x00000005, 0, 0, 0),
    ],
)
def test_worked_encodings(command, opcode, cdw10, cdw11, cdw12, cdw13, cdw15):
    sqe = fields_of(command)
    assert (sqe.opcode, sqe.cid, sqe.nsid) == (opcode, 7, 0)
    dwords = (sqe.cdw10, sqe.cdw11, sqe.cdw12, sqe.cdw13, sqe.cdw14, sqe.cdw15)
    assert dwords == (cdw10, cdw11, cdw12, cdw13, 0, cdw15)


def test_a_queue_in_pieces_is_described_by_a_prp_list():
    sqe = fields_of(commands.create_cdq(7, 0x1000, 1024, TARGET, contiguous=False))
    assert sqe.cdw11 == 0x00050000
    assert sqe.prp1 == 0x1000


def test_a_head_without_trigger_arms_no_event():
    sqe = fields_of(commands.set_head(7, CDQID, 17))
    assert (sqe.cdw11, sqe.cdw12, sqe.cdw13) == (CDQID, 17, 0)


def test_a_trigger_in_slot_0_is_a_trigger():
    assert fields_of(commands.set_head(7, CDQID, 17, trigger=0)).cdw11 == 0x80000003


def test_get_features_names_the_queue_and_the_buffer():
    sqe = fields_of(commands.get_cdq_feature(7, CDQID, 0x1000, 0x2000))
    assert (sqe.opcode, sqe.cdw10, sqe.cdw11) == (AdminOpcode.GET_FEATURES, 0x21, CDQID)
    assert (sqe.prp1, sqe.prp2) == (0x1000, 0x2000)


def test_a_suspension_can_be_announced():
    assert fields_of(commands.suspend(7, TARGET, kind=SuspendType.NOTIFICATION)).cdw11 == TARGET


def test_indices_lie_differently_in_send_and_receive():
    sent = fields_of(commands.set_controller_state(7, 0, 0, TARGET, 1, version_index=2, uuid_index=3))
    received = fields_of(commands.get_controller_state(7, 0, 0, TARGET, 1, version_index=2, uuid_index=3))
    assert sent.cdw11 == 3 << 24 | 2 << 16 | TARGET
    assert (received.cdw10, received.cdw11) == (2 << 16, 3 << 16 | TARGET)


def test_a_state_is_sent_in_parts():
    first = commands.set_controller_state(7, 0, 0, TARGET, 8, sequence=SequenceIndicator.FIRST)
    middle = commands.set_controller_state(
        8, 0, 0, TARGET, 8, offset=0x1_0000_0020, sequence=SequenceIndicator.MIDDLE
    )
    last = commands.set_controller_state(9, 0, 0, TARGET, 0, sequence=SequenceIndicator.LAST)
    assert fields_of(first).cdw10 == 0x00010002
    assert fields_of(middle).cdw10 == 0x00000002
    assert (fields_of(middle).cdw12, fields_of(middle).cdw13) == (0x20, 1)
    assert (fields_of(last).cdw10, fields_of(last).cdw15) == (0x00020002, 0)


def test_a_state_is_read_from_an_offset():
    sqe = fields_of(commands.get_controller_state(7, 0x1000, 0x2000, TARGET, 14, offset=0x1_0000_0030))
    assert (sqe.cdw12, sqe.cdw13, sqe.cdw15) == (0x30, 1, 13)
    assert (sqe.prp1, sqe.prp2) == (0x1000, 0x2000)


def test_lba_status_is_asked_for_by_action_range_and_length():
    sqe = fields_of(commands.get_lba_status(7, 1, 0x1_0000_0100, 8, 1024, LbaStatusAction.ALLOCATED, 0x1000))
    assert (sqe.opcode, sqe.nsid, sqe.prp1) == (0x86, 1, 0x1000)
    assert (sqe.cdw10, sqe.cdw11, sqe.cdw12, sqe.cdw13) == (0x100, 1, 1023, 0x02000008)


def test_reserved_values_that_fit_can_be_sent_to_see_them_refused():
    assert fields_of(commands.suspend(7, TARGET, kind=2)).cdw11 == 2 << 16 | TARGET
    assert fields_of(commands.track_send(7, CDQID, 15)).cdw10 == 15 << 16


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (
            lambda: commands.track_send(7, 65536, LogAction.START),
            "CDQID 65536 of SQE Track Send: must be a whole number from 0 to 65535",
        ),
        (
            lambda: commands.track_send(7, 1, 16),
            "LACT 16 of SQE Track Send: must be a whole number from 0 to 15",
        ),
        (
            lambda: commands.create_cdq(7, 0, 1 << 32, 5),
            "CDQSIZE 4294967296 of SQE Controller Data Queue, Create: "
            "must be a whole number from 0 to 4294967295",
        ),
        (
            lambda: commands.create_cdq(7, 0, 8, -1),
            "CQS -1 of SQE Controller Data Queue, Create: must be a whole number from 0 to 65535",
        ),
        (
            lambda: commands.get_controller_state(7, 0, 0, 5, 0),
            "dwords 0: must be a whole number from 1 to 4294967296",
        ),
        (
            lambda: commands.get_controller_state(7, 0, 0, 5, 1, offset=-4),
            f"offset -4: must be a whole number from 0 to {2**64 - 1}",
        ),
        (
            lambda: commands.set_controller_state(7, 0, 0, 5, 1, sequence=4),
            "SEQIND 4 of SQE Migration Send, Set Controller State: must be a whole number from 0 to 3",
        ),
        (
            lambda: commands.get_lba_status(7, 1, 0, 65536, 1, LbaStatusAction.ALLOCATED, 0),
            "RL 65536 of SQE Get LBA Status: must be a whole number from 0 to 65535",
        ),
        (
            lambda: commands.set_head(7, 1, -1),
            "HP -1 of SQE Set Features, Controller Data Queue: must be a whole number from 0 to 4294967295",
        ),
    ],
)
def test_values_that_do_not_fit_their_bits_are_refused_by_name_and_range(build, sentence):
    with pytest.raises(InputError) as refused:
        build()
    assert str(refused.value) == sentence
