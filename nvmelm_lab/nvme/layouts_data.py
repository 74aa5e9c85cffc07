"""What is not a command, bit by bit: completions, Migration Queue entries, controller state, LBA status."""

from nvmelm_lab.nvme.codes import (
    AsyncEventType,
    Completeness,
    EntrySpecial,
    LbaChange,
    LbaRangeStatus,
    LbaStatusAction,
    OneShotEvent,
)
from nvmelm_lab.nvme.fields import Field, Layout, bits, layout, meanings, reserved, reserved_bits, whole_bytes
from nvmelm_lab.nvme.status import Status

_STATUS = {status.value: f"{status.title}. {status.sentence}" for status in Status}

_CQE_SOURCE = "Base 2.1, 4.2.1"
_CQE_TAIL: tuple[Field, ...] = layout(
    "",
    16,
    _CQE_SOURCE,
    whole_bytes(8, 9, "SQHD", "head of the submission queue: entries before it are free again"),
    whole_bytes(10, 11, "SQID", "submission queue that the command came from"),
    whole_bytes(12, 13, "CID", "the command that is done"),
    bits(12, 4, 16, 16, "P", "phase tag: inverted with each lap of the completion queue"),
    bits(12, 4, 27, 17, "STATUS", "SCT in bits 27:25, SC in 24:17", _STATUS, hexadecimal=True),
    bits(12, 4, 29, 28, "CRD", "which of the controller's delays to wait before a retry; 0 for none"),
    bits(12, 4, 30, 30, "M", "1: the error log says more"),
    bits(12, 4, 31, 31, "DNR", "1: the same command would fail again"),
).fields
_DW1_UNUSED = reserved(4, 7)


def _cqe(name: str, source: str, *fields: Field) -> Layout:
    return layout(name, 16, source, *fields, *_CQE_TAIL)


CQE = _cqe(
    "CQE",
    _CQE_SOURCE,
    whole_bytes(0, 3, "DW0", "what the command makes of it", hexadecimal=True),
    whole_bytes(4, 7, "DW1", "what the command makes of it", hexadecimal=True),
)

CQE_CREATE_CDQ = _cqe(
    "CQE Controller Data Queue, Create",
    "Base 2.1, 5.1.4",
    whole_bytes(0, 1, "CDQID", "id of the new queue on this controller"),
    reserved(2, 3),
    _DW1_UNUSED,
)

CQE_GET_STATE = _cqe(
    "CQE Migration Receive",
    "Base 2.1, 5.1.16",
    bits(0, 4, 0, 0, "CSUP", "1: the target was suspended all the while"),
    reserved_bits(0, 4, 31, 1),
    _DW1_UNUSED,
)

CQE_ASYNC_EVENT = _cqe(
    "CQE Asynchronous Event Request",
    "Base 2.1, 5.1.2",
    bits(0, 4, 2, 0, "AET", "type of the event", meanings(AsyncEventType)),
    reserved_bits(0, 4, 7, 3),
    bits(0, 4, 15, 8, "AEI", "which event, when AET is one-shot", meanings(OneShotEvent)),
    bits(0, 4, 23, 16, "LID", "log page that says more; none for one-shot events", hexadecimal=True),
    reserved_bits(0, 4, 31, 24),
    whole_bytes(4, 5, "CDQID", "the queue, when AET is one-shot"),
    reserved(6, 7),
)

CQE_GET_CDQ = _cqe(
    "CQE Get Features, Controller Data Queue",
    "Base 2.1, 5.1.25.1.23",
    bits(0, 4, 15, 0, "CDQID", "the queue"),
    reserved_bits(0, 4, 30, 16),
    bits(0, 4, 31, 31, "ETPT", "1: the tail pointer event is armed"),
    _DW1_UNUSED,
)

CQE_QUEUES = _cqe(
    "CQE Number of Queues",
    "Base 2.1, 5.1.25.2.1",
    bits(0, 4, 15, 0, "NSQA", "I/O submission queues granted", unit="queues", zero_based=True),
    bits(0, 4, 31, 16, "NCQA", "I/O completion queues granted", unit="queues", zero_based=True),
    _DW1_UNUSED,
)

CQE_CREATE_NAMESPACE = _cqe(
    "CQE Namespace Management",
    "Base 2.1, 5.1.21",
    whole_bytes(0, 3, "NSID", "id of the new namespace"),
    _DW1_UNUSED,
)

CQE_VIRTUALIZATION = _cqe(
    "CQE Virtualization Management",
    "Base 2.1, 5.2.6",
    whole_bytes(0, 1, "NRM", "number of resources that were moved"),
    reserved(2, 3),
    _DW1_UNUSED,
)

CQE_WRITE_ZEROES = _cqe(
    "CQE Write Zeroes",
    "NVM Command Set 1.2, 3.3.8.1, Figure 87",
    bits(0, 4, 0, 0, "LBACZ", "1: all LBAs of the namespace are zeroes now, as NSZ asked"),
    reserved_bits(0, 4, 31, 1),
    _DW1_UNUSED,
)

CQE_ABORT = _cqe(
    "CQE Abort",
    "Base 2.1, 5.1.1",
    bits(0, 4, 0, 0, "IANP", "0: the command was aborted; 1: it was not"),
    reserved_bits(0, 4, 31, 1),
    _DW1_UNUSED,
)

_MQE_SOURCE = "NVM Command Set 1.2, 5.6, Figure 177"
_MQE_TAIL: tuple[Field, ...] = (
    reserved(16, 30),
    bits(31, 1, 0, 0, "CDQP", "phase tag: inverted with each lap of the queue, 1 on the first"),
    bits(31, 1, 3, 1, "ESA", "whether the entry is a first or last one", meanings(EntrySpecial)),
    reserved_bits(31, 1, 4, 4),
    bits(31, 1, 5, 5, "DLBA", "1: the LBAs are deallocated; 0: written or deallocated"),
    bits(31, 1, 7, 6, "LBACIR", "what the entry says about LBAs", meanings(LbaChange)),
)

MQE = layout(
    "MQE",
    32,
    _MQE_SOURCE,
    whole_bytes(0, 3, "NSID", "namespace that changed"),
    whole_bytes(4, 7, "NLB", "number of LBAs that changed", unit="blocks", zero_based=True),
    whole_bytes(8, 15, "SLBA", "first LBA that changed"),
    *_MQE_TAIL,
)

MQE_NO_RANGE = layout(
    "MQE, no range",
    32,
    _MQE_SOURCE,
    whole_bytes(0, 3, "NSID", "namespace that changed as a whole; 0 when LBACIR is 2"),
    whole_bytes(4, 7, "NLB", "not used, as the entry has no range: 0"),
    whole_bytes(8, 15, "SLBA", "not used, as the entry has no range: 0"),
    *_MQE_TAIL,
)

CONTROLLER_STATE = layout(
    "Controller State",
    48,
    "Base 2.1, 5.1.17, Figure 358",
    whole_bytes(0, 1, "VER", "version of this structure: 0"),
    bits(2, 1, 0, 0, "CP", "1: the target was suspended all the while the state was read"),
    reserved_bits(2, 1, 7, 1),
    reserved(3, 15),
    whole_bytes(16, 31, "NVMECSS", "size of the NVMe Controller State that follows", unit="dwords"),
    whole_bytes(32, 47, "VSS", "size of the vendor data after that", unit="dwords"),
)

NVME_CONTROLLER_STATE = layout(
    "NVMe Controller State",
    8,
    "Base 2.1, 5.1.17, Figure 359",
    whole_bytes(0, 1, "VER", "version of this structure: 0"),
    whole_bytes(2, 3, "NIOSQ", "number of I/O Submission Queue states that follow"),
    whole_bytes(4, 5, "NIOCQ", "number of I/O Completion Queue states after those"),
    reserved(6, 7),
)

SQ_STATE = layout(
    "I/O Submission Queue State",
    24,
    "Base 2.1, 5.1.17, Figure 360",
    whole_bytes(0, 7, "PRP1", "base of the queue as given when it was created", hexadecimal=True),
    whole_bytes(8, 9, "QSIZE", "size of the queue", unit="entries", zero_based=True),
    whole_bytes(10, 11, "QID", "the queue's id"),
    whole_bytes(12, 13, "CQID", "its completion queue"),
    bits(14, 2, 0, 0, "PC", "1: one contiguous piece of memory"),
    bits(14, 2, 2, 1, "QPRIO", "priority class", {0: "urgent", 1: "high", 2: "medium", 3: "low"}),
    reserved_bits(14, 2, 15, 3),
    whole_bytes(16, 17, "HEAD", "slot that the controller fetches next"),
    whole_bytes(18, 19, "TAIL", "slot that the host fills next, by the doorbell"),
    reserved(20, 23),
)

CQ_STATE = layout(
    "I/O Completion Queue State",
    24,
    "Base 2.1, 5.1.17, Figure 361",
    whole_bytes(0, 7, "PRP1", "base of the queue as given when it was created", hexadecimal=True),
    whole_bytes(8, 9, "QSIZE", "size of the queue", unit="entries", zero_based=True),
    whole_bytes(10, 11, "QID", "the queue's id"),
    whole_bytes(12, 13, "HEAD", "slot that the host reads next, by the doorbell"),
    whole_bytes(14, 15, "TAIL", "slot that the controller fills next"),
    bits(16, 4, 0, 0, "PC", "1: one contiguous piece of memory"),
    bits(16, 4, 1, 1, "IEN", "1: interrupts are enabled"),
    bits(16, 4, 2, 2, "S0PT", "phase tag that slot 0 holds"),
    reserved_bits(16, 4, 15, 3),
    bits(16, 4, 31, 16, "IV", "interrupt vector"),
    reserved(20, 23),
)

LBA_STATUS = layout(
    "LBA Status",
    8,
    "NVM Command Set 1.2, 4.2.1, Figure 131",
    whole_bytes(0, 3, "NLSD", "number of descriptors that follow"),
    whole_bytes(4, 4, "CMPC", "whether the list is the whole answer", meanings(Completeness)),
    reserved(5, 7),
)

LBA_STATUS_DESCRIPTOR = layout(
    "LBA Status Descriptor",
    16,
    "NVM Command Set 1.2, 4.2.1, Figure 132",
    whole_bytes(0, 7, "DSLBA", "first LBA"),
    whole_bytes(8, 11, "NLB", "number of LBAs", unit="blocks", zero_based=True),
    reserved(12, 12),
    bits(13, 1, 2, 0, "LBARS", "state of the LBAs", meanings(LbaRangeStatus)),
    reserved_bits(13, 1, 7, 3),
    reserved(14, 15),
)

DSM_RANGE = layout(
    "DSM Range",
    16,
    "NVM Command Set 1.2, 3.3.3, Figure 46",
    whole_bytes(0, 3, "CATTR", "hints on how the LBAs will be used", hexadecimal=True),
    whole_bytes(4, 7, "LLB", "number of LBAs, a plain count", unit="blocks"),
    whole_bytes(8, 15, "SLBA", "first LBA"),
)

COPY_RANGE = layout(
    "Copy Range",
    32,
    "NVM Command Set 1.2, 3.3.2, Figure 39",
    reserved(0, 7),
    whole_bytes(8, 15, "SLBA", "first LBA to copy"),
    whole_bytes(16, 17, "NLB", "number of LBAs to copy", unit="blocks", zero_based=True),
    reserved(18, 23),
    whole_bytes(24, 27, "ELBT", "expected tags for end-to-end protection; 0, as the kit uses none"),
    whole_bytes(28, 29, "ELBAT", "expected application tag; 0, as the kit uses none"),
    whole_bytes(30, 31, "ELBATM", "mask of the expected application tag"),
)

LBA_STATUS_INFORMATION = layout(
    "LBA Status Information",
    16,
    "NVM Command Set 1.2, 4.1.4.5, Figure 109",
    whole_bytes(0, 3, "LSLPLEN", "length of the log page", unit="bytes"),
    whole_bytes(4, 7, "NLSLNE", "number of namespace elements that follow"),
    whole_bytes(8, 11, "ESTULB", "estimate of how many LBAs cannot be read", unit="blocks"),
    reserved(12, 13),
    whole_bytes(
        14, 15, "LSGC", "generation: raised when the page tells of LBAs that were not read of before"
    ),
)

LBA_STATUS_ELEMENT = layout(
    "LBA Status Log Namespace Element",
    16,
    "NVM Command Set 1.2, 4.1.4.5, Figure 110",
    whole_bytes(0, 3, "NEID", "namespace that the element is about"),
    whole_bytes(4, 7, "NLRD", "number of ranges that follow; FFFFFFFFh: look at all LBAs"),
    whole_bytes(8, 8, "RATYPE", "action to ask by", meanings(LbaStatusAction), hexadecimal=True),
    reserved(9, 15),
)

LBA_STATUS_RANGE = layout(
    "LBA Range Descriptor",
    16,
    "NVM Command Set 1.2, 4.1.4.5, Figure 111",
    whole_bytes(0, 7, "RSLBA", "first LBA"),
    whole_bytes(8, 11, "RNLB", "number of LBAs", unit="blocks", zero_based=True),
    reserved(12, 15),
)
