"""Status codes: what a completion says about its command, each with one plain sentence.

A `Status` is SCT << 8 | SC.  The lists are Base 2.1 Figures 102 (generic), 103 (command specific), 106 (media
and data integrity) and 107 (path related); codes from 80h on are in NVM Command Set 1.2 Figures 17, 18 and 19 too.
"""

from enum import IntEnum
from typing import NamedTuple, Self

from nvmelm_lab.errors import InputError

_SOURCES = {
    0: "Base 2.1 Figure 102",
    1: "Base 2.1 Figure 103",
    2: "Base 2.1 Figure 106",
    3: "Base 2.1 Figure 107",
}


class Status(IntEnum):
    """Status code type and status code in one number, SCT << 8 | SC.  `title` is its name in the standard,
    `sentence` says what happened, `source` where the standard defines it.
    """

    title: str
    sentence: str
    source: str

    def __new__(cls, value: int, title: str = "", sentence: str = "") -> Self:
        """The number, with what is said of it attached."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.title = title
        member.sentence = sentence
        member.source = _SOURCES[value >> 8]
        return member

    SUCCESS = 0x000, "Successful Completion", "The command did what it was asked to do."
    INVALID_OPCODE = 0x001, "Invalid Command Opcode", "This controller does not know the opcode."
    INVALID_FIELD = (
        0x002,
        "Invalid Field in Command",
        "A field of the command holds a value that is not allowed here.",
    )
    COMMAND_ID_CONFLICT = (
        0x003,
        "Command ID Conflict",
        "Another command in flight on the same queue has the same id.",
    )
    DATA_TRANSFER_ERROR = (
        0x004,
        "Data Transfer Error",
        "Data could not be moved between host memory and controller.",
    )
    INTERNAL_ERROR = 0x006, "Internal Error", "The controller failed for a reason of its own."
    ABORT_REQUESTED = 0x007, "Command Abort Requested", "The host asked to abort this command, and it was."
    ABORTED_SQ_DELETION = (
        0x008,
        "Command Aborted due to SQ Deletion",
        "The submission queue was deleted while the command was on it.",
    )
    INVALID_NAMESPACE_OR_FORMAT = (
        0x00B,
        "Invalid Namespace or Format",
        "There is no usable namespace with this NSID on this controller.",
    )
    COMMAND_SEQUENCE_ERROR = (
        0x00C,
        "Command Sequence Error",
        "The command came out of the order that its protocol demands.",
    )
    PRP_OFFSET_INVALID = (
        0x013,
        "PRP Offset Invalid",
        "A PRP points into the middle of a page where a page start is required.",
    )
    OPERATION_DENIED = 0x015, "Operation Denied", "The host has no right to this operation."
    SANITIZE_FAILED = (
        0x01C,
        "Sanitize Failed",
        "The last sanitize operation failed and has not been recovered from.",
    )
    SANITIZE_IN_PROGRESS = (
        0x01D,
        "Sanitize In Progress",
        "A sanitize operation is running and this command has to wait.",
    )
    NAMESPACE_WRITE_PROTECTED = 0x020, "Namespace is Write Protected", "The namespace is write protected."
    COMMAND_INTERRUPTED = (
        0x021,
        "Command Interrupted",
        "The controller gave up the command half-way; it may be sent again.",
    )
    LBA_OUT_OF_RANGE = (
        0x080,
        "LBA Out of Range",
        "An LBA of the command lies beyond the end of the namespace.",
    )
    CAPACITY_EXCEEDED = (
        0x081,
        "Capacity Exceeded",
        "The write would need more capacity than the namespace has.",
    )
    NAMESPACE_NOT_READY = 0x082, "Namespace Not Ready", "The namespace cannot be reached for now."
    RESERVATION_CONFLICT = (
        0x083,
        "Reservation Conflict",
        "Another host holds a reservation that forbids this command.",
    )
    FORMAT_IN_PROGRESS = 0x084, "Format In Progress", "The namespace is being formatted."

    COMPLETION_QUEUE_INVALID = (
        0x100,
        "Completion Queue Invalid",
        "The completion queue named by the command does not exist.",
    )
    INVALID_QUEUE_IDENTIFIER = (
        0x101,
        "Invalid Queue Identifier",
        "The queue id is out of range, in use already, or not in use.",
    )
    INVALID_QUEUE_SIZE = 0x102, "Invalid Queue Size", "The queue would have too few or too many entries."
    ABORT_LIMIT = (
        0x103,
        "Abort Command Limit Exceeded",
        "More Abort commands are in flight than the controller takes.",
    )
    ASYNC_LIMIT = (
        0x105,
        "Asynchronous Event Request Limit Exceeded",
        "More Asynchronous Event Requests are in flight than the controller takes.",
    )
    INVALID_INTERRUPT_VECTOR = (
        0x108,
        "Invalid Interrupt Vector",
        "The interrupt vector is not one of this controller's.",
    )
    INVALID_LOG_PAGE = 0x109, "Invalid Log Page", "The controller has no such log page."
    INVALID_FORMAT = (
        0x10A,
        "Invalid Format",
        "The LBA format asked for is not one that the namespace can have.",
    )
    INVALID_QUEUE_DELETION = (
        0x10C,
        "Invalid Queue Deletion",
        "A completion queue still has submission queues, so it cannot go.",
    )
    FEATURE_NOT_SAVEABLE = 0x10D, "Feature Identifier Not Saveable", "The feature has no saved value."
    FEATURE_NOT_CHANGEABLE = 0x10E, "Feature Not Changeable", "The feature cannot be changed."
    FEATURE_NOT_NAMESPACE_SPECIFIC = (
        0x10F,
        "Feature Not Namespace Specific",
        "The feature belongs to the controller, not to one namespace.",
    )
    NAMESPACE_INSUFFICIENT_CAPACITY = (
        0x115,
        "Namespace Insufficient Capacity",
        "Too little capacity is left for a namespace of this size.",
    )
    NAMESPACE_IDENTIFIER_UNAVAILABLE = (
        0x116,
        "Namespace Identifier Unavailable",
        "All namespace ids that the subsystem supports are taken.",
    )
    NAMESPACE_ALREADY_ATTACHED = (
        0x118,
        "Namespace Already Attached",
        "The namespace is attached to that controller already.",
    )
    NAMESPACE_PRIVATE = (
        0x119,
        "Namespace Is Private",
        "A private namespace can be attached to one controller only.",
    )
    NAMESPACE_NOT_ATTACHED = (
        0x11A,
        "Namespace Not Attached",
        "The namespace is not attached to that controller.",
    )
    THIN_PROVISIONING_NOT_SUPPORTED = (
        0x11B,
        "Thin Provisioning Not Supported",
        "A namespace cannot have a smaller capacity than size here.",
    )
    CONTROLLER_LIST_INVALID = (
        0x11C,
        "Controller List Invalid",
        "The controller list holds an id that cannot be used here.",
    )
    INVALID_CONTROLLER_IDENTIFIER = (
        0x11F,
        "Invalid Controller Identifier",
        "No controller that this command may act on has that CNTLID.",
    )
    INVALID_SECONDARY_CONTROLLER_STATE = (
        0x120,
        "Invalid Secondary Controller State",
        "The secondary controller is in the wrong state for this.",
    )
    INVALID_NUMBER_OF_CONTROLLER_RESOURCES = (
        0x121,
        "Invalid Number of Controller Resources",
        "That many resources cannot be given to a controller.",
    )
    INVALID_RESOURCE_IDENTIFIER = 0x122, "Invalid Resource Identifier", "No resource has that id."
    INVALID_CONTROLLER_DATA_QUEUE = (
        0x137,
        "Invalid Controller Data Queue",
        "This controller has no controller data queue that fits the CDQID.",
    )
    NOT_ENOUGH_RESOURCES = (
        0x138,
        "Not Enough Resources",
        "The controller or subsystem lacks the resources for this.",
    )
    CONTROLLER_SUSPENDED = (
        0x139,
        "Controller Suspended",
        "The controller is suspended, and this cannot be done until it resumes.",
    )
    CONTROLLER_NOT_SUSPENDED = (
        0x13A,
        "Controller Not Suspended",
        "The controller is not suspended, so it cannot be resumed.",
    )
    CONTROLLER_DATA_QUEUE_FULL = (
        0x13B,
        "Controller Data Queue Full",
        "The controller data queue has no free slot.",
    )
    CONFLICTING_ATTRIBUTES = (
        0x180,
        "Conflicting Attributes",
        "Two attributes of the command contradict each other.",
    )
    READ_ONLY_RANGE = 0x182, "Attempted Write to Read Only Range", "The range may be read but not written."
    SIZE_LIMIT_EXCEEDED = (
        0x183,
        "Command Size Limit Exceeded",
        "The command asks for more than the controller handles at once.",
    )

    WRITE_FAULT = 0x280, "Write Fault", "The media did not take the data."
    UNRECOVERED_READ_ERROR = (
        0x281,
        "Unrecovered Read Error",
        "The data of an LBA could not be read back from the media.",
    )
    COMPARE_FAILURE = 0x285, "Compare Failure", "The data on the media differs from the data to compare with."
    ACCESS_DENIED = 0x286, "Access Denied", "The host has no access to this part of the namespace."
    DEALLOCATED_OR_UNWRITTEN = (
        0x287,
        "Deallocated or Unwritten Logical Block",
        "The LBA holds no data, and the host asked to be told so.",
    )

    ABORTED_BY_HOST = (
        0x371,
        "Command Aborted By Host",
        "The host ended the command itself, because its controller was gone.",
    )


class StatusWord(NamedTuple):
    """The upper 16 bits of a CQE's DW3, taken apart.  `phase` is 0 or 1; `dnr` is Do Not Retry."""

    status: Status
    phase: int
    dnr: bool


def status_word(status: int, phase: int, dnr: bool = False) -> int:
    """The upper 16 bits of a CQE's DW3: phase tag in bit 0, SC in 8:1, SCT in 11:9, DNR in 15.
    Base 2.1, 4.2.3.
    """
    return dnr << 15 | status << 1 | phase


def unpack_status_word(word: int) -> StatusWord:
    """The inverse of `status_word`.  InputError when the kit knows no such status."""
    code = word >> 1 & 0x7FF
    if code not in _KNOWN:
        named = f"SCT {code >> 8:X}h, SC {code & 0xFF:02X}h"
        raise InputError(f"status word {word:04X}h: {named} is no status that the kit knows")
    return StatusWord(_KNOWN[code], word & 1, bool(word >> 15))


_KNOWN = {int(status): status for status in Status}
