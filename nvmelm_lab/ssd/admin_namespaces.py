"""Namespace Management, Namespace Attachment and Virtualization Management: what the primary controller gives out.

Sources: Base 2.1, sections 5.1.21, 5.1.20 and 5.2.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.codes import BROADCAST_NSID, AdminOpcode, ResourceType, VirtualizationAction
from nvmelm_lab.nvme.identify import NMIC_SHRNS, IdentifyNamespace
from nvmelm_lab.nvme.identify_lists import unpack_controller_list
from nvmelm_lab.nvme.pages import PAGE_BYTES, unpack_page
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler, target_of
from nvmelm_lab.ssd.command import Command, Refused, inactive
from nvmelm_lab.ssd.data import get_bytes
from nvmelm_lab.ssd.footprints import resetting
from nvmelm_lab.ssd.life_cycle import Event
from nvmelm_lab.ssd.transitions import permit, undergo

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller


_EVENTS = {
    VirtualizationAction.SECONDARY_OFFLINE: Event.TAKE_OFFLINE,
    VirtualizationAction.SECONDARY_ONLINE: Event.BRING_ONLINE,
}


def _manage(controller: Controller, command: Command) -> None:
    select = command.sqe.cdw10 & 0xF
    if select == 0:
        _create(controller, command)
    elif select == 1:
        _delete(controller, command)
    else:
        raise Refused(Status.INVALID_FIELD)


def _create(controller: Controller, command: Command) -> None:
    """The host describes the namespace as Identify Namespace would."""
    page = unpack_page(IdentifyNamespace, get_bytes(controller.space, command, PAGE_BYTES))
    if command.sqe.cdw11 >> 24 or page.nsze == 0 or page.ncap > page.nsze:
        raise Refused(Status.INVALID_FIELD)
    if page.ncap < page.nsze:
        raise Refused(Status.THIN_PROVISIONING_NOT_SUPPORTED)
    if page.flbas or page.dps:
        raise Refused(Status.INVALID_FORMAT)
    subsystem = controller.subsystem
    if subsystem.free_blocks() < page.nsze:
        raise Refused(Status.NAMESPACE_INSUFFICIENT_CAPACITY)
    nsid = subsystem.free_nsid()
    if nsid is None:
        raise Refused(Status.NAMESPACE_IDENTIFIER_UNAVAILABLE)
    subsystem.create_namespace(nsid, page.nsze, shared=bool(NMIC_SHRNS.get(page.nmic)))
    command.dw0 = nsid


def _delete(controller: Controller, command: Command) -> None:
    subsystem = controller.subsystem
    nsid = command.sqe.nsid
    if nsid != BROADCAST_NSID and nsid not in subsystem.namespaces:
        raise Refused(inactive(nsid))
    for gone in list(subsystem.namespaces) if nsid == BROADCAST_NSID else [nsid]:
        del subsystem.namespaces[gone]
        controller.engine.emit(("namespace deleted", subsystem.name, gone))


def _attach(controller: Controller, command: Command) -> None:
    namespace = controller.subsystem.namespaces.get(command.sqe.nsid)
    if namespace is None:
        raise Refused(inactive(command.sqe.nsid))
    select = command.sqe.cdw10 & 0xF
    if select > 1:
        raise Refused(Status.INVALID_FIELD)
    cntlids = _listed_controllers(controller, command)
    if select == 1:
        if not namespace.attached.issuperset(cntlids):
            raise Refused(Status.NAMESPACE_NOT_ATTACHED)
        namespace.attached.difference_update(cntlids)
        return
    if not namespace.attached.isdisjoint(cntlids):
        raise Refused(Status.NAMESPACE_ALREADY_ATTACHED)
    if not namespace.shared and len(namespace.attached) + len(cntlids) > 1:
        raise Refused(Status.NAMESPACE_PRIVATE)
    namespace.attached.update(cntlids)


def _listed_controllers(controller: Controller, command: Command) -> tuple[int, ...]:
    """The controllers that the host lists: at least one, all of them there, in ascending order."""
    data = get_bytes(controller.space, command, PAGE_BYTES)
    try:
        cntlids = unpack_controller_list(data)
    except InputError as error:
        raise Refused(Status.CONTROLLER_LIST_INVALID) from error
    if not cntlids or not controller.subsystem.controllers.keys() >= set(cntlids):
        raise Refused(Status.CONTROLLER_LIST_INVALID)
    return cntlids


def _virtualize(controller: Controller, command: Command) -> None:
    cntlid, action = command.sqe.cdw10 >> 16, command.sqe.cdw10 & 0xF
    if action == VirtualizationAction.PRIMARY_FLEXIBLE:
        # All flexible resources belong to secondary controllers here.
        itself = cntlid == controller.cntlid
        raise Refused(Status.INVALID_FIELD if itself else Status.INVALID_CONTROLLER_IDENTIFIER)
    if action not in set(VirtualizationAction):
        raise Refused(Status.INVALID_FIELD)
    target = target_of(controller, cntlid)
    if action == VirtualizationAction.SECONDARY_ASSIGN:
        _assign(controller, target, command)
    else:
        undergo(target, _EVENTS[VirtualizationAction(action)])


def _assign(controller: Controller, target: Controller, command: Command) -> None:
    resource, count = command.sqe.cdw10 >> 8 & 7, command.sqe.cdw11 & 0xFFFF
    permit(target, Event.ASSIGN)
    if resource > ResourceType.INTERRUPTS:
        raise Refused(Status.INVALID_RESOURCE_IDENTIFIER)
    if count > controller.subsystem.resources_each:
        raise Refused(Status.INVALID_NUMBER_OF_CONTROLLER_RESOURCES)
    if resource == ResourceType.QUEUES:
        target.queue_resources = count
    else:
        target.interrupt_resources = count
    command.dw0 = count


def _virtualize_touches(controller: Controller, command: Command) -> Touches:
    """Offline resets, online lets fetch; assigning touches nothing that others could see."""
    target = target_of(controller, command.sqe.cdw10 >> 16)
    if command.sqe.cdw10 & 0xF == VirtualizationAction.SECONDARY_ASSIGN:
        return target.living, ()
    return resetting(target)


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.NAMESPACE_MANAGEMENT: AdminHandler(_manage, primary_only=True),
    AdminOpcode.NAMESPACE_ATTACHMENT: AdminHandler(_attach, primary_only=True),
    AdminOpcode.VIRTUALIZATION_MANAGEMENT: AdminHandler(
        _virtualize, primary_only=True, touches=_virtualize_touches
    ),
}
