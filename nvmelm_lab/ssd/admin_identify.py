"""Identify: what a controller says of itself, its namespaces and its siblings.  Source: Base 2.1, section 5.1.13."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme import identify as pages
from nvmelm_lab.nvme.codes import AdminOpcode, Cns
from nvmelm_lab.nvme.identify_lists import (
    SecondaryController,
    StateFormats,
    pack_controller_list,
    pack_namespace_list,
    pack_secondary_controllers,
    pack_state_formats,
)
from nvmelm_lab.nvme.pages import pack_page
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd import io_copy
from nvmelm_lab.ssd.admin_handler import AdminHandler
from nvmelm_lab.ssd.admin_log import MAX_LIST_ENTRIES
from nvmelm_lab.ssd.admin_log import MAX_QUEUES as MAX_MIGRATION_QUEUES
from nvmelm_lab.ssd.admin_log_pages import FIRMWARE
from nvmelm_lab.ssd.admin_queues import queue_limit
from nvmelm_lab.ssd.admission import MOST_ABORTS
from nvmelm_lab.ssd.command import Command, Refused, inactive
from nvmelm_lab.ssd.data import MDTS, put_bytes
from nvmelm_lab.ssd.events import MOST_REQUESTS
from nvmelm_lab.ssd.memory_tracking import COARSEST, FINEST, MAX_RANGES
from nvmelm_lab.ssd.namespace import MAX_NAMESPACES
from nvmelm_lab.ssd.vendor_state import UUID

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.namespace import Namespace
    from nvmelm_lab.ssd.subsystem import Subsystem

HIGHEST_LISTED = 0xFFFF_FFFD
"""The largest NSID that a list of namespaces may be asked to start behind."""


_SANITIZE = (
    pages.SANICAP_CES.put(1)
    | pages.SANICAP_BES.put(1)
    | pages.SANICAP_OWS.put(1)
    | pages.SANICAP_NDI.put(1)
    | pages.SANICAP_NODMMAS.put(1)
)

_IO_COMMANDS = (
    pages.ONCS_NVMCMPS.put(1)
    | pages.ONCS_NVMWUSV.put(1)
    | pages.ONCS_NVMDSMSV.put(1)
    | pages.ONCS_NVMWZSV.put(1)
    | pages.ONCS_NVMVFYS.put(1)
    | pages.ONCS_NVMCPYS.put(1)
    | pages.ONCS_NVMCSA.put(1)
    | pages.ONCS_NSZS.put(1)
)


def _identify(controller: Controller, command: Command) -> None:
    page = _PAGES.get(command.sqe.cdw10 & 0xFF)
    if page is None:
        raise Refused(Status.INVALID_FIELD)
    put_bytes(controller.space, command, page(controller, command), PAGE_BYTES)


def _attached(controller: Controller, command: Command) -> Namespace | None:
    """The namespace that is asked about if it is attached, None if it is inactive; Refused if it cannot exist."""
    _check_nsid(command)
    namespace = controller.subsystem.namespaces.get(command.sqe.nsid)
    return namespace if namespace is not None and controller.cntlid in namespace.attached else None


def _check_nsid(command: Command) -> None:
    """Refuse an NSID that no namespace can have."""
    if not 1 <= command.sqe.nsid <= MAX_NAMESPACES:
        raise Refused(Status.INVALID_NAMESPACE_OR_FORMAT)


def _controller(controller: Controller, _command: Command) -> bytes:
    primary, subsystem = controller.primary, controller.subsystem
    manages = pages.OACS_NMS.put(1) | pages.OACS_VMS.put(1) | pages.OACS_HMLMS.put(1)
    return pack_page(
        pages.IdentifyController(
            sn=f"LM{subsystem.name[:16]}",
            mn="NVMe Live Migration Lab",
            fr=FIRMWARE,
            cmic=0b110 if not primary else 0b010,
            mdts=MDTS,
            cntlid=controller.cntlid,
            oacs=pages.OACS_FNVMS.put(1) | pages.OACS_GLSS.put(1) | (manages if primary else 0),
            acl=MOST_ABORTS - 1,
            aerl=MOST_REQUESTS - 1,
            sanicap=_SANITIZE if primary else 0,
            fna=pages.FNA_CRYES.put(1),
            frmw=pages.FRMW_FFSRO.put(1) | pages.FRMW_NOFS.put(1),
            lpa=pages.LPA_CSES.put(1) | pages.LPA_LPEDS.put(1),
            tnvmcap=subsystem.capacity * subsystem.block_bytes,
            unvmcap=subsystem.free_blocks() * subsystem.block_bytes,
            nn=MAX_NAMESPACES,
            oncs=_IO_COMMANDS,
            ocfs=pages.OCFS_0.put(1),
            **_tracking(subsystem) if primary else {},
            subnqn=f"nqn.2024-08.org.nvmelm:{subsystem.name.replace(' ', '-')}",
        )
    )


def _tracking(subsystem: Subsystem) -> dict[str, int]:
    """What an MMC can log and track (bytes 570 to 587)."""
    powers_only = subsystem.habits.tracking_lengths == "powers of two"
    return {
        "cmmrtd": MAX_RANGES,
        "nmmrtd": MAX_RANGES,
        "minmrtg": FINEST,
        "maxmrtg": COARSEST,
        "trattr": pages.TRATTR_THMCS.put(1) | pages.TRATTR_TUDCS.put(1) | pages.TRATTR_MRTLL.put(powers_only),
        "mcudmq": MAX_MIGRATION_QUEUES,
        "mnsudmq": MAX_MIGRATION_QUEUES,
        "mcdqpc": MAX_LIST_ENTRIES,
    }


def _namespace(controller: Controller, command: Command) -> bytes:
    namespace = _attached(controller, command)
    return bytes(PAGE_BYTES) if namespace is None else _described(namespace)


def _allocated_namespace(controller: Controller, command: Command) -> bytes:
    """The same, attached here or not."""
    _check_nsid(command)
    namespace = controller.subsystem.namespaces.get(command.sqe.nsid)
    return bytes(PAGE_BYTES) if namespace is None else _described(namespace)


def _described(namespace: Namespace) -> bytes:
    return pack_page(
        pages.IdentifyNamespace(
            nsze=namespace.blocks,
            ncap=namespace.blocks,
            nuse=namespace.used_blocks(),
            nmic=pages.NMIC_SHRNS.put(1) if namespace.shared else 0,
            dlfeat=pages.DLFEAT_DRB.put(1) | pages.DLFEAT_WZDS.put(1),
            mssrl=io_copy.LONGEST_RANGE,
            mcl=io_copy.MOST_BLOCKS,
            msrc=io_copy.MOST_RANGES - 1,
            lbads=namespace.block_bytes.bit_length() - 1,
        )
    )


def _check_command_set(command: Command) -> None:
    """CSI must name the NVM command set, the only one here."""
    if command.sqe.cdw11 >> 24:
        raise Refused(Status.INVALID_FIELD)


def _nvm_namespace(controller: Controller, command: Command) -> bytes:
    _check_command_set(command)
    namespace = _attached(controller, command)
    return pack_page(pages.IdentifyNvmNamespace(tlbaag=0 if namespace is None else namespace.granularity))


def _nvm_controller(_controller: Controller, command: Command) -> bytes:
    _check_command_set(command)
    return pack_page(pages.IdentifyNvmController(aocs=pages.AOCS_RALBAS.put(1)))


def _listed_above(command: Command) -> int:
    """The NSID that a list starts behind."""
    if command.sqe.nsid > HIGHEST_LISTED:
        raise Refused(Status.INVALID_NAMESPACE_OR_FORMAT)
    return command.sqe.nsid


def _active(controller: Controller, command: Command) -> bytes:
    above = _listed_above(command)
    namespaces = controller.subsystem.namespaces.values()
    return pack_namespace_list(
        sorted(ns.nsid for ns in namespaces if ns.nsid > above and controller.cntlid in ns.attached)
    )


def _allocated(controller: Controller, command: Command) -> bytes:
    above = _listed_above(command)
    return pack_namespace_list(sorted(nsid for nsid in controller.subsystem.namespaces if nsid > above))


def _first_listed(command: Command) -> int:
    """CNTID: the first controller that a list may name."""
    return command.sqe.cdw10 >> 16


def _attached_controllers(controller: Controller, command: Command) -> bytes:
    namespace = controller.subsystem.namespaces.get(command.sqe.nsid)
    if namespace is None:
        raise Refused(inactive(command.sqe.nsid))
    return pack_controller_list(sorted(c for c in namespace.attached if c >= _first_listed(command)))


def _controllers(controller: Controller, command: Command) -> bytes:
    first = _first_listed(command)
    return pack_controller_list(sorted(c for c in controller.subsystem.controllers if c >= first))


def _capabilities(controller: Controller, _command: Command) -> bytes:
    """All flexible resources are there for secondary controllers; what is private is the primary's own."""
    if not controller.primary:
        raise Refused(Status.INVALID_FIELD)
    subsystem = controller.subsystem
    others = [c for c in subsystem.controllers.values() if not c.primary]
    each = subsystem.resources_each
    return pack_page(
        pages.PrimaryCapabilities(
            cntlid=controller.cntlid,
            crt=0b11,
            vqfrt=each * len(others),
            vqrfa=sum(c.queue_resources for c in others),
            vqprt=queue_limit(controller) + 1,
            vqfrsm=each,
            vqgran=1,
            vifrt=each * len(others),
            virfa=sum(c.interrupt_resources for c in others),
            viprt=controller.interrupt_limit,
            vifrsm=each,
            vigran=1,
        )
    )


def _secondary(controller: Controller, command: Command) -> bytes:
    if not controller.primary:
        raise Refused(Status.INVALID_FIELD)
    others = [c for c in controller.subsystem.controllers.values() if not c.primary]
    return pack_secondary_controllers(
        [
            SecondaryController(
                scid=c.cntlid,
                pcid=controller.cntlid,
                online=c.online,
                vfn=c.cntlid - controller.cntlid,
                nvq=c.queue_resources,
                nvi=c.interrupt_resources,
            )
            for c in others
            if c.cntlid >= _first_listed(command)
        ]
    )


def _state_formats(controller: Controller, _command: Command) -> bytes:
    if not controller.primary:
        raise Refused(Status.INVALID_FIELD)
    return pack_state_formats(StateFormats(versions=(0,), uuids=(UUID,)))


_PAGES: Mapping[int, Callable[[Controller, Command], bytes]] = {
    Cns.NAMESPACE: _namespace,
    Cns.CONTROLLER: _controller,
    Cns.ACTIVE_NAMESPACES: _active,
    Cns.IOCS_NAMESPACE: _nvm_namespace,
    Cns.IOCS_CONTROLLER: _nvm_controller,
    Cns.ALLOCATED_NAMESPACES: _allocated,
    Cns.ALLOCATED_NAMESPACE: _allocated_namespace,
    Cns.ATTACHED_CONTROLLERS: _attached_controllers,
    Cns.CONTROLLERS: _controllers,
    Cns.PRIMARY_CAPABILITIES: _capabilities,
    Cns.SECONDARY_CONTROLLERS: _secondary,
    Cns.CONTROLLER_STATE_FORMATS: _state_formats,
}


HANDLERS: Mapping[int, AdminHandler] = {AdminOpcode.IDENTIFY: AdminHandler(_identify)}
