"""The commands of the Admin command set, bit by bit, except those made for live migration."""

from nvmelm_lab.nvme.codes import (
    AdminOpcode,
    Cns,
    Feature,
    LogPage,
    ResourceType,
    SanitizeAction,
    VirtualizationAction,
)
from nvmelm_lab.nvme.fields import Field, meanings
from nvmelm_lab.nvme.sqe_fields import (
    NO_DATA,
    PRP1_OF_DATA,
    PRP2_OF_DATA,
    command,
    dword,
    keep,
    unused,
)

_QID = dword(10, 15, 0, "QID", "the queue's id")
_QSIZE = dword(10, 31, 16, "QSIZE", "size of the queue", unit="entries", zero_based=True)
_FID = dword(10, 7, 0, "FID", "which feature", meanings(Feature), hexadecimal=True)
_SV = dword(10, 31, 31, "SV", "1: keep the value over power cycles and resets")
_SELECT = dword(
    10, 10, 8, "SEL", "which value", {0: "current", 1: "default", 2: "saved", 3: "supported capabilities"}
)
_UIDX = dword(14, 6, 0, "UIDX", "index into the UUID List; 0 for none")
_QUEUE_BASE = "base address of the queue, page aligned; of a PRP List when PC is 0"

DELETE_IO_SQ = command(
    "SQE Delete I/O Submission Queue",
    "Base 2.1, 5.2.4",
    AdminOpcode.DELETE_IO_SQ,
    _QID,
    keep(10, 31, 16),
    unused(11),
)

CREATE_IO_SQ = command(
    "SQE Create I/O Submission Queue",
    "Base 2.1, 5.2.2",
    AdminOpcode.CREATE_IO_SQ,
    _QID,
    _QSIZE,
    dword(11, 0, 0, "PC", "1: the queue is one contiguous piece of memory"),
    dword(11, 2, 1, "QPRIO", "priority class", {0: "urgent", 1: "high", 2: "medium", 3: "low"}),
    keep(11, 15, 3),
    dword(11, 31, 16, "CQID", "completion queue that gets the queue's completions"),
    dword(12, 15, 0, "NVMSETID", "NVM Set of the queue; 0 for none"),
    keep(12, 31, 16),
    unused(13),
    prp1=_QUEUE_BASE,
)

GET_LOG_PAGE = command(
    "SQE Get Log Page",
    "Base 2.1, 5.1.12",
    AdminOpcode.GET_LOG_PAGE,
    dword(10, 7, 0, "LID", "which log page", meanings(LogPage), hexadecimal=True),
    dword(10, 14, 8, "LSP", "parameter of the log page"),
    dword(10, 15, 15, "RAE", "1: leave the asynchronous event standing"),
    dword(10, 31, 16, "NUMDL", "dwords to return, lower half; together with NUMDU 0's based"),
    dword(11, 15, 0, "NUMDU", "dwords to return, upper half"),
    dword(11, 31, 16, "LSI", "identifier that the log page needs"),
    dword(12, 31, 0, "LPOL", "offset into the page, lower half"),
    dword(13, 31, 0, "LPOU", "offset into the page, upper half"),
    _UIDX,
    keep(14, 22, 7),
    dword(14, 23, 23, "OT", "offset type", {0: "bytes", 1: "index"}),
    dword(14, 31, 24, "CSI", "command set of the page"),
    unused(15),
    nsid="namespace of the page, where it has one",
    prp1=PRP1_OF_DATA,
    prp2=PRP2_OF_DATA,
)

DELETE_IO_CQ = command(
    "SQE Delete I/O Completion Queue",
    "Base 2.1, 5.2.3",
    AdminOpcode.DELETE_IO_CQ,
    _QID,
    keep(10, 31, 16),
    unused(11),
)

CREATE_IO_CQ = command(
    "SQE Create I/O Completion Queue",
    "Base 2.1, 5.2.1",
    AdminOpcode.CREATE_IO_CQ,
    _QID,
    _QSIZE,
    dword(11, 0, 0, "PC", "1: the queue is one contiguous piece of memory"),
    dword(11, 1, 1, "IEN", "1: interrupts are enabled"),
    keep(11, 15, 2),
    dword(11, 31, 16, "IV", "interrupt vector"),
    unused(12),
    prp1=_QUEUE_BASE,
)

IDENTIFY = command(
    "SQE Identify",
    "Base 2.1, 5.1.13",
    AdminOpcode.IDENTIFY,
    dword(10, 7, 0, "CNS", "which page", meanings(Cns), hexadecimal=True),
    keep(10, 15, 8),
    dword(10, 31, 16, "CNTID", "controller id, where the page is about one"),
    dword(11, 15, 0, "CNSSID", "identifier that some pages need"),
    keep(11, 23, 16),
    dword(11, 31, 24, "CSI", "command set of the page", {0: "NVM"}),
    unused(12, 13),
    _UIDX,
    keep(14, 31, 7),
    unused(15),
    nsid="namespace of the page, or the id that a list starts after",
    prp1=PRP1_OF_DATA,
    prp2=PRP2_OF_DATA,
)

ABORT = command(
    "SQE Abort",
    "Base 2.1, 5.1.1",
    AdminOpcode.ABORT,
    dword(10, 15, 0, "SQID", "submission queue of the command to abort"),
    dword(10, 31, 16, "CDW10.CID", "id of the command to abort"),
    unused(11),
)

ASYNC_EVENT_REQUEST = command(
    "SQE Asynchronous Event Request", "Base 2.1, 5.1.2", AdminOpcode.ASYNC_EVENT_REQUEST, unused(10)
)

NAMESPACE_MANAGEMENT = command(
    "SQE Namespace Management",
    "Base 2.1, 5.1.21",
    AdminOpcode.NAMESPACE_MANAGEMENT,
    dword(10, 3, 0, "SEL", "what to do", {0: "create", 1: "delete"}),
    keep(10, 31, 4),
    keep(11, 23, 0),
    dword(11, 31, 24, "CSI", "command set of the new namespace", {0: "NVM"}),
    unused(12),
    nsid="namespace to delete; 0 for create",
    prp1="address of the new namespace's description, laid out as Identify Namespace; not used for delete",
    prp2="second page of that description, where it straddles two",
)

NAMESPACE_ATTACHMENT = command(
    "SQE Namespace Attachment",
    "Base 2.1, 5.1.20",
    AdminOpcode.NAMESPACE_ATTACHMENT,
    dword(10, 3, 0, "SEL", "what to do", {0: "attach", 1: "detach"}),
    keep(10, 31, 4),
    unused(11),
    nsid="namespace to attach or detach",
    prp1="address of the list of controllers",
    prp2="second page of that list, where it straddles two",
)

VIRTUALIZATION = command(
    "SQE Virtualization Management",
    "Base 2.1, 5.2.6",
    AdminOpcode.VIRTUALIZATION_MANAGEMENT,
    dword(10, 3, 0, "ACT", "what to do", meanings(VirtualizationAction)),
    keep(10, 7, 4),
    dword(10, 10, 8, "RT", "which kind of resource", meanings(ResourceType)),
    keep(10, 15, 11),
    dword(10, 31, 16, "CNTLID", "the controller that gains or loses"),
    dword(11, 15, 0, "NR", "number of resources"),
    keep(11, 31, 16),
    unused(12),
)

FORMAT_NVM = command(
    "SQE Format NVM",
    "Base 2.1, 5.1.10",
    AdminOpcode.FORMAT_NVM,
    dword(10, 3, 0, "LBAFL", "LBA format, lower bits"),
    dword(10, 4, 4, "MSET", "1: metadata lies beside each LBA's data"),
    dword(10, 7, 5, "PI", "type of end-to-end protection; 0 for none"),
    dword(10, 8, 8, "PIL", "where protection information lies in the metadata"),
    dword(10, 11, 9, "SES", "secure erase", {0: "none", 1: "user data", 2: "cryptographic"}),
    dword(10, 13, 12, "LBAFU", "LBA format, upper bits"),
    keep(10, 31, 14),
    unused(11),
    nsid="namespace to format; FFFFFFFFh for all",
)

SANITIZE = command(
    "SQE Sanitize",
    "Base 2.1, 5.1.22",
    AdminOpcode.SANITIZE,
    dword(
        10,
        2,
        0,
        "SANACT",
        "what to do",
        meanings(SanitizeAction),
    ),
    dword(10, 3, 3, "AUSE", "1: failure mode may be left without a good sanitize"),
    dword(10, 7, 4, "OWPASS", "overwrite passes; 0 stands for 16"),
    dword(10, 8, 8, "OIPBP", "1: invert the pattern between passes"),
    dword(10, 9, 9, "NDAS", "1: do not deallocate afterwards"),
    dword(10, 10, 10, "EMVS", "1: go to media verification afterwards"),
    keep(10, 31, 11),
    dword(11, 31, 0, "OVRPAT", "pattern to overwrite with", hexadecimal=True),
    unused(12),
)


def _feature_dwords(first: int, last: int) -> tuple[Field, ...]:
    return tuple(
        dword(number, 31, 0, f"CDW{number}", "what the feature makes of it", hexadecimal=True)
        for number in range(first, last + 1)
    )


_SET_HEAD = (_FID, keep(10, 30, 8), _SV)
_GET_HEAD = (_FID, _SELECT, keep(10, 31, 11))
_FEATURE_UIDX = (_UIDX, keep(14, 31, 7))
_ALL_NAMESPACES = "namespace of the feature, where it has one"

SET_FEATURES = command(
    "SQE Set Features",
    "Base 2.1, 5.1.25",
    AdminOpcode.SET_FEATURES,
    *_SET_HEAD,
    *_feature_dwords(11, 13),
    *_FEATURE_UIDX,
    *_feature_dwords(15, 15),
    nsid=_ALL_NAMESPACES,
    prp1="address of the feature's data, where it has any",
    prp2=PRP2_OF_DATA,
)

GET_FEATURES = command(
    "SQE Get Features",
    "Base 2.1, 5.1.11",
    AdminOpcode.GET_FEATURES,
    *_GET_HEAD,
    *_feature_dwords(11, 13),
    *_FEATURE_UIDX,
    *_feature_dwords(15, 15),
    nsid=_ALL_NAMESPACES,
    prp1="address for the feature's data, where it has any",
    prp2=PRP2_OF_DATA,
)

SET_ARBITRATION = command(
    "SQE Set Features, Arbitration",
    "Base 2.1, 5.1.25.1.1",
    AdminOpcode.SET_FEATURES,
    *_SET_HEAD,
    dword(11, 2, 0, "AB", "at most 2^AB commands are taken from a queue at a time; 111b: no limit"),
    keep(11, 7, 3),
    dword(11, 15, 8, "LPW", "weight of the low priority class", unit="commands", zero_based=True),
    dword(11, 23, 16, "MPW", "weight of the medium priority class", unit="commands", zero_based=True),
    dword(11, 31, 24, "HPW", "weight of the high priority class", unit="commands", zero_based=True),
    unused(12),
)

SET_QUEUES = command(
    "SQE Set Features, Number of Queues",
    "Base 2.1, 5.1.25.2.1",
    AdminOpcode.SET_FEATURES,
    *_SET_HEAD,
    dword(11, 15, 0, "NSQR", "I/O submission queues wanted", unit="queues", zero_based=True),
    dword(11, 31, 16, "NCQR", "I/O completion queues wanted", unit="queues", zero_based=True),
    unused(12),
)

GET_QUEUES = command(
    "SQE Get Features, Number of Queues",
    "Base 2.1, 5.1.25.2.1",
    AdminOpcode.GET_FEATURES,
    *_GET_HEAD,
    unused(11),
    prp1=NO_DATA,
)

SET_CDQ = command(
    "SQE Set Features, Controller Data Queue",
    "Base 2.1, 5.1.25.1.23",
    AdminOpcode.SET_FEATURES,
    *_SET_HEAD,
    dword(11, 15, 0, "CDQID", "the queue"),
    keep(11, 30, 16),
    dword(11, 31, 31, "ETPT", "1: raise one event when an entry is posted in slot TPT"),
    dword(12, 31, 0, "HP", "new head: the slot that the host will read next"),
    dword(13, 31, 0, "TPT", "slot whose filling raises the event; ignored when ETPT is 0"),
    unused(14),
)

GET_CDQ = command(
    "SQE Get Features, Controller Data Queue",
    "Base 2.1, 5.1.25.1.23",
    AdminOpcode.GET_FEATURES,
    *_GET_HEAD,
    dword(11, 15, 0, "CDQID", "the queue"),
    keep(11, 31, 16),
    unused(12),
    prp1="address for 512 bytes: head in bytes 3:0, trigger slot in 7:4",
    prp2="second page of that buffer, where it straddles two",
)
