"""Get Log Page: which log pages there are, and which commands.

No page is about a namespace.  What Base 2.1 (Figure 31) demands of an I/O controller besides, and is not here: Error
Information (01h) and SMART / Health Information (02h).  Supported Log Pages does not list them.
Source: Base 2.1, sections 5.1.12, 5.1.12.1.1, 5.1.12.1.4, 5.1.12.1.6 and 5.1.12.1.18.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import BROADCAST_NSID, AdminOpcode, Feature, LogPage
from nvmelm_lab.nvme.log_pages import (
    EFFECTS_CSUPP,
    EFFECTS_LBCC,
    EFFECTS_NIC,
    FEATURES_CDQSCP,
    FEATURES_CSCPE,
    FEATURES_FSUPP,
    pack_command_effects,
    pack_feature_effects,
    pack_firmware_slots,
    pack_supported_log_pages,
)
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd import io_commands
from nvmelm_lab.ssd.admin_handler import AdminHandler
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.data import MAX_TRANSFER_BYTES, put_bytes

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

Supported = Callable[["Controller"], Iterable[int]]
"""Gives the admin opcodes that a controller takes."""

_ADMIN_EFFECTS: Mapping[int, int] = {
    AdminOpcode.NAMESPACE_MANAGEMENT: EFFECTS_NIC.put(1) | EFFECTS_LBCC.put(1),
    AdminOpcode.NAMESPACE_ATTACHMENT: EFFECTS_NIC.put(1),
    AdminOpcode.FORMAT_NVM: EFFECTS_LBCC.put(1),
    AdminOpcode.SANITIZE: EFFECTS_LBCC.put(1),
}
"""What the admin commands of an SSD of the kit may change, of those that it supports."""


def _supported_log_pages(_controller: Controller, _supported: Supported) -> bytes:
    return pack_supported_log_pages(_PAGES)


def _command_effects(controller: Controller, supported: Supported) -> bytes:
    return pack_command_effects(
        {opcode: EFFECTS_CSUPP.put(1) | _ADMIN_EFFECTS.get(opcode, 0) for opcode in supported(controller)},
        {
            opcode: EFFECTS_CSUPP.put(1) | EFFECTS_LBCC.put(handler.changes)
            for opcode, handler in io_commands.HANDLERS.items()
        },
    )


_SCOPES: Mapping[int, int] = {
    Feature.ARBITRATION: FEATURES_CSCPE.put(1),
    Feature.NUMBER_OF_QUEUES: FEATURES_CSCPE.put(1),
    Feature.CONTROLLER_DATA_QUEUE: FEATURES_CDQSCP.put(1),
}
"""The features of `admin_features.py`."""

FIRMWARE = "1"
"""The revision of an SSD's firmware, which cannot be replaced."""


def _feature_effects(controller: Controller, _supported: Supported) -> bytes:
    """A controller that has no Controller Data Queues has no feature that is about one."""
    there = [fid for fid in _SCOPES if controller.primary or fid != Feature.CONTROLLER_DATA_QUEUE]
    return pack_feature_effects({fid: FEATURES_FSUPP.put(1) | _SCOPES[fid] for fid in there})


def _firmware_slots(_controller: Controller, _supported: Supported) -> bytes:
    return pack_firmware_slots(FIRMWARE)


def _lba_status(controller: Controller, _supported: Supported) -> bytes:
    return controller.subsystem.lba_status_logs[controller.cntlid].page()


_PAGES: Mapping[int, Callable[[Controller, Supported], bytes]] = {
    LogPage.SUPPORTED_LOG_PAGES: _supported_log_pages,
    LogPage.FIRMWARE_SLOTS: _firmware_slots,
    LogPage.COMMAND_EFFECTS: _command_effects,
    LogPage.LBA_STATUS: _lba_status,
    LogPage.FEATURE_EFFECTS: _feature_effects,
}


def _get(controller: Controller, command: Command, supported: Supported) -> None:
    sqe = command.sqe
    length = 4 * ((sqe.cdw11 & 0xFFFF) << 16 | sqe.cdw10 >> 16) + 4
    if length > MAX_TRANSFER_BYTES:
        # First of all, as a shim in between asks it first too.
        raise Refused(Status.INVALID_FIELD)
    page = _PAGES.get(sqe.cdw10 & 0xFF)
    if page is None:
        raise Refused(Status.INVALID_LOG_PAGE)
    # No page here has an index, nor a namespace.
    if sqe.cdw14 >> 23 & 1 or sqe.nsid not in (0, BROADCAST_NSID):
        raise Refused(Status.INVALID_FIELD)
    data = page(controller, supported)
    offset = sqe.cdw13 << 32 | sqe.cdw12
    if offset & 3 or offset > len(data):
        raise Refused(Status.INVALID_FIELD)
    # Dwords behind the page's end may hold anything: zeros, so that no buffer on the way shows what it held before.
    put_bytes(controller.space, command, data[offset : offset + length].ljust(length, b"\0"), length)
    if sqe.cdw10 & 0xFF == LogPage.LBA_STATUS:
        controller.subsystem.lba_status_logs[controller.cntlid].was_read()


def _touches(controller: Controller, command: Command) -> Touches:
    if command.sqe.cdw10 & 0xFF != LogPage.LBA_STATUS:
        return (), ()
    return controller.subsystem.lba_status_logs[controller.cntlid].reading()


def _describe(command: Command) -> str:
    return f"Get Log Page {command.sqe.cdw10 & 0xFF:02X}h"


def handlers(supported: Supported) -> Mapping[int, AdminHandler]:
    """The row of Get Log Page; `supported` looks into the table that this row stands in."""
    return {
        AdminOpcode.GET_LOG_PAGE: AdminHandler(
            lambda controller, command: _get(controller, command, supported),
            touches=_touches,
            describe=_describe,
        )
    }
