"""What steps are called: one sentence for each kind of thing that happens in a run, for people new to NVMe.

Only words live here: who acts, when and why is found out by those who read traces.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from nvmelm_lab.nvme import (
    AdminOpcode,
    CdqSelect,
    EntrySpecial,
    Feature,
    IoOpcode,
    LogAction,
    MigrationReceiveSelect,
    MigrationSendSelect,
    ResourceType,
    Status,
    TrackReceiveSelect,
    TrackSendSelect,
    VirtualizationAction,
)
from nvmelm_lab.runs.attribution import Command

_IO: Final[Mapping[int, tuple[str, str]]] = {
    IoOpcode.READ: ("Read", "read"),
    IoOpcode.WRITE: ("Write", "wrote"),
    IoOpcode.WRITE_ZEROES: ("Write Zeroes", "wrote zeros to"),
    IoOpcode.WRITE_UNCORRECTABLE: ("Write Uncorrectable", "marked as unreadable"),
    IoOpcode.DATASET_MANAGEMENT: ("Deallocate", "deallocated"),
    IoOpcode.COMPARE: ("Compare", "compared"),
    IoOpcode.VERIFY: ("Verify", "verified"),
    IoOpcode.COPY: ("Copy", "copied blocks to"),
    IoOpcode.FLUSH: ("Flush", "flushed"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """How an admin command is told: handed over, carried out, and completed ("": not worth a step)."""

    ask: str
    done: str
    completed: str = ""


_SUSPEND = Words(
    "VMM asks Ctlr {ctrl} to suspend Ctlr {target} (Migration Send)",
    "Ctlr {ctrl} suspends Ctlr {target}: it fetches no more commands",
    "Ctlr {ctrl} completed Suspend: nothing is in flight in Ctlr {target}",
)
_RESUME = Words(
    "VMM asks Ctlr {ctrl} to resume Ctlr {target} (Migration Send)",
    "Ctlr {ctrl} resumes Ctlr {target}: it fetches the guest's commands again",
)
_SET_STATE = Words(
    "VMM hands the guest's controller state to Ctlr {ctrl} (Migration Send)",
    "Ctlr {ctrl} gave Ctlr {target} that state: the guest's queues, as they stood",
)
_GET_STATE = Words(
    "VMM asks Ctlr {ctrl} for the state of Ctlr {target}, from byte {offset} on",
    "Ctlr {ctrl} handed out {length} bytes of the state of Ctlr {target}",
)
_START = Words(
    "VMM sends Track Send to Ctlr {ctrl}: log what changes through Ctlr {target}",
    "Ctlr {ctrl} logs: from now on each change through Ctlr {target} gets an entry",
    "Ctlr {ctrl} completed Track Send: now the VMM may begin to copy",
)
_STOP = Words(
    "VMM sends Track Send to Ctlr {ctrl}: stop logging Ctlr {target}",
    "Ctlr {ctrl} stopped logging Ctlr {target}",
    "Ctlr {ctrl} completed Track Send: no entry follows the marker",
)
_TRACK = Words(
    "VMM sends Track Send to Ctlr {ctrl}: see which pages of guest memory Ctlr {target} writes",
    "Ctlr {ctrl} sees from now on which pages of guest memory Ctlr {target} writes",
)
_LOSE_TRACK = Words(
    "VMM sends Track Send to Ctlr {ctrl}: see no longer what Ctlr {target} writes to memory",
    "Ctlr {ctrl} no longer sees what Ctlr {target} writes to memory",
)
_ASSIGN = Words(
    "VMM asks Ctlr {ctrl} to give Ctlr {target} {count} {resource}",
    "Ctlr {ctrl} gave Ctlr {target} {count} {resource}",
)

ADMIN: Final[Mapping[tuple[int, int], Words]] = {
    (AdminOpcode.CREATE_IO_SQ, -1): Words(
        "VMM asks Ctlr {ctrl} for queue pair {qid}, for a copy task",
        "Ctlr {ctrl} created Submission and Completion Queue {qid}",
    ),
    (AdminOpcode.NAMESPACE_MANAGEMENT, 0): Words(
        "VMM asks Ctlr {ctrl} to create a namespace", "Ctlr {ctrl} created a namespace, deallocated all over"
    ),
    (AdminOpcode.NAMESPACE_MANAGEMENT, 1): Words(
        "VMM asks Ctlr {ctrl} to delete namespace {nsid}", "Ctlr {ctrl} deleted namespace {nsid}"
    ),
    (AdminOpcode.NAMESPACE_ATTACHMENT, 0): Words(
        "VMM asks Ctlr {ctrl} to attach namespace {nsid} to the controllers that use it",
        "Ctlr {ctrl} attached namespace {nsid}",
    ),
    (AdminOpcode.NAMESPACE_ATTACHMENT, 1): Words(
        "VMM asks Ctlr {ctrl} to detach namespace {nsid} from Ctlr {source}",
        "Ctlr {ctrl} detached namespace {nsid}",
    ),
    (AdminOpcode.VIRTUALIZATION_MANAGEMENT, VirtualizationAction.SECONDARY_OFFLINE): Words(
        "VMM asks Ctlr {ctrl} to take Ctlr {target} offline",
        "Ctlr {ctrl} reset Ctlr {target} and took it offline",
    ),
    (AdminOpcode.VIRTUALIZATION_MANAGEMENT, VirtualizationAction.SECONDARY_ASSIGN): _ASSIGN,
    (AdminOpcode.VIRTUALIZATION_MANAGEMENT, VirtualizationAction.SECONDARY_ONLINE): Words(
        "VMM asks Ctlr {ctrl} to bring Ctlr {target} online", "Ctlr {ctrl} brought Ctlr {target} online"
    ),
    (AdminOpcode.CONTROLLER_DATA_QUEUE, CdqSelect.CREATE): Words(
        "VMM asks Ctlr {ctrl} for a Migration Queue of {slots} slots, for Ctlr {target}",
        "Ctlr {ctrl} created the Migration Queue: a ring in the VMM's memory",
    ),
    (AdminOpcode.CONTROLLER_DATA_QUEUE, CdqSelect.DELETE): Words(
        "VMM asks Ctlr {ctrl} to delete the Migration Queue", "Ctlr {ctrl} deleted the Migration Queue"
    ),
    (AdminOpcode.GET_LBA_STATUS, -1): Words(
        "VMM asks Ctlr {ctrl} which LBAs hold data (Get LBA Status)",
        "Ctlr {ctrl} reports what is allocated: {reported}",
    ),
    (AdminOpcode.SET_FEATURES, Feature.CONTROLLER_DATA_QUEUE): Words(
        "VMM has read the entries before slot {slot} and says so (Set Features)",
        "Ctlr {ctrl} moves the head to slot {slot}: the slots before it are free",
    ),
    (AdminOpcode.MIGRATION_SEND, MigrationSendSelect.SUSPEND): _SUSPEND,
    (AdminOpcode.MIGRATION_SEND, MigrationSendSelect.RESUME): _RESUME,
    (AdminOpcode.MIGRATION_SEND, MigrationSendSelect.SET_STATE): _SET_STATE,
    (AdminOpcode.MIGRATION_RECEIVE, MigrationReceiveSelect.GET_STATE): _GET_STATE,
    (AdminOpcode.TRACK_RECEIVE, TrackReceiveSelect.TRACKED_MEMORY): Words(
        "VMM asks Ctlr {ctrl} which pages of guest memory Ctlr {target} has written (Track Receive)",
        "Ctlr {ctrl} told which pages Ctlr {target} has written, and forgets them",
    ),
}
"""By opcode and variant; -1 stands for any variant."""

_RESOURCES = {ResourceType.QUEUES: "queues", ResourceType.INTERRUPTS: "interrupts"}

UNTOLD: Final = frozenset((AdminOpcode.CREATE_IO_CQ, AdminOpcode.DELETE_IO_CQ))
"""Admin commands that are told together with the one that follows them."""

MARKERS: Final[Mapping[int, str]] = {
    EntrySpecial.FIRST: "logging begins here",
    EntrySpecial.STOPPED: "logging has stopped",
    EntrySpecial.SUSPENDED: "the controller is suspended",
    EntrySpecial.FULL: "the queue is full",
}


PAUSE: Final = "VMM pauses the VM: its virtual CPUs stand still"


def started(there: str) -> str:
    """That the VM runs again: behind the controller `there`, or at the source if ""."""
    return (
        f"VMM starts the VM {f'at the destination, behind Ctlr {there}' if there else 'again, at the source'}"
    )


def place(slba: int, blocks: int) -> str:
    """``LBA 12`` or ``LBA 12–15``."""
    return f"LBA {slba}" if blocks == 1 else f"LBA {slba}–{slba + blocks - 1}"


def name_of(command: Command) -> str:
    """The command by name and place: ``Write LBA 12–15``, ``Flush``, ``Track Send``."""
    if command.is_admin:
        return _admin_name(command)
    word = _IO[command.sqe.opcode][0] if command.sqe.opcode in _IO else f"command {command.sqe.opcode:02X}h"
    return word if command.span is None else f"{word} {place(*command.span)}"


def did(command: Command) -> str:
    """What it did, as the end of a sentence that names the controller: ``wrote LBA 12–15``."""
    opcode = command.sqe.opcode
    if opcode not in _IO:
        return f"took command {opcode:02X}h"
    return _IO[opcode][1] if command.span is None else f"{_IO[opcode][1]} {place(*command.span)}"


def _admin_name(command: Command) -> str:
    try:
        words = AdminOpcode(command.sqe.opcode).name.replace("_", " ").title()
    except ValueError:
        return f"admin command {command.sqe.opcode:02X}h"
    return (
        words.replace("Io", "I/O")
        .replace("Lba", "LBA")
        .replace("Nvm", "NVM")
        .replace("Cq", "CQ")
        .replace("Sq", "SQ")
    )


def words_of(command: Command) -> Words:
    """How this admin command is told, with places for `facts_of` to fill in."""
    opcode = command.sqe.opcode
    if opcode == AdminOpcode.TRACK_SEND and command.select == TrackSendSelect.LOG_USER_DATA:
        return _START if command.sqe.cdw10 >> 16 & 0xF == LogAction.START else _STOP
    if opcode == AdminOpcode.TRACK_SEND and command.select == TrackSendSelect.TRACK_MEMORY:
        return _TRACK if command.sqe.cdw10 >> 16 & 1 else _LOSE_TRACK
    found = ADMIN.get((opcode, command.select)) or ADMIN.get((opcode, -1))
    return found or Words("VMM sends {name} to Ctlr {ctrl}", "Ctlr {ctrl} answered {name}")


def facts_of(command: Command, controller: str, names: Mapping[int, str]) -> dict[str, object]:
    """What the SQE itself can say in its words.  `controller` gets it; `names` are those of the controllers
    of that SSD by CNTLID.
    """
    sqe = command.sqe
    places: dict[int, int] = {
        AdminOpcode.VIRTUALIZATION_MANAGEMENT: sqe.cdw10 >> 16,
        AdminOpcode.CONTROLLER_DATA_QUEUE: sqe.cdw11 >> 16,
    }
    target = places.get(sqe.opcode, sqe.cdw11 & 0xFFFF)
    return {
        "ctrl": controller,
        "name": name_of(command),
        "target": names.get(target, f"with CNTLID {target}"),
        "qid": sqe.cdw10 & 0xFFFF,
        "nsid": sqe.nsid,
        "slots": sqe.cdw12 // 8,
        "slot": sqe.cdw12,
        "offset": sqe.cdw13 << 32 | sqe.cdw12,
        "length": 4 * (sqe.cdw15 + 1),
        "count": sqe.cdw11 & 0xFFFF,
        "resource": _RESOURCES.get(ResourceType(sqe.cdw10 >> 8 & 1), "resources"),
    }


def refusal(controller: str, command: Command, status: int) -> str:
    """That a command came to nothing, and why."""
    try:
        why = Status(status).name.replace("_", " ").capitalize()
    except ValueError:
        why = f"status {status:03X}h"
    return f"Ctlr {controller} could not do {name_of(command)}: {why}"


def entry_words(esa: int, blocks: int, slba: int, deallocated: bool) -> str:
    """What an entry of the Migration Queue says, in a few words."""
    change = ""
    if blocks:
        change = f"{place(slba, blocks)} {'deallocated' if deallocated else 'changed'}"
    marker = MARKERS.get(esa, "")
    return f"{change}; {marker}" if change and marker else change or marker or "no range"


def commands_of(commands: list[Command]) -> str:
    """``command 7, Write LBA 12`` for one, ``commands 7, 8`` for several."""
    if len(commands) == 1:
        return f"command {commands[0].sqe.cid}, {name_of(commands[0])}"
    return "commands " + ", ".join(str(command.sqe.cid) for command in commands)


def count(number: int, word: str) -> str:
    """``1 range``, ``2 ranges``."""
    return f"{number} {word}{'' if number == 1 else 's'}"
