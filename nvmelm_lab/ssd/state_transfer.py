"""A controller's state, taken out of one controller and put into another.

Source: Base 2.1, section 5.1.17.1.3 and Figures 358 to 361.
"""

from __future__ import annotations

from nvmelm_lab.errors import InputError
from nvmelm_lab.memory import PAGE_BYTES
from nvmelm_lab.nvme.controller_state import (
    CompletionQueueState,
    ControllerState,
    QueueStates,
    SubmissionQueueState,
    pack_controller_state,
    unpack_controller_state,
)
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.command import Refused
from nvmelm_lab.ssd.rings import (
    CQE_BYTES,
    SQE_BYTES,
    CompletionQueue,
    QueueKeeper,
    SubmissionQueue,
    ring_pages,
)
from nvmelm_lab.ssd.vendor_state import AdminState, pack_admin_state, unpack_admin_state


def take_state(controller: QueueKeeper, *, queues: bool, vendor: bool) -> bytes:
    """The state of `controller` as it is now, in the parts that are asked for."""
    states = QueueStates(
        tuple(_sq_state(sq) for qid, sq in sorted(controller.sqs.items()) if qid),
        tuple(_cq_state(cq) for qid, cq in sorted(controller.cqs.items()) if qid),
    )
    return pack_controller_state(
        ControllerState(
            suspended=controller.suspended,
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
        contiguous=sq.contiguous,
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
        contiguous=cq.contiguous,
    )


def put_state(controller: QueueKeeper, data: bytes, *, queues: bool, vendor: bool) -> None:
    """Verify a state and commit it to `controller`.

    Refused, with nothing changed, when the state is malformed, when a part is there without its index in the
    command, or when I/O queues come to a controller that has some.
    """
    try:
        state = unpack_controller_state(data)
    except InputError as error:
        raise Refused(Status.INVALID_FIELD) from error
    if (state.queues is not None and not queues) or (state.vendor_data and not vendor):
        raise Refused(Status.INVALID_FIELD)
    if state.queues is not None:
        if any(controller.sqs.keys() - {0}) or any(controller.cqs.keys() - {0}):
            raise Refused(Status.INVALID_FIELD)
        _verify(controller, state.queues)
    admin = unpack_admin_state(state.vendor_data) if state.vendor_data else None
    if admin is not None:
        _commit_admin(controller, admin)
    if state.queues is not None:
        _commit(controller, state.queues)


def _verify(controller: QueueKeeper, states: QueueStates) -> None:
    known = {cq.qid for cq in states.completion}
    good = all(
        sq.cqid in known
        and _fits(controller, sq.prp1, sq.entries, SQE_BYTES)
        and max(sq.head, sq.tail) < sq.entries
        for sq in states.submission
    ) and all(
        _fits(controller, cq.prp1, cq.entries, CQE_BYTES) and max(cq.head, cq.tail) < cq.entries
        for cq in states.completion
    )
    if not good or 0 in known:
        raise Refused(Status.INVALID_FIELD)


def _fits(controller: QueueKeeper, base: int, entries: int, entry_bytes: int) -> bool:
    return (
        2 <= entries <= controller.max_queue_entries
        and base % PAGE_BYTES == 0
        and controller.space.contains(base, entries * entry_bytes)
    )


def _commit(controller: QueueKeeper, states: QueueStates) -> None:
    for cq in states.completion:
        # The next entry has the phase tag that slot 0 holds, unless it is slot 0's own turn: facts D.10.
        phase = cq.slot0_phase if cq.tail else 1 - cq.slot0_phase
        queue = _completion_queue(controller, cq.qid, cq.prp1, cq.entries, cq.head, cq.tail, phase)
        queue.interrupts, queue.vector, queue.contiguous = cq.interrupts, cq.vector, cq.contiguous
    for sq in states.submission:
        _submission_queue(controller, sq.qid, sq.cqid, sq.prp1, sq.entries, sq.head, sq.tail, sq.priority)


def _commit_admin(controller: QueueKeeper, state: AdminState) -> None:
    for qid in list(controller.sqs):
        if qid == 0:
            controller.delete_sq(0)
            del controller.cqs[0]
    controller.aqa, controller.asq, controller.acq = state.aqa, state.asq, state.acq
    controller.cc = state.cc
    if not state.cc & 1:
        return
    sq_entries, cq_entries = (state.aqa & 0xFFF) + 1, (state.aqa >> 16 & 0xFFF) + 1
    _completion_queue(controller, 0, state.acq, cq_entries, state.cq_head, state.cq_tail, state.phase)
    _submission_queue(controller, 0, 0, state.asq, sq_entries, state.sq_head, state.sq_tail, 0)
    controller.csts |= 1


def _completion_queue(
    controller: QueueKeeper, qid: int, base: int, entries: int, head: int, tail: int, phase: int
) -> CompletionQueue:
    queue = CompletionQueue(controller, qid, base, ring_pages(base, entries * CQE_BYTES), entries)
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
    queue = SubmissionQueue(
        controller,
        qid,
        controller.cqs[cqid],
        base,
        ring_pages(base, entries * SQE_BYTES),
        entries,
        priority=priority,
    )
    queue.fetched = head
    queue.visible.raise_to(head + (tail - head) % entries)
    controller.create_sq(queue)
