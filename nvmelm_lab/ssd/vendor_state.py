"""The vendor specific part of a controller's state: what the standard leaves out of it.

The NVMe Controller State (Base 2.1, Figure 359) covers I/O queues alone.  A guest's admin queue and its
configuration must come along too, or the guest could not send another admin command; so must its Asynchronous Event
Requests that wait, or the guest would wait for ever.  An SSD of the kit carries them as vendor specific data under
this UUID.

Layout, 56 bytes, little-endian:

=======  ==============================================================
Bytes    Field
=======  ==============================================================
03:00    CC
07:04    AQA
15:08    ASQ
23:16    ACQ
27:24    admin SQ: head slot 15:0, tail slot 31:16
31:28    admin CQ: head slot 15:0, tail slot 31:16
35:32    admin CQ: phase tag of the next entry, bit 0
39:36    CSTS
43:40    Arbitration, as Set Features 01h has it
47:44    number of Asynchronous Event Requests that wait
55:48    their CIDs, oldest first
=======  ==============================================================
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from nvmelm_lab.memory import AddressSpace
from nvmelm_lab.nvme.codes import CC_EN, CSTS_RDY
from nvmelm_lab.nvme.status import Status
from nvmelm_lab.ssd.command import Refused
from nvmelm_lab.ssd.events import MOST_REQUESTS
from nvmelm_lab.ssd.rings import CQE_BYTES, SQE_BYTES, QueueKeeper, admin_entries, ring_fits

UUID = bytes.fromhex("6e766d656c6d4c41 42a0000000000001".replace(" ", ""))
"""Names this layout in the list of supported controller state formats (CNS 20h)."""

_LAYOUT = Struct("<IIQQHHHHIIII8s")
_CIDS = Struct(f"<{MOST_REQUESTS}H")


class AdminState(NamedTuple):
    """Configuration and admin queue positions of a controller; slots, and the phase tag that comes next.

    `requests` is how many Asynchronous Event Requests wait, `cids` the 8 bytes of theirs.
    """

    cc: int
    aqa: int
    asq: int
    acq: int
    sq_head: int
    sq_tail: int
    cq_head: int
    cq_tail: int
    phase: int
    csts: int
    arbitration: int
    requests: int = 0
    cids: bytes = bytes(8)

    @property
    def waiting(self) -> tuple[int, ...]:
        """CIDs of the Asynchronous Event Requests that wait."""
        return _CIDS.unpack(self.cids)[: self.requests]


def pack_admin_state(controller: QueueKeeper) -> bytes:
    """The vendor specific data of `controller`."""
    sq, cq = controller.sqs.get(0), controller.cqs.get(0)
    if sq is None or cq is None:
        positions = (0, 0, 0, 0, 1)
    else:
        positions = (sq.head, sq.tail, cq.consumed.level % cq.entries, cq.posted % cq.entries, cq.phase)
    configuration = (controller.cc, controller.aqa, controller.asq, controller.acq)
    waiting = [request.sqe.cid for request in controller.event_requests]
    cids = _CIDS.pack(*waiting, *[0] * (MOST_REQUESTS - len(waiting)))
    return _LAYOUT.pack(
        *configuration, *positions, controller.csts, controller.arbitration, len(waiting), cids
    )


def unpack_admin_state(space: AddressSpace, data: bytes) -> AdminState:
    """The reverse, for a controller whose rings lie in `space`.  Refused unless it can have that state."""
    if len(data) != _LAYOUT.size:
        raise Refused(Status.INVALID_FIELD)
    state = AdminState._make(_LAYOUT.unpack(data))
    if CSTS_RDY.get(state.csts) and not _is_possible(space, state):
        raise Refused(Status.INVALID_FIELD)
    return state


def _is_possible(space: AddressSpace, state: AdminState) -> bool:
    """Whether an enabled controller can have these admin queues."""
    sq_entries, cq_entries = admin_entries(state.aqa)
    return (
        bool(CC_EN.get(state.cc))
        and ring_fits(space, state.asq, sq_entries, SQE_BYTES)
        and ring_fits(space, state.acq, cq_entries, CQE_BYTES)
        and max(state.sq_head, state.sq_tail) < sq_entries
        and max(state.cq_head, state.cq_tail) < cq_entries
        and state.phase <= 1
        and state.requests <= MOST_REQUESTS
        and len(set(state.waiting)) == state.requests
    )
