"""Commands of a live migration as 64 raw bytes, and answers by their bits: no builder and no name of the kit.

Numbers are those of facts A, written as there; a status is SCT << 8 | SC.
"""

from __future__ import annotations

from nvmelm_lab.nvme.structs import CQE
from nvmelm_lab.ssd import Habits
from nvmelm_lab.ssd.freedoms import FREEDOMS
from tests.ssd.door import Host, raw

PAGE = 4096

SUCCESS = 0x000
INVALID_FIELD = 0x002
COMMAND_SEQUENCE_ERROR = 0x00C
PRP_OFFSET_INVALID = 0x013
INVALID_CONTROLLER_IDENTIFIER = 0x11F
INVALID_CONTROLLER_DATA_QUEUE = 0x137
NOT_ENOUGH_RESOURCES = 0x138
CONTROLLER_SUSPENDED = 0x139
CONTROLLER_NOT_SUSPENDED = 0x13A

HABITS = {
    "own habits": Habits(),
    **{
        f"{freedom.name}: {option}": Habits(**{freedom.name: option})
        for freedom in FREEDOMS
        for option in freedom.options[1:]
    },
}
"""SSDs that use one freedom of the standard differently each: what is demanded of one is demanded of all."""

FIRST_PART, MIDDLE_PART, LAST_PART, ONLY_PART = 0b01, 0b00, 0b10, 0b11
"""SEQIND."""

ORDINARY, FIRST, STOPPED, SUSPENDED, FULL = 0b000, 0b001, 0b010, 0b011, 0b111
"""ESA."""


def identify(prp1: int, cns: int, *, nsid: int = 0, csi: int = 0) -> bytes:
    return raw(0x06, nsid=nsid, prp1=prp1, cdw10=cns, cdw11=csi << 24)


def create_cdq(prp1: int, dwords: int, target: int) -> bytes:
    return raw(0x45, prp1=prp1, cdw11=target << 16 | 1, cdw12=dwords)


def delete_cdq(cdqid: int) -> bytes:
    return raw(0x45, cdw10=1, cdw11=cdqid)


def set_head(cdqid: int, head: int, *, trigger: int | None = None) -> bytes:
    etpt = 0 if trigger is None else 1 << 31
    return raw(0x09, cdw10=0x21, cdw11=etpt | cdqid, cdw12=head, cdw13=trigger or 0)


def get_head(prp1: int, cdqid: int) -> bytes:
    return raw(0x0A, prp1=prp1, cdw10=0x21, cdw11=cdqid)


def start_logging(cdqid: int) -> bytes:
    return raw(0x3D, cdw10=1 << 16, cdw11=cdqid)


def stop_logging(cdqid: int) -> bytes:
    return raw(0x3D, cdw11=cdqid)


def track_memory(prp1: int, target: int, *, tact: int = 1) -> bytes:
    return raw(0x3D, prp1=prp1, cdw10=tact << 16 | 1, cdw11=target)


def track_receive(prp1: int, target: int, *, dwords: int = PAGE // 4, sel: int = 0) -> bytes:
    return raw(0x3E, prp1=prp1, cdw10=sel, cdw11=target, cdw12=dwords - 1)


def suspend(target: int, *, stype: int = 1, dudmq: int = 0) -> bytes:
    return raw(0x41, cdw11=dudmq << 31 | stype << 16 | target)


def resume(target: int) -> bytes:
    return raw(0x41, cdw10=1, cdw11=target)


def set_state(
    prp1: int,
    target: int,
    dwords: int,
    *,
    seqind: int = ONLY_PART,
    csvi: int = 1,
    csuuidi: int = 0,
    offset: int = 0,
) -> bytes:
    return raw(
        0x41,
        prp1=prp1,
        cdw10=seqind << 16 | 2,
        cdw11=csuuidi << 24 | csvi << 16 | target,
        cdw12=offset,
        cdw15=dwords,
    )


def get_state(
    prp1: int, target: int, *, dwords: int = PAGE // 4, csvi: int = 1, csuuidi: int = 0, offset: int = 0
) -> bytes:
    return raw(
        0x42,
        prp1=prp1,
        cdw10=csvi << 16,
        cdw11=csuuidi << 16 | target,
        cdw12=offset,
        cdw15=dwords - 1,
    )


def get_lba_status(prp1: int, slba: int, blocks: int, *, dwords: int = PAGE // 4) -> bytes:
    return raw(0x86, nsid=1, prp1=prp1, cdw10=slba, cdw12=dwords - 1, cdw13=0x02 << 24 | blocks)


def async_event_request() -> bytes:
    return raw(0x0C)


def sanitize() -> bytes:
    return raw(0x84, cdw10=0b010)


def write(prp1: int, slba: int, blocks: int) -> bytes:
    return raw(0x01, nsid=1, prp1=prp1, cdw10=slba, cdw12=blocks - 1)


def write_zeroes(slba: int, blocks: int) -> bytes:
    return raw(0x08, nsid=1, cdw10=slba, cdw12=blocks - 1)


def read(prp1: int, slba: int, blocks: int, *, prp2: int = 0) -> bytes:
    return raw(0x02, nsid=1, prp1=prp1, prp2=prp2, cdw10=slba, cdw12=blocks - 1)


def answer(host: Host, sqe: bytes, *, qid: int = 0) -> tuple[int, int]:
    """Status and DW0 of the command's CQE, whose other fields are as they must be for every command here."""
    ring = host.rings[qid]
    cqe = CQE.pack(*ring.run(sqe))
    dw3 = int.from_bytes(cqe[12:16], "little")
    assert cqe[4:8] == bytes(4), "DW1 is reserved"
    assert int.from_bytes(cqe[8:10], "little") == ring.submitted % ring.entries, "SQHD"
    assert int.from_bytes(cqe[10:12], "little") == qid, "SQID"
    assert dw3 >> 28 & 0b111 == 0, "CRD and M"
    return dw3 >> 17 & 0x7FF, int.from_bytes(cqe[0:4], "little")


def status(host: Host, sqe: bytes, *, qid: int = 0) -> int:
    """The status of a command that returns nothing in DW0."""
    code, dw0 = answer(host, sqe, qid=qid)
    assert dw0 == 0, "DW0 is reserved"
    return code


def bytes_of(host: Host, address: int, length: int = PAGE) -> bytes:
    return host.space.read(address, length)


def number(data: bytes, first: int, last: int) -> int:
    """The little-endian number in bytes `first` to `last`."""
    return int.from_bytes(data[first : last + 1], "little")


class Entry:
    """The fields of a Migration Queue Entry: facts B.1."""

    def __init__(self, data: bytes) -> None:
        self.nsid = number(data, 0, 3)
        self.nlb = number(data, 4, 7)
        self.slba = number(data, 8, 15)
        self.lbacir = data[31] >> 6
        self.dlba = data[31] >> 5 & 1
        self.esa = data[31] >> 1 & 0b111
        self.cdqp = data[31] & 1
        assert data[16:31] == bytes(15)
        assert data[31] >> 4 & 1 == 0

    @property
    def lbas(self) -> range:
        """The LBAs that the entry names."""
        return range(0) if self.lbacir else range(self.slba, self.slba + self.nlb + 1)


class Queue:
    """A Migration Queue of `slots` slots for the changes that `target` makes, polled by phase tag."""

    def __init__(self, host: Host, slots: int, target: int) -> None:
        self.host = host
        self.slots = slots
        self.base = host.take(32 * slots)
        self.taken = 0
        code, self.cdqid = answer(host, create_cdq(self.base, 8 * slots, target))
        assert code == SUCCESS

    def slot(self, number: int) -> bytes:
        return bytes_of(self.host, self.base + 32 * number, 32)

    def poll(self) -> list[Entry]:
        """The entries that came since; the SSD is not told that they were read."""
        entries: list[Entry] = []
        while (entry := Entry(self.slot(self.taken % self.slots))).cdqp != self.taken // self.slots % 2:
            entries.append(entry)
            self.taken += 1
        return entries

    def tell(self) -> int:
        """Set Features 21h with the slot behind the last entry that was read; gives the status."""
        return status(self.host, set_head(self.cdqid, self.taken % self.slots))
