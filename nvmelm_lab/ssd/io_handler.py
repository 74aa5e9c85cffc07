"""What every I/O command has: a row of the table in `io_commands.py`, and what commands on one range share.

Source: NVM Command Set 1.2, section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import Sqe
from nvmelm_lab.ssd.command import Change, Command, Refused, active_namespace, inactive

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace

NOTHING: Touches = ((), ())

_NSID, _CDW10, _CDW11, _CDW12 = map(Sqe._fields.index, ("nsid", "cdw10", "cdw11", "cdw12"))


@dataclass(frozen=True, slots=True)
class Handler:
    """How one opcode is carried out; `changes` tells whether it can change user data."""

    act: Callable[[Controller, Command], None]
    touches: Callable[[Controller, Command], Touches]
    changes: bool


def checked(controller: Controller, command: Command) -> tuple[Namespace, int, int]:
    """Namespace, SLBA and count of LBAs of a command on one range.  Refused unless it may be carried out now."""
    fields = command.fields
    nsid, slba, blocks = fields[_NSID], fields[_CDW11] << 32 | fields[_CDW10], (fields[_CDW12] & 0xFFFF) + 1
    namespace = controller.subsystem.namespaces.get(nsid)
    if namespace is None or controller.cntlid not in namespace.attached:
        raise Refused(inactive(nsid))
    if slba + blocks > namespace.blocks:
        raise Refused(Status.LBA_OUT_OF_RANGE)
    if namespace.sanitizing:
        raise Refused(Status.SANITIZE_IN_PROGRESS)
    return namespace, slba, blocks


def open_namespace(controller: Controller, nsid: int) -> Namespace:
    """The namespace `nsid`, for a command on all of it or on ranges that its buffer lists."""
    namespace = active_namespace(controller, nsid)
    if namespace.sanitizing:
        raise Refused(Status.SANITIZE_IN_PROGRESS)
    return namespace


def touching(
    footprint: Literal["reading", "writing", "deallocating"],
) -> Callable[[Controller, Command], Touches]:
    """What a command on one range touches: what that method of its namespace says of the range.

    Not that of `checked`: whether a sanitize operation is under way is seen from the same cells.
    """

    def touches(controller: Controller, command: Command) -> Touches:
        fields = command.fields
        namespace = controller.subsystem.namespaces.get(fields[_NSID])
        if namespace is None or controller.cntlid not in namespace.attached:
            return NOTHING
        slba, blocks = fields[_CDW11] << 32 | fields[_CDW10], (fields[_CDW12] & 0xFFFF) + 1
        if slba + blocks > namespace.blocks:
            return NOTHING
        touched: Touches = getattr(namespace, footprint)(slba, blocks)
        return touched

    return touches


def tell(controller: Controller, command: Command, word: str, changes: tuple[Change, ...]) -> None:
    """Note what a command has changed, and let it be known."""
    command.changes = changes
    if controller.engine.telling:
        controller.engine.emit(("changed", controller.subsystem.name, word, command.name, changes))
