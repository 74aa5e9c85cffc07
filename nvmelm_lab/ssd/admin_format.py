"""Format NVM and Sanitize: how whole namespaces lose their content.

A format takes effect at once, and is a change that its controller makes like any other; what it does is told of as
one deallocation of the whole namespace.  A sanitize operation is of the whole subsystem and goes on by itself: see
`sanitizer.py`.  Sources: Base 2.1, sections 5.1.10 and 5.1.22; NVM Command Set 1.2, section 4.1.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches, do
from nvmelm_lab.engine.cells import Key
from nvmelm_lab.nvme.codes import BROADCAST_NSID, AdminOpcode, SanitizeAction
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd import change_log
from nvmelm_lab.ssd.admin_handler import AdminHandler, Rest
from nvmelm_lab.ssd.command import Command, Refused, active_namespace, inactive
from nvmelm_lab.ssd.io_deallocate import deallocate
from nvmelm_lab.ssd.life_cycle import Event
from nvmelm_lab.ssd.transitions import befall

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace

CRYPTOGRAPHIC_ERASE = 2
"""The largest SES."""

_OPERATIONS = (SanitizeAction.BLOCK_ERASE, SanitizeAction.OVERWRITE, SanitizeAction.CRYPTO_ERASE)

_EMVS = 1 << 10
_NDAS = 1 << 9
"""Sanitize, CDW10: media verification, and no deallocation; neither is supported (SANICAP)."""


# -- Format NVM -------------------------------------------------------------------------------------------


def _format(controller: Controller, command: Command) -> Rest | None:
    """All secure erases come to the same here: of what a deallocated block held nothing can be read."""
    cdw10 = command.sqe.cdw10
    if cdw10 >> 9 & 7 > CRYPTOGRAPHIC_ERASE:
        raise Refused(Status.INVALID_FIELD)
    if cdw10 & 0xF or cdw10 >> 5 & 7:
        # LBA format 0 is the only one, and has no room for protection information.
        raise Refused(Status.INVALID_FORMAT)
    namespaces = _in_scope(controller, command)
    deallocate(controller, command, [(namespace, 0, namespace.blocks) for namespace in namespaces])
    if not command.changes:
        return None
    change_log.decide(controller, command)
    return None if command.log is None else _tell(controller, command)


def _in_scope(controller: Controller, command: Command) -> list[Namespace]:
    """The namespaces that are formatted: one, or all that are attached (FNA: FNS 0, SENS 0, FNVMBS 0).

    Who manages namespaces may format one that is not attached to it.
    """
    nsid, namespaces = command.sqe.nsid, controller.subsystem.namespaces
    if nsid == BROADCAST_NSID:
        return [each for each in namespaces.values() if controller.cntlid in each.attached]
    if not controller.primary:
        return [active_namespace(controller, nsid)]
    if nsid not in namespaces:
        raise Refused(inactive(nsid))
    return [namespaces[nsid]]


async def _tell(controller: Controller, command: Command) -> None:
    """Post the entries, before the completion or behind it: freedom 2."""
    order = controller.subsystem.habits.entry_order
    if order == "open":
        await controller.tell_and_complete(command)
        return
    if order == "completion first":
        await do(controller.complete, command)
    await do(controller.post_entries, command)


def _format_touches(controller: Controller, command: Command) -> Touches:
    reads: tuple[Key, ...] = (controller.log_key,)
    writes: tuple[Key, ...] = ()
    for namespace in _in_scope(controller, command):
        more = namespace.deallocating(0, namespace.blocks)
        reads, writes = reads + more[0], writes + more[1]
    return reads, writes


def _describe_format(command: Command) -> str:
    nsid = command.sqe.nsid
    return f"Format NVM of {'all namespaces attached' if nsid == BROADCAST_NSID else f'namespace {nsid}'}"


# -- Sanitize ---------------------------------------------------------------------------------------------


def _sanitize(controller: Controller, command: Command) -> None:
    """Start the operation; with a controller suspended anywhere in the subsystem nothing starts."""
    cdw10 = command.sqe.cdw10
    action = cdw10 & 7
    if action not in (*_OPERATIONS, SanitizeAction.EXIT_FAILURE):
        raise Refused(Status.INVALID_FIELD)
    if action in _OPERATIONS and cdw10 & (_EMVS | _NDAS):
        raise Refused(Status.INVALID_FIELD)
    befall(controller.subsystem, Event.SANITIZE)
    if action in _OPERATIONS:
        controller.subsystem.sanitizer.start()


def _sanitize_touches(controller: Controller, command: Command) -> Touches:
    subsystem = controller.subsystem
    gates = tuple(each.fetch_gate.key for each in subsystem.controllers.values())
    return gates, subsystem.sanitizer.starting()


def _describe_sanitize(command: Command) -> str:
    actions = {int(action): action.meaning for action in SanitizeAction}
    return f"Sanitize: {actions.get(command.sqe.cdw10 & 7, 'a reserved action')}"


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.FORMAT_NVM: AdminHandler(_format, touches=_format_touches, describe=_describe_format),
    AdminOpcode.SANITIZE: AdminHandler(
        _sanitize, primary_only=True, touches=_sanitize_touches, describe=_describe_sanitize
    ),
}
