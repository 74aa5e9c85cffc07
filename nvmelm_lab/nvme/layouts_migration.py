"""The commands made for host managed live migration, bit by bit."""

from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    CdqSelect,
    LbaStatusAction,
    LogAction,
    MigrationReceiveSelect,
    MigrationSendSelect,
    SequenceIndicator,
    SuspendType,
    TrackReceiveSelect,
    TrackSendSelect,
)
from nvmelm_lab.nvme.fields import Field, bits, meanings
from nvmelm_lab.nvme.sqe_fields import PRP1_OF_DATA, PRP2_OF_DATA, command, dword, keep, unused

_TARGET = dword(11, 15, 0, "CNTLID", "the target: the controller that migrates")
_CDQID = dword(11, 15, 0, "CDQID", "the queue, by its id on the controller that processes this command")
_UIDX = (dword(14, 6, 0, "UIDX", "index into the UUID List; 0 for none"), keep(14, 31, 7))

_CDQ = "Base 2.1, 5.1.4"
_CDQ_SEL = dword(10, 7, 0, "SEL", "what to do", meanings(CdqSelect))

CREATE_CDQ = command(
    "SQE Controller Data Queue, Create",
    _CDQ,
    AdminOpcode.CONTROLLER_DATA_QUEUE,
    _CDQ_SEL,
    keep(10, 15, 8),
    dword(10, 23, 16, "QT", "queue type", {0: "User Data Migration Queue"}),
    keep(10, 31, 24),
    dword(11, 0, 0, "PC", "1: PRP1 is the base of one contiguous buffer; 0: of a PRP List"),
    keep(11, 15, 1),
    dword(11, 31, 16, "CQS", "CNTLID of the target whose changes will be logged"),
    dword(12, 31, 0, "CDQSIZE", "size of the queue, a plain count; 8 dwords an entry", unit="dwords"),
    unused(13),
    prp1="base of the queue, page aligned; of a PRP List when PC is 0",
)

DELETE_CDQ = command(
    "SQE Controller Data Queue, Delete",
    _CDQ,
    AdminOpcode.CONTROLLER_DATA_QUEUE,
    _CDQ_SEL,
    keep(10, 31, 8),
    _CDQID,
    keep(11, 31, 16),
    unused(12),
)

_TRACK_SEL = dword(10, 7, 0, "SEL", "what to log or track", meanings(TrackSendSelect))

TRACK_SEND = command(
    "SQE Track Send",
    "Base 2.1, 5.1.27",
    AdminOpcode.TRACK_SEND,
    _TRACK_SEL,
    keep(10, 15, 8),
    dword(10, 19, 16, "LACT", "what becomes of the logging", meanings(LogAction)),
    keep(10, 31, 20),
    _CDQID,
    keep(11, 31, 16),
    unused(12),
)

TRACK_MEMORY = command(
    "SQE Track Send, Track Memory Changes",
    "Base 2.1, 5.1.27",
    AdminOpcode.TRACK_SEND,
    _TRACK_SEL,
    keep(10, 15, 8),
    dword(10, 16, 16, "TACT", "what becomes of the tracking", {0: "stop tracking", 1: "start tracking"}),
    keep(10, 31, 17),
    _TARGET,
    keep(11, 31, 16),
    unused(12),
    prp1="address of the ranges to track; not used to stop",
    prp2=PRP2_OF_DATA,
)

TRACK_RECEIVE = command(
    "SQE Track Receive",
    "Base 2.1, 5.1.26",
    AdminOpcode.TRACK_RECEIVE,
    dword(10, 7, 0, "SEL", "what to report", meanings(TrackReceiveSelect)),
    keep(10, 31, 8),
    _TARGET,
    keep(11, 31, 16),
    dword(12, 31, 0, "NUMDL", "length to return", unit="dwords", zero_based=True),
    unused(13),
    prp1=PRP1_OF_DATA,
    prp2=PRP2_OF_DATA,
)

_SEND_SEL = dword(10, 7, 0, "SEL", "what to do with the target", meanings(MigrationSendSelect))

SUSPEND = command(
    "SQE Migration Send, Suspend",
    "Base 2.1, 5.1.17.1.1",
    AdminOpcode.MIGRATION_SEND,
    _SEND_SEL,
    keep(10, 31, 8),
    _TARGET,
    dword(11, 23, 16, "STYPE", "hint or deed", meanings(SuspendType)),
    keep(11, 30, 24),
    dword(11, 31, 31, "DUDMQ", "1: on success delete the target's User Data Migration Queue too"),
    unused(12, 13),
    *_UIDX,
    unused(15),
)

RESUME = command(
    "SQE Migration Send, Resume",
    "Base 2.1, 5.1.17.1.2",
    AdminOpcode.MIGRATION_SEND,
    _SEND_SEL,
    keep(10, 31, 8),
    _TARGET,
    keep(11, 31, 16),
    unused(12, 13),
    *_UIDX,
    unused(15),
)

SET_STATE = command(
    "SQE Migration Send, Set Controller State",
    "Base 2.1, 5.1.17.1.3",
    AdminOpcode.MIGRATION_SEND,
    _SEND_SEL,
    keep(10, 15, 8),
    dword(10, 17, 16, "SEQIND", "place in the sequence of commands", meanings(SequenceIndicator)),
    keep(10, 31, 18),
    _TARGET,
    dword(11, 23, 16, "CSVI", "format of the state: index into Identify CNS 20h, 1-based; 0 for none"),
    dword(11, 31, 24, "CSUUIDI", "format of the vendor data: index into Identify CNS 20h; 0 for none"),
    dword(12, 31, 0, "CSOL", "offset into the state, lower half", unit="bytes"),
    dword(13, 31, 0, "CSOU", "offset into the state, upper half"),
    *_UIDX,
    dword(15, 31, 0, "NUMD", "length sent, a plain count", unit="dwords"),
    prp1=PRP1_OF_DATA,
    prp2=PRP2_OF_DATA,
)

GET_STATE = command(
    "SQE Migration Receive",
    "Base 2.1, 5.1.16",
    AdminOpcode.MIGRATION_RECEIVE,
    dword(10, 7, 0, "SEL", "what to get", meanings(MigrationReceiveSelect)),
    keep(10, 15, 8),
    dword(10, 23, 16, "CSVI", "format of the state: index into Identify CNS 20h, 1-based; 0 for none"),
    keep(10, 31, 24),
    _TARGET,
    dword(11, 23, 16, "CSUUIDI", "format of the vendor data: index into Identify CNS 20h; 0 for none"),
    dword(11, 31, 24, "CSUIDXP", "parameter for the vendor data; ignored when CSUUIDI is 0"),
    dword(12, 31, 0, "OL", "offset into the state, lower half", unit="bytes"),
    dword(13, 31, 0, "OU", "offset into the state, upper half"),
    *_UIDX,
    dword(15, 31, 0, "NUMDL", "length to return", unit="dwords", zero_based=True),
    prp1=PRP1_OF_DATA,
    prp2=PRP2_OF_DATA,
)

_SLBA: Field = bits(40, 8, 63, 0, "SLBA", "first LBA to report on")

GET_LBA_STATUS = command(
    "SQE Get LBA Status",
    "NVM Command Set 1.2, 4.2.1",
    AdminOpcode.GET_LBA_STATUS,
    _SLBA,
    dword(12, 31, 0, "MNDW", "most that may be returned", unit="dwords", zero_based=True),
    dword(13, 15, 0, "RL", "LBAs to report on, a plain count; 0 for all up to the end", unit="blocks"),
    keep(13, 23, 16),
    dword(13, 31, 24, "ATYPE", "what to report", meanings(LbaStatusAction), hexadecimal=True),
    unused(14),
    nsid="namespace to report on",
    prp1=PRP1_OF_DATA,
    prp2=PRP2_OF_DATA,
)
