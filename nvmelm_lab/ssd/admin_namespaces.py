"""Namespace Management, Namespace Attachment and Virtualization Management: what the primary controller gives out.

Sources: Base 2.1, sections 5.1.21, 5.1.20 and 5.2.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import unpack_from
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import BROADCAST_NSID, AdminOpcode, ResourceType, VirtualizationAction
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler, target_of
from nvmelm_lab.ssd.command import Command, Refused

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

PAGE = 4096
MIN_QUEUE_RESOURCES = 2
"""VQ resources that a secondary controller needs to go online: an admin and an I/O queue pair."""


def _manage(controller: Controller, command: Command) -> None:
    select = command.sqe.cdw10 & 0xF
    if select == 0:
        _create(controller, command)
    elif select == 1:
        _delete(controller, command)
    else:
        raise Refused(Status.INVALID_FIELD)


def _create(controller: Controller, command: Command) -> None:
    """The host's data follow Identify Namespace: NSZE 7:0, NCAP 15:8, FLBAS 26, DPS 29, NMIC 30."""
    data = controller.get_data(command, PAGE)
    size, capacity = unpack_from("<QQ", data, 0)
    # Thin provisioning is not offered (NSFEAT bit 0 is 0), so capacity and size are the same.
    if size == 0 or capacity != size:
        raise Refused(Status.INVALID_FIELD)
    if data[26] & 0xF or data[29]:
        raise Refused(Status.INVALID_FORMAT)
    subsystem = controller.subsystem
    if subsystem.free_blocks() < size:
        raise Refused(Status.NAMESPACE_INSUFFICIENT_CAPACITY)
    nsid = subsystem.free_nsid()
    if nsid is None:
        raise Refused(Status.NAMESPACE_IDENTIFIER_UNAVAILABLE)
    subsystem.create_namespace(nsid, size, shared=bool(data[30] & 1))
    command.dw0 = nsid


def _delete(controller: Controller, command: Command) -> None:
    subsystem = controller.subsystem
    if command.sqe.nsid == BROADCAST_NSID:
        subsystem.namespaces.clear()
        return
    if command.sqe.nsid not in subsystem.namespaces:
        raise Refused(Status.INVALID_NAMESPACE_OR_FORMAT)
    del subsystem.namespaces[command.sqe.nsid]


def _attach(controller: Controller, command: Command) -> None:
    namespace = controller.subsystem.namespaces.get(command.sqe.nsid)
    if namespace is None:
        raise Refused(Status.INVALID_NAMESPACE_OR_FORMAT)
    select = command.sqe.cdw10 & 0xF
    if select > 1:
        raise Refused(Status.INVALID_FIELD)
    data = controller.get_data(command, PAGE)
    (count,) = unpack_from("<H", data, 0)
    if not 1 <= count <= 2047:
        raise Refused(Status.CONTROLLER_LIST_INVALID)
    cntlids = unpack_from(f"<{count}H", data, 2)
    if any(cntlid not in controller.subsystem.controllers for cntlid in cntlids) or list(cntlids) != sorted(
        set(cntlids)
    ):
        raise Refused(Status.CONTROLLER_LIST_INVALID)
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


def _virtualize(controller: Controller, command: Command) -> None:
    sqe = command.sqe
    action = sqe.cdw10 & 0xF
    if action == VirtualizationAction.PRIMARY_FLEXIBLE or action not in set(VirtualizationAction):
        # All flexible resources belong to secondary controllers here.
        raise Refused(Status.INVALID_FIELD)
    target = target_of(controller, sqe.cdw10 >> 16)
    if action == VirtualizationAction.SECONDARY_OFFLINE:
        target.set_online(False)
    elif action == VirtualizationAction.SECONDARY_ONLINE:
        if target.queue_resources < MIN_QUEUE_RESOURCES or not target.interrupt_resources:
            raise Refused(Status.INVALID_SECONDARY_CONTROLLER_STATE)
        target.set_online(True)
    else:
        _assign(controller, target, command)


def _assign(controller: Controller, target: Controller, command: Command) -> None:
    resource, count = command.sqe.cdw10 >> 8 & 7, command.sqe.cdw11 & 0xFFFF
    if target.online:
        raise Refused(Status.INVALID_SECONDARY_CONTROLLER_STATE)
    if resource > ResourceType.INTERRUPTS:
        raise Refused(Status.INVALID_RESOURCE_IDENTIFIER)
    if count > controller.subsystem.resources_each:
        raise Refused(Status.INVALID_NUMBER_OF_CONTROLLER_RESOURCES)
    if resource == ResourceType.QUEUES:
        target.queue_resources = count
    else:
        target.interrupt_resources = count
    command.dw0 = count


def _virtualizing(controller: Controller, command: Command) -> Touches:
    if command.sqe.cdw10 & 0xF != VirtualizationAction.SECONDARY_OFFLINE:
        return (), ()
    return target_of(controller, command.sqe.cdw10 >> 16).reset_touches()


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.NAMESPACE_MANAGEMENT: AdminHandler(_manage, primary_only=True),
    AdminOpcode.NAMESPACE_ATTACHMENT: AdminHandler(_attach, primary_only=True),
    AdminOpcode.VIRTUALIZATION_MANAGEMENT: AdminHandler(
        _virtualize, primary_only=True, touches=_virtualizing
    ),
}
