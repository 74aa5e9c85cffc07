"""The properties of a controller: what the host reads and writes beside the doorbells.

A write enables the controller, resets it or shuts it down; what these do to queues and commands is in
`controller.py`.  Sources: Base 2.1, sections 3.1.4 (properties), 3.5 (initialization), 3.6 (shutdown).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvmelm_lab.engine import Touches
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme.codes import (
    AQA_ACQS,
    AQA_ASQS,
    CAP_CQR,
    CAP_CSS,
    CAP_MQES,
    CAP_TO,
    CC_AMS,
    CC_CSS,
    CC_EN,
    CC_MPS,
    CC_SHN,
    CSTS_CFS,
    CSTS_RDY,
    CSTS_SHST,
    VS_2_1,
    Property,
)
from nvmelm_lab.ssd.footprints import resetting
from nvmelm_lab.ssd.rings import (
    CQE_BYTES,
    MAX_QUEUE_ENTRIES,
    SQE_BYTES,
    CompletionQueue,
    QueueKeeper,
    SubmissionQueue,
    admin_entries,
    ring_fits,
)

if TYPE_CHECKING:
    from nvmelm_lab.ssd.controller import Controller

# Contiguous queues required, 2 s to become ready, the NVM command set, pages of 4 KiB.
_CAPABILITIES = CAP_MQES.put(MAX_QUEUE_ENTRIES - 1) | CAP_CQR.put(1) | CAP_TO.put(4) | CAP_CSS.put(1)
_SHUTDOWN_COMPLETE = 2
_PAGE_ADDRESS = ((1 << 64) - 1) & ~(PAGE_BYTES - 1)


def read(controller: QueueKeeper, offset: int) -> int:
    """The property at `offset`, 0 where there is none.  An offline controller shows CSTS.CFS alone."""
    if not controller.online:
        return CSTS_CFS.put(1) if offset == Property.CSTS else 0
    values: dict[int, int] = {
        Property.CAP: _CAPABILITIES,
        Property.VS: VS_2_1,
        Property.CC: controller.cc,
        Property.CSTS: controller.csts,
        Property.AQA: controller.aqa,
        Property.ASQ: controller.asq,
        Property.ACQ: controller.acq,
    }
    return values.get(offset, 0)


def write(controller: QueueKeeper, offset: int, value: int) -> None:
    """Write a property of an online controller.  What cannot be written, or not now, stays as it is."""
    if offset == Property.CC:
        _configure(controller, value & 0xFFFFFFFF)
    elif CC_EN.get(controller.cc):
        return
    elif offset == Property.AQA:
        controller.aqa = AQA_ASQS.put(AQA_ASQS.get(value)) | AQA_ACQS.put(AQA_ACQS.get(value))
    elif offset == Property.ASQ:
        controller.asq = value & _PAGE_ADDRESS
    elif offset == Property.ACQ:
        controller.acq = value & _PAGE_ADDRESS


def touches(controller: Controller, offset: int) -> Touches:
    """The cells that writing the property at `offset` may touch: only CC does more than keep a value."""
    return resetting(controller) if offset == Property.CC and controller.online else (controller.living, ())


def _configure(controller: QueueKeeper, value: int) -> None:
    """Write CC: EN enables or resets, SHN shuts down."""
    if CC_EN.get(controller.cc) and not CC_EN.get(value):
        controller.reset()
        return
    controller.engine.emit(("configured", controller.name, value))
    starts = CC_EN.get(value) and not CC_EN.get(controller.cc)
    controller.cc = value
    if starts:
        controller.csts = 0
        _enable(controller)
    if CC_SHN.get(value):
        controller.csts = controller.csts & ~CSTS_SHST.put(3) | CSTS_SHST.put(_SHUTDOWN_COMPLETE)
        controller.was_shut_down()


def _enable(controller: QueueKeeper) -> None:
    """Make the admin queues and become ready; a configuration that cannot be is a fatal status."""
    sq_entries, cq_entries = admin_entries(controller.aqa)
    sq_base, cq_base, space = controller.asq, controller.acq, controller.space
    supported = not any(field.get(controller.cc) for field in (CC_CSS, CC_MPS, CC_AMS))
    sq_fits = ring_fits(space, sq_base, sq_entries, SQE_BYTES)
    cq_fits = ring_fits(space, cq_base, cq_entries, CQE_BYTES)
    if not (supported and sq_fits and cq_fits):
        controller.csts |= CSTS_CFS.put(1)
        return
    cq = CompletionQueue(controller, 0, cq_base, cq_entries)
    controller.cqs[0] = cq
    controller.create_sq(SubmissionQueue(controller, 0, cq, sq_base, sq_entries))
    controller.csts |= CSTS_RDY.put(1)
    controller.became_ready()
