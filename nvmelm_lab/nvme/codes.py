"""The numbers that the standard gives to opcodes, selectors, attributes and property offsets, each with
what it stands for.  Numbers only: no layout, no behaviour.

Sources: Base = NVM Express Base Specification 2.1; NVM = NVM Command Set Specification 1.2.
"""

from enum import IntEnum
from typing import Self

from nvmelm_lab.nvme.bits import Bits


class Code(IntEnum):
    """A number of the standard.  `meaning` says in a few words what it stands for."""

    meaning: str

    def __new__(cls, value: int, meaning: str = "") -> Self:
        """The number, with what is said of it attached."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class AdminOpcode(Code):
    """Opcodes of the Admin command set; bits 1:0 tell the data direction.  Base 5, Figure 141."""

    DELETE_IO_SQ = 0x00, "Delete I/O Submission Queue"
    CREATE_IO_SQ = 0x01, "Create I/O Submission Queue"
    GET_LOG_PAGE = 0x02, "Get Log Page"
    DELETE_IO_CQ = 0x04, "Delete I/O Completion Queue"
    CREATE_IO_CQ = 0x05, "Create I/O Completion Queue"
    IDENTIFY = 0x06, "Identify"
    ABORT = 0x08, "Abort"
    SET_FEATURES = 0x09, "Set Features"
    GET_FEATURES = 0x0A, "Get Features"
    ASYNC_EVENT_REQUEST = 0x0C, "Asynchronous Event Request"
    NAMESPACE_MANAGEMENT = 0x0D, "Namespace Management"
    NAMESPACE_ATTACHMENT = 0x15, "Namespace Attachment"
    VIRTUALIZATION_MANAGEMENT = 0x1C, "Virtualization Management"
    TRACK_SEND = 0x3D, "Track Send"
    TRACK_RECEIVE = 0x3E, "Track Receive"
    MIGRATION_SEND = 0x41, "Migration Send"
    MIGRATION_RECEIVE = 0x42, "Migration Receive"
    CONTROLLER_DATA_QUEUE = 0x45, "Controller Data Queue"
    FORMAT_NVM = 0x80, "Format NVM"
    SANITIZE = 0x84, "Sanitize"
    GET_LBA_STATUS = 0x86, "Get LBA Status"


class IoOpcode(Code):
    """Opcodes of the NVM I/O command set; bits 1:0 tell the data direction.  NVM 3.3."""

    FLUSH = 0x00, "Flush"
    WRITE = 0x01, "Write"
    READ = 0x02, "Read"
    WRITE_UNCORRECTABLE = 0x04, "Write Uncorrectable"
    COMPARE = 0x05, "Compare"
    WRITE_ZEROES = 0x08, "Write Zeroes"
    DATASET_MANAGEMENT = 0x09, "Dataset Management"
    VERIFY = 0x0C, "Verify"
    COPY = 0x19, "Copy"


class Cns(Code):
    """Controller or Namespace Structure: which page Identify returns.  Base 5.1.13."""

    NAMESPACE = 0x00, "Identify Namespace, NVM command set"
    CONTROLLER = 0x01, "Identify Controller"
    ACTIVE_NAMESPACES = 0x02, "ids of the namespaces attached to this controller"
    NAMESPACE_DESCRIPTORS = 0x03, "identification descriptors of one namespace"
    IOCS_NAMESPACE = 0x05, "Identify Namespace of one I/O command set"
    IOCS_CONTROLLER = 0x06, "Identify Controller of one I/O command set"
    ALLOCATED_NAMESPACES = 0x10, "ids of all allocated namespaces, attached or not"
    ALLOCATED_NAMESPACE = 0x11, "Identify Namespace of an allocated namespace"
    ATTACHED_CONTROLLERS = 0x12, "controllers that one namespace is attached to"
    CONTROLLERS = 0x13, "controllers of the subsystem"
    PRIMARY_CAPABILITIES = 0x14, "resources that a primary controller can give away"
    SECONDARY_CONTROLLERS = 0x15, "secondary controllers of this primary controller"
    CONTROLLER_STATE_FORMATS = 0x20, "formats in which a controller's state can be moved"


class Feature(Code):
    """Feature identifiers of Set and Get Features.  Base 5.1.25."""

    ARBITRATION = 0x01, "Arbitration"
    VOLATILE_WRITE_CACHE = 0x06, "Volatile Write Cache"
    NUMBER_OF_QUEUES = 0x07, "Number of Queues"
    ASYNC_EVENT_CONFIGURATION = 0x0B, "Asynchronous Event Configuration"
    CONTROLLER_DATA_QUEUE = 0x21, "Controller Data Queue"


class LogPage(Code):
    """Log page identifiers (LID) of Get Log Page.  Base 5.1.12."""

    SUPPORTED_LOG_PAGES = 0x00, "which log pages there are"
    FIRMWARE_SLOTS = 0x03, "which firmware there is, and which is active"
    COMMAND_EFFECTS = 0x05, "which commands there are, and what they may change"
    LBA_STATUS = 0x0E, "which LBAs are known to be unreadable"
    FEATURE_EFFECTS = 0x12, "which features there are, and their scope"


class CdqSelect(Code):
    """SEL of the Controller Data Queue command.  Base 5.1.4."""

    CREATE = 0, "create a queue"
    DELETE = 1, "delete a queue"


class TrackSendSelect(Code):
    """SEL of Track Send.  Base 5.1.27."""

    LOG_USER_DATA = 0, "log changes of user data"
    TRACK_MEMORY = 1, "track changes of host memory"


class TrackReceiveSelect(Code):
    """SEL of Track Receive.  Base 5.1.26."""

    TRACKED_MEMORY = 0, "report tracked changes of host memory"


class LogAction(Code):
    """LACT of Track Send: what becomes of the logging of user data changes.  Base 5.1.27."""

    STOP = 0, "stop logging"
    START = 1, "start logging"


class MigrationSendSelect(Code):
    """SEL of Migration Send.  Base 5.1.17."""

    SUSPEND = 0, "suspend the controller"
    RESUME = 1, "resume the controller"
    SET_STATE = 2, "set the controller's state"


class MigrationReceiveSelect(Code):
    """SEL of Migration Receive.  Base 5.1.16."""

    GET_STATE = 0, "get the controller's state"


class SuspendType(Code):
    """STYPE of Migration Send, Suspend.  Base 5.1.17.1.1."""

    NOTIFICATION = 0, "a hint that suspension will follow"
    SUSPEND = 1, "suspend now"


class SequenceIndicator(Code):
    """SEQIND of Migration Send, Set Controller State.  Base 5.1.17.1.3."""

    MIDDLE = 0, "neither first nor last of several commands"
    FIRST = 1, "first of several commands"
    LAST = 2, "last of several commands"
    ONLY = 3, "the one command that carries everything"


class SanitizeAction(Code):
    """SANACT of Sanitize.  Base 5.1.22."""

    EXIT_FAILURE = 1, "leave failure mode"
    BLOCK_ERASE = 2, "block erase"
    OVERWRITE = 3, "overwrite"
    CRYPTO_ERASE = 4, "crypto erase"
    EXIT_VERIFICATION = 5, "leave media verification"


class LbaStatusAction(Code):
    """ATYPE of Get LBA Status.  NVM 4.2.1."""

    ALLOCATED = 0x02, "report allocated LBAs"
    SCAN = 0x10, "scan, then report potentially unrecoverable LBAs"
    TRACKED = 0x11, "report tracked potentially unrecoverable LBAs"


class LbaRangeStatus(Code):
    """LBARS of an LBA Status Descriptor.  NVM 4.2.1, Figure 132."""

    UNRECOVERABLE = 0, "potentially unrecoverable"
    UNRECOVERABLE_1 = 1, "potentially unrecoverable, second code for it"
    ALLOCATED = 2, "one or more of the LBAs are allocated"
    WRITTEN_UNCORRECTABLE = 3, "last written by Write Uncorrectable"


class Completeness(Code):
    """CMPC of the LBA Status Descriptor List.  NVM 4.2.1, Figure 131."""

    NO_INDICATION = 0, "nothing said"
    INCOMPLETE = 1, "more entries exist, or the scan did not end"
    COMPLETE = 2, "everything asked for is in the list"


class VirtualizationAction(Code):
    """ACT of Virtualization Management.  Base 5.2.6."""

    PRIMARY_FLEXIBLE = 1, "set the primary controller's flexible resources"
    SECONDARY_OFFLINE = 7, "take the secondary controller offline"
    SECONDARY_ASSIGN = 8, "assign resources to the secondary controller"
    SECONDARY_ONLINE = 9, "bring the secondary controller online"


class ResourceType(Code):
    """RT of Virtualization Management.  Base 5.2.6."""

    QUEUES = 0, "VQ: virtual queue resources"
    INTERRUPTS = 1, "VI: virtual interrupt resources"


class LbaChange(Code):
    """LBACIR of a Migration Queue Entry: what the entry says about LBAs.  NVM 5.6, Figure 177."""

    RANGE = 0, "the range SLBA, NLB changed"
    ALL = 1, "all LBAs of the namespace changed"
    NONE = 2, "no range in this entry"


class EntrySpecial(Code):
    """ESA of a Migration Queue Entry: is it the first or the last of its kind.  NVM 5.6, Figure 177."""

    ORDINARY = 0, "ordinary entry"
    FIRST = 1, "first entry since logging started or the controller resumed"
    STOPPED = 2, "last entry, logging stopped by the host"
    SUSPENDED = 3, "last entry, controller suspended"
    FULL = 7, "last entry, the queue became full and logging stopped"


class AsyncEventType(Code):
    """AET in DW0 of an Asynchronous Event Request's completion.  Base 5.1.2."""

    ERROR = 0, "error"
    SMART = 1, "health"
    NOTICE = 2, "notice"
    IMMEDIATE = 3, "immediate"
    ONE_SHOT = 4, "one-shot"
    IO_COMMAND_SET = 6, "I/O command set specific"
    VENDOR = 7, "vendor specific"


class OneShotEvent(Code):
    """AEI of a one-shot event; DW1 bits 15:0 of the completion carry the CDQID.  Base 5.1.2."""

    TAIL_POINTER = 0, "an entry was posted in the trigger slot"
    QUEUE_FULL = 1, "the queue became full"


class Property(Code):
    """Offsets in bytes of the controller properties.  Base 3.1.4."""

    CAP = 0x00, "Controller Capabilities, 8 bytes"
    VS = 0x08, "Version"
    INTMS = 0x0C, "Interrupt Mask Set"
    INTMC = 0x10, "Interrupt Mask Clear"
    CC = 0x14, "Controller Configuration"
    CSTS = 0x1C, "Controller Status"
    NSSR = 0x20, "NVM Subsystem Reset"
    AQA = 0x24, "Admin Queue Attributes"
    ASQ = 0x28, "Admin Submission Queue Base Address, 8 bytes"
    ACQ = 0x30, "Admin Completion Queue Base Address, 8 bytes"


class FunctionRegister(Code):
    """Offsets in bytes of registers in the configuration space of a controller's PCI Express function: where an SSD
    of the kit has its PCI Express capability (PXCAP, 40h) and its SR-IOV capability (100h).  NVMe over PCIe Transport
    1.1, 3.2; PCI Express Base, Single Root I/O Virtualization.
    """

    PXDCAP = 0x44, "PCI Express Device Capabilities"
    PXDC = 0x48, "PCI Express Device Control"
    SRIOV_CONTROL = 0x108, "SR-IOV Control"
    TOTAL_VFS = 0x10E, "TotalVFs: how many virtual functions there can be"
    NUM_VFS = 0x110, "NumVFs: how many virtual functions VF Enable enables"


PXDCAP_FLRC = Bits(28, 28)  # function level reset capability
PXDC_IFLR = Bits(15, 15)  # initiate function level reset
SRIOV_VFE = Bits(0, 0)  # VF Enable


DOORBELLS = 0x1000
"""Offset of the first doorbell.  Base 3.1.4 with the PCIe transport, doorbell stride CAP.DSTRD = 0."""


def sq_tail_doorbell(qid: int) -> int:
    """Offset of the tail doorbell of submission queue `qid`, for CAP.DSTRD = 0."""
    return DOORBELLS + 8 * qid


def cq_head_doorbell(qid: int) -> int:
    """Offset of the head doorbell of completion queue `qid`, for CAP.DSTRD = 0."""
    return DOORBELLS + 8 * qid + 4


# Controller Capabilities, Base 3.1.4.1.
CAP_MQES = Bits(15, 0)  # most entries of an I/O queue, 0's based
CAP_CQR = Bits(16, 16)  # queues must be physically contiguous
CAP_TO = Bits(31, 24)  # longest wait for CSTS.RDY, in 500 ms
CAP_DSTRD = Bits(35, 32)  # doorbell stride is 4 << DSTRD bytes
CAP_NSSRS = Bits(36, 36)  # NVM subsystem reset supported
CAP_CSS = Bits(44, 37)  # command sets supported: bit 0 NVM, bit 6 several, bit 7 none
CAP_MPSMIN = Bits(51, 48)  # smallest page is 2 ** (12 + MPSMIN) bytes
CAP_MPSMAX = Bits(55, 52)  # largest page is 2 ** (12 + MPSMAX) bytes

# Controller Configuration, Base 3.1.4.5.
CC_EN = Bits(0, 0)  # enable
CC_CSS = Bits(6, 4)  # command set selected
CC_MPS = Bits(10, 7)  # page size is 2 ** (12 + MPS) bytes
CC_AMS = Bits(13, 11)  # arbitration mechanism
CC_SHN = Bits(15, 14)  # shutdown notification: 0 none, 1 normal, 2 abrupt
CC_IOSQES = Bits(19, 16)  # an I/O SQE has 2 ** IOSQES bytes
CC_IOCQES = Bits(23, 20)  # an I/O CQE has 2 ** IOCQES bytes

# Controller Status, Base 3.1.4.6.
CSTS_RDY = Bits(0, 0)  # ready
CSTS_CFS = Bits(1, 1)  # fatal status; 1 on an offline secondary controller
CSTS_SHST = Bits(3, 2)  # shutdown: 0 none, 1 under way, 2 complete
CSTS_NSSRO = Bits(4, 4)  # an NVM subsystem reset occurred

# Admin Queue Attributes, Base 3.1.4.8.
AQA_ASQS = Bits(11, 0)  # entries of the admin submission queue, 0's based
AQA_ACQS = Bits(27, 16)  # entries of the admin completion queue, 0's based

VS_2_1 = 0x00020100
"""The version that the kit speaks, 2.1.0, as VS and Identify Controller's VER carry it."""

NSSR_NVME = 0x4E564D65
"""Written to NSSR it starts an NVM Subsystem Reset: the letters NVMe.  Base 3.1.4.7."""

BROADCAST_NSID = 0xFFFFFFFF
"""The NSID that stands for all namespaces, where a command allows it."""
