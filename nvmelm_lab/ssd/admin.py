"""The admin commands: which controller takes which, and where each is carried out.

Every opcode has one row in `HANDLERS`.  What is not there, or not for this controller, ends with Invalid Command
Opcode.  Commands of a migration go to the MMC alone (Base 2.1, section 8.1.12).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.memory import PrpError
from nvmelm_lab.nvme.codes import AdminOpcode
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd import (
    admin_abort,
    admin_events,
    admin_features,
    admin_format,
    admin_identify,
    admin_lba_status,
    admin_log,
    admin_log_pages,
    admin_memory_tracking,
    admin_migration,
    admin_namespaces,
    admin_queues,
)
from nvmelm_lab.ssd.admin_handler import AdminHandler, Rest
from nvmelm_lab.ssd.command import UNSUPPORTED_FLAGS, Command, Refused, prp_status
from nvmelm_lab.ssd.sanitizer import ALLOWED

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller


def supported(controller: Controller) -> list[int]:
    """The opcodes that this controller takes."""
    return [opcode for opcode, handler in HANDLERS.items() if controller.primary or not handler.primary_only]


HANDLERS: Mapping[int, AdminHandler] = {
    **admin_queues.HANDLERS,
    **admin_log_pages.handlers(supported),
    **admin_abort.HANDLERS,
    **admin_events.HANDLERS,
    **admin_identify.HANDLERS,
    **admin_features.HANDLERS,
    **admin_namespaces.HANDLERS,
    **admin_format.HANDLERS,
    **admin_lba_status.HANDLERS,
    **admin_log.HANDLERS,
    **admin_memory_tracking.HANDLERS,
    **admin_migration.HANDLERS,
}


def _handler(controller: Controller, command: Command) -> AdminHandler:
    handler = HANDLERS.get(command.sqe.opcode)
    if handler is None or (handler.primary_only and not controller.primary):
        raise Refused(Status.INVALID_OPCODE)
    return handler


def execute(controller: Controller, command: Command) -> Rest | None:
    """Carry the command out; gives what has to happen before its completion, if anything.

    Raises Refused, the device unchanged.
    """
    try:
        handler = _handler(controller, command)
        if _is_shut_out(controller, command):
            raise Refused(Status.SANITIZE_IN_PROGRESS)
        if command.sqe.flags & UNSUPPORTED_FLAGS:
            raise Refused(Status.INVALID_FIELD)
        return handler.act(controller, command)
    except PrpError as error:
        raise Refused(prp_status(error)) from error


def _is_shut_out(controller: Controller, command: Command) -> bool:
    """Whether a sanitize operation keeps the command from being carried out."""
    if command.sqe.opcode in ALLOWED:
        return False
    sanitizer, engine = controller.subsystem.sanitizer, controller.engine
    if engine.recorder is not None:
        engine.recorder.reads.add(sanitizer.key)
    return sanitizer.under_way


def touches(controller: Controller, command: Command) -> Touches:
    """The cells that `execute` is about to touch."""
    seen = () if command.sqe.opcode in ALLOWED else (controller.subsystem.sanitizer.key,)
    try:
        handler = _handler(controller, command)
        reads, writes = handler.touches(controller, command) if handler.touches is not None else ((), ())
        return (*reads, *seen), writes
    except (Refused, PrpError):
        return seen, ()


def describe(command: Command) -> str:
    """The command in words, such as ``Track Send: start logging``."""
    handler = HANDLERS.get(command.sqe.opcode)
    if handler is not None and handler.describe is not None:
        return handler.describe(command)
    try:
        return str(AdminOpcode(command.sqe.opcode).name).replace("_", " ").title().replace("Io", "I/O")
    except ValueError:
        return f"an admin command with opcode {command.sqe.opcode:02X}h"
