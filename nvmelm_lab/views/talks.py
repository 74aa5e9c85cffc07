"""Who talks to whom in each phase of the reference migration, as plain data.

One `Talk` a line: who asks, whom, the commands of the standard, and what for.  Parts are named by their roles;
`lab_graph` knows which part of a lab plays which.  Nothing here draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from nvmelm_lab.nvme import AdminOpcode, IoOpcode


class Role(Enum):
    """What a part is to the VM that migrates; the value is what texts call it, where that needs no name."""

    VMM_HERE = "VMM"
    VMM_THERE = "VMM at the destination"
    MMC_HERE = "X"
    MMC_THERE = "G"
    QUEUE = "MQ"
    VM_HERE = "VM"
    VM_THERE = "VM at the destination"
    MC_HERE = "Y"
    MC_THERE = "H"
    NS_HERE = "namespaces"
    NS_THERE = "namespaces at the destination"


VMM, VMM_THERE = Role.VMM_HERE, Role.VMM_THERE
X, G = Role.MMC_HERE, Role.MMC_THERE
MQ = Role.QUEUE
VM, VM_THERE = Role.VM_HERE, Role.VM_THERE
Y, H = Role.MC_HERE, Role.MC_THERE
NS, NS_THERE = Role.NS_HERE, Role.NS_THERE

Pair = tuple[Role, Role]


@dataclass(frozen=True, slots=True)
class Talk:
    """One exchange.

    asker, asked
        Between whom.
    words
        What goes over, and what for; ``{y}``, ``{h}``, ``{vm}`` and ``{ns}`` stand for the names in this lab.
    commands
        Commands of the standard that it takes, each with the controller that carries it out.
    along
        Further connections that take part, each from who begins.
    """

    asker: Role
    asked: Role
    words: str
    commands: tuple[tuple[Role, AdminOpcode | IoOpcode], ...] = ()
    along: tuple[Pair, ...] = ()


_POSTS = "posts an entry for each change that {vm} makes through {y}"
_READS_QUEUE = (X, AdminOpcode.SET_FEATURES)
_WRITES = ((G, IoOpcode.WRITE), (G, IoOpcode.DATASET_MANAGEMENT))

TALKS: Final[Mapping[str, tuple[Talk, ...]]] = {
    "Prepare": (
        Talk(
            VMM_THERE,
            G,
            "Namespace Management creates {ns}, Namespace Attachment attaches it, Virtualization Management brings "
            "{h} online",
            (
                (G, AdminOpcode.NAMESPACE_MANAGEMENT),
                (G, AdminOpcode.NAMESPACE_ATTACHMENT),
                (G, AdminOpcode.VIRTUALIZATION_MANAGEMENT),
            ),
            ((G, NS_THERE), (G, H)),
        ),
        Talk(
            VMM,
            X,
            "Create I/O Completion Queue, Create I/O Submission Queue: a pair for each copy task; also on Ctlr G",
            (
                (X, AdminOpcode.CREATE_IO_CQ),
                (X, AdminOpcode.CREATE_IO_SQ),
                (G, AdminOpcode.CREATE_IO_CQ),
                (G, AdminOpcode.CREATE_IO_SQ),
            ),
        ),
    ),
    "Start logging": (
        Talk(
            VMM,
            X,
            "Controller Data Queue creates the Migration Queue (MQ), Track Send starts the logging of {y}",
            ((X, AdminOpcode.CONTROLLER_DATA_QUEUE), (X, AdminOpcode.TRACK_SEND)),
            ((X, Y),),
        ),
        Talk(X, MQ, f"from now on {_POSTS}"),
    ),
    "Initial copy": (
        Talk(
            VMM,
            X,
            "Get LBA Status tells which LBAs of {ns} are allocated, Read reads these",
            ((X, AdminOpcode.GET_LBA_STATUS), (X, IoOpcode.READ)),
            ((X, NS),),
        ),
        Talk(VMM, VMM_THERE, "the blocks cross the link, and the VM's memory goes ahead"),
        Talk(VMM_THERE, G, "Write writes them to the new {ns}", ((G, IoOpcode.WRITE),), ((G, NS_THERE),)),
        Talk(X, MQ, f"meanwhile {_POSTS}"),
        Talk(
            MQ,
            VMM,
            "the VMM reads the entries, lest the MQ fills up; Set Features moves its head",
            (_READS_QUEUE,),
        ),
    ),
    "Iterate": (
        Talk(X, MQ, _POSTS),
        Talk(MQ, VMM, "the VMM reads which LBAs changed; Set Features moves the MQ's head", (_READS_QUEUE,)),
        Talk(VMM, X, "Read reads those LBAs again", ((X, IoOpcode.READ),), ((X, NS),)),
        Talk(VMM, VMM_THERE, "they cross the link, and so does memory that was written since"),
        Talk(
            VMM_THERE,
            G,
            "Write writes them, Dataset Management deallocates; then the next round, until little is left",
            _WRITES,
            ((G, NS_THERE),),
        ),
    ),
    "Suspend": (
        Talk(VMM, VM, "pauses the virtual CPUs: the downtime begins"),
        Talk(
            VMM,
            X,
            "Migration Send (suspend): {y} fetches no more commands and completes those under way",
            ((X, AdminOpcode.MIGRATION_SEND),),
            ((X, Y),),
        ),
        Talk(X, MQ, "posts the last entries, and behind them a marker: suspended"),
        Talk(MQ, VMM, "the VMM reads up to the marker; Set Features moves the MQ's head", (_READS_QUEUE,)),
        Talk(
            VMM,
            VMM_THERE,
            "the last changes go over: Read on Ctlr X; Write or Dataset Management on Ctlr G",
            ((X, IoOpcode.READ), *_WRITES),
            ((VMM, X), (X, NS), (VMM_THERE, G), (G, NS_THERE)),
        ),
    ),
    "State": (
        Talk(VMM, VMM_THERE, "the rest of the VM's memory crosses the link, rings and all"),
        Talk(
            VMM,
            X,
            "Migration Receive (get controller state) reads what {y} knows of its queues",
            ((X, AdminOpcode.MIGRATION_RECEIVE),),
            ((X, Y),),
        ),
        Talk(
            VMM_THERE,
            G,
            "Migration Send (suspend, then set controller state) gives it to {h}",
            ((G, AdminOpcode.MIGRATION_SEND),),
            ((G, H),),
        ),
    ),
    "Resume": (
        Talk(
            VMM_THERE,
            G,
            "Migration Send (resume): {h} fetches commands",
            ((G, AdminOpcode.MIGRATION_SEND),),
            ((G, H),),
        ),
        Talk(VMM_THERE, VM_THERE, "starts the virtual CPUs: the downtime ends"),
    ),
    "Clean up": (
        Talk(
            VMM,
            X,
            "Controller Data Queue deletes the MQ, Virtualization Management takes {y} offline, Namespace Attachment "
            "detaches {ns}",
            (
                (X, AdminOpcode.CONTROLLER_DATA_QUEUE),
                (X, AdminOpcode.VIRTUALIZATION_MANAGEMENT),
                (X, AdminOpcode.NAMESPACE_ATTACHMENT),
            ),
            ((X, Y), (X, NS)),
        ),
    ),
}
"""Phase -> what is said in it, in this order or all the time."""
