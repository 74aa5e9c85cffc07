"""A fetched command on its way through the controller, and the namespace that it may name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvmelm_lab.memory import PrpError
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import Sqe
from nvmelm_lab.ssd.namespace import MAX_NAMESPACES

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.migration_queue import MigrationQueue
    from nvmelm_lab.ssd.namespace import Namespace
    from nvmelm_lab.ssd.rings import SubmissionQueue

SUCCESS = Status.SUCCESS
"""A name of its own: looking up a member of an enumeration costs as much as the rest of making a command."""

UNSUPPORTED_FLAGS = 0xC3
"""Bits of an SQE's flags that must be 0 here: FUSE (no fused operations) and PSDT (no SGLs)."""

Change = tuple[int, int, int, bool]
"""A change of user data: NSID, SLBA, number of LBAs, whether they were deallocated."""


class Refused(Exception):
    """A handler's answer to a command that it cannot carry out; the device stays as it was."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.name)
        self.status = status


class Command:
    """One command between its fetch and its completion.

    queue, number
        The Submission Queue that it came from, and its place among all commands ever fetched from there.
    fields
        The fields of its SQE as they come from the ring, in the order of `Sqe`; `sqe` has them by name.
    status, dw0, dw1, completed
        What its CQE will say, and whether it is posted.
    changes, log
        User data that it changed, and the Migration Queue that has to tell of it (None: not logged).
    told
        Whether nothing of it is still to be told of: its entries are posted, or there are none.
    is_parted
        Whether its completion is posted by an actor of its own; once both have done their part it leaves.
    """

    __slots__ = (
        "_sqe",
        "changes",
        "completed",
        "dw0",
        "dw1",
        "fields",
        "is_parted",
        "log",
        "number",
        "queue",
        "status",
        "told",
    )

    def __init__(self, queue: SubmissionQueue, number: int, fields: tuple[int, ...]) -> None:
        self.queue = queue
        self.number = number
        self.fields = fields
        self._sqe: Sqe | None = None
        self.status = SUCCESS
        self.dw0 = 0
        self.dw1 = 0
        self.changes: tuple[Change, ...] = ()
        self.completed = False
        self.told = True
        self.is_parted = False
        self.log: MigrationQueue | None = None

    @property
    def sqe(self) -> Sqe:
        """The fields of its SQE by their names; a step of every I/O takes them from `fields`, in half the time."""
        if self._sqe is None:
            self._sqe = Sqe._make(self.fields)
        return self._sqe

    @property
    def name(self) -> str:
        """Stable under reordering: the queue's name and the command's number in it."""
        return f"{self.queue.name}#{self.number}"

    @property
    def completer(self) -> str:
        """The name of the actor that posts the completion of a command that is parted."""
        return f"{self.name}.completion"


def prp_status(error: PrpError) -> Status:
    """The status for a pointer that cannot be followed (Base 2.1, section 4.3.1 and Figure 102)."""
    return Status.PRP_OFFSET_INVALID if error.offset else Status.DATA_TRANSFER_ERROR


def active_namespace(controller: Controller, nsid: int) -> Namespace:
    """The namespace `nsid`, attached to this controller.

    Refused with Invalid Field when that NSID is inactive here, and with Invalid Namespace or Format when no
    namespace can have it (Base 2.1, section 3.2.1).
    """
    namespace = controller.subsystem.namespaces.get(nsid)
    if namespace is not None and controller.cntlid in namespace.attached:
        return namespace
    raise Refused(inactive(nsid))


def inactive(nsid: int) -> Status:
    """The status for an NSID that names no namespace: one that could be there, or one that never can."""
    return Status.INVALID_FIELD if 1 <= nsid <= MAX_NAMESPACES else Status.INVALID_NAMESPACE_OR_FORMAT
