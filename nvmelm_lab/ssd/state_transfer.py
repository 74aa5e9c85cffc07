"""A controller's state, taken out of one controller and put into another.

Source: Base 2.1, section 5.1.17.1.3 and Figures 358 to 361.
"""

from __future__ import annotations

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.codes import CSTS_RDY, AdminOpcode
from nvmelm_lab.nvme.controller_state import (
    CompletionQueueState,
    ControllerState,
    QueueStates,
    SubmissionQueueState,
    pack_controller_state,
    unpack_controller_state,
)
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.nvme.structs import Sqe
from nvmelm_lab.ssd.admin_queues import queue_limit
from nvmelm_lab.ssd.command import Command, Refused
from nvmelm_lab.ssd.rings import (
    CQE_BYTES,
    SQE_BYTES,
    CompletionQueue,
    QueueKeeper,
    SubmissionQueue,
    admin_entries,
    ring_fits,
)
from nvmelm_lab.ssd.vendor_state import AdminState, pack_admin_state, unpack_admin_state


def take_state(controller: QueueKeeper, *, consistent: bool, queues: bool, vendor: bool) -> bytes:
    """The state of `controller` as it is now, in the parts that are asked for.

    `consistent`: it is suspended and at rest, so that the parts fit together (CSATTR.CP).
    """
    states = QueueStates(
        tuple(_sq_state(sq) for qid, sq in sorted(controller.sqs.items()) if qid),
        tuple(_cq_state(cq) for qid, cq in sorted(controller.cqs.items()) if qid),
    )
    return pack_controller_state(
        ControllerState(
            suspended=consistent,
            queues=states if queues else None,
            vendor_data=pack_admin_state(controller) if vendor else b"",
        )
    )


def _sq_state(sq: SubmissionQueue) -> SubmissionQueueState:
    return SubmissionQueueState(
        qid=sq.qid,
        cqid=sq.cq.qid,
        prp1=sq.base,
        entries=sq.entries,
        head=sq.head,
        tail=sq.tail,
        priority=sq.priority,
        contiguous=True,
    )


def _cq_state(cq: CompletionQueue) -> CompletionQueueState:
    tail = cq.posted % cq.entries
    return CompletionQueueState(
        qid=cq.qid,
        prp1=cq.base,
        entries=cq.entries,
        head=cq.consumed.level % cq.entries,
        tail=tail,
        # What slot 0 holds now: this lap's phase tag once it was written on this lap, else the last lap's.
        slot0_phase=cq.phase if tail else 1 - cq.phase,
        vector=cq.vector,
        interrupts=cq.interrupts,
        contiguous=True,
    )


def put_state(controller: QueueKeeper, data: bytes, *, queues: bool, vendor: bool) -> None:
    """Verify a state and commit it to `controller`.

    Refused, with nothing changed: with Invalid Field when the state is malformed, when a part is there without its
    index in the command, or when the controller has I/O queues already; with Not Enough Resources when it cannot
    have as many or as long ones as the state has.
    """
    try:
        state = unpack_controller_state(data)
    except InputError as error:
        raise Refused(Status.INVALID_FIELD) from error
    if (state.queues is not None and not queues) or (state.vendor_data and not vendor):
        raise Refused(Status.INVALID_FIELD)
    if controller.sqs.keys() - {0} or controller.cqs.keys() - {0}:
        raise Refused(Status.INVALID_FIELD)
    admin = unpack_admin_state(controller.space, state.vendor_data) if state.vendor_data else None
    if state.queues is not None:
        _verify(controller, state.queues)
    if admin is not None:
        _commit_admin(controller, admin)
    if state.queues is not None:
        _commit(controller, state.queues)


def _verify(controller: QueueKeeper, states: QueueStates) -> None:
    for cq in states.completion:
        _verify_ring(controller, cq, CQE_BYTES)
        if cq.vector >= max(1, controller.interrupt_limit):
            raise Refused(Status.NOT_ENOUGH_RESOURCES)
    cqids = {cq.qid for cq in states.completion}
    for sq in states.submission:
        _verify_ring(controller, sq, SQE_BYTES)
        if sq.cqid not in cqids:
            raise Refused(Status.INVALID_FIELD)


def _verify_ring(
    controller: QueueKeeper, ring: SubmissionQueueState | CompletionQueueState, entry_bytes: int
) -> None:
    # CAP.CQR is 1: queues are physically contiguous.
    if not ring.contiguous or not ring_fits(controller.space, ring.prp1, ring.entries, entry_bytes):
        raise Refused(Status.INVALID_FIELD)
    if ring.qid > queue_limit(controller) or ring.entries > controller.max_queue_entries:
        raise Refused(Status.NOT_ENOUGH_RESOURCES)


def _commit(controller: QueueKeeper, states: QueueStates) -> None:
    for cq in states.completion:
        # The next entry has the phase tag that slot 0 holds, unless it is slot 0's own turn: facts D.10.
        phase = cq.slot0_phase if cq.tail else 1 - cq.slot0_phase
        queue = _completion_queue(controller, cq.qid, cq.prp1, cq.entries, cq.head, cq.tail, phase)
        queue.interrupts, queue.vector = cq.interrupts, cq.vector
    for sq in states.submission:
        _submission_queue(controller, sq.qid, sq.cqid, sq.prp1, sq.entries, sq.head, sq.tail, sq.priority)


def _commit_admin(controller: QueueKeeper, state: AdminState) -> None:
    if 0 in controller.sqs:
        controller.delete_sq(0)
        del controller.cqs[0]
    controller.event_requests.clear()
    controller.cc, controller.csts, controller.arbitration = state.cc, state.csts, state.arbitration
    controller.aqa, controller.asq, controller.acq = state.aqa, state.asq, state.acq
    if not CSTS_RDY.get(state.csts):
        return
    sq_entries, cq_entries = admin_entries(state.aqa)
    _completion_queue(controller, 0, state.acq, cq_entries, state.cq_head, state.cq_tail, state.phase)
    _submission_queue(controller, 0, 0, state.asq, sq_entries, state.sq_head, state.sq_tail, 0)
    for cid in state.waiting:
        controller.event_requests[_event_request(controller.sqs[0], cid)] = None


def _event_request(queue: SubmissionQueue, cid: int) -> Command:
    """A request that was fetched where the state was taken; it is never executed again."""
    fields = dict.fromkeys(Sqe._fields, 0) | {"opcode": int(AdminOpcode.ASYNC_EVENT_REQUEST), "cid": cid}
    return Command(queue, 0, Sqe(**fields))


def _completion_queue(
    controller: QueueKeeper, qid: int, base: int, entries: int, head: int, tail: int, phase: int
) -> CompletionQueue:
    queue = CompletionQueue(controller, qid, base, entries)
    # Counts since creation are not part of the state; the lap is, in the phase tag.  Two laps more keep the
    # consumed count, which lies up to one lap behind, from being negative.
    queue.posted = tail + (2 if phase else 3) * entries
    queue.claimed = queue.posted
    queue.consumed.raise_to(queue.posted - (tail - head) % entries)
    controller.cqs[qid] = queue
    return queue


def _submission_queue(
    controller: QueueKeeper, qid: int, cqid: int, base: int, entries: int, head: int, tail: int, priority: int
) -> None:
    cq = controller.cqs[cqid]
    queue = SubmissionQueue(controller, qid, cq, base, entries, priority=priority)
    queue.fetched = head
    queue.visible.raise_to(head + (tail - head) % entries)
    controller.create_sq(queue)
