"""Track Send with SEL 1, and Track Receive: the host memory that a target writes to is tracked, and told of.

Sources: Base 2.1, sections 5.1.27.1.2 (Track Memory Changes) and 5.1.26 (Track Receive).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.nvme.codes import AdminOpcode, TrackReceiveSelect
from nvmelm_lab.nvme.memory_tracking import (
    GRANULE_BYTES,
    REPORT_HEADER_BYTES,
    REPORT_RANGE_BYTES,
    REQUEST_HEADER_BYTES,
    REQUEST_RANGE_BYTES,
    ChangesReport,
    MemoryRange,
    TrackingRequest,
    pack_changes_report,
    unpack_tracking_request,
)
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.admin_handler import AdminHandler, target_of
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.data import MAX_TRANSFER_BYTES, get_bytes, put_bytes
from nvmelm_lab.ssd.life_cycle import Event
from nvmelm_lab.ssd.memory_tracking import COARSEST, FINEST, GRANULES, MAX_RANGES, MemoryTracking, asking
from nvmelm_lab.ssd.transitions import permit

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller
    from nvmelm_lab.ssd.subsystem import Subsystem


def _target(controller: Controller, command: Command) -> Controller:
    return target_of(controller, command.sqe.cdw11 & 0xFFFF)


# -- Track Send -------------------------------------------------------------------------------------------


def track_memory(controller: Controller, command: Command) -> None:
    """Start or stop the tracking of a target's memory."""
    target = _target(controller, command)
    if controller.engine.recorder is not None:
        controller.engine.recorder.writes.update(asking(target)[1])
    permit(target, Event.TRACK_MEMORY)
    if command.sqe.cdw10 >> 16 & 1:
        _start(controller, command, target)
    else:
        controller.subsystem.stop_memory_tracking(target)


def _start(controller: Controller, command: Command, target: Controller) -> None:
    if target.memory_tracking is not None:
        raise Refused(Status.INVALID_CONTROLLER_IDENTIFIER)
    request = _request(controller, command, target)
    _check_resources(controller.subsystem, command, request)
    reported = request.exponent
    if controller.subsystem.habits.tracking_report == "coarser":
        reported = min(reported + 1, COARSEST)
    target.memory_tracking = MemoryTracking(target, request.exponent, request.ranges, reported)
    target.memory_tracking.start()
    controller.engine.emit(("memory tracking", controller.name, target.name, True))


def _request(controller: Controller, command: Command, target: Controller) -> TrackingRequest:
    """What the host asks for, if it may; the header says how long the rest is."""
    header = unpack_tracking_request(get_bytes(controller.space, command, REQUEST_HEADER_BYTES))
    tracked = sum(len(each.ranges) for each in _tracked(controller.subsystem))
    if header.version or not FINEST <= header.exponent <= COARSEST:
        raise Refused(Status.INVALID_FIELD)
    if not 1 <= header.stated <= MAX_RANGES - tracked:
        raise Refused(Status.INVALID_FIELD)
    length = REQUEST_HEADER_BYTES + header.stated * REQUEST_RANGE_BYTES
    request = unpack_tracking_request(get_bytes(controller.space, command, length))
    powers_only = controller.subsystem.habits.tracking_lengths == "powers of two"
    size = GRANULE_BYTES << request.exponent
    for address, granules in request.ranges:
        aligned = address % size == 0 and granules > 0
        allowed = not (powers_only and granules & granules - 1)
        if not (aligned and allowed and target.space.contains(address, granules * size)):
            raise Refused(Status.INVALID_FIELD)
    return request


def _check_resources(subsystem: Subsystem, command: Command, request: TrackingRequest) -> None:
    """Not Enough Resources when the granules are too many; DW0 and DW1 say what would be possible."""
    free = GRANULES[subsystem.habits.tracking_resources] - sum(each.granules for each in _tracked(subsystem))
    if _needed(request.ranges, 0) <= free:
        return
    coarser = range(1, COARSEST - request.exponent + 1)
    by = next((by for by in coarser if _needed(request.ranges, by) <= free), coarser.stop - 1)
    possible = 0
    while _needed(request.ranges[: possible + 1], 0) <= free:
        possible += 1
    command.dw0, command.dw1 = request.exponent + by, possible
    raise Refused(Status.NOT_ENOUGH_RESOURCES)


def _needed(ranges: Sequence[MemoryRange], coarser: int) -> int:
    """Granules of `ranges` if each were 2 to the power of `coarser` times as large."""
    return sum(-(-each.granules >> coarser) for each in ranges)


def _tracked(subsystem: Subsystem) -> list[MemoryTracking]:
    found = (controller.memory_tracking for controller in subsystem.controllers.values())
    return [tracking for tracking in found if tracking is not None]


def track_memory_touches(controller: Controller, command: Command) -> Touches:
    """The cells that `track_memory` touches."""
    return asking(_target(controller, command))


# -- Track Receive ----------------------------------------------------------------------------------------


def _receive(controller: Controller, command: Command) -> None:
    """Tell what was written since the last report; what is told of is forgotten."""
    if command.sqe.cdw10 & 0xFF != TrackReceiveSelect.TRACKED_MEMORY:
        raise Refused(Status.INVALID_FIELD)
    target = _target(controller, command)
    if controller.engine.recorder is not None:
        controller.engine.recorder.writes.update(asking(target)[1])
    tracking = target.memory_tracking
    if tracking is None:
        raise Refused(Status.INVALID_CONTROLLER_IDENTIFIER)
    room = 4 * (command.sqe.cdw12 + 1)
    if not REPORT_HEADER_BYTES <= room <= MAX_TRANSFER_BYTES:
        raise Refused(Status.INVALID_FIELD)
    # Refused, if it has to be, before anything is forgotten.
    put_bytes(controller.space, command, b"", room)
    # While commands that were fetched before still end, the target is not yet at rest.
    suspended = target.is_suspended() and all(each.completed for each in target.in_flight)
    ranges, more = tracking.report((room - REPORT_HEADER_BYTES) // REPORT_RANGE_BYTES)
    report = ChangesReport(target.cntlid, tracking.reported, suspended, more and bool(ranges), tuple(ranges))
    put_bytes(controller.space, command, pack_changes_report(report), room)
    granules = sum(each.granules for each in ranges)
    controller.engine.emit(("memory reported", controller.name, target.name, len(ranges), granules))


def _receive_touches(controller: Controller, command: Command) -> Touches:
    return asking(_target(controller, command))


HANDLERS: Mapping[int, AdminHandler] = {
    AdminOpcode.TRACK_RECEIVE: AdminHandler(
        _receive,
        primary_only=True,
        touches=_receive_touches,
        describe=lambda _: "Track Receive: what was written to host memory",
    ),
}
