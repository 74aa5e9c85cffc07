"""Builders of the usual commands: the dwords that come out, and what is refused."""

import pytest

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme import commands
from nvmelm_lab.nvme.codes import Cns, LogPage, ResourceType, SanitizeAction, VirtualizationAction
from nvmelm_lab.nvme.structs import SQE, Sqe


def fields_of(command):
    assert len(command) == 64
    return Sqe._make(SQE.unpack(command))


def expected(opcode, cid, nsid=0, prp1=0, prp2=0, cdw10=0, cdw11=0, cdw12=0, cdw13=0):
    return Sqe(opcode, 0, cid, nsid, 0, 0, 0, prp1, prp2, cdw10, cdw11, cdw12, cdw13, 0, 0)


@pytest.mark.parametrize(
    ("command", "sqe"),
    [
        (commands.flush(1, 2), expected(0x00, 1, 2)),
        (
            commands.write(1, 2, 0x1_0000_0002, 8, 0x3000, 0x4000),
            expected(0x01, 1, 2, 0x3000, 0x4000, cdw10=2, cdw11=1, cdw12=7),
        ),
        (commands.write(1, 2, 0, 1, 0x3000, fua=True), expected(0x01, 1, 2, 0x3000, cdw12=1 << 30)),
        (
            commands.read(1, 2, 0x1_0000_0002, 65536, 0x3000),
            expected(0x02, 1, 2, 0x3000, cdw10=2, cdw11=1, cdw12=0xFFFF),
        ),
        (commands.write_uncorrectable(1, 2, 5, 3), expected(0x04, 1, 2, cdw10=5, cdw12=2)),
        (commands.write_zeroes(1, 2, 5, 3), expected(0x08, 1, 2, cdw10=5, cdw12=2)),
        (
            commands.write_zeroes(1, 2, 5, 3, deallocate=True),
            expected(0x08, 1, 2, cdw10=5, cdw12=1 << 25 | 2),
        ),
        (commands.zero_namespace(1, 2), expected(0x08, 1, 2, cdw12=1 << 25 | 1 << 23)),
        (
            commands.compare(1, 2, 0x1_0000_0002, 8, 0x3000, 0x4000),
            expected(0x05, 1, 2, 0x3000, 0x4000, cdw10=2, cdw11=1, cdw12=7),
        ),
        (commands.verify(1, 2, 5, 3), expected(0x0C, 1, 2, cdw10=5, cdw12=2)),
        (
            commands.copy(1, 2, 0x1_0000_0002, 4, 0x3000, 0x4000),
            expected(0x19, 1, 2, 0x3000, 0x4000, cdw10=2, cdw11=1, cdw12=3),
        ),
        (
            commands.dataset_management(1, 2, 256, 0x3000, 0x4000),
            expected(0x09, 1, 2, 0x3000, 0x4000, cdw10=255, cdw11=0b100),
        ),
        (
            commands.dataset_management(1, 2, 1, 0x3000, deallocate=False),
            expected(0x09, 1, 2, 0x3000),
        ),
    ],
)
def test_io_commands(command, sqe):
    assert fields_of(command) == sqe


@pytest.mark.parametrize(
    ("command", "sqe"),
    [
        (commands.delete_io_sq(9, 3), expected(0x00, 9, cdw10=3)),
        (
            commands.create_io_sq(9, 0x3000, 3, 64, cqid=4, priority=2),
            expected(0x01, 9, prp1=0x3000, cdw10=63 << 16 | 3, cdw11=4 << 16 | 2 << 1 | 1),
        ),
        (
            commands.create_io_sq(9, 0x3000, 3, 64, cqid=4, contiguous=False),
            expected(0x01, 9, prp1=0x3000, cdw10=63 << 16 | 3, cdw11=4 << 16),
        ),
        (commands.delete_io_cq(9, 3), expected(0x04, 9, cdw10=3)),
        (
            commands.create_io_cq(9, 0x3000, 3, 65536, vector=5),
            expected(0x05, 9, prp1=0x3000, cdw10=0xFFFF0003, cdw11=5 << 16 | 0b11),
        ),
        (
            commands.create_io_cq(9, 0x3000, 3, 2, interrupts=False),
            expected(0x05, 9, prp1=0x3000, cdw10=1 << 16 | 3, cdw11=0b01),
        ),
        (commands.identify(9, Cns.CONTROLLER, 0x3000), expected(0x06, 9, prp1=0x3000, cdw10=1)),
        (
            commands.identify(9, Cns.ATTACHED_CONTROLLERS, 0x3000, nsid=2, cntid=7),
            expected(0x06, 9, 2, 0x3000, cdw10=7 << 16 | 0x12),
        ),
        (
            commands.identify(9, Cns.CONTROLLER_STATE_FORMATS, 0x3000, 0x4000),
            expected(0x06, 9, prp1=0x3000, prp2=0x4000, cdw10=0x20),
        ),
        (
            commands.get_log_page(
                9, LogPage.COMMAND_EFFECTS, 0x1_0002, 0x3000, 0x4000, offset=0x1_0000_0008, nsid=7
            ),
            expected(0x02, 9, 7, 0x3000, 0x4000, cdw10=0x0001_0005, cdw11=1, cdw12=8, cdw13=1),
        ),
        (commands.abort(9, 3, 0x1234), expected(0x08, 9, cdw10=0x12340003)),
        (commands.set_arbitration(9, 5), expected(0x09, 9, cdw10=1, cdw11=5)),
        (commands.set_number_of_queues(9, 4, 8), expected(0x09, 9, cdw10=7, cdw11=7 << 16 | 3)),
        (commands.get_number_of_queues(9), expected(0x0A, 9, cdw10=7)),
        (commands.async_event_request(9), expected(0x0C, 9)),
        (commands.namespace_create(9, 0x3000), expected(0x0D, 9, prp1=0x3000)),
        (commands.namespace_delete(9, 2), expected(0x0D, 9, 2, cdw10=1)),
        (commands.namespace_attach(9, 2, 0x3000), expected(0x15, 9, 2, 0x3000)),
        (commands.namespace_detach(9, 2, 0x3000), expected(0x15, 9, 2, 0x3000, cdw10=1)),
        (
            commands.virtualization(9, 5, VirtualizationAction.SECONDARY_ONLINE),
            expected(0x1C, 9, cdw10=0x00050009),
        ),
        (commands.format_nvm(9, 2), expected(0x80, 9, 2)),
        (commands.format_nvm(9, 0xFFFFFFFF, secure_erase=2), expected(0x80, 9, 0xFFFFFFFF, cdw10=2 << 9)),
        (commands.sanitize(9, SanitizeAction.CRYPTO_ERASE), expected(0x84, 9, cdw10=4)),
        (
            commands.virtualization(9, 5, VirtualizationAction.SECONDARY_ASSIGN, ResourceType.INTERRUPTS, 3),
            expected(0x1C, 9, cdw10=0x00050108, cdw11=3),
        ),
    ],
)
def test_admin_commands(command, sqe):
    assert fields_of(command) == sqe


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (
            lambda: commands.write(1, 1, 0, 0, 0),
            "blocks 0: must be a whole number from 1 to 65536",
        ),
        (
            lambda: commands.read(1, 1, 0, 65537, 0),
            "blocks 65537: must be a whole number from 1 to 65536",
        ),
        (
            lambda: commands.read(1, 1, 0, 1.5, 0),
            "blocks 1.5: must be a whole number from 1 to 65536",
        ),
        (
            lambda: commands.write(65536, 1, 0, 1, 0),
            "CID 65536 of SQE Write: must be a whole number from 0 to 65535",
        ),
        (
            lambda: commands.write_zeroes(1, 1, -1, 1),
            f"SLBA -1 of SQE Write Zeroes: must be a whole number from 0 to {2**64 - 1}",
        ),
        (
            lambda: commands.dataset_management(1, 1, 257, 0),
            "ranges 257: must be a whole number from 1 to 256",
        ),
        (
            lambda: commands.create_io_sq(1, 0, 1, 65537, 1),
            "entries 65537: must be a whole number from 1 to 65536",
        ),
        (
            lambda: commands.create_io_sq(1, 0, 1, 2, 1, priority=4),
            "QPRIO 4 of SQE Create I/O Submission Queue: must be a whole number from 0 to 3",
        ),
        (
            lambda: commands.abort(1, 1, 65536),
            "CDW10.CID 65536 of SQE Abort: must be a whole number from 0 to 65535",
        ),
    ],
)
def test_values_that_do_not_fit_their_bits_are_refused_by_name_and_range(build, sentence):
    with pytest.raises(InputError) as refused:
        build()
    assert str(refused.value) == sentence
